"""The files that readers are tried with: planes that were written, and copies that were spoiled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy.typing as npt

OPEN_FILES = Path("/proc/self/fd")
"""Where Linux says which files this process has open."""


@attrs.frozen(kw_only=True, eq=False)
class WrittenPlane:
    """A plane that a test has written: where a reader finds it, and its (y, x) pixels.

    `location` is the path of a file or a folder, `selector` the page or series in it, `text` what a header says
    beside shape and dtype (`None`: that is not compared).
    """

    location: Path
    selector: int = 0
    pixels: npt.NDArray[Any]
    text: str | None = None


def spoiled(location: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """Return a copy of a file, or of a folder of files, whose content was changed."""
    copy = location.with_name(f"{name}_{location.name}")
    if location.is_dir():
        shutil.copytree(location, copy, dirs_exist_ok=True)
    else:
        shutil.copyfile(location, copy)
    for path in [copy] if copy.is_file() else sorted(copy.rglob("*")):
        if path.is_file():
            path.write_bytes(change(path.read_bytes()))
    return copy


def open_below(folder: Path) -> set[str]:
    """Return the files below a folder that this process has open."""
    found = set()
    for number in os.listdir(OPEN_FILES):  # noqa: PTH208 - names are enough
        try:
            path = os.readlink(OPEN_FILES / number)  # noqa: PTH115 - a target that is gone is no path
        except OSError:
            continue
        if path.startswith(f"{folder.resolve()}{os.sep}"):
            found.add(path)
    return found
