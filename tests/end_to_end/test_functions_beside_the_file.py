"""`module:function` in a pipeline file: a module that lies beside it is found, in worker processes too."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest

MEASURE = """
from hcs_core import step_function


@step_function(axes="yx", out="", makes={"light": "table"})
def measure(image):
    return {"most": [int(image.max())]}
"""
FAILS = """
from hcs_core import step_function


@step_function(context=True)
def measure(image, *, context):
    if context.well == "E07":
        raise ValueError("nothing to see")
    return image
"""


@pytest.fixture
def beside(tmp_path, request, monkeypatch):
    """Return a function that writes a module and a pipeline of it, away from where the command is called."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tmp_path / "mine"
    folder.mkdir()
    module = f"own_ops_{abs(hash(request.node.nodeid))}"

    def write(text):
        if text is not None:
            (folder / f"{module}.py").write_text(text)
        (folder / "own.yaml").write_text(f"hcs: 1\nname: own\nsteps:\n  - max_projection\n  - {module}:measure\n")
        return folder / "own.yaml"

    yield write
    sys.modules.pop(module, None)


def test_a_module_beside_the_file_is_found_by_workers_too(make_plate, beside, tmp_path):
    out, file = tmp_path / "out", beside(MEASURE)
    plate = make_plate(wells=("A01", "B03"), grid=(1, 2), channels=("DAPI",))
    command = [sys.executable, "-m", "hcs_core", "run", plate, file, "-o", out, "--workers", "2", "--processes"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    with (out / "results" / "light.csv").open(newline="") as table:
        assert [row["Metadata_Well"] for row in csv.DictReader(table)] == ["A01", "A01", "B03", "B03"]


def test_diff_finds_it_too(make_plate, beside, tmp_path, hcs):
    plate, file = make_plate(), beside(MEASURE)
    assert hcs("run", plate, file, "-o", tmp_path / "out", "--workers", "1").code == 0
    told = hcs("diff", tmp_path / "out", file, "--plate", plate)
    assert told.code == 0, told.err


@pytest.mark.parametrize(("text", "said"), [
    (None, "beside the pipeline file"),
    ("import numpy\nlevel = nowhere\n", "NameError: name 'nowhere' is not defined"),
    ("1 / 0", "ZeroDivisionError"),
    ("def other(image): ...", "has no attribute 'measure'"),
])  # fmt: skip
def test_a_module_that_is_not_there_or_raises_is_one_sentence(text, said, make_plate, beside, hcs):
    done = hcs("plan", make_plate(), beside(text))
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "own.yaml, line 5: the function 'own_ops_" in done.err
    assert said in done.err


def test_how_to_go_on_is_told_of_a_plate_that_is_called_otherwise_than_its_folder(samples, beside, tmp_path, hcs):
    folder = samples / "SingleChannel" / "2023-02-21"
    done = hcs("run", folder, beside(FAILS), "-o", tmp_path / "out", "--workers", "1")
    assert done.code == 3, done.err
    assert done.out.startswith("SingleChannel: 1 of 2 wells done")
    assert f"To go on: hcs run {folder}" in done.out
