"""What the README shows works."""

import re
from pathlib import Path

from hcs_imagexpress.layout_writer import MetaXpressLayoutWriter

FOLDER = Path(__file__).parents[1]


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch, capsys, describe, image):
    (example,) = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    MetaXpressLayoutWriter().write(tmp_path, describe(name="9987_Plate_3434"), image)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)  # noqa: S102 - our own text
    assert names["plate"].name == "9987_Plate_3434"
    assert "'present': 96" in capsys.readouterr().out
