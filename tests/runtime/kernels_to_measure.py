"""A plugin whose kernels take a known time, raise, or end their process."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext

from hcs_core import KernelSpec, MemoryTypeSpec, Signature, hookimpl
from hcs_core.testing import FakeMemoryType

hcs_api = 1


class Slow(FakeMemoryType):
    """A memory type that takes 0.2 s to start, and has a card."""

    def __init__(self):
        super().__init__()
        time.sleep(0.2)

    def devices(self):
        return ("card:0", "cpu")

    def device_of(self, array):
        return "cpu"

    def to_device(self, array, device):
        return array

    def scope(self, device, dtype):
        return nullcontext()

    def free_bytes(self, device):
        return None

    def is_out_of_memory(self, error):
        return False

    def release(self, device):
        pass


def nap(image):
    time.sleep(0.02)
    return image


def raises(image):
    raise ValueError("it never works")


def dies(image):
    os._exit(7)


@hookimpl
def hcs_memory_types():
    here = __name__
    yield MemoryTypeSpec(name="slow", target=f"{here}:Slow", library="json")
    yield MemoryTypeSpec(name="absent", target=f"{here}:Slow", library="no_such_library_here")


@hookimpl
def hcs_kernels():
    here, plane = __name__, Signature(axes="yx", out="yx", dtypes=("uint16",))
    yield KernelSpec(operation="nap", memory_type="numpy", target=f"{here}:nap", signature=plane)
    for name in ("nap", "raises", "dies"):
        yield KernelSpec(operation=name, memory_type="slow", target=f"{here}:{name}", signature=plane)
    stack = Signature(axes="zyx", out="zyx", dtypes=("uint16",))
    yield KernelSpec(operation="stacked", memory_type="slow", target=f"{here}:nap", signature=stack)
    yield KernelSpec(operation="nap", memory_type="absent", target=f"{here}:nap", signature=plane)
