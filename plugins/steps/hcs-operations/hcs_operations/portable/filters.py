"""Linear filters, for any array library that follows the array API."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device, is_jax_namespace

from hcs_operations.portable.borders import mirrored_places, seen_at
from hcs_operations.portable.dtypes import name_of, to_image
from hcs_operations.signatures import TRUNCATE

SHORTEST_BLOCK = 32
"""Pixels of a line that are computed at once, at least; measured: fewer make small products slow."""


def gaussian_blur(image: Any, *, sigma: float = 1.0, dtype: str = "") -> Any:
    """Blur planes with a Gaussian.

    The Gaussian is sampled at whole pixels, cut off at `int(4 * sigma + 0.5)` px and normalised to a sum of 1. At the
    border a plane is mirrored about the centre of its outermost pixels, as often as it takes. Arithmetic is float32.

    Rows and columns in turn are cut into blocks, and each block, with the pixels around it that the Gaussian reaches,
    is multiplied by one small matrix: libraries multiply matrices faster than they add shifted planes (measured, on a
    CPU: 2 to 10 times). A line that is not much longer than the Gaussian is multiplied by one matrix, mirrors
    included. Beside its input and its output it holds up to five planes in float32, and the large matrix where a line
    is multiplied as a whole.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    sigma
        The standard deviation in px, above 0.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        An array of the same shape and dtype, on the same device; integers are rounded half to even.

    Notes
    -----
    It needs a library that multiplies float32 as float32: jax is told to, and torch and cupy do unless they are told
    otherwise (`torch.backends.cuda.matmul.allow_tf32`, `CUPY_TF32`).

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.filters import gaussian_blur
    >>> gaussian_blur(np.array([[0, 0, 100, 0, 0]], np.uint8), sigma=0.5)
    array([[ 0, 11, 79, 11,  0]], dtype=uint8)
    """
    xp = array_namespace(image)
    blurred = _blurred(xp.astype(image, xp.float32), xp, sigma)
    return to_image(blurred, xp, dtype or name_of(image.dtype), image.dtype)


def unsharp_mask(image: Any, *, radius: float = 1.0, amount: float = 1.0, dtype: str = "") -> Any:
    """Sharpen planes: add what a Gaussian would take away from them.

    The result is `image + amount * (image - blurred)`, where `blurred` is what `gaussian_blur` makes of the planes
    with `sigma=radius`, before it is rounded. Arithmetic is float32. It holds what `gaussian_blur` holds.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    radius
        The standard deviation of the Gaussian in px, above 0.
    amount
        How much of the difference is added, from 0 to 100.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        An array of the same shape and dtype, on the same device; integers are rounded half to even, and clipped at
        the ends of `dtype`.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.filters import unsharp_mask
    >>> unsharp_mask(np.array([[10, 10, 10, 50, 50, 50]], np.uint8), radius=0.5)
    array([[10, 10,  6, 54, 50, 50]], dtype=uint8)
    """
    xp = array_namespace(image)
    pixels = xp.astype(image, xp.float32)
    sharpened = pixels + (pixels - _blurred(pixels, xp, radius)) * amount
    return to_image(sharpened, xp, dtype or name_of(image.dtype), image.dtype)


def _blurred(pixels: Any, xp: Any, sigma: float) -> Any:
    """Return planes of float32 blurred, along y and then along x."""
    for axis in (-2, -1):
        length = pixels.shape[axis]
        weights = gaussian_weights(sigma)
        block = max(SHORTEST_BLOCK, len(weights) - 1)
        if block + len(weights) - 1 >= length:
            pixels = _times(pixels, _whole_matrix(pixels, xp, weights, axis), xp, axis)
        else:
            pixels = _by_blocks(pixels, xp, weights, block, axis)
    return pixels


@functools.lru_cache(maxsize=16)
def gaussian_weights(sigma: float) -> npt.NDArray[np.float64]:
    """Return a Gaussian at whole pixels, of sum 1, from as far before the middle as it reaches to as far behind.

    It is kept for the next call, and must not be changed.
    """
    reach = int(TRUNCATE * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    return weights


def _by_blocks(pixels: Any, xp: Any, weights: npt.NDArray[np.float64], block: int, axis: int) -> Any:
    """Convolve lines along an axis, `block` pixels of them at a time."""
    length, reach = pixels.shape[axis], len(weights) // 2
    window, count = block + 2 * reach, -(-length // block)
    # A window begins as far before its block as the Gaussian reaches. What the last block has too much is cut off.
    places = np.arange(count)[:, None] * block + np.arange(-reach, block + reach)
    windows = seen_at(pixels, xp, mirrored_places(places.ravel(), length), axis)
    matrix = xp.asarray(_block_matrix(weights, block), device=device(pixels))
    if axis == -1:
        lines = _times(xp.reshape(windows, (-1, window)), matrix, xp, axis)
        return xp.reshape(lines, (*pixels.shape[:-1], count * block))[..., :length]
    stacked = xp.reshape(windows, (*pixels.shape[:-2], count, window, pixels.shape[-1]))
    lines = _times(stacked, matrix, xp, axis)
    return xp.reshape(lines, (*pixels.shape[:-2], count * block, pixels.shape[-1]))[..., :length, :]


def _block_matrix(weights: npt.NDArray[np.float64], block: int) -> npt.NDArray[np.float32]:
    """Return what a window is multiplied by: in each column the weights, a place further down than in the last."""
    matrix = np.zeros((block + len(weights) - 1, block), np.float32)
    for column in range(block):
        matrix[column : column + len(weights), column] = weights
    return matrix


def _whole_matrix(pixels: Any, xp: Any, weights: npt.NDArray[np.float64], axis: int) -> Any:
    """Return what whole lines are multiplied by: from each pixel (rows) to each (columns), mirrors included."""
    length, reach = pixels.shape[axis], len(weights) // 2
    last = length - 1
    period = max(1, 2 * last)
    # A line and its mirror image repeat themselves after a period: weights a period apart fall on the same pixel.
    folded = np.bincount(np.arange(-reach, reach + 1) % period, weights, minlength=period)[:length]
    by_distance = xp.asarray(folded.astype(np.float32), device=device(pixels))
    to = xp.arange(length, dtype=xp.int32, device=device(pixels))
    source = xp.expand_dims(to, axis=1)
    across = source + to
    straight, turned = (
        xp.reshape(xp.take(by_distance, xp.reshape(distance, (-1,)), axis=0), (length, length))
        for distance in (xp.abs(source - to), xp.minimum(across, period - across if last else across))
    )
    # The outermost pixels are their own mirror images.
    return straight + xp.where((source > 0) & (source < last), turned, 0.0)


def _times(lines: Any, matrix: Any, xp: Any, axis: int) -> Any:
    """Multiply lines along x, the last axis, or along y by a matrix from its rows to its columns."""
    first, second = (lines, matrix) if axis == -1 else (xp.matrix_transpose(matrix), lines)
    if is_jax_namespace(xp):
        # Else it takes half the digits where a device is faster so.
        return xp.matmul(first, second, precision="highest")
    return xp.matmul(first, second)
