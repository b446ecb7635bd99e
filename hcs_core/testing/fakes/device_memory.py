"""A memory type with devices that no machine has: it counts transfers, limits memory and fails on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hcs_core.arrays.dtype_policy import to_dtype
from hcs_core.arrays.memory_type import CPU
from hcs_core.testing.fakes.device_array import (
    FakeDeviceArray,
    FakeDeviceError,
    FakeDeviceUse,
    FakeFailure,
    FakeOutOfMemoryError,
)

_WIDE = {"float64": "float32", "int64": "int32", "uint64": "uint32"}


class FakeDeviceMemory:
    """The memory type `fake_device`; a test makes its own by a subclass, whose target it declares.

    Each subclass has devices of its own. What it did is in `use`, of this process alone: in a worker that is another.

    Attributes
    ----------
    there
        Its devices, the best first.
    memory
        The bytes that a device has; one that is not named has as many as are wanted.
    widened
        The dtype in which each is held, where it is not itself: `{"uint16": "int32"}`.
    failures
        Calls that fail.
    narrows
        Whether, outside of a scope with a dtype of 64 bits, what is computed has 32, as in jax.
    use
        What was done; `reset()` begins anew.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_core.testing import FakeDeviceMemory
    >>> class TwoCards(FakeDeviceMemory):
    ...     there = ("cuda:0", "cuda:1")
    ...     memory = {"cuda:0": 1000}
    >>> cards = TwoCards()
    >>> plane = cards.from_host(np.zeros(100, np.float32), "cuda:0")
    >>> cards.free_bytes("cuda:0")
    600
    >>> moved = cards.to_device(plane, "cuda:1")
    >>> dict(TwoCards.use.transfers)
    {'host->cuda:0': 1, 'cuda:0->cuda:1': 1}
    """

    there: ClassVar[tuple[str, ...]] = ("cuda:0", "cuda:1", CPU)
    memory: ClassVar[Mapping[str, int]] = {}
    widened: ClassVar[Mapping[str, str]] = {}
    failures: ClassVar[Sequence[FakeFailure]] = ()
    narrows: ClassVar[bool] = False
    use: ClassVar[FakeDeviceUse] = FakeDeviceUse()
    _scope: ClassVar[threading.local] = threading.local()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.reset()

    @classmethod
    def reset(cls) -> None:
        """Forget what was done; arrays that are still there are not counted any more."""
        cls.use = FakeDeviceUse()
        cls._scope = threading.local()

    @classmethod
    def called(cls, method: str) -> None:
        """Count a call of a method.

        Raises
        ------
        FakeDeviceError
            It is one that fails; a `FakeOutOfMemoryError` where the failure says so.
        """
        number = cls.use.count(method)
        for failure in cls.failures:
            if failure.method == method and failure.call <= number < failure.call + failure.count:
                kind = FakeOutOfMemoryError if failure.out_of_memory else FakeDeviceError
                raise kind(f"call {number} of {method} fails, as it was told")

    @classmethod
    def computed(cls, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return what a computation gives: of 32 bits, where the library narrows and no scope says otherwise."""
        wide = getattr(cls._scope, "dtype", "") in _WIDE
        return values.astype(_WIDE.get(values.dtype.name, values.dtype)) if cls.narrows and not wide else values

    # --- MemoryType -----------------------------------------------------------------------------------------

    def owns(self, array: object) -> bool:
        """Whether it is an array of this very class."""
        return isinstance(array, FakeDeviceArray) and array.library is type(self)

    def holds(self, dtype: str) -> str:
        """Return the dtype itself, or the one in `widened`."""
        return self.widened.get(dtype, dtype)

    def from_host(self, array: npt.NDArray[Any], device: str = CPU) -> FakeDeviceArray:
        """Copy a numpy array to a device."""
        self._known(device)
        self.called("from_host")
        made = self._made(np.array(array, self.holds(array.dtype.name)), device)
        self.use.moved("host", device)
        return made

    def to_host(self, array: FakeDeviceArray, dtype: str = "") -> npt.NDArray[Any]:
        """Copy an array from its device."""
        self.called("to_host")
        self.use.moved(array.device, "host")
        return to_dtype(array.values, dtype).copy() if dtype else array.values.copy()

    def cast(self, array: FakeDeviceArray, dtype: str) -> FakeDeviceArray:
        """Return an array as an image of a dtype; itself where nothing has to change."""
        self.called("cast")
        held = to_dtype(array.values, dtype).astype(self.holds(dtype))
        same = held.dtype == array.dtype and np.array_equal(held, array.values, equal_nan=held.dtype.kind == "f")
        return array if same else self._made(held, array.device)

    def stack(self, planes: Sequence[FakeDeviceArray | None]) -> FakeDeviceArray:
        """Return arrays as one, on their device."""
        self.called("stack")
        there = [plane for plane in planes if plane is not None]
        if len({plane.device for plane in there}) != 1:
            raise FakeDeviceError(f"these are on {', '.join(sorted({plane.device for plane in there}))}")
        values = [np.zeros_like(there[0].values) if plane is None else plane.values for plane in planes]
        return self._made(np.stack(values), there[0].device)

    def nonfinite(self, array: FakeDeviceArray) -> int:
        """Return how many values are NaN or infinite."""
        self.called("nonfinite")
        return int(np.count_nonzero(~np.isfinite(array.values)))

    def mark(self, array: FakeDeviceArray) -> object:
        """Return its bytes; this is not a transfer."""
        return array.values.tobytes()

    # --- HasDevices -----------------------------------------------------------------------------------------

    def devices(self) -> tuple[str, ...]:
        """Return `there`."""
        return self.there

    def device_of(self, array: FakeDeviceArray) -> str:
        """Return the device that an array is on."""
        return array.device

    def to_device(self, array: FakeDeviceArray, device: str) -> FakeDeviceArray:
        """Copy an array to another device."""
        self._known(device)
        if array.device == device:
            return array
        self.called("to_device")
        made = self._made(array.values.copy(), device)
        self.use.moved(array.device, device)
        return made

    @contextmanager
    def scope(self, device: str, dtype: str) -> Iterator[None]:
        """Note the device and the dtype, as long as the block lasts."""
        self._known(device)
        self.use.scopes.append((device, dtype))
        before = getattr(self._scope, "dtype", "")
        self._scope.dtype = dtype
        try:
            yield
        finally:
            self._scope.dtype = before

    def free_bytes(self, device: str) -> int | None:
        """Return what is left of a device's memory; `None` where that has no end."""
        limit = self.memory.get(device)
        return None if limit is None else limit - self.use.live(device)

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether it is a `FakeOutOfMemoryError`."""
        return isinstance(error, FakeOutOfMemoryError)

    def release(self, device: str) -> None:  # noqa: ARG002
        """Count the call: nothing is kept."""
        self.called("release")

    def _made(self, values: npt.NDArray[Any], device: str) -> FakeDeviceArray:
        return FakeDeviceArray(values, device, type(self))

    def _known(self, device: str) -> None:
        if device not in self.there:
            raise FakeDeviceError(f"there is no device {device}: there are {', '.join(self.there)}")
