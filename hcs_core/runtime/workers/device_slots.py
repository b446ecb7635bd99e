"""Which worker of this machine is bound to which device: each claims a slot of its pool when it starts."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from hcs_core.errors import RunError

_WAIT_SECONDS = 10.0
"""How long a worker waits for a slot: one that has just ended may not have let go of its own yet."""

_TICK = 0.05


@attrs.frozen(kw_only=True)
class DeviceSlots:
    """The slots of a pool of worker processes: a device for each of its workers.

    Attributes
    ----------
    devices
        What each worker is bound to; empty where the plan binds none.
    file
        A file of which a worker locks the byte of its slot, for as long as it lives: whatever ends a worker, the
        system unlocks it, and the one in its place finds the slot free. Empty where all slots are alike.
    """

    devices: tuple[str, ...] = ()
    file: str = ""

    def claim(self) -> str:
        """Return the device of a free slot, and keep that slot until this process ends.

        Raises
        ------
        RunError
            No slot is free: there are more workers than devices were planned for.
        """
        if not self.file:
            return self.devices[0] if self.devices else ""
        # Closed by the system, when the process ends.
        file = os.open(self.file, os.O_RDWR)
        waited = 0.0
        while waited < _WAIT_SECONDS:
            for place, device in enumerate(self.devices):
                if _lock(file, place):
                    return device
            time.sleep(_TICK)
            waited += _TICK
        os.close(file)
        raise RunError(f"all {len(self.devices)} places on devices are taken, and there is one more worker.")


@contextmanager
def device_slots(devices: Sequence[str], folder: Path) -> Iterator[DeviceSlots]:
    """Give the slots of a pool, and leave nothing of them in the folder after the block."""
    if len(set(devices)) < 2:  # noqa: PLR2004 - nothing tells them apart
        yield DeviceSlots(devices=tuple(devices))
        return
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix="devices-")
    try:
        os.write(handle, bytes(len(devices)))
        os.close(handle)
        yield DeviceSlots(devices=tuple(devices), file=name)
    finally:
        Path(name).unlink(missing_ok=True)


def _lock(file: int, place: int) -> bool:
    """Lock a byte of a file for this process; `False` where another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, place, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError:
        return False
    return True
