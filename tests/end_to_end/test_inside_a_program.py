"""Inside a program of somebody else: what is the program's stays as it was, and nothing is left after a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

PREPARED = """
import json, logging, multiprocessing, os, random, signal, sys, tempfile, threading, warnings
from pathlib import Path
import numpy as np
plate, other, work, method = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]

multiprocessing.set_start_method(method)
heard = []
class Mine(logging.Handler):
    def emit(self, record):
        heard.append(record.name)
logging.basicConfig(level=logging.DEBUG, handlers=[Mine()])
signal.signal(signal.SIGINT, lambda *_: None)
signal.signal(signal.SIGTERM, lambda *_: None)
warnings.simplefilter("error")
os.environ["OMP_NUM_THREADS"] = "7"
os.chdir(work)
random.seed(1)
np.random.seed(2)
"""
STATE = """
def state():
    return {
        "handlers": [repr(handler) for handler in logging.getLogger().handlers],
        "level": logging.getLogger().level,
        "disabled": logging.root.manager.disable,
        "signals": [repr(signal.getsignal(number)) for number in signal.valid_signals()],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "warnings": repr(warnings.filters),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "umask": (lambda mask: (os.umask(mask), mask)[1])(os.umask(0o22)),
        "random": repr(random.getstate()) + repr(np.random.get_state()),
        "method": multiprocessing.get_start_method(),
        "errors": repr(np.geterr()),
        "printing": repr(np.get_printoptions()),
        "hook": repr((sys.excepthook, threading.excepthook, sys.displayhook)),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "path": list(sys.path),
        "recursion": sys.getrecursionlimit(),
    }
"""
RUN = """
from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, step_function

added = 5

@step_function()
def mine(image):
    return image + np.uint16(added)

def run(plate, output, **how):
    orchestrator = PipelineOrchestrator(plate, global_config=GlobalPipelineConfig(**how), output=output)
    return orchestrator.run([Pipeline("mine", [Step(mine), Step("max_projection")])])

def pixels(output):
    import zarr
    paths = sorted(path.parent for path in (output / "images.zarr").glob("*/*/*/0/zarr.json"))
    arrays = {path.relative_to(output).as_posix(): zarr.open_array(path, mode="r") for path in paths}
    return {path: int(array[:].astype(np.int64).sum()) for path, array in arrays.items()}

PROCESSES = {"num_workers": 2, "use_threading": False}
"""
LEFT = '''
def left():
    """The processes that were started and are still there, but for the trackers of the worker library."""
    import psutil, time
    def there():
        children = psutil.Process().children(recursive=True)
        return [" ".join(child.cmdline()) for child in children if "tracker" not in " ".join(child.cmdline())]
    deadline = time.monotonic() + 5
    while there() and time.monotonic() < deadline:
        time.sleep(0.05)
    return there()
'''


@pytest.fixture(scope="module")
def plates(make_plate):
    return [make_plate(wells=("A01", "B03"), grid=(1, 1), image_shape=(32, 40), name=name) for name in ("one", "two")]


@pytest.fixture
def program(plates, tmp_path):
    """Run a program, given as its text, in a way; return what it printed, which is one JSON document and no more."""

    def run(text, how="script", method="spawn"):
        (tmp_path / "work").mkdir()
        (tmp_path / "temporary").mkdir()
        environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
        path = tmp_path / "program.py"
        # Not guarded by `if __name__ == "__main__"`: a worker that imported it would start it all over again.
        path.write_text(text)
        start = {"script": [path], "command": ["-c", text], "stdin": ["-"]}[how]
        done = subprocess.run(
            [sys.executable, *map(str, start), *map(str, plates), str(tmp_path / "work"), method],
            input=text if how == "stdin" else "",
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert list((tmp_path / "temporary").iterdir()) == []
        return json.loads(done.stdout)

    return run


IN_ITS_OWN_WAY = (
    PREPARED
    + RUN
    + STATE
    + LEFT
    + textwrap.dedent("""
    run(plate, work / "first", num_workers=1)   # What is imported on first use may have loggers of its own.
    before = state()
    statuses = {}
    def all_of_it():
        threads = {"num_workers": 2, "use_threading": True}
        for name, how in (("processes", PROCESSES), ("threads", threads), ("here", {"num_workers": 1})):
            statuses[name] = run(plate, work / name, **how).status
    thread = threading.Thread(target=all_of_it)
    thread.start()
    thread.join()
    after = state()
    changed = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
    ours = [name for name in heard if name.startswith("hcs")]
    results = {name: (status, pixels(work / name)) for name, status in statuses.items()}
    print(json.dumps({"changed": changed, "results": results, "left": left(), "ours": ours}))
    """)
)


def check(found):
    assert found["changed"] == {}
    assert found["left"] == []
    assert found["ours"] == []
    statuses = {name: status for name, (status, _) in found["results"].items()}
    assert set(statuses.values()) == {"ok"}, statuses
    sums = [pixels for _, pixels in found["results"].values()]
    assert all(each == sums[0] for each in sums)
    assert len(sums[0]) == 2


def test_a_program_with_its_own_ways_keeps_them(program):
    """An unguarded script that runs from another thread, with processes, threads, and in itself."""
    check(program(IN_ITS_OWN_WAY))


@pytest.mark.environments
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize("how", ["script", "command", "stdin"])
def test_whatever_the_start_method_and_however_it_is_started(program, how, method):
    check(program(IN_ITS_OWN_WAY, how, method))


TWO_AT_ONCE = (
    PREPARED
    + RUN
    + LEFT
    + textwrap.dedent("""
    from concurrent.futures import ThreadPoolExecutor
    from hcs_core import PluginManager, hookimpl

    class Listener:
        hcs_api = 1
        def __init__(self):
            self.heard = []
        @hookimpl
        def hcs_event(self, event):
            self.heard.append((type(event).__name__, getattr(event, "plate", None), getattr(event, "well", None)))

    def one(folder, sigma, listener, how):
        plugins = PluginManager()
        plugins.register(listener, "listener")
        plugins.discover()
        config = GlobalPipelineConfig(**how)
        output = work / f"{folder.name}_{sigma}"
        orchestrator = PipelineOrchestrator(folder, global_config=config, plugins=plugins, output=output)
        result = orchestrator.run([Pipeline("blur", [Step(mine), Step("gaussian_blur", sigma=sigma)])])
        return result.status, output

    jobs = [(plate, 1.0, PROCESSES), (other, 2.0, PROCESSES), (plate, 3.0, {"num_workers": 2, "use_threading": True})]
    listeners = [Listener() for _ in jobs]
    with ThreadPoolExecutor(len(jobs)) as pool:
        together = list(pool.map(lambda job, listener: one(job[0], job[1], listener, job[2]), jobs, listeners))
    threads = [thread.name for thread in threading.enumerate()]
    work = work / "alone"
    work.mkdir()
    alone = [one(folder, sigma, Listener(), {"num_workers": 1}) for folder, sigma, _ in jobs]
    together, alone = ([(status, pixels(output)) for status, output in each] for each in (together, alone))
    print(json.dumps({
        "threads": threads, "together": together, "alone": alone, "left": left(),
        "heard": [listener.heard for listener in listeners],
    }))
    """)
)


def test_two_plates_at_once_do_not_disturb_each_other(program):
    found = program(TWO_AT_ONCE)
    assert found["together"] == found["alone"]
    assert [status for status, _ in found["together"]] == ["ok"] * 3
    assert found["left"] == []
    assert found["threads"] == ["MainThread"]
    for heard, name in zip(found["heard"], ("one", "two", "one"), strict=True):
        assert [kind for kind, _, _ in heard] == [
            "PlanCompiled", "RunStarted", "WellFinished", "WellFinished", "RunFinished",
        ]  # fmt: skip
        assert {plate for _, plate, _ in heard if plate} == {name}
        assert {well for _, _, well in heard if well} == {"A01", "B03"}
