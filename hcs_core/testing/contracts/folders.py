"""Looking at a folder: what is in it, to the last bit and time, and in any order in which it could be listed."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest


def fingerprint(folder: Path) -> frozenset[str]:
    """Return a line for each thing below a folder: name, size, rights, time of the last change, digest of content."""
    lines = []
    for path in folder.rglob("*"):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        name = path.relative_to(folder).as_posix()
        lines.append(f"{name} {status.st_size} {status.st_mode:o} {status.st_mtime_ns} {content}")
    return frozenset(lines)


class _Listed:
    """The entries of a folder in an order of one's own: what `os.scandir` returns."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def close(self) -> None:
        """Do nothing: all was listed at once."""


@contextmanager
def listed_in_order(order: str) -> Iterator[None]:
    """Let every folder be listed `forwards`, `backwards` or `shuffled`, as file systems may."""
    scandir, listdir = os.scandir, os.listdir

    def sort(entries: list[Any], key: Any) -> list[Any]:
        ordered = sorted(entries, key=key, reverse=order == "backwards")
        if order == "shuffled":
            random.Random(len(ordered)).shuffle(ordered)  # noqa: S311 - not for secrets
        return ordered

    def scan(path: Any = ".") -> _Listed:
        with scandir(path) as entries:
            return _Listed(sort(list(entries), lambda entry: entry.name))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", scan)
        patch.setattr(os, "listdir", lambda path=".": sort(list(listdir(path)), None))
        yield


@contextmanager
def noting_opened_files() -> Iterator[set[str]]:
    """Note the paths of the files that are opened from Python meanwhile."""
    import builtins
    import io

    opened: set[str] = set()

    def noting(function: Any) -> Any:
        def call(path: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(path, str | bytes | os.PathLike):
                opened.add(os.path.realpath(os.fsdecode(path)))
            return function(path, *args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((builtins, "open"), (io, "open"), (os, "open")):
            patch.setattr(module, name, noting(getattr(module, name)))
        yield opened
