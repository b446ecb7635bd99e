"""What a plan is told of a plate's size, against arithmetic by hand; the core's tests count what is written."""

import subprocess
import sys

import pytest

from hcs_core import ChannelLayout, Compression, ImageLayout, StoreLayout
from hcs_zarr.size import store_size

WELLS = {"A01": (1, 2), "A02": (1,), "C03": (1,)}


def layout(*, shard=None, version="0.5", plate_metadata=True, chunk=(1, 1, 1, 400, 300)):
    return StoreLayout(
        name="images.zarr",
        plate_name="p",
        plate_format=(8, 12),
        image=ImageLayout(
            shape=(2, 2, 3, 400, 300),
            dtype="uint16",
            channels=(ChannelLayout(name="DAPI"), ChannelLayout(name="GFP")),
            level_shapes=((400, 300), (200, 150)),
            chunk=chunk,
            shard=shard,
        ),
        compression=Compression(codec="none"),
        field_count=2,
        plate_metadata=plate_metadata,
        ome_zarr_version=version,
    )


@pytest.mark.parametrize(
    ("how", "files"),
    [
        # 12 planes in 2 levels, 2 arrays and a group for each of 4 images; 3 wells, 2 rows, and the plate.
        ({}, 4 * (24 + 2 + 1) + 3 + 2 + 1),
        # A chunk of 200 x 150 cuts the full level in four, and is the whole second one.
        ({"chunk": (1, 1, 1, 200, 150)}, 4 * (12 * 4 + 12 + 2 + 1) + 6),
        # A shard for each timepoint and level.
        ({"shard": (1, 2, 3, 400, 300)}, 4 * (4 + 2 + 1) + 6),
        # Format 2 keeps attributes in a document beside that of the group, but for rows, which have none.
        ({"version": "0.4"}, 4 * (24 + 2 + 2) + 3 * 2 + 2 + 2),
        ({"version": "0.4", "plate_metadata": False}, 4 * (24 + 2 + 2) + 3 + 2 + 1),
    ],
)
def test_files_and_bytes(how, files):
    size = store_size(layout(**how), WELLS, {})
    assert size.files == files
    assert size.bytes == 4 * 12 * (400 * 300 + 200 * 150) * 2


def test_asking_for_it_imports_no_zarr():
    code = "import sys, hcs_zarr.size; print(sorted({'zarr', 'numcodecs', 'pluggy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
