"""Estimating how a plate is lit from its own images: the profile that `flat_field` divides by.

A block of an image is `light * illumination + dark`, where the light differs from image to image and the illumination
does not. Where nothing lies in a block the light is the image's background, and what lies there only adds to it. So
every image is reduced to the means of its blocks, and

    log(block - dark) = level of the image + log(illumination of the block) + what lies there

is solved for levels and illumination together: the logarithm of the illumination is a polynomial of degree 4 in y and
x, what lies there is an outlier with a weight that falls to 0 (Tukey's biweight), and the scale of what is no outlier
is taken from the residuals below, where no cell is. In turn the weights follow from the fit and the fit from the
weights, until nothing changes.

It follows the common idea of J. Lindblad and E. Bengtsson, "A comparison of methods for estimation of intensity
nonuniformities in 2D and 3D microscope images of fluorescence stained cells", SCIA 2001 (a smooth surface, fitted to
the background again and again); of S. Singh et al., Journal of Microscopy 256 (2014) 231-236 (one function for all
images of a channel of a plate); and of T. Peng et al., "A BaSiC tool for background and shading correction of optical
microscopy images", Nature Communications 8 (2017) 14836 (images are one smooth field times their levels, plus sparse
residuals).
The weights are those of J. W. Tukey; see P. J. Huber, Robust Statistics (1981), chapter 7, for fits by reweighting.

Before it is used the fit is shrunk towards an even field by as much as it differs when groups of images are left out
(a jackknife; W. James and C. Stein, 1961): a plate that says little is corrected little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import cv2
import numpy as np
import numpy.typing as npt

from hcs_core import Estimated

BLOCKS = 32
"""Blocks along each side of a plane, or as many as it has pixels."""

DEGREE = 4
"""Of the polynomial. Measured: 2 leaves 2.5 percent of a shading of 30 percent."""

CUT = 3.0
"""Scales from the fit at which a block counts for nothing."""

GROUPS = 4
"""Groups of images that are left out in turn."""

ROUNDS = 40
"""After which a fit that still changes is taken as it is."""

CONVERGED = 1e-4
"""The change of the illumination that is none, relative."""

Floats = npt.NDArray[np.float64]


def blocks(plane: npt.NDArray[Any], *, dark: float | None = None) -> npt.NDArray[np.float32]:
    """Return the means of the blocks of a plane, without the dark level.

    Parameters
    ----------
    plane
        Axes `yx`; uint8, uint16 or float32.
    dark
        What the camera gives without light, in grey levels; `None`: 0.

    Returns
    -------
    numpy.ndarray
        Up to `BLOCKS` x `BLOCKS` float32; a block in which a pixel is not finite is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.shading import blocks
    >>> blocks(np.full((64, 128), 150, np.uint16), dark=100)[0, 0]
    np.float32(50.0)
    """
    height, width = plane.shape
    size = (min(width, BLOCKS), min(height, BLOCKS))
    means = cv2.resize(np.ascontiguousarray(plane, np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(means - np.float32(dark or 0.0), np.float32)


def profile(
    collected: Sequence[npt.NDArray[np.float32]], shape: tuple[int, int], *, dark: float | None = None
) -> Estimated:
    """Return the illumination of a channel, of the blocks of its planes.

    Parameters
    ----------
    collected
        What `blocks` returned for each plane.
    shape
        (y, x) of a plane.
    dark
        As `blocks` got it; it is only noted.

    Returns
    -------
    Estimated
        A (y, x) float32 profile above 0 with mean 1. Noted are `dark` and whether it was assumed, the brightest and
        the darkest value of the profile, and how far the profiles of parts of the planes are from it (`uncertainty`,
        the largest standard error over the plane, relative).

    Raises
    ------
    ValueError
        No plane is brighter than the dark level.
    """
    lit = [one for one in collected if np.count_nonzero(one > 0) > one.size // 2]
    if not lit:
        raise ValueError(f"no plane is brighter than dark={dark or 0.0:g}: give the camera's dark level")
    stack = np.stack(lit).astype(np.float64)
    surface = _Surface.of(stack.shape[1:])
    whole = _fit(stack, surface)
    groups = min(GROUPS, len(stack))
    rest = [np.arange(len(stack)) % groups != group for group in range(groups)] if groups > 1 else []
    parts = np.array([_fit(stack[part], surface, whole) for part in rest]).reshape(len(rest), len(whole))
    scale = (groups - 1) / groups
    variance = scale * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0) if rest else np.zeros_like(whole)
    light = _Surface.of(shape).field(_shrunk(whole, variance, surface))
    error = max((np.abs(surface.field(part) / surface.field(whole) - 1.0).max() for part in parts), default=0.0)
    return Estimated(
        value=light.astype(np.float32),
        notes={
            "dark": float(dark or 0.0),
            "dark_assumed": dark is None,
            "brightest": round(float(light.max()), 4),
            "darkest": round(float(light.min()), 4),
            "uncertainty": round(float(error), 4),
        },
    )


@attrs.frozen(kw_only=True, eq=False)
class _Surface:
    """Polynomials in y and x on a grid: products of Legendre's, up to `DEGREE` together, without the constant."""

    terms: Floats
    degrees: npt.NDArray[np.int64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, shape: Sequence[int]) -> _Surface:
        rows, columns = (_legendre(length) for length in shape)
        pairs = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i) if i + j]
        return cls(
            terms=np.stack([np.outer(rows[i], columns[j]).ravel() for i, j in pairs], axis=1),
            degrees=np.array([i + j for i, j in pairs]),
            shape=(shape[0], shape[1]),
        )

    def field(self, coefficients: Floats) -> Floats:
        """Return the illumination whose logarithm has these coefficients, with mean 1."""
        light: Floats = np.exp(self.terms @ coefficients).reshape(self.shape)
        light /= light.mean()
        return light


def _legendre(length: int) -> Floats:
    """Return the polynomials of degree 0 to `DEGREE` at the centres of pixels between -1 and 1."""
    centres = (2.0 * np.arange(length) + 1.0) / length - 1.0
    return np.asarray(np.polynomial.legendre.legvander(centres, DEGREE).T, np.float64)


def _fit(stack: Floats, surface: _Surface, start: Floats | None = None) -> Floats:
    """Return the coefficients of the logarithm of the illumination of (plane, y, x) blocks; `start` is a guess."""
    usable = np.isfinite(stack) & (stack > 0)
    logs = np.log(np.where(usable, stack, 1.0)).reshape(len(stack), -1)
    usable = usable.reshape(logs.shape)
    coefficients = np.zeros(surface.terms.shape[1]) if start is None else start
    light = surface.terms @ coefficients
    level = np.nanquantile(np.where(usable, logs - light, np.nan), 0.2, axis=1)
    for _ in range(ROUNDS):
        residuals = logs - level[:, None] - light
        weights = _weights(residuals, usable)
        total = weights.sum(axis=0)
        seen = (weights * (logs - level[:, None])).sum(axis=0) / np.maximum(total, 1e-12)
        coefficients = _weighted_fit(surface.terms, seen, total)
        before, light = light, surface.terms @ coefficients
        weights = _weights(logs - level[:, None] - light, usable)
        counted = weights.sum(axis=1)
        level = np.where(counted > 1.0, (weights * (logs - light)).sum(axis=1) / np.maximum(counted, 1e-12), level)
        if np.abs(light - before).max() < CONVERGED:
            break
    return coefficients


def _weights(residuals: Floats, usable: npt.NDArray[np.bool_]) -> Floats:
    """Return Tukey's biweights, by the scale of the residuals below 0: what lies in a block only adds light."""
    below = residuals[usable & (residuals < 0)]
    scale = max(1.4826 * float(np.median(-below)), 1e-4) if below.size else 1e-4
    parts = np.clip(residuals / (CUT * scale), -1.0, 1.0)
    weights: Floats = (1.0 - parts * parts) ** 2 * usable
    return weights


def _weighted_fit(terms: Floats, values: Floats, weights: Floats) -> Floats:
    """Return least squares' coefficients, with a free constant that is left out of them."""
    design = np.hstack([np.ones((len(terms), 1)), terms])
    weighted = design * weights[:, None]
    # Legendre's polynomials are nearly independent. Where a plane has too few rows or columns to tell some apart, it
    # is the smallest of all solutions.
    solution = np.linalg.lstsq(weighted.T @ design, weighted.T @ values, rcond=1e-9)[0]
    return np.asarray(solution[1:], np.float64)


def _shrunk(coefficients: Floats, variance: Floats, surface: _Surface) -> Floats:
    """Return coefficients made smaller, degree by degree, by the part of them that chance explains."""
    kept = coefficients.copy()
    for degree in range(1, DEGREE + 1):
        own = surface.degrees == degree
        strength = float((coefficients[own] ** 2).sum())
        kept[own] *= max(0.0, 1.0 - float(variance[own].sum()) / strength) if strength else 0.0
    return kept
