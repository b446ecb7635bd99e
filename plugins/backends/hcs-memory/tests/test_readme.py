"""The example of the README runs."""

import re
from pathlib import Path

import numpy as np

from hcs_core import ChannelLayout, Compression, ImageLayout, PlaneAddress, StoreLayout
from hcs_memory.backend import MemoryBackend

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
LAYOUT = StoreLayout(
    name="step.zarr",
    plate_name="Plate 7",
    plate_format=(8, 12),
    image=ImageLayout(
        shape=(1, 1, 1, 4, 6),
        dtype="uint16",
        channels=(ChannelLayout(name="DAPI"),),
        level_shapes=((4, 6),),
        chunk=(1, 1, 1, 4, 6),
    ),
    compression=Compression(),
    field_count=2,
)


def test_the_example_runs(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {
        "MemoryBackend": MemoryBackend,
        "PlaneAddress": PlaneAddress,
        "folder": tmp_path,
        "layout": LAYOUT,
        "plane": np.ones((4, 6), np.uint16),
    }
    exec(example, names)  # noqa: S102  our own text
    assert names["well"].read(PlaneAddress(site=1, t=0, c=0, z=0)) is names["plane"]
