"""What the README shows works."""

import re
from pathlib import Path

import numpy as np
import tifffile

FOLDER = Path(__file__).parents[1]


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    tifffile.imwrite(tmp_path / "plane.tif", np.ones((100, 80), "uint16"))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)  # noqa: S102 - our own text
    assert names["corner"].shape == (64, 64)
    assert "shape=(100, 80)" in capsys.readouterr().out
