"""Memory types that tell whether something was written into an array."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class HasMarks(Protocol):
    """A `MemoryType` whose arrays can be written to, or never can, and which knows one that was.

    numpy's planes are given away read-only; other libraries have no such arrays, and a plane that one function writes
    into is another one for all that read it. So a run compares the marks of what a user's function gets before and
    after its call. Of a memory type without this method, the function gets copies.
    """

    def mark(self, array: Any) -> object:
        """Return what equals a later mark of the same array, as long as nothing writes into its memory.

        `None` where that cannot be told of this array: then a copy of it is given away. It is asked twice in each
        call of a user's function, so it has to be cheap beside what that does.
        """
        ...
