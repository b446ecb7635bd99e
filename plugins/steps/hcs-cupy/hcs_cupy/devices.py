"""CuPy's devices under the names that they have in all libraries: `cuda:0`, `cuda:1`."""

from __future__ import annotations

from typing import Any

from hcs_core import PluginError

KIND = "cuda"


def there() -> tuple[str, ...]:
    """Return the devices of this machine; none where CuPy finds no driver or no GPU, which is asked, not tried."""
    import cupy

    if not cupy.cuda.is_available():
        return ()
    return tuple(f"{KIND}:{index}" for index in range(cupy.cuda.runtime.getDeviceCount()))


def device_called(name: str) -> Any:
    """Return the device of a name, to be entered as a context.

    Raises
    ------
    PluginError
        CuPy does not see it.
    """
    import cupy

    names = there()
    if name not in names:
        raise PluginError(f"cupy has no device {name!r} here: it has {', '.join(names) or 'none at all'}.")
    return cupy.cuda.Device(names.index(name))


def name_of(array: Any) -> str:
    """Return the name of the device that an array is on."""
    return f"{KIND}:{array.device.id}"
