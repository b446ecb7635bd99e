"""Memory types whose functions return before they are done."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class HasQueue(Protocol):
    """A `MemoryType` that puts work into a queue of a device and returns; without it, what is returned is there.

    Nothing in a run waits but what needs the pixels. Whoever measures how long something takes has to.
    """

    def wait(self, array: Any) -> None:
        """Return when an array's content is there."""
        ...
