"""The examples of the README run."""

import re
from pathlib import Path

import numpy as np

from hcs_core import FinishedWell, PlaneAddress
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.reader import ZarrReader

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path, make_layout, monkeypatch):
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(examples) == 3
    names = {
        "ZarrBackend": ZarrBackend,
        "ZarrReader": ZarrReader,
        "FinishedWell": FinishedWell,
        "PlaneAddress": PlaneAddress,
        "folder": tmp_path,
        "layout": make_layout(),
        "plane": np.ones((70, 90), np.uint16),
    }
    monkeypatch.chdir(tmp_path)
    for example in examples:
        exec(example, names)  # noqa: S102  our own text
    assert names["store"].finished_wells() == ("A01",)
    assert np.array_equal(names["reader"].read("images.zarr/A/01/0/0", 0), names["plane"])
    assert (names["plane"] == 1).all()
    assert "absent chunks" in names["defect"]
