"""What `hcs` prints has room in the terminal, and loses no word for that; into a file each row is one line."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys

import pytest

from hcs_core import Pipeline, PipelineOrchestrator
from hcs_core.cli.columns import columns_text, paragraph
from hcs_core.cli.plan_text import plan_text

STEPS = """\
  - flat_field: {dark: 100}
  - max_projection
  - percentile_normalize: {limits: plate}
  - white_tophat: {radius: 10, save: true}
  - positions: {channel: DAPI}
  - stitch
"""


@pytest.fixture
def pipeline(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(f"hcs: 1\nname: p\nsteps:\n{STEPS}")
    return path


def letters(text):
    """Every letter and digit of a text, in any order: wrapping moves words and loses none."""
    return sorted(re.sub(r"\W|_", "", text))


def test_a_plan_has_room_and_says_the_same(make_plate, pipeline, installed, tmp_path):
    orchestrator = PipelineOrchestrator(make_plate(grid=(3, 3)), plugins=installed, output=tmp_path / "out")
    orchestrator.initialize()
    plan = orchestrator.plan(Pipeline.load(pipeline))
    whole = plan_text(plan, "out")
    assert max(map(len, whole.splitlines())) > 120
    for width in (80, 120):
        text = plan_text(plan, "out", width)
        assert max(map(len, text.splitlines())) <= width
        assert letters(text) == letters(whole)


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_is_asked_for_its_width(make_plate, pipeline, width):
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    without = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, width))
    command = [sys.executable, "-m", "hcs_core", "plan", make_plate(grid=(3, 3)), pipeline.name, "-o", "out"]
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        hcs = subprocess.Popen(command, cwd=pipeline.parent, stdout=theirs, env=without)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # That is how a terminal says that nobody is there any more.
            while read := terminal.read(4096):
                shown += read
    assert hcs.wait() == 0
    # A path is shown as it is, so that it can be copied.
    lines = [line for line in shown.decode().splitlines() if not line.startswith("Output:")]
    assert width - 20 < max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [20, 30, 200])
def test_columns_go_on_below_themselves(width):
    rows = [("one", "a/b(c=1, d=2)", "12x34x56"), ("two_parts", "", "1")]
    lines = columns_text(("step", "runs", "shape"), rows, width)
    assert max(map(len, lines)) <= max(width, len("  parts  runs  shape"))
    assert letters("".join(lines)) == letters("".join(["step", "runs", "shape", *sum(rows, ())]))
    assert len(lines) == 3 or width < 200


def test_rows_of_a_file_are_single_lines():
    long = "word " * 60
    assert len(columns_text(("a", "b"), [("x", long)])) == 2
    assert paragraph("Word:", long, 10).count("\n") == 0
    assert {line[:10] for line in paragraph("Word:", long, 10, 50).splitlines()[1:]} == {" " * 10}
