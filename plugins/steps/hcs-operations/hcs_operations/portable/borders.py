"""Planes that go on beyond their borders as mirrors do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import device


def mirrored_places(places: npt.NDArray[Any], length: int) -> npt.NDArray[np.int32]:
    """Return which pixel of a line is seen at places that may lie beyond its ends.

    The line is mirrored about the centre of its outermost pixels (`d c b | a b c d | c b a`), as often as it takes.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.borders import mirrored_places
    >>> mirrored_places(np.arange(-3, 7), 3)
    array([1, 2, 1, 0, 1, 2, 1, 0, 1, 2], dtype=int32)
    """
    period = max(1, 2 * (length - 1))
    folded = places % period
    seen: npt.NDArray[np.int32] = np.minimum(folded, period - folded).astype(np.int32)
    return seen


def seen_at(image: Any, xp: Any, places: npt.NDArray[np.int32], axis: int) -> Any:
    """Return an image's rows (`axis` -2) or columns (-1) in another order, some of them more often than once."""
    return xp.take(image, xp.asarray(places, device=device(image)), axis=axis)


def with_neighbours(image: Any, xp: Any) -> Any:
    """Return an image with a pixel more all around each plane, mirrored.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.borders import with_neighbours
    >>> with_neighbours(np.array([[1, 2], [3, 4]]), np)
    array([[4, 3, 4, 3],
           [2, 1, 2, 1],
           [4, 3, 4, 3],
           [2, 1, 2, 1]])
    """
    for axis in (-2, -1):
        length = image.shape[axis]
        image = seen_at(image, xp, mirrored_places(np.arange(-1, length + 1), length), axis)
    return image
