"""Sums of an array's bytes, by which one that was written to is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

WORDS = 64
"""How many numbers of 8 bytes are added up: fewer cost more time, of more it is less known where something was."""


def sums(array: npt.NDArray[Any]) -> bytes:
    """Return sums of an array's bytes, taken as numbers of 8 of them, over 64 such each: others after a write.

    Only a write that moves numbers about within 512 bytes, or adds as much as it takes away there, leaves them as
    they were. 1.0 ms of 2160 x 2160 float32, where a copy takes 1.6.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_torch.sums import sums
    >>> image = np.zeros((30, 40), np.float32)
    >>> before = sums(image)
    >>> image[7, 8] = 1.0
    >>> sums(image) == before
    False
    """
    line = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    words = line[: line.size // (8 * WORDS) * 8 * WORDS].view(np.uint64).reshape(-1, WORDS)
    found: bytes = words.sum(axis=1).tobytes() + line[words.nbytes :].tobytes()
    return found
