"""Reading planes ahead: the next plane is read in a thread while the one before is computed and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from hcs_core.compiler.order.presence import PlaneKey
from hcs_core.errors import ReadError
from hcs_core.plate.plane_table import Plane, PlaneState, PlaneTable
from hcs_core.plate.reader import Readers
from hcs_core.runtime.task import AbsentPlane, Fault, WellFaultError

SourceKey = tuple[int, PlaneKey]
"""The number of a channel, and a plane's key."""


class WellPlanes:
    """Reads the planes of one well, checked against the shape and dtype that the plan expects of each channel."""

    def __init__(
        self, planes: PlaneTable, readers: Readers, root: Path, expected: Mapping[int, tuple[tuple[int, int], str]]
    ) -> None:
        self._planes = planes
        self._expected = expected
        self._readers = readers
        self._root = root
        columns = (planes.channel, planes.site, planes.timepoint, planes.z_index)
        self._rows: dict[SourceKey, int] = {
            (channel, PlaneKey(site, timepoint, z_index)): row
            for row, (channel, site, timepoint, z_index) in enumerate(
                zip(*(column.tolist() for column in columns), strict=True)
            )
        }

    def read(self, key: SourceKey) -> npt.NDArray[Any]:
        """Return a plane's pixels.

        Raises
        ------
        WellFaultError
            Its file cannot be read, or holds another shape or dtype than the plan expects.
        """
        shape, dtype = self._expected[key[0]]
        plane = self._planes.plane(self._rows[key])
        location = str(self._root / plane.uri)
        try:
            pixels = self._readers[plane.reader].read(location, plane.selector)
        except ReadError as error:
            raise _unreadable(plane, location, str(error)) from error
        if (pixels.shape, pixels.dtype.name) != (shape, dtype):
            text = (
                f"{location}: its image is {pixels.shape} {pixels.dtype.name}, and the plan expects {shape} {dtype}, "
                "as the plate's other images are; leave its site out, or run it apart."
            )
            raise _unreadable(plane, location, text)
        return pixels


def _unreadable(plane: Plane, location: str, text: str) -> WellFaultError:
    # What was there when the plate was listed, and is not any more, is missing.
    state = PlaneState.UNREADABLE if os.path.lexists(location) else PlaneState.MISSING
    absent = AbsentPlane.of(plane, state, text)
    return WellFaultError(Fault(error=text, site=plane.site, file=location, plane=absent))


class ReadAhead:
    """Gives planes in a known order, always one ahead.

    Parameters
    ----------
    keys
        What will be asked for, in that order.
    read
        Reads one.
    thread
        A pool of one thread that reads; it serves one well after the other.
    """

    def __init__(
        self, keys: Sequence[SourceKey], read: Callable[[SourceKey], npt.NDArray[Any]], thread: Executor
    ) -> None:
        self._keys = iter(keys)
        self._read = read
        self._thread = thread
        self._next: tuple[SourceKey, Future[npt.NDArray[Any]]] | None = None
        self._submit()

    def __enter__(self) -> Self:
        """Return itself; nothing is read after the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the read in hand."""
        if self._next is not None:
            future = self._next[1]
            self._next = None
            if not future.cancel():
                wait((future,))

    def get(self, key: SourceKey) -> npt.NDArray[Any]:
        """Return the plane of a key; the next one is begun before this one is handed out."""
        if self._next is None or self._next[0] != key:
            raise RuntimeError(f"the plane {key} was not expected here: reading and its forecast differ")
        future = self._next[1]
        # Dropped before the next is begun: a future keeps its result alive.
        self._next = None
        pixels = future.result()
        del future
        self._submit()
        return pixels

    def _submit(self) -> None:
        key = next(self._keys, None)
        if key is not None:
            self._next = (key, self._thread.submit(self._read, key))
