"""Arrays on devices that no machine has: they count against the memory of their device as long as they live."""

from __future__ import annotations

import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import attrs
import numpy as np
import numpy.typing as npt


class FakeDeviceError(RuntimeError):
    """Something went wrong on a fake device: the error of its library."""


class FakeOutOfMemoryError(FakeDeviceError):
    """The memory of a fake device is full."""


@attrs.frozen(kw_only=True)
class FakeFailure:
    """The call of one method, the first being 1, that fails: `from_host`, `to_host`, `to_device`, `cast`, `map`, ...

    `count` calls fail, one after the other; with `out_of_memory` as where a device is full.
    """

    method: str
    call: int = 1
    count: int = 1
    out_of_memory: bool = False


class FakeDeviceUse:
    """What was done with the devices of one fake memory type in this process; threads may share it.

    Attributes
    ----------
    transfers
        How often arrays went where: `host->cuda:0`, `cuda:0->host`, `cuda:0->cuda:1`.
    calls
        How often each method was called.
    peak
        The most bytes that arrays took at once, by device.
    scopes
        The (device, dtype) of each scope that was entered, in order.
    """

    def __init__(self) -> None:
        self.transfers: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.scopes: list[tuple[str, str]] = []
        self._live: Counter[str] = Counter()
        self._lock = threading.Lock()
        # A finalizer may come in the middle of anything; to append to this needs no lock.
        self._freed: deque[tuple[str, int]] = deque()

    def live(self, device: str) -> int:
        """Return the bytes of the arrays that are on a device now."""
        with self._lock:
            return self._after_freeing()[device]

    def count(self, method: str) -> int:
        """Count a call of a method, and return its number."""
        with self._lock:
            self.calls[method] += 1
            return self.calls[method]

    def moved(self, source: str, destination: str) -> None:
        """Count a transfer."""
        with self._lock:
            self.transfers[f"{source}->{destination}"] += 1

    def take(self, owner: object, device: str, size: int, limit: int | None) -> None:
        """Take bytes of a device for as long as `owner` lives.

        Raises
        ------
        FakeOutOfMemoryError
            There are not as many.
        """
        with self._lock:
            live = self._after_freeing()
            if limit is not None and live[device] + size > limit:
                raise FakeOutOfMemoryError(f"{device} is full: {live[device]} of {limit} bytes, and {size} asked for")
            live[device] += size
            self.peak[device] = max(self.peak[device], live[device])
        weakref.finalize(owner, self._freed.append, (device, size)).atexit = False

    def _after_freeing(self) -> Counter[str]:
        while self._freed:
            device, size = self._freed.popleft()
            self._live[device] -= size
        return self._live


class FakeLibrary(Protocol):
    """The class of a fake memory type, as its arrays see it."""

    use: ClassVar[FakeDeviceUse]
    memory: ClassVar[Mapping[str, int]]

    @classmethod
    def called(cls, method: str) -> None:
        """Count a call, which may be one that fails."""
        ...

    @classmethod
    def computed(cls, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return what a computation gives in this library."""
        ...


class FakeDeviceArray:
    """An array on a device: nothing that takes a numpy array takes it by mistake.

    Its library can add, multiply, take parts and apply any function of numpy's (`map`); every result is a new array
    on its device, of which it takes memory.
    """

    def __init__(self, values: npt.NDArray[Any], device: str, library: type[FakeLibrary]) -> None:
        library.use.take(self, device, values.nbytes, library.memory.get(device))
        self.values = values
        self.device = device
        self.library = library

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its dtype."""
        return self.values.dtype

    def map(self, function: Callable[..., npt.NDArray[Any]], *others: Any) -> FakeDeviceArray:
        """Return what a function makes of its values, and of those of other arrays on its device or of numbers.

        Raises
        ------
        FakeDeviceError
            Another array is on another device, or of another library.
        """
        self.library.called("map")
        for other in others:
            if isinstance(other, FakeDeviceArray) and (other.device, other.library) != (self.device, self.library):
                raise FakeDeviceError(f"one array is on {self.device}, the other on {other.device}")
        values = [other.values if isinstance(other, FakeDeviceArray) else other for other in others]
        made = self.library.computed(np.array(function(self.values, *values)))
        return FakeDeviceArray(made, self.device, self.library)

    def reshape(self, *shape: Any) -> FakeDeviceArray:
        """Return its values in another shape."""
        return self.map(lambda values: values.reshape(*shape))

    def __getitem__(self, place: Any) -> FakeDeviceArray:
        return self.map(lambda values: values[place])

    def __add__(self, other: Any) -> FakeDeviceArray:
        return self.map(np.add, other)

    def __mul__(self, other: Any) -> FakeDeviceArray:
        return self.map(np.multiply, other)

    def __array__(self, *_: Any, **__: Any) -> npt.NDArray[Any]:
        raise TypeError(f"an array on {self.device} is no numpy array: to_host makes one of it")
