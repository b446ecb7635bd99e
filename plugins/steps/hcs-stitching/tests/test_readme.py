"""The examples of the README run."""

import re
from pathlib import Path

import numpy as np
import pytest

from hcs_core import PluginManager

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_stitching_a_plate(tmp_path, monkeypatch):
    plugins = PluginManager()
    plugins.discover()
    if "imagexpress" not in plugins.microscopes or "tiff" not in plugins.writers:
        pytest.skip("no plugin that reads an ImageXpress plate is installed: hcs-engine[standard] has them")
    synthetic = pytest.importorskip("hcs_synthetic", reason="hcs-synthetic, which makes the plate, is not installed")
    plate = synthetic.SyntheticPlate(name="PLATE", grid=(1, 2), image_shape=(32, 32), cells_per_field=1)
    synthetic.make_plate(tmp_path, plate, plugins=plugins)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(EXAMPLES[0], "README.md", "exec"), names)  # noqa: S102 - our own text
    assert names["positions_file"] == Path("OUT/results/A01_positions.csv")
    assert [path.name for path in names["mosaics"]] == ["A01_stitched_w1_z1_t1.tif", "A01_stitched_w2_z1_t1.tif"]
    assert all(path.is_file() for path in names["mosaics"])


def test_stitching_by_hand(capsys):
    names = {}
    exec(compile(EXAMPLES[1], "README.md", "exec"), names)  # noqa: S102 - our own text
    (said,) = re.findall(r"print\(.*\)  # (.*)", EXAMPLES[1])
    assert capsys.readouterr().out.strip() == said
    assert names["mosaic"].dtype == np.uint16
