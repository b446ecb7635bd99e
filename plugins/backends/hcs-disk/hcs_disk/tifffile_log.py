"""What tifffile says of a file while it opens it: kept for the one who asked, never printed.

tifffile logs a tag that it cannot read and goes on without it. Here that is part of the answer, not a message
for the terminal; a filter on tifffile's logger takes the records of the thread that reads through this package,
and lets all others pass.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TAG = re.compile(r"TiffTag (\d+) @")


class _Catcher(logging.Filter):
    """Takes the records of threads that are inside `unreadable_tags`."""

    def __init__(self) -> None:
        super().__init__()
        self.here = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the tag codes of a record and drop it, or let it pass."""
        codes: set[int] | None = getattr(self.here, "codes", None)
        if codes is None:
            return True
        codes.update(int(code) for code in _TAG.findall(record.getMessage()))
        return False


_CATCHER = _Catcher()
logging.getLogger("tifffile").addFilter(_CATCHER)


@contextmanager
def unreadable_tags() -> Iterator[set[int]]:
    """Collect the codes of the tags that tifffile cannot read in this thread; its messages are not printed."""
    codes: set[int] = set()
    _CATCHER.here.codes = codes
    try:
        yield codes
    finally:
        _CATCHER.here.codes = None
