"""The file of a page: a PNG that is there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image


def save_page(page: Image.Image, path: Path) -> None:
    """Write a page as PNG, in place of what is there.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        page.save(unfinished, format="PNG")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
