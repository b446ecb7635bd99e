"""Every kernel passes the contract of hcs_core, and agrees with the plainest computation of what it does."""

from types import MappingProxyType

import numpy as np

from hcs_core.testing import KernelContract, PluginContract, Tolerance
from hcs_numpy import plugin


def normalized(image, *, low, high, limits, levels):
    first, last = levels or np.percentile(image.astype(np.float64), [low, high])
    top = 1.0 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    return image if first == last else np.clip((image - first) / (last - first), 0, 1) * top


def blurred(image, *, sigma):
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    # numpy's own "reflect" mirrors at the centres of the end pixels, as often as it takes.
    blur = np.pad(image.astype(np.float64), reach, mode="reflect")
    for axis in (0, 1):
        blur = np.lib.stride_tricks.sliding_window_view(blur, len(weights), axis=axis) @ weights / weights.sum()
    return blur


def windowed(image, radius, pick, outside):
    padded = np.pad(image.astype(np.float64), radius, constant_values=outside)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1, 2 * radius + 1))
    return pick(windows, axis=(-2, -1))


def without_background(image, *, radius):
    return image - windowed(windowed(image, radius, np.min, np.inf), radius, np.max, -np.inf)


def joined(image, *, weights):
    return np.average(image.astype(np.float64), axis=0, weights=weights or None)


def within(dtype, values):
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    return np.clip(values, limits.min, limits.max)


def sharpened(image, *, radius, amount):
    return within(image.dtype, image + amount * (image - blurred(image, sigma=radius)))


def evened(image, *, profile, dark):
    return within(image.dtype, (image - (dark or 0)) / (profile / profile.mean(dtype=np.float64)))


def cut(image, *, y, x, height, width):
    return image[y : None if height is None else y + height, x : None if width is None else x + width]


def squared(image, *, factor, method):
    rows, columns = (side // factor for side in image.shape)
    whole = image[: rows * factor, : columns * factor].astype(np.float64)
    return getattr(whole.reshape(rows, factor, columns, factor), method)(axis=(1, 3))


class TestPlugin(PluginContract):
    module = "hcs_numpy.plugin"
    name = "numpy"


class TestKernels(KernelContract):
    kernels = tuple(plugin.hcs_kernels())
    arguments = MappingProxyType(
        {"gaussian_blur": {"sigma": 1.5}, "white_tophat": {"radius": 3}, "composite": {"weights": (1, 2.5, 0)}}
    )
    references = MappingProxyType(
        {
            "percentile_normalize": normalized,
            "gaussian_blur": blurred,
            "white_tophat": without_background,
            "max_projection": lambda image: image.max(axis=0),
            "composite": joined,
            "mean_projection": lambda image: image.mean(axis=0, dtype=np.float64),
            "median_projection": lambda image: np.median(image.astype(np.float64), axis=0),
            "unsharp_mask": sharpened,
            "flat_field": evened,
            "crop": cut,
            "bin": squared,
        }
    )
    # Half a level is rounding; a number half-way may fall to either side of float32.
    tolerances = MappingProxyType(
        {
            "percentile_normalize": Tolerance(levels=0.5),
            "gaussian_blur": Tolerance(levels=0.51),
            "composite": Tolerance(levels=0.5),
            "mean_projection": Tolerance(levels=0.5),
            "median_projection": Tolerance(levels=0.5),
            "unsharp_mask": Tolerance(levels=0.51),
            "flat_field": Tolerance(levels=0.51),
            "bin": Tolerance(levels=0.5),
        }
    )


class TestOtherArguments(TestKernels):
    """Where a kernel goes another way: a wide blur, a large square, channels that all weigh the same."""

    kernels = tuple(spec for spec in plugin.hcs_kernels() if spec.signature.parameters)
    arguments = MappingProxyType({"gaussian_blur": {"sigma": 20.0}, "white_tophat": {"radius": 9}})
