"""What the MetaSeries text of an image says, and what it does not."""

from datetime import UTC, datetime

import pytest
import tifffile

from hcs_core import PlaneFacts, SitePosition
from hcs_imagexpress.metaseries import metaseries_properties, parse_metaseries


def text(**values):
    lines = "".join(f'<prop id="{key}" type="string" value="{value}"/>\n' for key, value in values.items())
    return f"<MetaData>\n<PlaneInfo>\n{lines}</PlaneInfo>\n</MetaData>"


def calibration(state="on", size="0.65", unit="um"):
    return {
        "spatial-calibration-state": state, "spatial-calibration-x": size, "spatial-calibration-y": size,
        "spatial-calibration-units": unit,
    }  # fmt: skip


@pytest.mark.parametrize("unit", ["um", "µm", "&#181;m", "UM", "\u03bcm", "microns"])
def test_pixel_size(unit):
    assert parse_metaseries(text(**calibration(unit=unit))).pixel_size_um == 0.65


@pytest.mark.parametrize(
    "values",
    [
        calibration(state="off"), calibration(size="0"), calibration(size="-1"), calibration(size="nan"),
        calibration(size="inf"), calibration(size=""), calibration(unit="pixel"), calibration(unit=""), {},
    ],
)  # fmt: skip
def test_no_pixel_size(values):
    assert parse_metaseries(text(**values)).pixel_size_um is None


def test_an_offset_needs_both_directions():
    both = parse_metaseries(text(OffsetFromWellCenterUmX="-315.5", OffsetFromWellCenterUmY="2e1"))
    assert both.position == SitePosition(y_um=20.0, x_um=-315.5)
    assert parse_metaseries(text(OffsetFromWellCenterUmX="-315.5")).position is None
    assert parse_metaseries(text(OffsetFromWellCenterUmX="x", OffsetFromWellCenterUmY="1")).position is None


def test_the_stage_is_y_then_x():
    assert parse_metaseries(text(**{"stage-position-x": "79813.4", "stage-position-y": "41385.4"})).stage_yx_um == (
        41385.4,
        79813.4,
    )


@pytest.mark.parametrize(("value", "expected"), [("536", 536.0), ("0", None), ("-1", None), ("", None)])
def test_wavelength(value, expected):
    assert parse_metaseries(text(wavelength=value)).wavelength_nm == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("E07 : Site 1", ("E07", 1)),
        ("e7:Site 12", ("E07", 12)),
        ("AA01 : Site 100", ("AA01", 100)),
        ("E07", (None, None)),
        ("A00 : Site 1", (None, None)),
        ("Position 4", (None, None)),
    ],
)
def test_stage_label(label, expected):
    facts = parse_metaseries(text(**{"stage-label": label}))
    assert (facts.well, facts.site) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20240708 14:44:46.693", datetime(2024, 7, 8, 14, 44, 46, 693_000, tzinfo=UTC).timestamp()),
        ("20240708 14:44:46", datetime(2024, 7, 8, 14, 44, 46, tzinfo=UTC).timestamp()),
        ("20241308 14:44:46.693", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_time(value, expected):
    found = parse_metaseries(text(**{"acquisition-time-local": value})).time_s
    assert found == (expected if expected is None else pytest.approx(expected, abs=1e-4))


def test_places_that_the_header_claims():
    facts = parse_metaseries(text(**{"Z Step": "3", "Timepoint": "2", "plane-guid": "{AB}"}))
    assert (facts.z_index, facts.timepoint, facts.is_projection, facts.plane_id) == (3, 2, False, "{AB}")
    projection = parse_metaseries(text(**{"Z Projection Method": "Best Focus"}))
    assert (projection.z_index, projection.is_projection) == (None, True)


@pytest.mark.parametrize("other", ["", "ImageJ=1.53\nimages=3", "<OME><Image/></OME>", '{"shape": [3, 4]}'])
def test_any_other_text_says_nothing(other):
    assert parse_metaseries(other) == PlaneFacts()


def test_invalid_xml_is_read_all_the_same():
    broken = (
        '<MetaData><prop id="Description" type="string" value="a &#0 b & < c"/>\n'
        '<prop id="wavelength" type="float" value="452"/>\n<prop id="z-posi'
    )
    assert parse_metaseries(broken).wavelength_nm == 452.0
    assert metaseries_properties(broken)["Description"].startswith("a ")


def test_attributes_in_any_order_and_quotes():
    found = metaseries_properties(
        """<custom-prop  value='1 > "0"' type='x' id='Z Step' /><prop id="a" value="&amp;&#10;&#x41;"/>"""
    )
    assert found == {"Z Step": '1 > "0"', "a": "&\nA"}


def test_of_a_property_that_occurs_twice_the_first_counts():
    assert parse_metaseries(text(wavelength="452") + text(wavelength="0")).wavelength_nm == 452.0


def test_entities_are_not_expanded():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + text(_IllumSetting_="&b;")
    assert parse_metaseries(bomb).channel_name == "&b;"


def test_a_real_plane(samples):
    with tifffile.TiffFile(samples / "9987_Plate_3420" / "TimePoint_1" / "9987_B02.TIF") as tiff:
        facts = parse_metaseries(tiff.pages.first.description)
    # As they stand in the file, read with a text editor.
    assert facts == PlaneFacts(
        pixel_size_um=1.3672,
        position=SitePosition(y_um=-315.02, x_um=-314.98),
        stage_yx_um=(19885.0, 22985.0),
        z_um=10025.4,
        channel_name="DAPI",
        wavelength_nm=452.0,
        well="B02",
        site=1,
        is_projection=False,
        time_s=datetime(2024, 7, 8, 14, 44, 46, 693_000, tzinfo=UTC).timestamp(),
        plane_id="{E05024C6-4974-4D47-BF93-86457EC7C447}",
    )


def test_real_copies_share_a_plane_id_and_contradict_their_folder(samples):
    root = samples / "9987_Plate_3434" / "TimePoint_1"
    facts = {}
    for path in sorted(root.glob("ZStep_*/9987_B02_s1_w*.TIF")):
        with tifffile.TiffFile(path) as tiff:
            facts[path.parent.name, path.stem[-2:]] = parse_metaseries(tiff.pages.first.description)
    assert [facts[folder, "w1"].z_index for folder in ("ZStep_0", "ZStep_1", "ZStep_2")] == [None, 1, 2]
    assert [facts[folder, "w1"].is_projection for folder in ("ZStep_0", "ZStep_1", "ZStep_2")] == [True, False, False]
    # The exporter filled the stacks of w2 (a projection) and w3 (a single plane) with copies.
    for channel, projection in (("w2", True), ("w3", False)):
        copies = [facts[folder, channel] for folder in ("ZStep_0", "ZStep_1", "ZStep_2")]
        assert len({item.plane_id for item in copies}) == 1
        assert {item.is_projection for item in copies} == {projection}
    assert len({facts[folder, "w1"].plane_id for folder in ("ZStep_0", "ZStep_1", "ZStep_2")}) == 3
