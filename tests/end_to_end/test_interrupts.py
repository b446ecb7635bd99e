"""Runs that are cut: by Ctrl-C once and twice, by a kill, and by workers that die. Nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import yaozarrs

from hcs_core.testing import require_library

pytestmark = pytest.mark.interrupts
WELLS = tuple(f"A{column:02d}" for column in range(1, 11))
STEPS = '''
import os, signal, time
from pathlib import Path
from hcs_core import step_function

@step_function(version="1")
def slowly(image, *, seconds: float = 0.4):
    time.sleep(seconds)
    return image

@step_function(memory="torch", version="1")
def slowly_in_torch(image):
    time.sleep(0.4)
    return image * 2

@step_function(memory="jax", version="1")
def slowly_in_jax(image):
    time.sleep(0.4)
    return image + image

@step_function(axes="zyx", out="zyx", version="1")
def through(stack):
    return stack

@step_function(version="1")
def dies_once(image, *, folder: str = ""):
    """Kill the worker at the first plane that anybody sees."""
    Path(folder).mkdir(exist_ok=True)
    try:
        Path(folder, "mark").touch(exist_ok=False)
    except FileExistsError:
        return image
    os.kill(os.getpid(), signal.SIGKILL)

@step_function(version="1")
def deadly(image, *, once: bool = False, marker: str = ""):
    """Kill the worker at the image whose brightest pixel is 65535, for ever or once."""
    if image.max() == 65535 and not (once and Path(marker).exists()):
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return image
'''


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=WELLS, grid=(1, 1), z_count=1, channels=("DAPI",))


@pytest.fixture
def marked_plate(make_plate):
    """A plate whose well A02 has a saturated pixel."""
    import tifffile

    folder = make_plate(wells=WELLS[:4], grid=(1, 1), z_count=1, channels=("DAPI",))
    path = folder / "TimePoint_1" / "plate_A02.TIF"
    pixels = tifffile.imread(path)
    with tifffile.TiffFile(path) as file:
        text = file.pages[0].description
    pixels[0, 0] = 65535
    tifffile.imwrite(path, pixels, description=text, metadata=None)
    return folder


@pytest.fixture
def start(tmp_path, write_pipeline):
    """Start `hcs run` in a session of its own, as a terminal does; what is left of it is ended."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "cut_steps.py").write_text(STEPS)
    started = []

    def run(plate, step, *options):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "code"), "TMPDIR": str(tmp_path / "temporary")}
        (tmp_path / "temporary").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "hcs_core", "run", plate, write_pipeline(f"  - cut_steps:{step}\n")]
        command += ["-o", tmp_path / "out", "--workers", "2", "--processes", *options]
        process = subprocess.Popen(
            list(map(str, command)),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def journal(output):
    path = output / ".hcs" / "journal.jsonl"
    return path.read_text().splitlines()[1:] if path.exists() else []


def wait_for_a_well(process, output):
    """Wait until the first well is whole and others are in hand."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if journal(output):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    pytest.fail("no well was finished within a minute")


def members(group):
    """The processes of a process group that are still there."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def nobody_is_left(process, tmp_path):
    """No worker, no temporary file; the trackers of the worker library may take a moment to end."""
    deadline = time.monotonic() + 15
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members(process.pid) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    left = [
        path.name for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name.startswith((".", "probe"))
    ]
    assert left == []


def whole_wells(output):
    """The wells that the plate lists; the plate is valid, and nothing else lies beside them."""
    store = output / "images.zarr"
    yaozarrs.validate_zarr_store(str(store))
    listed = [
        well["path"] for well in json.loads((store / "zarr.json").read_text())["attributes"]["ome"]["plate"]["wells"]
    ]
    there = sorted(str(path.relative_to(store)) for path in store.glob("*/*") if path.is_dir())
    assert there == sorted(listed)
    return listed


def test_one_interrupt_finishes_the_wells_in_hand_and_the_next_run_goes_on(plate, start, tmp_path, hcs, digest_of):
    before = digest_of(plate)
    process = start(plate, "slowly")
    wait_for_a_well(process, tmp_path / "out")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "finishing the wells in hand" in err
    assert "To go on: hcs run" in out
    nobody_is_left(process, tmp_path)
    done = len(whole_wells(tmp_path / "out"))
    assert 1 <= done < len(WELLS)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "interrupted"
    process = start(plate, "slowly", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert (json.loads(out)["cached"], json.loads(out)["computed"]) == (done, len(WELLS) - done)
    assert len(whole_wells(tmp_path / "out")) == len(WELLS)
    nobody_is_left(process, tmp_path)
    assert digest_of(plate) == before


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_an_interrupt_of_another_library_s_steps_leaves_nobody(plate, start, tmp_path, library):
    require_library(library)
    process = start(plate, f"slowly_in_{library}")
    wait_for_a_well(process, tmp_path / "out")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    nobody_is_left(process, tmp_path)
    assert 1 <= len(whole_wells(tmp_path / "out")) < len(WELLS)


def test_two_interrupts_stop_at_once(plate, start, tmp_path):
    process = start(plate, "slowly: {seconds: 4.0}")
    deadline = time.monotonic() + 60
    while not (tmp_path / "out" / "images.zarr" / "A").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    stopped = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert time.monotonic() - stopped < 15
    assert "Traceback" not in err
    nobody_is_left(process, tmp_path)
    store = tmp_path / "out" / "images.zarr"
    assert [path.name for path in store.glob("*/*") if path.is_dir()] == []


def test_after_a_kill_the_next_run_makes_what_is_missing(plate, start, tmp_path):
    process = start(plate, "slowly")
    wait_for_a_well(process, tmp_path / "out")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    nobody_is_left(process, tmp_path)
    yaozarrs.validate_zarr_store(str(tmp_path / "out" / "images.zarr"))
    process = start(plate, "slowly: {seconds: 0.0}", "--fresh")
    process.communicate(timeout=60)
    assert len(whole_wells(tmp_path / "out")) == len(WELLS)


def test_a_well_that_always_kills_its_worker_is_given_up_and_the_others_are_made(marked_plate, start, tmp_path):
    process = start(marked_plate, f"deadly: {{marker: {tmp_path / 'marker'}}}", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    wells = json.loads(out)["wells"]
    assert {well: record["status"] for well, record in wells.items()} == {
        "A01": "ok",
        "A02": "failed",
        "A03": "ok",
        "A04": "ok",
    }
    assert "died 3 times" in wells["A02"]["error"]
    assert whole_wells(tmp_path / "out") == ["A/01", "A/03", "A/04"]
    nobody_is_left(process, tmp_path)


def test_a_worker_that_dies_once_costs_nothing(marked_plate, start, tmp_path):
    process = start(marked_plate, f"deadly: {{once: true, marker: {tmp_path / 'marker'}}}")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert (tmp_path / "marker").exists()
    assert whole_wells(tmp_path / "out") == ["A/01", "A/02", "A/03", "A/04"]


def test_a_worker_that_dies_while_the_plate_is_estimated_costs_nothing(marked_plate, start, tmp_path):
    steps = f"deadly: {{once: true, marker: {tmp_path / 'marker'}}}\n  - percentile_normalize: {{limits: plate}}"
    process = start(marked_plate, steps)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert (tmp_path / "marker").exists()
    assert "levels of percentile_normalize: DAPI from 4 planes" in out
    assert whole_wells(tmp_path / "out") == ["A/01", "A/02", "A/03", "A/04"]
    nobody_is_left(process, tmp_path)


# --- Planes that wait on disk -----------------------------------------------------------------------------------


@pytest.fixture(params=["disk", "zarr"])
def on_disk(request, tmp_path):
    """The options with which planes wait on disk, and the folder where they do."""
    config = tmp_path / "config.yaml"
    config.write_text(f"vfs: {{intermediate_backend: {request.param}}}\n", encoding="utf-8")
    return ("--config", config), tmp_path / "out" / ".hcs" / "waiting"


@pytest.fixture(scope="module")
def stacks(make_plate):
    return make_plate(wells=WELLS[:4], grid=(1, 1), z_count=3, channels=("DAPI",))


def wait_for_planes(process, waiting):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):  # A well may end while it is looked at.
            if any(path.is_file() for path in waiting.rglob("*")):
                return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    pytest.fail("no plane waited on disk within a minute")


def test_two_interrupts_leave_no_planes(stacks, start, tmp_path, on_disk):
    options, waiting = on_disk
    process = start(stacks, "through\n  - cut_steps:slowly: {seconds: 4.0}", *options)
    wait_for_planes(process, waiting)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    nobody_is_left(process, tmp_path)
    assert not waiting.exists()


def test_planes_that_a_kill_left_are_removed_by_the_next_run(stacks, start, tmp_path, on_disk):
    options, waiting = on_disk
    process = start(stacks, "through\n  - cut_steps:slowly: {seconds: 2.0}", *options)
    wait_for_planes(process, waiting)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert waiting.exists()
    process = start(stacks, "through\n  - cut_steps:slowly: {seconds: 0.0}", "--fresh", *options)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert not waiting.exists()
    assert len(whole_wells(tmp_path / "out")) == 4


def test_planes_of_a_worker_that_died_are_no_part_of_the_next_attempt(stacks, start, tmp_path, on_disk):
    """The first worker of each well dies when some of its planes wait; all are made in the end."""
    options, waiting = on_disk
    process = start(stacks, f"through\n  - cut_steps:dies_once: {{folder: {tmp_path / 'marks'}}}", *options)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert list((tmp_path / "marks").iterdir()) != []
    assert not waiting.exists()
    assert len(whole_wells(tmp_path / "out")) == 4
