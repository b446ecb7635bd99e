"""Slots of devices: each worker process has one, and what a worker leaves by any death another one finds."""

import subprocess
import sys

import pytest

from hcs_core import RunError
from hcs_core.runtime.workers import device_slots as module
from hcs_core.runtime.workers.device_slots import DeviceSlots, device_slots

CLAIM = (
    "import sys\n"
    "from hcs_core.runtime.workers.device_slots import DeviceSlots\n"
    "slots = DeviceSlots(devices=tuple(sys.argv[2:]), file=sys.argv[1])\n"
    "print(slots.claim(), flush=True)\n"
    "sys.stdin.read()\n"
)


class Claiming:
    """Processes that have claimed a slot and live until they are told to end."""

    def __init__(self, slots):
        self._slots = slots
        self.processes = []

    def start(self):
        """Start one; return the device that it got."""
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, self._slots.file, *self._slots.devices],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.communicate()


def test_each_process_gets_a_slot_of_its_own_and_a_killed_one_s_is_free_again(tmp_path):
    with device_slots(("cuda:0", "cuda:1", "cuda:0"), tmp_path) as slots, Claiming(slots) as claiming:
        assert [claiming.start() for _ in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
        claiming.processes[1].kill()
        claiming.processes[1].communicate()
        assert claiming.start() == "cuda:1"
    assert list(tmp_path.iterdir()) == []


def test_one_worker_too_many_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.2)
    with device_slots(("cuda:0", "cuda:1"), tmp_path) as slots, Claiming(slots) as claiming:
        assert {claiming.start(), claiming.start()} == {"cuda:0", "cuda:1"}
        with pytest.raises(RunError, match="all 2 places on devices are taken"):
            slots.claim()


@pytest.mark.parametrize(("devices", "device"), [((), ""), (("mps",), "mps"), (("cuda:1", "cuda:1"), "cuda:1")])
def test_slots_that_are_alike_need_no_file(tmp_path, devices, device):
    with device_slots(devices, tmp_path) as slots:
        assert list(tmp_path.iterdir()) == []
        assert [slots.claim(), slots.claim()] == [device, device]
        assert slots == DeviceSlots(devices=devices)
