"""The arrays' documents, against what zarr writes for the same array at the same place."""

import subprocess
import sys

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec

from hcs_zarr.backend import ZarrBackend

COMPRESSORS = {
    ("none", 1, True): (None, None),
    ("lz4", 1, True): (BloscCodec(cname="lz4", clevel=1, shuffle="shuffle"), numcodecs.Blosc("lz4", 1, 1)),
    ("lz4", 9, False): (BloscCodec(cname="lz4", clevel=9, shuffle="noshuffle"), numcodecs.Blosc("lz4", 9, 0)),
    ("zstd", 0, False): (BloscCodec(cname="zstd", clevel=0, shuffle="noshuffle"), numcodecs.Blosc("zstd", 0, 0)),
    ("zstd", 5, True): (BloscCodec(cname="zstd", clevel=5, shuffle="shuffle"), numcodecs.Blosc("zstd", 5, 1)),
    ("gzip", 6, True): (GzipCodec(level=6), numcodecs.GZip(6)),
}
SHAPES = ((70, 90), (35, 45), (18, 23), (9, 12))


def zarrs_own(folder, version, compressors, dtype, y, x, shards=None):
    """The bytes of the document that zarr writes."""
    of_format = {"dimension_names": list("tczyx"), "compressors": compressors[0], "shards": shards}
    if version == "0.4":
        of_format = {
            "zarr_format": 2,
            "compressors": compressors[1],
            "filters": None,
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        }
    zarr.create_array(
        folder,
        shape=(1, 2, 2, y, x),
        chunks=(1, 2, 1, min(30, y), min(90, x)),
        dtype=dtype,
        fill_value=0,
        **of_format,
    )
    return (folder / (".zarray" if version == "0.4" else "zarr.json")).read_bytes()


@pytest.mark.parametrize(("codec", "level", "shuffle"), COMPRESSORS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "bool"])
def test_documents_are_those_that_zarr_writes(tmp_path, make_layout, disk, codec, level, shuffle, dtype):
    layout = make_layout(codec=codec, level=level, shuffle=shuffle, dtype=dtype, chunk=(1, 2, 1, 30, 90))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"B02": (1, 2)})
    for number, (y, x) in enumerate(SHAPES):
        own = zarrs_own(tmp_path / f"direct{number}", disk.version, COMPRESSORS[codec, level, shuffle], dtype, y, x)
        for site in ("0", "1"):
            assert (store.root / "B" / "02" / site / str(number) / disk.array).read_bytes() == own


@pytest.mark.parametrize(("codec", "level", "shuffle"), COMPRESSORS)
def test_documents_of_shards_are_those_that_zarr_writes(tmp_path, make_sharded, codec, level, shuffle):
    layout = make_sharded(codec=codec, level=level, shuffle=shuffle, chunk=(1, 2, 1, 30, 90), shard=(1, 2, 2, 90, 90))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"B02": (1,)})
    # Whole chunks, as many as cover the level, and at most those of the layout.
    shards = ((90, 90), (60, 45), (18, 23), (9, 12))
    for number, ((y, x), shard) in enumerate(zip(SHAPES, shards, strict=True)):
        own = zarrs_own(
            tmp_path / f"direct{number}",
            "0.5",
            COMPRESSORS[codec, level, shuffle],
            "uint16",
            y,
            x,
            shards=(1, 2, 2, *shard),
        )
        assert (store.root / "B" / "02" / "0" / str(number) / "zarr.json").read_bytes() == own


def test_what_is_declared_opens_with_the_layouts_shape_chunks_and_separator(tmp_path, make_layout, disk):
    layout = make_layout(chunk=(1, 1, 2, 35, 45))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"B02": (1,)})
    assert layout.image.level_shapes == SHAPES
    for level, (y, x) in enumerate(SHAPES):
        array = zarr.open_array(store.root / "B" / "02" / "0" / str(level), mode="r")
        assert array.shape == (1, 2, 2, y, x)
        assert array.chunks == (1, 1, 2, min(35, y), min(45, x))
        assert array.dtype == np.dtype("uint16")
        assert array.fill_value == 0
        assert array.metadata.encode_chunk_key((0, 1, 0, 2, 3)) == f"{disk.chunks}0/1/0/2/3"


def test_writing_never_imports_zarr():
    code = "import sys, hcs_zarr.backend; print('zarr' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
