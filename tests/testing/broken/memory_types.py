"""Memory types that each break one rule of `MemoryTypeContract`."""

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from hcs_core import MemoryTypeSpec, to_dtype
from hcs_core.testing import FakeArray, FakeDeviceMemory, FakeMemoryType, MemoryTypeContract


def under_contract(breaks, library="hcs_core", **attributes):
    """Put a memory type under the contract, in a class that says which rule it breaks."""

    def declare(cls):
        spec = MemoryTypeSpec(name="house", target=f"{__name__}:{cls.__name__}", library=library)
        name = f"Test{cls.__name__}"
        globals()[name] = type(name, (MemoryTypeContract,), {"memory_types": (spec,), "breaks": breaks, **attributes})
        return cls

    return declare


class Cards(FakeDeviceMemory):
    there = ("cuda:0", "cuda:1")


class Wide(FakeMemoryType):
    """As torch holds images of uint16."""

    held = MappingProxyType({"uint16": "int32"})

    def holds(self, dtype):
        return self.held.get(dtype, dtype)

    def from_host(self, array, device="cpu"):
        return FakeArray(array.astype(self.holds(array.dtype.name)))

    def cast(self, array, dtype):
        if str(array.dtype) == dtype == self.holds(dtype):
            return array
        return FakeArray(to_dtype(array.values, dtype).astype(self.holds(dtype)))


# --- Nothing is broken ------------------------------------------------------------------------------------------


@under_contract(None)
class Right(FakeMemoryType):
    pass


@under_contract(None)
class RightAndWide(Wide):
    pass


@under_contract(None)
class RightWithDevices(Cards):
    pass


@under_contract(None)
class RightWithoutADevice(FakeDeviceMemory):
    there = ()


# --- What comes through -----------------------------------------------------------------------------------------


@under_contract("test_a_round_trip_is_exact")
class ForgetsToNarrow(Wide):
    def to_host(self, array, dtype=""):
        return array.values


@under_contract("test_without_a_dtype_to_host_gives_the_array_s_own")
class NarrowsUnasked(Wide):
    def to_host(self, array, dtype=""):
        return to_dtype(array.values, dtype or {"int32": "uint16"}.get(str(array.dtype), str(array.dtype)))


@under_contract("test_an_array_of_any_layout_comes_through")
class LooksAtTheMemoryAlone(FakeMemoryType):
    def from_host(self, array, device="cpu"):
        if 0 in array.strides:
            array = np.resize(array.ravel()[::-1], array.shape)
        return super().from_host(array, device)


@under_contract("test_an_array_of_any_layout_comes_through")
class WantsToWrite(FakeMemoryType):
    def from_host(self, array, device="cpu"):
        if not array.flags.writeable:
            message = "buffer is read-only"
            raise ValueError(message)
        return super().from_host(array, device)


@under_contract("test_the_host_s_array_is_left_as_it_was")
class UsesTheHostsMemory(FakeMemoryType):
    def from_host(self, array, device="cpu"):
        made = FakeArray(array.astype(array.dtype.name))
        if array.flags.writeable:
            array[...] = 0
        return made


class Open(FakeMemoryType):
    """Its arrays can be written to, as torch's can."""

    def from_host(self, array, device="cpu"):
        return OpenArray(np.array(array, array.dtype.newbyteorder("=")))

    def cast(self, array, dtype):
        values = to_dtype(array.values, dtype)
        return array if values is array.values else OpenArray(values)

    def stack(self, planes):
        return OpenArray(super().stack(planes).values)


class OpenArray(FakeArray):
    def __getitem__(self, place):
        return OpenArray(self.values[place])

    def __setitem__(self, place, value):
        self.values[place] = getattr(value, "values", value)

    def __add__(self, other):
        return OpenArray(self.values + getattr(other, "values", np.array(other, self.values.dtype)))

    def __invert__(self):
        return OpenArray(~self.values)


@under_contract(None)
class RightAndOpen(Open):
    pass


@under_contract(None)
class RightWithoutMarks(Open):
    mark = None


@under_contract("test_what_is_read_only_is_never_written_to")
class LosesTheFlag(Open):
    def from_host(self, array, device="cpu"):
        made = super().from_host(array, device)
        if array.flags.writeable or array.dtype.byteorder == ">" or not array.flags.c_contiguous:
            return made
        interface = {**array.__array_interface__, "data": (array.__array_interface__["data"][0], False)}
        return OpenArray(np.asarray(type("Memory", (), {"__array_interface__": interface, "array": array})()))


@under_contract("test_a_stack_has_memory_of_its_own")
class StacksOneAsItIs(Open):
    def stack(self, planes):
        return OpenArray(planes[0].values[None]) if len(planes) == 1 else super().stack(planes)


@under_contract("test_a_mark_tells_of_writes_and_of_nothing_else")
class SeesNoWrite(Open):
    def mark(self, array):
        return "as it was"


@under_contract("test_a_mark_tells_of_writes_and_of_nothing_else")
class SeesWritesEverywhere(Open):
    def mark(self, array):
        return object()


@under_contract("test_the_library_s_array_is_left_as_it_was")
class TidiesUp(FakeMemoryType):
    def nonfinite(self, array):
        found = super().nonfinite(array)
        if array.values.size and array.values.flags.writeable:
            array.values[...] = 0
        return found


@under_contract("test_a_stack_has_its_planes_in_order")
class PutsTheLastFirst(FakeMemoryType):
    def stack(self, planes):
        return super().stack(planes[::-1] if len(planes) > 2 else planes)


@under_contract("test_it_counts_nan_and_infinities")
class CountsNanAlone(FakeMemoryType):
    def nonfinite(self, array):
        return int(np.isnan(array.values).sum()) if array.dtype.kind == "f" else 0


@under_contract("test_it_owns_its_arrays_and_no_others")
class OwnsLists(FakeMemoryType):
    def owns(self, array):
        return isinstance(array, FakeArray | list)


# --- Dtypes -----------------------------------------------------------------------------------------------------


@under_contract("test_it_holds_what_images_are")
class HasNoUint16(Wide):
    held = MappingProxyType({"uint16": ""})


@under_contract("test_what_it_holds_a_dtype_in_has_room_for_every_value")
class WidensTwice(Wide):
    held = MappingProxyType({"uint8": "uint16", "uint16": "int32"})


@under_contract("test_a_dtype_that_nobody_knows_is_not_held")
class TakesAnything(Wide):
    def holds(self, dtype):
        return "float32" if dtype.startswith("complex") else super().holds(dtype)


@under_contract("test_arrays_have_the_dtype_that_it_says")
class ForgetsToWiden(Wide):
    def from_host(self, array, device="cpu"):
        return FakeMemoryType.from_host(self, array)


@under_contract("test_a_cast_follows_the_one_policy")
class CutsOff(FakeMemoryType):
    def cast(self, array, dtype):
        if array.dtype == dtype:
            return array
        values = array.values
        return super().cast(FakeArray(np.trunc(values) if values.dtype.kind == "f" else values), dtype)


@under_contract("test_a_cast_of_an_empty_array_is_empty")
class LooksForTheBrightest(FakeMemoryType):
    def cast(self, array, dtype):
        array.values.max()
        return super().cast(array, dtype)


@under_contract("test_a_cast_of_what_is_right_is_the_array_itself")
class AlwaysCopies(FakeMemoryType):
    def cast(self, array, dtype):
        return FakeArray(to_dtype(array.values, dtype).copy())


# --- Devices ----------------------------------------------------------------------------------------------------


@under_contract("test_devices_have_names_that_others_know")
class CallsThemOtherwise(Cards):
    there = ("GPU 0", "cpu")


@under_contract("test_an_array_is_on_the_device_that_was_asked_for")
class AlwaysTakesTheFirst(Cards):
    def to_device(self, array, device):
        return array if array.device == device else super().to_device(array, self.there[0])


@under_contract("test_to_device_returns_what_is_there_already")
class CopiesToWhereItIs(Cards):
    def to_device(self, array, device):
        return super().to_device(array, device) if array.device != device else array.map(np.copy)


@under_contract("test_what_is_made_of_an_array_stays_on_its_device")
class StacksOnTheFirst(Cards):
    def stack(self, planes):
        return self.to_device(super().stack(planes), self.there[0])


@under_contract("test_within_a_scope_64_bits_stay_64_bits")
class ForgetsTheDtype(Cards):
    narrows = True

    def scope(self, device, dtype):
        return super().scope(device, "uint8")


@under_contract("test_an_error_comes_out_of_a_scope")
class KeepsErrors(Cards):
    @contextmanager
    def scope(self, device, dtype):
        try:
            yield
        except Exception as error:
            if "Within" not in type(error).__name__:
                raise


@under_contract("test_ordinary_errors_say_nothing_of_memory")
class TakesEveryRuntimeError(Cards):
    def is_out_of_memory(self, error):
        return isinstance(error, RuntimeError)


@under_contract("test_free_memory_is_a_number_or_not_known")
class SaysItInFractions(Cards):
    def free_bytes(self, device):
        return 0.5


@under_contract("test_to_release_memory_leaves_arrays_as_they_are")
class ThrowsAllAway(Cards):
    made = []  # noqa: RUF012 - filled by its objects

    def from_host(self, array, device="cpu"):
        self.made.append(super().from_host(array, device))
        return self.made[-1]

    def release(self, device):
        for array in self.made:
            array.values[...] = 0


# --- Manners ----------------------------------------------------------------------------------------------------


@under_contract("test_threads_do_not_disturb_each_other")
class SharesABuffer(FakeMemoryType):
    def from_host(self, array, device="cpu"):
        self.given = array
        time.sleep(1e-4)
        return super().from_host(self.given, device)


class Default:
    dtype = "float32"


@under_contract(
    "test_nothing_else_in_the_process_changes",
    by_default=staticmethod(lambda: np.zeros(2, Default.dtype)),
)
class EnablesWideFloatsForAll(FakeMemoryType):
    def from_host(self, array, device="cpu"):
        if array.dtype == np.float64:
            Default.dtype = "float64"
        return super().from_host(array, device)


EAGER = str(Path(__file__).parent / "eager")
sys.path.append(EAGER)


@pytest.fixture(scope="module", autouse=True)
def off_the_path():
    """Take away what let another interpreter find a memory type."""
    yield
    sys.path.remove(EAGER)
    sys.modules.pop("eager_memory", None)


class TestEager(MemoryTypeContract):
    memory_types = (MemoryTypeSpec(name="eager", target="eager_memory:Eager", library="wave"),)
    breaks = "test_asking_imports_no_library"
