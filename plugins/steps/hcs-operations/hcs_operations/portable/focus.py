"""The plane of a stack that is in best focus, for any array library that follows the array API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from array_api_compat import array_namespace

from hcs_operations.portable.borders import with_neighbours
from hcs_operations.portable.dtypes import limits, name_of
from hcs_operations.signatures import FOCUS_MEASURES

TIE = 4e-6
"""Measures that differ by less, relative, count as the same: float32 does not tell them apart."""

GAP = 2
"""How far the pixels are apart that Brenner's measure compares."""

UNMEASURED = -1.0
"""What stands for the measure of a plane that has none; all measures are at least 0."""


def best_focus_projection(image: Any, *, measure: str = "normalized_variance", dtype: str = "") -> Any:
    """Keep the one plane of a stack that is in best focus: the one with the largest focus measure.

    Of planes with the same measure, within `TIE`, the one with the lowest z is kept. Planes are measured one by one;
    beside its input and its output it holds up to six planes in float32.

    Parameters
    ----------
    image
        Axes `zyx`, and any in front, at least one plane; uint8, uint16 or float32, or what its library holds them in.
    measure
        How focus is measured: `normalized_variance`, `tenengrad`, `laplacian` or `brenner`, see `focus_measures`.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        Axes `yx`, and those in front; the same dtype, on the same device: the plane as it is. In float32, a plane
        with a NaN or an infinity is not measured and not chosen.

    Raises
    ------
    ValueError
        No plane can be measured, or no measure is called so.

    Notes
    -----
    Whether floats can be measured is asked of their values: so under `jax.jit` this takes integers only, and
    `focus_measures` and `plane_of_best` take both.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.focus import best_focus_projection
    >>> best_focus_projection(np.array([[[5, 6, 5, 6]], [[1, 9, 1, 9]]], np.uint8))
    array([[1, 9, 1, 9]], dtype=uint8)
    """
    xp = array_namespace(image)
    measures = focus_measures(image, measure=measure)
    if limits(dtype or name_of(image.dtype)) is None and bool(xp.any(xp.max(measures, axis=-1) < 0)):
        raise ValueError(
            f"best_focus_projection: each of the {image.shape[-3]} planes has a pixel that is not finite or too "
            "large, so that none can be measured: leave out or replace NaN and infinities in a step before."
        )
    return plane_of_best(image, measures)


def plane_of_best(image: Any, measures: Any) -> Any:
    """Return the plane with the largest measure, of several the one with the lowest z: `measures` are by z last."""
    xp = array_namespace(image)
    best = xp.max(measures, axis=-1, keepdims=True)
    first = xp.argmax(xp.astype(measures >= best * (1.0 - TIE), xp.int32), axis=-1)
    place = xp.reshape(first, (*first.shape, 1, 1, 1))
    return xp.squeeze(xp.take_along_axis(image, place, axis=-3), axis=-3)


def focus_measures(image: Any, *, measure: str = "normalized_variance") -> Any:
    """Return how much each plane of a stack is in focus.

    Means are taken over all pixels. `normalized_variance` is the variance over the square of the mean (0 where the
    mean is 0); `tenengrad` the mean of the squared gradient by Sobel's 3 x 3 operators; `laplacian` the mean of the
    squared Laplacian, by the operator `0 1 0 / 1 -4 1 / 0 1 0`; `brenner` the mean of the squared differences of
    pixels that are two apart, along y and along x. The middle two see the plane mirrored about the centre of its
    outermost pixels. Arithmetic is float32.

    Parameters
    ----------
    image
        Axes `zyx`, and any in front; integers or float32.
    measure
        One of the four.

    Returns
    -------
    Any
        Axis `z`, and those in front; float32. Of a float image all but the first are in unit of the square of its
        largest magnitude, and those of planes with a NaN or an infinity are -1.

    Raises
    ------
    ValueError
        No measure is called so.
    """
    if measure not in FOCUS_MEASURES:
        raise ValueError(f"best_focus_projection: measure={measure!r} is none of {', '.join(FOCUS_MEASURES)}.")
    xp = array_namespace(image)
    planes = [_Plane.of(image[..., z_index, :, :], xp) for z_index in range(image.shape[-3])]
    if measure == "normalized_variance":
        found = [_normalized_variance(plane) for plane in planes]
    else:
        scale = _largest([plane.scale for plane in planes], xp)
        found = [MEASURES[measure](attrs.evolve(plane, scale=scale)) for plane in planes]
    return xp.stack([plane.measured(value) for plane, value in zip(planes, found, strict=True)], axis=-1)


@attrs.frozen(kw_only=True, eq=False)
class _Plane:
    """A plane (or several) in float32, ready to be measured.

    Of floats, `scale` is the largest magnitude, the unit in which squares are taken, so that none is too large or too
    small; and where `finite` is false, the pixels are 0 and mean nothing. Integers need neither.
    """

    xp: Any
    pixels: Any
    scale: Any
    finite: Any

    @classmethod
    def of(cls, plane: Any, xp: Any) -> _Plane:
        if xp.isdtype(plane.dtype, "integral"):
            return cls(xp=xp, pixels=xp.astype(plane, xp.float32), scale=None, finite=None)
        finite = xp.all(xp.isfinite(plane), axis=(-2, -1), keepdims=True)
        pixels = xp.where(finite, plane, 0.0)
        return cls(xp=xp, pixels=pixels, scale=_scale(pixels, xp), finite=xp.squeeze(finite, axis=(-2, -1)))

    def mean(self, values: Any) -> Any:
        """Return the mean of values over a plane."""
        # Row by row: a library that adds one after another stays near the true sum.
        return self.xp.sum(self.xp.sum(values, axis=-1), axis=-1) / (self.pixels.shape[-2] * self.pixels.shape[-1])

    def scaled(self, values: Any) -> Any:
        """Return values in unit of the scale."""
        return values if self.scale is None else values / self.scale

    def mean_square(self, values: Any) -> Any:
        """Return the sum of squares, in unit of the scale, over the number of the plane's pixels."""
        scaled = self.scaled(values)
        return self.mean(scaled * scaled)

    def measured(self, value: Any) -> Any:
        """Return a measure, or what stands for it where there is none."""
        if self.finite is None:
            return value
        return self.xp.where(self.finite & self.xp.isfinite(value), value, UNMEASURED)


def _scale(pixels: Any, xp: Any) -> Any:
    largest = xp.max(xp.abs(pixels), axis=(-2, -1), keepdims=True)
    return xp.where(largest > 0, largest, 1.0)


def _largest(scales: list[Any], xp: Any) -> Any:
    largest = scales[0]
    for scale in scales[1:]:
        largest = largest if scale is None else xp.maximum(largest, scale)
    return largest


def _normalized_variance(plane: _Plane) -> Any:
    xp = plane.xp
    # Twice less a number that is near the mean: of a constant plane nothing is left, and squares keep their digits.
    near = plane.pixels[..., :1, :1]
    unit = 1.0 if plane.scale is None else plane.scale
    offset = xp.reshape(plane.mean(plane.scaled(plane.pixels - near)), near.shape) * unit
    near = near + offset
    rest = plane.scaled(plane.pixels - near)
    left = plane.mean(rest)
    variance = plane.mean(rest * rest) - left * left
    square = (xp.squeeze(plane.scaled(near), axis=(-2, -1)) + left) ** 2
    return xp.where(square > 0, xp.clip(variance, min=0.0) / xp.where(square > 0, square, 1.0), 0.0)


def _tenengrad(plane: _Plane) -> Any:
    padded = with_neighbours(plane.pixels, plane.xp)
    along_y = padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]
    along_x = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    squares = (
        plane.mean_square(gradient)
        for gradient in (along_y[..., 2:] - along_y[..., :-2], along_x[..., 2:, :] - along_x[..., :-2, :])
    )
    return sum(squares)


def _laplacian(plane: _Plane) -> Any:
    padded = with_neighbours(plane.pixels, plane.xp)
    across = padded[..., 1:-1, :-2] + padded[..., 1:-1, 2:]
    down = padded[..., :-2, 1:-1] + padded[..., 2:, 1:-1]
    return plane.mean_square(across + down - 4 * plane.pixels)


def _brenner(plane: _Plane) -> Any:
    pixels = plane.pixels
    total = plane.xp.zeros_like(pixels[..., 0, 0])
    if pixels.shape[-2] > GAP:
        total = total + plane.mean_square(pixels[..., GAP:, :] - pixels[..., :-GAP, :])
    if pixels.shape[-1] > GAP:
        total = total + plane.mean_square(pixels[..., GAP:] - pixels[..., :-GAP])
    return total


MEASURES: dict[str, Callable[[_Plane], Any]] = {
    "normalized_variance": _normalized_variance,
    "tenengrad": _tenengrad,
    "laplacian": _laplacian,
    "brenner": _brenner,
}
"""The focus measures by name: of a plane, larger in better focus."""
