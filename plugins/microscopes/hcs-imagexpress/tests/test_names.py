"""The grammar of file names, a test for each of its traps, and construction as the inverse of parsing."""

import pytest
from hypothesis import given, settings, strategies as st

from hcs_core import ParsedName, PlaneKind, PlateError, well_name
from hcs_imagexpress.names import IMAGE_NAME, MetaXpressParser

PARSER = MetaXpressParser()
GUID = "46C9B2CD-92F1-4DFD-98AA-6A01BBD77557"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("P_B02_s1_w1.TIF", ParsedName(plate="P", well="B02", site=1, channel=1)),
        ("P_B02.TIF", ParsedName(plate="P", well="B02")),
        ("P_B02_s3.TIF", ParsedName(plate="P", well="B02", site=3)),
        ("P_B02_w4.TIF", ParsedName(plate="P", well="B02", channel=4)),
        ("TimePoint_7/P_B02.TIF", ParsedName(plate="P", well="B02", timepoint=7)),
        ("TimePoint_7/ZStep_2/P_B02.TIF", ParsedName(plate="P", well="B02", timepoint=7, z_index=2)),
        (
            "TimePoint_1/ZStep_0/P_B02.TIF",
            ParsedName(plate="P", well="B02", timepoint=1, z_index=0, kind=PlaneKind.PROJECTION),
        ),
        # Numbers of several digits, in folders too.
        (
            "TimePoint_120/ZStep_10/P_P24_s100_w10.TIF",
            ParsedName(plate="P", well="P24", site=100, channel=10, timepoint=120, z_index=10),
        ),
        # Plates of 1,536 wells.
        ("P_AA01_s1.TIF", ParsedName(plate="P", well="AA01", site=1)),
        ("P_AF48_s1.TIF", ParsedName(plate="P", well="AF48", site=1)),
        # Any case of the extension, and both spellings.
        ("P_B02.tif", ParsedName(plate="P", well="B02")),
        ("P_B02.Tif", ParsedName(plate="P", well="B02")),
        ("P_B02.tiff", ParsedName(plate="P", well="B02")),
        # The last token that looks like a well is the well.
        ("Exp_B02_C03_D04_s1.TIF", ParsedName(plate="Exp_B02_C03", well="D04", site=1)),
        ("Exp_B2_2D_T1_E07_s2_w1.TIF", ParsedName(plate="Exp_B2_2D_T1", well="E07", site=2, channel=1)),
        ("a_s1_w2_B02.TIF", ParsedName(plate="a_s1_w2", well="B02")),
        # Whatever a plate is called.
        ("my plate #1 µ 板_B02.TIF", ParsedName(plate="my plate #1 µ 板", well="B02")),
        ("re\u0301sume\u0301_B02.TIF", ParsedName(plate="re\u0301sume\u0301", well="B02")),
        ("a.b_B02.TIF", ParsedName(plate="a.b", well="B02")),
        ("two\nlines_B02.TIF", ParsedName(plate="two\nlines", well="B02")),
        # In the database's copies a GUID follows without a separator, and may begin with digits.
        (f"P_B02_w1{GUID}.tif", ParsedName(plate="P", well="B02", channel=1)),
        ("P_E08_s117654C10-92F1-4DFD-98AA-6A01BBD77557.tif", ParsedName(plate="P", well="E08", site=1)),
        ("P_E08_s1017654C10-92F1-4DFD-98AA-6A01BBD77557.tif", ParsedName(plate="P", well="E08", site=10)),
        (f"P_E08{GUID.lower()}.tif", ParsedName(plate="P", well="E08")),
        (f"P_E08_s2_w3_[{GUID}].tif", ParsedName(plate="P", well="E08", site=2, channel=3)),
    ],
)
def test_reads(path, expected):
    assert PARSER.parse_filename(path) == expected


@pytest.mark.parametrize(
    "name",
    [
        "._P_B02_s1_w1.TIF",
        ".P_B02.TIF",
        "P_B02_s1_thumb.tif",
        f"P_B02_s1_thumb{GUID}.tif",
        "P.HTD",
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
        "P_B02_s1_w1.tif.statistics.json",
        "P_B02.png",
        "P_B02.TIF.bak",
        "overview.tif",
        "_B02.TIF",
        # Wells are upper case, of two digits, and on a plate; a wavelength of two digits is no well `w10`.
        "P_b02.TIF",
        "P_B2.TIF",
        "P_w10.TIF",
        "P_B00.TIF",
        "P_A49.TIF",
        "P_AG01.TIF",
        "P_B02_s0.TIF",
        "P_B02_w0.TIF",
        "P_B02_S1.TIF",
        # A GUID of another length is none.
        f"P_B02_s1{GUID[1:]}.tif",
        # Digits of another script are no numbers of MetaXpress.
        "P_B0\u0662.TIF",
        "P_B02_s\u0661.TIF",
        "",
    ],
)
def test_reads_nothing_from(name):
    assert PARSER.parse_filename(name) is None
    assert PARSER.parse_filename(f"TimePoint_1/{name}") is None


def test_only_the_length_of_a_guid_tells_its_first_digits_from_the_wavelength():
    match = IMAGE_NAME.fullmatch(f"P_B02_s12_w1{GUID}.tif")
    assert (match["site"], match["channel"], match["guid"]) == ("12", "1", GUID)
    match = IMAGE_NAME.fullmatch(f"P_B02_s12_w14{GUID}.tif")
    assert (match["site"], match["channel"], match["guid"]) == ("12", "14", GUID)


def test_a_name_of_many_underscores_is_read_quickly():
    assert PARSER.parse_filename("_B02" * 5_000 + ".png") is None


PLATES = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="/\\\0"), min_size=1, max_size=30
).filter(lambda text: not text.startswith("."))
WELL_LIKE = st.sampled_from(["_B02", "_AA01", "_s1", "_w10", "_thumb", GUID, ".TIF"])
NUMBERS = st.none() | st.integers(1, 999)


@st.composite
def parsed_names(draw):
    projection = draw(st.booleans())
    return ParsedName(
        plate=draw(PLATES) + "".join(draw(st.lists(WELL_LIKE, max_size=3))),
        well=well_name(draw(st.integers(0, 31)), draw(st.integers(0, 47))),
        site=draw(NUMBERS),
        channel=draw(NUMBERS),
        z_index=0 if projection else draw(NUMBERS),
        timepoint=draw(NUMBERS),
        kind=PlaneKind.PROJECTION if projection else PlaneKind.ACQUIRED,
    )


# No database: a test leaves nothing behind.
@settings(database=None)
@given(parsed_names())
def test_parsing_gives_back_what_was_constructed(name):
    assert PARSER.parse_filename(PARSER.construct_filename(name)) == name


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (ParsedName(plate="P", well="b2"), "P_B02.TIF"),
        (ParsedName(plate="P", well="B02", site=1, channel=2, timepoint=3), "TimePoint_3/P_B02_s1_w2.TIF"),
        (ParsedName(plate="P", well="B02", timepoint=1, z_index=12), "TimePoint_1/ZStep_12/P_B02.TIF"),
        (ParsedName(plate="P", well="B02", timepoint=1, kind=PlaneKind.PROJECTION), "TimePoint_1/ZStep_0/P_B02.TIF"),
    ],
)
def test_constructs_as_real_exports_are_named(name, path):
    assert PARSER.construct_filename(name) == path


@pytest.mark.parametrize(
    "name",
    [
        ParsedName(well="B02"),
        ParsedName(plate="", well="B02"),
        ParsedName(plate=".hidden", well="B02"),
        ParsedName(plate="a/b", well="B02"),
        ParsedName(plate="P", well="no well"),
        ParsedName(plate="P", well="AG01"),
        ParsedName(plate="P", well="A49"),
        ParsedName(plate="P", well="B02", site=0),
        ParsedName(plate="P", well="B02", channel=-1),
        ParsedName(plate="P", well="B02", timepoint=0),
        ParsedName(plate="P", well="B02", z_index=0),
        ParsedName(plate="P", well="B02", z_index=2, kind=PlaneKind.PROJECTION),
    ],
    ids=str,
)
def test_refuses_what_no_path_can_say(name):
    with pytest.raises(PlateError):
        PARSER.construct_filename(name)
