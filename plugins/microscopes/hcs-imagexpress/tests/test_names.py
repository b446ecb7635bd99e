"""The parser of paths, and construction as the inverse of parsing; the traps of names have tests of their own."""

import pytest
from hypothesis import given, settings, strategies as st

from hcs_core import ParsedName, PlaneKind, PlateError, well_name
from hcs_imagexpress.names import DatabaseName, MetaXpressParser, acquisition_of, acquisition_order

PARSER = MetaXpressParser()
GUID = "46C9B2CD-92F1-4DFD-98AA-6A01BBD77557"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("P_B02_s1_w1.TIF", ParsedName(plate="P", well="B02", site=1, channel=1)),
        ("TimePoint_7/P_B02.TIF", ParsedName(plate="P", well="B02", timepoint=7)),
        ("TimePoint_7/ZStep_2/P_B02.TIF", ParsedName(plate="P", well="B02", timepoint=7, z_index=2)),
        (
            "TimePoint_1/ZStep_0/P_B02.TIF",
            ParsedName(plate="P", well="B02", timepoint=1, z_index=0, kind=PlaneKind.PROJECTION),
        ),
        (f"2023-02-21/7/P_B02_w1{GUID}.tif", DatabaseName(plate="P", well="B02", channel=1, guid=GUID)),
        (
            f"2023-02-21/7/TimePoint_2/ZStep_9/P_B02_s3{GUID}.tif",
            DatabaseName(plate="P", well="B02", site=3, timepoint=2, z_index=9, guid=GUID),
        ),
        ("", None),
    ],
)
def test_reads(path, expected):
    assert PARSER.parse_filename(path) == expected


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


@pytest.mark.parametrize(
    ("path", "folder", "order"),
    [
        ("2023-02-21/1334/ZStep_1/P_B02.tif", "2023-02-21/1334/", (20230221, 1334)),
        ("2023-02-21/P_B02.tif", "2023-02-21/", (20230221, 0)),
        ("1334/P_B02.tif", "1334/", (0, 1334)),
        ("TimePoint_1/P_B02.tif", "", (0, 0)),
        ("P_B02.tif", "", (0, 0)),
        ("", "", (0, 0)),
    ],
)
def test_the_acquisition_of_a_path(path, folder, order):
    assert acquisition_of(path) == folder
    assert acquisition_order(path) == order


def test_acquisitions_are_ordered_as_numbers():
    paths = ["2023-02-21/9/", "2023-02-21/10/", "2023-10-01/2/", "2024-01-01/1/"]
    assert sorted(sorted(paths), key=acquisition_order) == paths
