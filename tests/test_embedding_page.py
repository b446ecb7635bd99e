"""The examples of docs/embedding.md run, one after the other, in a program of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "embedding.md"
BEFORE = """
import logging
heard = []
class Mine(logging.Handler):
    def emit(self, record):
        heard.append(record.getMessage())
logging.getLogger("my_program").addHandler(Mine())
logging.getLogger("my_program").setLevel(logging.INFO)
"""
AFTER = """
import json
print(json.dumps({
    "some": list(some), "done": progress.done, "both": [result.status for result in results], "heard": len(heard),
}))
"""


def test_every_example_runs(make_plate, tmp_path):
    plates = [make_plate(wells=("A01", "B03"), grid=(1, 1), image_shape=(32, 40), name=f"PLATE_{x}") for x in "AB"]
    for plate in plates:
        (tmp_path / plate.name).symlink_to(plate)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(examples) == 6
    script = tmp_path / "examples.py"
    script.write_text("\n".join([BEFORE, *examples, AFTER]), encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["some"] == ["A01"]
    # The second run of that output finds both wells there: the listener of the first heard each once.
    assert sorted(found["done"]) == [["A01", "ok"], ["B03", "ok"]]
    assert found["both"] == ["ok", "ok"]
    assert found["heard"] >= 3
