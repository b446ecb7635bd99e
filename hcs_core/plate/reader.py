"""What gets pixels from a plane's location: the `Reader` protocol."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import attrs
import numpy.typing as npt

from hcs_core.plugins.registry import Registry
from hcs_core.plugins.specs import ReaderSpec

Region = tuple[slice, slice]
"""Rows and columns of a plane."""


@attrs.frozen(kw_only=True)
class Header:
    """A plane without its pixels: rows and columns, the numpy name of the dtype, and the text beside them."""

    shape: tuple[int, int]
    dtype: str
    text: str = ""


@runtime_checkable
class Reader(Protocol):
    """Reads planes; made without arguments, used by one thread at a time."""

    def header(self, location: str, selector: int) -> Header:
        """Return shape, dtype and text of a plane; no pixels are read.

        Raises
        ------
        ReadError
            The file is not there, is empty, is cut off, or is not what its name says; the text names it.
        """
        ...

    def read(self, location: str, selector: int, region: Region | None = None) -> npt.NDArray[Any]:
        """Return the pixels of a plane, or of a region of it, as a writable (y, x) array in native byte order.

        Raises
        ------
        ReadError
            As for `header`, and where pixels are missing: a plane is whole, or it is an error.
        """
        ...


class Readers:
    """The readers of a registry by name, each made once on first use."""

    def __init__(self, registry: Registry[ReaderSpec]) -> None:
        self._registry = registry
        self._made: dict[str, Reader] = {}

    def __getitem__(self, name: str) -> Reader:
        """Return the reader of that name.

        Raises
        ------
        UnknownNameError
            No reader of that name is installed.
        """
        if name not in self._made:
            self._made[name] = self._registry.make(name)
        return self._made[name]
