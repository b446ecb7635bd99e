"""Workers and devices in real runs: all devices are used, and by no more workers than their memory allows."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zarr

from hcs_core import (
    GlobalPipelineConfig,
    MemoryTypeSpec,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    Step,
    hookimpl,
    step_function,
)

WELLS = tuple(f"A{number:02d}" for number in range(1, 9))
PATIENCE_S = 60.0


@step_function(memory="fake_device", axes="yx", out="yx")
def number_of_device(image, *, folder: str, workers: int, dies: bool = False):
    """The number of the device that an image is on; begins when as many workers have come as there are to be."""
    me = Path(folder) / f"{os.getpid()}-{threading.get_ident()}-{image.device}"
    me.touch()
    until = time.monotonic() + PATIENCE_S
    while len(list(Path(folder).iterdir())) < workers and time.monotonic() < until:
        time.sleep(0.02)
    dead = Path(folder).with_suffix(".dead")
    if dies and not dead.exists():
        dead.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return image.map(np.full_like, int(image.device[-1]))


@step_function(memory="fake_device", axes="yx", out="yx")
def what_is_set(image, *, variable: str):
    """A number of the environment at each pixel; 0 where it is not set."""
    return image.map(np.full_like, int(os.environ.get(variable, "0")))


def with_devices(**facts):
    """The installed plugins, and a memory type with two devices and a CPU."""
    spec = MemoryTypeSpec(
        name="fake_device",
        target="hcs_core.testing.fakes.device_memory:FakeDeviceMemory",
        library="json",
        **facts,
    )
    plugins = PluginManager()
    plugins.register(SimpleNamespace(hcs_api=1, hcs_memory_types=hookimpl(lambda: iter([spec]))), "cards")
    plugins.discover()
    return plugins


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=WELLS, grid=(1, 1), z_count=1, channels=("DAPI",))


@pytest.fixture
def seen(tmp_path):
    folder = tmp_path / "seen"
    folder.mkdir()
    return folder


def run(plate, output, step, *, plugins=None, **fields):
    orchestrator = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(**fields), plugins=plugins or with_devices(), output=output
    )
    result = orchestrator.run([Pipeline("devices", [step])])
    assert result.status == "ok", [record.fault for record in result.failed]
    return result


def values(output):
    """The one value of the pixels of each well's image."""
    found = {}
    for well in WELLS:
        pixels = zarr.open_array(output / "images.zarr" / well[0] / well[1:] / "0" / "0", mode="r")[:]
        assert pixels.min() == pixels.max()
        found[well] = int(pixels.max())
    return found


def workers_by_device(seen):
    """How many workers worked on each device; each worked on one."""
    names = [path.name.rsplit("-", 1) for path in seen.iterdir()]
    assert len({worker for worker, _ in names}) == len(names)
    devices = [device for _, device in names]
    return {device: devices.count(device) for device in sorted(set(devices))}


def left_over(output):
    return [path.name for path in (output / ".hcs").iterdir() if path.name.startswith("devices-")]


@pytest.mark.parametrize(
    ("threads", "workers", "expected"),
    [
        (False, 2, {"cuda:0": 1, "cuda:1": 1}),
        (False, 3, {"cuda:0": 2, "cuda:1": 1}),
        (True, 4, {"cuda:0": 2, "cuda:1": 2}),
        (None, 1, {"cuda:0": 1}),
    ],
)
def test_all_devices_are_used(plate, seen, tmp_path, threads, workers, expected):
    step = Step(number_of_device, folder=str(seen), workers=workers)
    result = run(plate, tmp_path / "out", step, num_workers=workers, use_threading=threads)
    assert workers_by_device(seen) == expected
    found = values(tmp_path / "out")
    document = json.loads((tmp_path / "out" / "run.json").read_text())
    assert document["devices"] == {
        f"cuda:{number}": list(found.values()).count(number) for number in sorted(set(found.values()))
    }
    assert sum(document["devices"].values()) == len(WELLS)
    assert sorted(result.plan.worker_devices) == sorted(
        device for device, count in expected.items() for _ in range(count)
    )
    assert left_over(tmp_path / "out") == []


def test_a_device_that_is_asked_for_is_the_only_one(plate, seen, tmp_path):
    step = Step(number_of_device, folder=str(seen), workers=2)
    run(plate, tmp_path / "out", step, num_workers=2, use_threading=True, device="cuda:1")
    assert workers_by_device(seen) == {"cuda:1": 2}


def test_on_the_cpu_nobody_is_bound(plate, tmp_path):
    result = run(plate, tmp_path / "out", Step("gaussian_blur", sigma=1.0), num_workers=2, use_threading=True)
    assert result.plan.worker_devices == result.plan.devices == ()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["devices"] == {}


@pytest.mark.interrupts
def test_a_worker_in_place_of_one_that_died_is_bound_again(plate, seen, tmp_path):
    step = Step(number_of_device, folder=str(seen), workers=2, dies=True)
    run(plate, tmp_path / "out", step, num_workers=2, use_threading=False)
    # Two workers, the ones alone for what was in hand, and two more.
    assert set(workers_by_device(seen)) == {"cuda:0", "cuda:1"}
    assert set(values(tmp_path / "out").values()) <= {0, 1}
    assert left_over(tmp_path / "out") == []


# --- The environment of workers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("threads", "own", "expected"), [(False, None, 7), (False, "3", 3), (True, None, 0)])
def test_a_library_s_environment_is_set_in_worker_processes_alone(
    plate, tmp_path, monkeypatch, threads, own, expected
):
    name = "HCS_TEST_OF_A_LIBRARY"
    if own is None:
        monkeypatch.delenv(name, raising=False)
    else:
        monkeypatch.setenv(name, own)
    plugins = with_devices(worker_environment=((name, "7"),))
    step = Step(what_is_set, variable=name)
    run(plate, tmp_path / "out", step, plugins=plugins, num_workers=2, use_threading=threads)
    assert set(values(tmp_path / "out").values()) == {expected}
    assert os.environ.get(name) == own


def test_a_library_that_the_plan_does_not_use_sets_nothing():
    from hcs_core.runtime.workers.worker_environment import library_environment

    plugins = with_devices(worker_environment=(("ONE", "1"),))
    plan = SimpleNamespace(nodes=(SimpleNamespace(memory_type="numpy"),))
    assert library_environment(plan, plugins) == ()
    plan.nodes += (SimpleNamespace(memory_type="fake_device"), SimpleNamespace(memory_type="not_there"))
    assert library_environment(plan, plugins) == (("ONE", "1"),)
