"""What a file says of itself, as the schema, tifffile and ome-types understand it."""

import numpy as np
import ome_types
import pytest
import tifffile

from hcs_core import FinishedWell, PlaneAddress, Reader
from hcs_disk.backend import DiskBackend
from hcs_disk.ome import NAMESPACE, ome_xml
from hcs_disk.tiff import TiffReader

ADDRESS = PlaneAddress(site=2, t=1, c=1, z=2)
FULL = {"shape": (2, 2, 3, 40, 60), "spacing": (0.325, 1.5, 30.0)}


def _xml(layout, well, address, position=None):
    return ome_xml(layout, layout.image, well, address, position)


def text_of(path):
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_ome
        return tiff.ome_metadata


@pytest.mark.parametrize(
    "options",
    [
        {},
        FULL,
        {"spacing": (None, None, None)},
        {"dtype": "bool"},
        {"dtype": "float64"},
        {"plate_metadata": False},
        {"plate_name": "Plate <µ> & 日本 \x00", "names": ("a\x1bb\n", '"]]>\ud800')},
    ],
    ids=str,
)
@pytest.mark.parametrize("position", [None, (-1.5, 1234567.875)])
def test_it_is_valid_by_the_schema(make_layout, options, position):
    xml = _xml(make_layout(**options), "H12", PlaneAddress(site=1, t=0, c=1, z=0), position)
    ome_types.validate_xml(xml)
    # Of one schema only: a reader need not guess.
    assert NAMESPACE in xml.decode("ascii")


def test_the_schema_can_say_no(make_layout):
    xml = _xml(make_layout(), "A01", ADDRESS)
    with pytest.raises(ValueError, match="uint17"):
        ome_types.validate_xml(xml.replace(b'Type="uint16"', b'Type="uint17"'))


def test_everything_that_is_known_is_in_the_file(write_store, make_layout):
    written = write_store(make_layout(**FULL), wells=("B03",), translations={2: (10.0, -20.0)})
    ome = ome_types.from_xml(text_of(written.file("B03", ADDRESS)))
    (image,) = ome.images
    assert image.name == "B03_s002_w02_z003_t002"
    pixels = image.pixels
    assert (pixels.size_x, pixels.size_y, pixels.size_z, pixels.size_c, pixels.size_t) == (60, 40, 1, 1, 1)
    assert pixels.type.value == "uint16"
    assert [pixels.physical_size_x, pixels.physical_size_y, pixels.physical_size_z] == [0.325, 0.325, 1.5]
    assert {pixels.physical_size_x_unit.value, pixels.physical_size_z_unit.value} == {"µm"}
    assert (pixels.time_increment, pixels.time_increment_unit.value) == (30.0, "s")
    (channel,) = pixels.channels
    assert (channel.name, channel.color.as_rgb_tuple()) == ("GFP", (0, 255, 0))
    (plane,) = pixels.planes
    assert (plane.the_c, plane.the_z, plane.the_t) == (0, 0, 0)
    # The field's centre lies half of 39 and of 59 pixels from the first one's.
    assert plane.position_y == pytest.approx(10 + 19.5 * 0.325, abs=1e-6)
    assert plane.position_x == pytest.approx(-20 + 29.5 * 0.325, abs=1e-6)
    assert plane.position_z == 3.0
    assert plane.delta_t == 30.0
    assert {plane.position_x_unit.value, plane.position_y_unit.value, plane.position_z_unit.value} == {"µm"}
    (plate,) = ome.plates
    assert (plate.name, plate.rows, plate.columns) == ("Plate 7", 8, 12)
    (well,) = plate.wells
    assert (well.row, well.column, well.well_samples[0].index) == (1, 2, 1)
    assert well.well_samples[0].image_ref.id == image.id


def test_where_nothing_is_known_nothing_is_made_up(write_store, make_layout):
    written = write_store(make_layout(spacing=(None, None, None)), translations={1: (10.0, -20.0)})
    path = written.file("A01", PlaneAddress(site=1, t=0, c=0, z=0))
    pixels = ome_types.from_xml(text_of(path)).images[0].pixels
    assert (pixels.physical_size_x, pixels.physical_size_z, pixels.time_increment) == (None, None, None)
    (plane,) = pixels.planes
    assert (plane.position_x, plane.position_y, plane.position_z, plane.delta_t) == (None, None, None, None)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages.first.tags["ResolutionUnit"].value == tifffile.RESUNIT.NONE


def test_only_sites_of_known_position_have_one_and_their_pixels_stay(write_store, make_layout):
    written = write_store(make_layout(), wells=("A01", "C05"), translations={2: (0.0, 0.0)})
    for key, pixels in written.truth.items():
        (plane,) = ome_types.from_xml(text_of(written.file(*key))).images[0].pixels.planes
        assert (plane.position_x is None) == (key[1].site == 1)
        np.testing.assert_array_equal(tifffile.imread(written.file(*key)), pixels)


def test_finishing_again_puts_other_positions_in(write_store, make_layout):
    written = write_store(make_layout(), translations={1: (100_000.125, -99_999.0), 2: (1 / 3, -1e-300)})
    for y in (5.0, -0.123456789012345):
        written.store.finish_well(FinishedWell(well="A01", sites=(1,), translations={1: (y, 0.0)}))
        path = written.file("A01", PlaneAddress(site=1, t=0, c=1, z=1))
        (plane,) = ome_types.from_xml(text_of(path)).images[0].pixels.planes
        assert plane.position_y == pytest.approx(y + 34.5 * 0.65, abs=1e-6)


@pytest.mark.parametrize(
    "position", [(0.0, 0.0), (-1.7976931348623157e308, -2.2250738585072014e-308), (-123456.789012345, 1 / 3)]
)
def test_a_text_with_a_position_is_as_long_as_one_without(make_layout, position):
    layout = make_layout()
    assert len(_xml(layout, "A01", ADDRESS, position)) == len(_xml(layout, "A01", ADDRESS))


@pytest.mark.parametrize("pixel", [0.65, 0.1, 1 / 3, 1.0, 3.45, 0.0001, 250.0, 1e-5, 1e6, np.float64(0.6465)])
def test_pixels_per_centimetre_are_the_pixel_size(tmp_path, make_layout, pixel):
    store = DiskBackend().open(tmp_path, make_layout(spacing=(pixel, None, None)))
    store.declare({"A01": (1,)})
    store.open_well("A01").write(PlaneAddress(site=1, t=0, c=0, z=0), np.zeros((70, 90), np.uint16))
    (path,) = store.root.rglob("*.tif")
    with tifffile.TiffFile(path) as tiff:
        tags = tiff.pages.first.tags
        assert tags["ResolutionUnit"].value == tifffile.RESUNIT.CENTIMETER
        for name in ("XResolution", "YResolution"):
            numerator, denominator = tags[name].value
            # ImageJ reads them as signed.
            assert 0 < numerator < 2**31
            assert 0 < denominator < 2**31
            assert 10_000 * denominator / numerator == pytest.approx(pixel, rel=1e-7)


def test_tifffile_sees_one_plane(write_store, make_layout):
    written = write_store(make_layout(**FULL))
    with tifffile.TiffFile(written.file("A01", ADDRESS)) as tiff:
        (series,) = tiff.series
        assert (series.kind, series.axes, series.shape) == ("ome", "YX", (40, 60))


def test_without_image_metadata_there_is_no_text(write_store, make_layout):
    written = write_store(make_layout(image_metadata=False), translations={1: (0.0, 0.0)})
    for key, pixels in written.truth.items():
        with tifffile.TiffFile(written.file(*key)) as tiff:
            assert tiff.pages.first.description == ""
            assert tiff.pages.first.tags["XResolution"].value == (200_000, 13)
        np.testing.assert_array_equal(tifffile.imread(written.file(*key)), pixels)


def test_the_reader_gives_text_and_pixels(write_store, make_layout):
    reader: Reader = TiffReader()
    written = write_store(make_layout(plate_name="Plate µ"), translations={1: (1.0, 2.0)})
    for key, pixels in written.truth.items():
        path = str(written.file(*key))
        header = reader.header(path, 0)
        assert (header.shape, header.dtype) == (pixels.shape, "uint16")
        assert ome_types.from_xml(header.text).plates[0].name == "Plate µ"
        np.testing.assert_array_equal(reader.read(path, 0), pixels)
        region = (slice(60, None), slice(3, 50, 2))
        np.testing.assert_array_equal(reader.read(path, 0, region), pixels[region])
