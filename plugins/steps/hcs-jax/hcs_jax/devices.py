"""JAX's devices under the names that they have in all libraries: `cpu`, `cuda:0`, `cuda:1`."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hcs_core import PluginError

CPU = "cpu"

ACCELERATORS = ("cuda", "rocm", "tpu")
"""The platforms that are asked for, the best first; JAX calls the devices of the first two `gpu`."""


@functools.cache
def named_devices() -> Mapping[str, Any]:
    """Return JAX's devices in this process by name, the best first; the CPU, which is always there, is the last.

    They stay the same as long as the process runs: JAX looks for them once.
    """
    found = {f"{kind}:{index}": device for kind in ACCELERATORS for index, device in enumerate(_of_platform(kind))}
    return found | {CPU: _of_platform(CPU)[0]}


def device_called(name: str) -> Any:
    """Return the device of a name.

    Raises
    ------
    PluginError
        JAX does not see it.
    """
    there = named_devices()
    if name not in there:
        raise PluginError(f"jax has no device {name!r} here: it has {', '.join(there)}.")
    return there[name]


def name_of(array: Any) -> str:
    """Return the name of the device that an array is on; of one spread over several devices, of the first of them."""
    on = array.devices()
    return next((name for name, device in named_devices().items() if device in on), CPU)


def _of_platform(kind: str) -> list[Any]:
    import jax

    with _quietly():
        try:
            return list(jax.local_devices(backend=kind))
        except RuntimeError:  # There is no other way to ask whether a platform is there.
            return []


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep JAX from printing, while it looks for devices, that there might be a better one.

    Which devices there are is what was asked, and the answer says it. Errors are let through.
    """
    logger = logging.getLogger("jax._src.xla_bridge")
    logger.addFilter(_is_error)
    try:
        yield
    finally:
        logger.removeFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
