"""Dtypes of images in any array library: their limits, and how numbers become pixels, rounded and clipped.

An image's dtype goes by its numpy name. A library that cannot compute in it holds the image in a wider one (see
`hcs_core.MemoryType`): the limits are those of the image's dtype all the same.
"""

from __future__ import annotations

import re
from typing import Any

_INTEGER = re.compile(r"(u?)int(8|16|32|64)")

_DIGITS = {"float32": 24, "float64": 53}
"""Binary digits of a float's whole number."""


def name_of(dtype: Any) -> str:
    """Return the numpy name of a library's dtype: of `torch.int32`, of `numpy.dtype("int32")`, and of others.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.dtypes import name_of
    >>> name_of(np.dtype(np.uint16))
    'uint16'
    """
    return str(dtype).rpartition(".")[2]


def limits(dtype: str) -> tuple[int, int] | None:
    """Return the smallest and the largest number of an integer dtype; of any other, `None`.

    Examples
    --------
    >>> from hcs_operations.portable.dtypes import limits
    >>> limits("uint16"), limits("float32")
    ((0, 65535), None)
    """
    found = _INTEGER.fullmatch(dtype)
    if found is None:
        return None
    bits = int(found[2])
    return (0, 2**bits - 1) if found[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def brightest(dtype: str) -> float:
    """Return what white is in a dtype: the largest number of an integer, 1.0 of a float.

    Examples
    --------
    >>> from hcs_operations.portable.dtypes import brightest
    >>> brightest("uint8"), brightest("float32")
    (255.0, 1.0)
    """
    found = limits(dtype)
    return 1.0 if found is None else float(found[1])


def to_image(values: Any, xp: Any, dtype: str, held: Any) -> Any:
    """Return numbers as the pixels of an image of a dtype, by the one dtype policy of hcs_core.

    What becomes an integer is rounded half to even and clipped at the ends of `dtype`; NaN becomes 0. A float too
    large for a smaller float becomes infinite.

    Parameters
    ----------
    values
        Numbers of any dtype.
    xp
        Their array namespace.
    dtype
        The image's dtype, by its numpy name.
    held
        The library's dtype in which the image is held: `dtype` itself, or a wider one.

    Returns
    -------
    Any
        An array of the same shape, on the same device, of dtype `held`: `values` themselves where there is nothing to
        do.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.dtypes import to_image
    >>> to_image(np.array([-1.0, 0.5, 2.5, 70000.0, np.nan]), np, "uint16", np.int32)
    array([    0,     0,     2, 65535,     0], dtype=int32)
    """
    ends = limits(dtype)
    if ends is None or xp.isdtype(values.dtype, "bool"):
        return xp.astype(values, held, copy=False)
    if not xp.isdtype(values.dtype, "real floating"):
        return _clipped(values, xp, ends, held)
    name = name_of(values.dtype)
    if name not in _DIGITS:
        # A half float holds no number of uint16's size.
        values, name = xp.astype(values, xp.float32), "float32"
    whole = xp.round(values)
    lowest, highest = float(ends[0]), _float_within(ends[1], _DIGITS[name])
    pixels = xp.astype(xp.clip(xp.where(xp.isnan(whole), 0.0, whole), lowest, highest), held)
    return pixels if highest == ends[1] else xp.where(whole > highest, xp.full_like(pixels, ends[1]), pixels)


def _clipped(values: Any, xp: Any, ends: tuple[int, int], held: Any) -> Any:
    """Return whole numbers within limits."""
    own = limits(name_of(values.dtype))
    if own is not None and not (ends[0] <= own[0] and own[1] <= ends[1]):
        values = xp.clip(values, max(ends[0], own[0]), min(ends[1], own[1]))
    return xp.astype(values, held, copy=False)


def _float_within(largest: int, digits: int) -> float:
    """Return the largest float of so many binary digits that is at most `largest`, which is a power of 2 less 1."""
    spare = largest.bit_length() - digits
    return float(largest if spare <= 0 else (largest >> spare) << spare)
