"""What changes the frame of planes, for any array library that follows the array API."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from hcs_operations.portable.dtypes import limits, name_of, to_image
from hcs_operations.portable.quotients import LARGEST_SUM, rounded_quotient
from hcs_operations.signatures import BIN_FRAME, BIN_METHODS, CROP_FRAME


def crop(
    image: Any, *, y: int = 0, x: int = 0, height: int | None = None, width: int | None = None, dtype: str = ""
) -> Any:
    """Keep a rectangle of planes.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; any dtype.
    y, x
        The first row and the first column that are kept, in px; a plane's first are 0.
    height, width
        How many rows and columns are kept, in px; `None`: all up to the end.
    dtype
        The image's dtype by its numpy name, which makes no difference here.

    Returns
    -------
    Any
        An array of `height` x `width` pixels, and the axes in front, of the same dtype, on the same device: a new
        one, so that the rest need not be kept. Every value is kept, NaN too.

    Raises
    ------
    ValueError
        The rectangle is empty or does not lie within the plane.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.frames import crop
    >>> crop(np.array([[1, 2, 3], [4, 5, 6]], np.uint8), x=1, height=1)
    array([[2, 3]], dtype=uint8)
    """
    del dtype
    xp = array_namespace(image)
    rows, columns = CROP_FRAME.change(_frame(image), {"y": y, "x": x, "height": height, "width": width}).shape
    return xp.asarray(image[..., y : y + rows, x : x + columns], copy=True)


def bin_pixels(image: Any, *, factor: int = 2, method: str = "mean", dtype: str = "") -> Any:
    """Join squares of `factor` x `factor` pixels into one: the operation `bin`.

    Rows and columns that are left over at the end are dropped. Sums and maxima of integers are exact, and so are
    their means as long as the sum of a square fits int32 (up to a factor of 181 for uint16); beyond that, and for
    floats, arithmetic is float32.

    Parameters
    ----------
    image
        Axes `yx`, and any in front, at least `factor` pixels high and wide; uint8, uint16 or float32, or what its
        library holds them in.
    factor
        How many pixels, along each side, become one, a whole number of at least 1.
    method
        `mean`; `sum`, which is clipped at the largest value of `dtype`; or `max`.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        An array of `height // factor` x `width // factor` pixels, and the axes in front, of the same dtype, on the
        same device; the means of integers are rounded half to even. In float32, a square with a NaN in it is NaN.

    Raises
    ------
    ValueError
        The plane is smaller than the square, or no method is called so.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.frames import bin_pixels
    >>> image = np.array([[1, 2, 9, 9, 5], [3, 4, 9, 8, 5]], np.uint8)
    >>> bin_pixels(image)
    array([[2, 9]], dtype=uint8)
    >>> bin_pixels(image, method="sum")
    array([[10, 35]], dtype=uint8)
    """
    if method not in BIN_METHODS:
        raise ValueError(f"bin: method={method!r} is none of {', '.join(BIN_METHODS)}.")
    xp = array_namespace(image)
    rows, columns = BIN_FRAME.change(_frame(image), {"factor": factor}).shape
    kept = image[..., : rows * factor, : columns * factor]
    squares = xp.reshape(kept, (*image.shape[:-2], rows, factor, columns, factor))
    if method == "max":
        return xp.max(squares, axis=(-3, -1))
    name = dtype or name_of(image.dtype)
    ends = limits(name)
    if ends is None:
        parts = squares / factor**2 if method == "mean" else squares
        return xp.sum(xp.sum(parts, axis=-3), axis=-1)
    return _of_whole_numbers(squares, xp, ends[1], factor, method, name, image.dtype)


def _of_whole_numbers(squares: Any, xp: Any, largest: int, factor: int, method: str, dtype: str, held: Any) -> Any:
    """Return the means or sums of squares of integers."""
    columns = xp.sum(squares, axis=-3, dtype=xp.int32)
    if method == "sum":
        # What is over the largest value already stays there: so a sum never grows too large for int32.
        total = xp.sum(xp.clip(columns, max=largest), axis=-1, dtype=xp.int32)
        return xp.astype(xp.clip(total, max=largest), held)
    if factor**2 * largest <= LARGEST_SUM:
        return xp.astype(rounded_quotient(xp.sum(columns, axis=-1, dtype=xp.int32), factor**2, xp), held)
    return to_image(xp.sum(xp.astype(columns, xp.float32) / factor**2, axis=-1), xp, dtype, held)


def _frame(image: Any) -> tuple[int, int]:
    height, width = image.shape[-2:]
    return height, width
