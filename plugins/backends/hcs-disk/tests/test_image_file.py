"""The writer `tiff`: what it leaves, read by tifffile and ome-types, and checked by the OME schema."""

import numpy as np
import ome_types
import pytest
import tifffile

from hcs_core import ImageArtifact, PluginManager
from hcs_disk import plugin
from hcs_disk.image_file import write
from hcs_disk.tiff import TiffReader


@pytest.fixture
def pixels():
    return np.random.default_rng(3).integers(0, 65535, (50, 70)).astype(np.uint16)


def test_the_image_is_there_with_all_that_is_known(tmp_path, pixels):
    path = tmp_path / "B02_stitched_w1_z1_t1.tif"
    write(ImageArtifact(pixels=pixels, pixel_size_um=0.325, channel="DAPI <µ>"), path)
    np.testing.assert_array_equal(tifffile.imread(path), pixels)
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        ome = ome_types.from_xml(tiff.ome_metadata)
        ome_types.validate_xml(tiff.ome_metadata)
        # Pixels a centimetre.
        per_cm = [page.tags[name].value for name in ("XResolution", "YResolution")]
        assert [top / bottom for top, bottom in per_cm] == pytest.approx([10_000 / 0.325] * 2, rel=1e-6)
        assert page.tags["ResolutionUnit"].value == 3
        assert (page.compression, page.is_tiled) == (1, False)
    (image,) = ome.images
    assert image.name == "B02_stitched_w1_z1_t1"
    found = image.pixels
    assert (found.size_x, found.size_y, found.type.value) == (70, 50, "uint16")
    assert (found.physical_size_x, found.physical_size_y, found.physical_size_x_unit.value) == (0.325, 0.325, "µm")
    assert found.channels[0].name == "DAPI <µ>"


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "float32", "float64", "uint64", "float16"])
def test_every_dtype_comes_back(tmp_path, pixels, dtype):
    path = tmp_path / "image.tif"
    values = (pixels // 8).astype(dtype)[:, ::-1]
    write(ImageArtifact(pixels=values), path)
    np.testing.assert_array_equal(TiffReader().read(str(path), 0), values)
    with tifffile.TiffFile(path) as tiff:
        # OME has no name for the last two.
        assert (tiff.ome_metadata is None) == (dtype in {"uint64", "float16"})
        if tiff.ome_metadata:
            ome_types.validate_xml(tiff.ome_metadata)
            assert "PhysicalSizeX" not in tiff.ome_metadata


def test_the_same_image_gives_the_same_bytes_and_replaces_what_was_there(tmp_path, pixels):
    path = tmp_path / "image.tif"
    path.write_bytes(b"something else")
    image = ImageArtifact(pixels=pixels, pixel_size_um=1.0, channel="GFP")
    write(image, path)
    first = path.read_bytes()
    write(image, path)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_a_mask_is_written_as_0_and_1(tmp_path, pixels):
    write(ImageArtifact(pixels=pixels > 1000), tmp_path / "mask.tif")
    found = tifffile.imread(tmp_path / "mask.tif")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, (pixels > 1000).astype(int))


@pytest.mark.parametrize("shape", [(50,), (2, 50, 70)])
def test_what_is_no_plane_is_refused(tmp_path, shape):
    with pytest.raises(ValueError, match="holds \\(y, x\\)"):
        write(ImageArtifact(pixels=np.zeros(shape, np.uint16)), tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_be_written_nothing_is_left(tmp_path, pixels):
    (tmp_path / "image.tif").mkdir()
    with pytest.raises(OSError, match="directory"):
        write(ImageArtifact(pixels=pixels), tmp_path / "image.tif")
    assert [path.name for path in tmp_path.iterdir()] == ["image.tif"]


def test_it_is_the_writer_tiff():
    manager = PluginManager(strict=True)
    manager.register(plugin, "disk")
    assert manager.writers.load("tiff") is write
    assert manager.writers.get("tiff").suffix == ".tif"
