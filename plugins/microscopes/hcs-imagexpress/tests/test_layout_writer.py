"""A plate that is written is found again, plane by plane, as it was described."""

import numpy as np
import pytest
import tifffile

from hcs_core import Channel, LayoutWriter, PlateError, SitePosition, parse_well
from hcs_imagexpress.handler import ImageXpressHandler
from hcs_imagexpress.htd import read_htd
from hcs_imagexpress.layout_writer import MetaXpressLayoutWriter
from hcs_imagexpress.metaseries import metaseries_properties

HANDLER = ImageXpressHandler()
WRITER = MetaXpressLayoutWriter()
ONE = {"site_grid": {1: (0, 0)}, "z_indexes": (1,), "timepoints": (1,), "channels": (Channel(number=1, name="DAPI"),)}


def opened(root, plane):
    with tifffile.TiffFile(root / plane.uri) as tiff:
        (page,) = tiff.pages
        return page.asarray(), HANDLER.parse_header(page.description), page


def test_is_a_writer():
    assert isinstance(WRITER, LayoutWriter)


def test_every_plane_is_found_with_its_pixels_and_its_facts(tmp_path, describe, image):
    plate = describe()
    root = WRITER.write(tmp_path, plate, image)
    assert root == tmp_path / plate.name
    found = HANDLER.build_inventory(root)
    assert found.name == plate.name
    assert found.differences == ()
    assert found.wells == plate.wells
    assert found.plate_format == plate.plate_format
    assert found.site_grid == plate.site_grid
    assert found.z_indexes == plate.z_indexes
    assert found.timepoints == plate.timepoints
    assert [channel.name for channel in found.channels] == ["DAPI", ""]
    planes = list(found.planes)
    assert len(planes) == found.state_counts()["present"] == 2 * 4 * 2 * 3 * 2
    for plane in planes:
        pixels, facts, page = opened(root, plane)
        place = (plane.well, plane.site, plane.channel, plane.z_index, plane.timepoint)
        np.testing.assert_array_equal(pixels, image(*place))
        assert page.compression == 1
        assert len(page.dataoffsets) == 1
        assert (facts.well, facts.site, facts.z_index, facts.timepoint) == (*place[:2], *place[3:])
        assert facts.position == plate.positions[plane.well, plane.site]
        channel = plate.channels[plane.channel - 1]
        assert (facts.channel_name, facts.wavelength_nm) == (channel.name, channel.wavelength_nm)
        assert facts.pixel_size_um == plate.pixel_size_um
        assert facts.is_projection is False


def test_spacings_are_those_of_the_description(tmp_path, describe, image):
    plate = describe()
    root = WRITER.write(tmp_path, plate, image)
    facts = {
        (p.well, p.site, p.channel, p.z_index, p.timepoint): opened(root, p)[1]
        for p in HANDLER.build_inventory(root).planes
    }
    for (well, site, channel, z_index, timepoint), fact in facts.items():
        first = facts[well, site, channel, 1, 1]
        assert fact.z_um - first.z_um == pytest.approx((z_index - 1) * plate.z_step_um)
        if z_index == 1:
            assert fact.time_s - first.time_s == pytest.approx((timepoint - 1) * plate.time_step_s, abs=1e-3)
    assert len({fact.plane_id for fact in facts.values()}) == len(facts)


@pytest.mark.parametrize(
    ("plate_format", "a1", "pitch"),
    [
        # Row and column of A1 from the plate's corner, ANSI SLAS 4-2004.
        ((8, 12), (11_240.0, 14_380.0), 9_000.0),
        ((16, 24), (8_990.0, 12_130.0), 4_500.0),
        ((32, 48), (7_865.0, 11_005.0), 2_250.0),
        ((4, 6), (11_240.0, 14_380.0), 9_000.0),
    ],
)
def test_the_stage_stands_at_the_wells_centre_and_the_offset(tmp_path, describe, image, plate_format, a1, pitch):
    plate = describe(plate_format=plate_format, **(ONE | {"wells": ("B02", "C05")}))
    root = WRITER.write(tmp_path, plate, image)
    for plane in HANDLER.build_inventory(root).planes:
        facts = opened(root, plane)[1]
        offset = plate.positions[plane.well, plane.site]
        centre = np.add(a1, np.multiply(parse_well(plane.well), pitch))
        expected = np.add(centre, (offset.y_um, offset.x_um))
        np.testing.assert_allclose(facts.stage_yx_um, expected, atol=1e-6)


def test_what_there_is_one_of_is_left_out_of_names(tmp_path, describe, image):
    root = WRITER.write(tmp_path, describe(name="P", **ONE), image)
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()) == [
        "P.HTD", "TimePoint_1/P.HTD", "TimePoint_1/P_B02.TIF", "TimePoint_1/P_C11.TIF",
    ]  # fmt: skip
    text = (root / "P.HTD").read_text()
    for line in ('"Sites", FALSE', '"Waves", FALSE', '"ZSeries", FALSE', '"ZSteps", 0'):
        assert f"{line}\n" in text
    assert HANDLER.build_inventory(root).differences == ()
    with tifffile.TiffFile(root / "TimePoint_1" / "P_B02.TIF") as tiff:
        properties = metaseries_properties(tiff.pages.first.description)
    assert "Z Step" not in properties
    assert "Timepoint" not in properties


def test_a_copy_of_the_htd_lies_in_every_folder(tmp_path, describe, image):
    root = WRITER.write(tmp_path, describe(name="P"), image)
    copies = sorted(root.rglob("*.HTD"))
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert [path.parent for path in copies] == sorted(folders)
    assert len(folders) == 1 + 2 + 2 * 3
    assert len({path.read_bytes() for path in copies}) == 1


def test_the_htd_has_the_lines_of_a_real_one(tmp_path, describe, image, samples):
    # The plate of the sample 9987_Plate_3420 but for its description and identifier.
    plate = describe(name="9987", wells=("B02",), **ONE)
    root = WRITER.write(tmp_path, plate, image)
    real = (samples / "9987_Plate_3420" / "9987.HTD").read_bytes()
    skipped = (b'"Description"', b'"UniquePlateIdentifier"', b'"ZProjection"')

    def kept(content):
        return [line for line in content.splitlines(keepends=True) if not line.startswith(skipped)]

    assert kept((root / "9987.HTD").read_bytes()) == kept(real)


def test_a_real_text_has_the_properties_that_are_written(tmp_path, describe, image, samples):
    root = WRITER.write(tmp_path, describe(**ONE), image)
    (first, _) = HANDLER.build_inventory(root).planes
    with tifffile.TiffFile(samples / "9987_Plate_3420" / "TimePoint_1" / "9987_B02.TIF") as tiff:
        real = metaseries_properties(tiff.pages.first.description)
    assert set(metaseries_properties(opened(root, first)[2].description)) <= set(real)


def test_the_same_plate_is_the_same_bytes(tmp_path, describe, image):
    one, two = (WRITER.write(tmp_path / folder, describe(), image) for folder in ("one", "two"))
    names = sorted(path.relative_to(one) for path in one.rglob("*"))
    assert names == sorted(path.relative_to(two) for path in two.rglob("*"))
    for name in names:
        if (one / name).is_file():
            assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_sites_that_are_spread_out(tmp_path, describe, image):
    grid = {1: (0, 4), 2: (2, 0), 3: (2, 3), 4: (4, 1)}
    root = WRITER.write(tmp_path, describe(site_grid=grid), image)
    found = HANDLER.build_inventory(root)
    assert found.site_grid == grid
    assert found.differences == ()


def test_one_site_that_is_not_in_the_corner(tmp_path, describe, image):
    root = WRITER.write(tmp_path, describe(site_grid={1: (1, 2)}), image)
    found = HANDLER.build_inventory(root)
    assert found.site_grid == {1: (1, 2)}
    assert found.differences == ()


def test_channels_with_gaps(tmp_path, describe, image):
    channels = (Channel(number=2, name="a"), Channel(number=5, name="b, c"))
    root = WRITER.write(tmp_path, describe(channels=channels), image)
    found = HANDLER.build_inventory(root)
    assert found.channels == channels
    assert found.differences == ()
    assert read_htd(root / "plate_A01 µ.HTD").channels == (2, 5)


@pytest.mark.parametrize("name", ["µm 100%", "板", 'a "b"', " a", "a\nb", "naïve"])
def test_any_channel_name_comes_back_from_the_htd_or_from_the_header(tmp_path, describe, image, name):
    root = WRITER.write(tmp_path, describe(channels=(Channel(number=1, name=name),)), image)
    found = HANDLER.build_inventory(root)
    _, facts, _ = opened(root, found.planes.plane(0))
    assert facts.channel_name == name.strip()
    assert found.channels[0].name in {"", name}


def test_a_plain_name_stands_in_the_htd(tmp_path, describe, image):
    root = WRITER.write(tmp_path, describe(channels=(Channel(number=1, name="µm 100%"),)), image)
    assert HANDLER.build_inventory(root).channels[0].name == "µm 100%"


def test_a_position_that_is_not_known_is_not_written(tmp_path, describe, image):
    plate = describe(positions={("B02", 1): SitePosition(y_um=1.0, x_um=2.0)}, **ONE)
    root = WRITER.write(tmp_path, plate, image)
    known, unknown = (opened(root, plane)[1] for plane in HANDLER.build_inventory(root).planes)
    assert known.position == SitePosition(y_um=1.0, x_um=2.0)
    assert unknown.position is None
    assert unknown.stage_yx_um is None


def test_numbers_of_numpy_are_numbers(tmp_path, describe, image):
    position = SitePosition(y_um=np.float64(1.5), x_um=np.float64(-2.5))
    plate = describe(
        positions={("B02", 1): position}, pixel_size_um=np.float64(0.5), z_step_um=np.float64(2.0),
        site_grid={np.int64(1): (np.int64(0), np.int64(0))}, z_indexes=tuple(np.arange(1, 3)),
        channels=(Channel(number=1, name="a", wavelength_nm=np.float64(500.0)),),
    )  # fmt: skip
    root = WRITER.write(tmp_path, plate, image)
    first = HANDLER.build_inventory(root).planes.plane(1)
    facts = opened(root, first)[1]
    assert (facts.position, facts.pixel_size_um, facts.wavelength_nm) == (position, 0.5, 500.0)
    assert (facts.z_index, facts.z_um, facts.site) == (first.z_index, 10_000.0 + 2.0 * (first.z_index - 1), 1)


@pytest.mark.parametrize(
    "grid",
    [
        {1: (0, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0)},
        {1: (0, 1), 2: (0, 0)},
        {2: (0, 0)},
        {1: (0, 0), 2: (0, 0)},
        {},
    ],
)
def test_sites_in_another_order_are_refused(tmp_path, describe, image, grid):
    with pytest.raises(PlateError, match="reading order"):
        WRITER.write(tmp_path, describe(site_grid=grid), image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "a/b", ".a", ".."])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, describe, image, name):
    with pytest.raises(PlateError):
        WRITER.write(tmp_path, describe(name=name), image)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path, describe, image):
    (tmp_path / "P").mkdir()
    with pytest.raises(PlateError, match="is already there"):
        WRITER.write(tmp_path, describe(name="P"), image)
    assert list((tmp_path / "P").iterdir()) == []


@pytest.mark.parametrize("wrong", [np.zeros((24, 31), "uint16"), np.zeros((24, 32), "uint8")])
def test_other_pixels_than_described_are_refused(tmp_path, describe, wrong):
    with pytest.raises(PlateError, match="its pixels are"):
        WRITER.write(tmp_path, describe(), lambda *_place: wrong)


def test_gaps_of_a_written_plate_are_seen(tmp_path, describe, image):
    root = WRITER.write(tmp_path, describe(name="P"), image)
    (root / "TimePoint_2" / "ZStep_3" / "P_C11_s4_w2.TIF").unlink()
    found = HANDLER.build_inventory(root)
    assert found.state_counts()["not_recorded"] == 1
    assert found.state_counts()["present"] == 95
