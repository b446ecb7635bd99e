"""What pipelines give to operations, checked: refused alike in every memory type."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt


class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...


P = TypeVar("P", bound=_Shaped)


def percentile_levels(
    low: float, high: float, limits: str, levels: Sequence[float] | None
) -> tuple[float, float] | None:
    """Return the two grey levels that `percentile_normalize` is given; `None` where it has to find them.

    Raises
    ------
    ValueError
        `low` is not below `high`, `levels` are not two, or the first is above the second, or `limits` is not `plane`
        and there are no `levels`.

    Examples
    --------
    >>> from hcs_operations.given import percentile_levels
    >>> percentile_levels(1.0, 99.0, "plate", (10.0, 20.0))
    (10.0, 20.0)
    """
    if not low < high:
        raise ValueError(f"percentile_normalize: low={low!r} must be below high={high!r}.")
    if levels is None:
        if limits != "plane":
            raise ValueError(f"percentile_normalize: limits={limits!r} needs levels: only a pipeline estimates them.")
        return None
    if len(levels) != 2 or levels[0] > levels[1]:  # noqa: PLR2004 - from, to
        raise ValueError(f"percentile_normalize: levels={levels!r} must be two numbers, the smaller first.")
    return float(levels[0]), float(levels[1])


def refuse_empty_range(low: float | None, high: float | None) -> None:
    """Refuse a range of `rescale_intensity` that is given and has nothing in it.

    Raises
    ------
    ValueError
        Both are given, and `low` is not below `high`.
    """
    if low is not None and high is not None and not low < high:
        raise ValueError(f"rescale_intensity: low={low!r} must be below high={high!r}.")


def channel_weights(weights: Sequence[float], channels: int) -> list[tuple[int, float]]:
    """Return the index and the weight of every channel whose weight in `composite` is not 0.

    Raises
    ------
    ValueError
        The weights are not as many as the channels, one is below 0, or their sum is not a finite number above 0.

    Examples
    --------
    >>> from hcs_operations.given import channel_weights
    >>> channel_weights((3, 0, 1), 3)
    [(0, 3.0), (2, 1.0)]
    """
    if not weights:
        return [(channel, 1.0) for channel in range(channels)]
    if len(weights) != channels:
        raise ValueError(
            f"composite: weights={tuple(weights)} has {len(weights)} numbers, but the image has {channels} channels: "
            "give one for each channel, or none for equal weights."
        )
    if not all(weight >= 0 for weight in weights) or not 0 < math.fsum(weights) < math.inf:
        raise ValueError(
            f"composite: weights={tuple(weights)} must be finite numbers of at least 0, and not all of them 0."
        )
    return [(channel, float(weight)) for channel, weight in enumerate(weights) if weight > 0]


def profile_for(profile: P | None, shape: tuple[int, ...]) -> P:
    """Return the profile of `flat_field`, which fits planes of a shape; its values are not looked at.

    Raises
    ------
    ValueError
        There is none, or it has another shape.
    """
    if profile is None:
        raise ValueError("flat_field: there is no profile: give one; only in a pipeline is it estimated.")
    if tuple(profile.shape) != shape:
        raise ValueError(
            f"flat_field: the profile has the shape {tuple(profile.shape)}, but the image has {shape}: give a "
            "profile of the image's shape, made at the same binning."
        )
    return profile


def as_light(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Return the values of a profile as float32: one that is too large for it becomes infinite, which is refused."""
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float32)


def unfit_profile(profile: npt.NDArray[np.generic]) -> ValueError:
    """Return what is wrong with a profile that has a value that is no finite number above 0."""
    light = as_light(profile)
    unfit = ~(np.isfinite(light) & (light > 0))
    y, x = np.argwhere(unfit)[0].tolist()
    return ValueError(
        f"flat_field: the profile has {np.count_nonzero(unfit)} of {profile.size} values that are not finite numbers "
        f"above 0, the first, {light[y, x]:g}, at y={y}, x={x}: give a profile that is above 0 everywhere."
    )
