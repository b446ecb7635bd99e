"""The arrays' `zarr.json`, against what zarr writes for the same array at the same place."""

import json

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec

from hcs_zarr.backend import ZarrBackend

COMPRESSORS = {
    ("none", True): None,
    ("lz4", True): BloscCodec(cname="lz4", clevel=1, shuffle="shuffle"),
    ("zstd", False): BloscCodec(cname="zstd", clevel=1, shuffle="noshuffle"),
    ("gzip", True): GzipCodec(level=1),
}


@pytest.mark.parametrize(("codec", "shuffle"), COMPRESSORS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_copied_documents_are_those_that_zarr_writes(tmp_path, make_layout, codec, shuffle, dtype):
    layout = make_layout(codec=codec, shuffle=shuffle, dtype=dtype, chunk=(1, 2, 1, 30, 90))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"B02": (1, 2)})
    image = layout.image
    for level, (y, x) in enumerate(image.level_shapes):
        zarr.create_array(
            tmp_path / f"direct{level}",
            shape=(*image.shape[:3], y, x),
            chunks=(1, 2, 1, min(30, y), min(90, x)),
            dtype=dtype,
            compressors=COMPRESSORS[codec, shuffle],
            fill_value=0,
            dimension_names=["t", "c", "z", "y", "x"],
        )
        direct = (tmp_path / f"direct{level}" / "zarr.json").read_bytes()
        for site in ("0", "1"):
            assert (store.root / "B" / "02" / site / str(level) / "zarr.json").read_bytes() == direct


def test_what_is_declared_opens_with_the_layouts_shape_chunks_and_separator(tmp_path, make_layout):
    layout = make_layout(chunk=(1, 1, 2, 35, 45))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"B02": (1,)})
    assert layout.image.level_shapes == ((70, 90), (35, 45), (18, 23), (9, 12))
    for level, (y, x) in enumerate(layout.image.level_shapes):
        array = zarr.open_array(store.root / "B" / "02" / "0" / str(level), mode="r")
        assert array.shape == (1, 2, 2, y, x)
        assert array.chunks == (1, 1, 2, min(35, y), min(45, x))
        assert array.dtype == np.dtype("uint16")
        assert array.fill_value == 0
        assert array.metadata.dimension_names == ("t", "c", "z", "y", "x")
        assert array.metadata.encode_chunk_key((0, 1, 0, 2, 3)) == "c/0/1/0/2/3"


def test_blosc_is_told_the_size_of_a_pixel(tmp_path, make_layout):
    for dtype, size in (("uint8", 1), ("uint16", 2), ("float32", 4)):
        store = ZarrBackend().open(tmp_path / dtype, make_layout(dtype=dtype, codec="zstd"))
        store.declare({"A01": (1,)})
        document = json.loads((store.root / "A" / "01" / "0" / "0" / "zarr.json").read_text())
        assert document["codecs"][-1]["configuration"]["typesize"] == size
