"""Names of devices: `cpu`, `cuda:0`, and kinds such as `cuda`, which stand for any device of theirs."""

from __future__ import annotations

from collections.abc import Collection

from hcs_core.arrays.memory_type import CPU


def kind_of(device: str) -> str:
    """Return the kind of a device: `cuda` of `cuda:0`, and of `cuda` itself.

    Examples
    --------
    >>> from hcs_core.arrays.device_names import kind_of
    >>> kind_of("cuda:0"), kind_of("cpu")
    ('cuda', 'cpu')
    """
    return device.partition(":")[0]


def is_meant(device: str, wanted: str | None) -> bool:
    """Whether a name means a device: its own, or that of its kind; `None` means every one."""
    return wanted in {None, device, kind_of(device)}


def is_of(device: str, kinds: Collection[str]) -> bool:
    """Whether a device is of one of some kinds; where none is named, every one is."""
    return not kinds or kind_of(device) in kinds


def has_own_memory(device: str) -> bool:
    """Whether it is a device with a memory of its own: none that is not known yet, and not the CPU."""
    return device not in {"", CPU}
