"""The example of the README runs."""

import re
from pathlib import Path

import pytest
from PIL import Image

from hcs_core import PluginManager

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    plugins = PluginManager()
    plugins.discover()
    if "imagexpress" not in plugins.microscopes or "tiff" not in plugins.readers:
        pytest.skip("no plugin that reads an ImageXpress plate is installed: hcs-engine[standard] has them")
    synthetic = pytest.importorskip("hcs_synthetic", reason="hcs-synthetic, which makes the plate, is not installed")
    plate = synthetic.SyntheticPlate(name="PLATE", grid=(1, 1), image_shape=(32, 32), cells_per_field=1)
    synthetic.make_plate(tmp_path, plate, plugins=plugins)
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own text
    assert "'present': 2" in capsys.readouterr().out
    with Image.open(tmp_path / "plate.png") as page:
        assert page.format == "PNG"
