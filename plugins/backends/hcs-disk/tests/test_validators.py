"""What is written, in a reader of another project: bioio, with its plugin for OME-TIFF."""

import importlib.util
import os

import numpy as np
import pytest

pytestmark = pytest.mark.validators


@pytest.mark.skipif(
    importlib.util.find_spec("bioio_ome_tiff") is None and not os.environ.get("HCS_REQUIRE_VALIDATORS"),
    reason="bioio-ome-tiff is not installed: uv sync --group validators",
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_bioio_reads_pixels_and_metadata(write_store, make_layout, dtype, codec):
    from bioio import BioImage

    written = write_store(
        make_layout(dtype=dtype, codec=codec, spacing=(0.65, 2.0, 60.0)), translations={1: (10.0, -20.0)}
    )
    for (well, address), pixels in written.truth.items():
        image = BioImage(written.file(well, address))
        assert (image.dims.order, image.shape) == ("TCZYX", (1, 1, 1, 70, 90))
        np.testing.assert_array_equal(image.data[0, 0, 0], pixels)
        assert list(image.channel_names) == [("DAPI", "GFP")[address.c]]
        assert tuple(image.physical_pixel_sizes) == (2.0, 0.65, 0.65)
        (plane,) = image.ome_metadata.images[0].pixels.planes
        if address.site == 1:
            assert plane.position_y == pytest.approx(10 + 34.5 * 0.65)
            assert plane.position_x == pytest.approx(-20 + 44.5 * 0.65)
        else:
            assert plane.position_x is None
