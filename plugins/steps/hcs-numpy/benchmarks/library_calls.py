# A script's neighbour, no part of a package.
# ruff: noqa: INP001
"""What other libraries offer for the kernels' operations, each as a whole: a uint16 plane in, a uint16 plane out."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[Any]
TOP = 65535


def rounded(image: Image) -> Image:
    """Round a float plane, as the kernels have to."""
    return np.rint(image).astype(np.uint16)


def by_percentile(image: Image) -> Image:
    """Sort, then scale in float32."""
    low, high = np.percentile(image, [1, 99])
    scaled = (image.astype(np.float32) - np.float32(low)) * np.float32(TOP / (high - low))
    return rounded(scaled.clip(0, TOP))


def by_bincount(image: Image) -> Image:
    """Count with numpy, look up with numpy."""
    return np.take(table(*limits(np.bincount(image.ravel(), minlength=TOP + 1))), image)


def by_calchist(image: Image) -> Image:
    """Count with OpenCV, look up with OpenCV; the percentiles are whole grey levels."""
    return cv2.LUT(image, table(*limits(cv2.calcHist([image], [0], None, [TOP + 1], [0, TOP + 1]).ravel())))


def limits(counts: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the grey levels of the percentiles 1 and 99."""
    upto = np.cumsum(counts, dtype=np.float64)
    low, high = np.searchsorted(upto, upto[-1] * np.array([0.01, 0.99]))
    return float(low), float(high)


def table(low: float, high: float) -> Image:
    """Return the look-up table that maps a range onto the dtype's."""
    return rounded(((np.arange(TOP + 1) - low) / (high - low) * TOP).clip(0, TOP))


def by_table(image: Image) -> Image:
    """Map the plane's range with OpenCV and a table."""
    low, high = cv2.minMaxLoc(image)[:2]
    return cv2.LUT(image, table(low, high))


def scaled(image: Image) -> Image:
    """Map the plane's range with numpy, in float64."""
    low, high = image.min(), image.max()
    return rounded((image.astype(np.float64) - low) * (TOP / (int(high) - int(low))))


def divided(image: Image, profile: Image, dark: float) -> Image:
    """Divide by a profile with OpenCV."""
    mean = cv2.mean(profile)[0]
    light = cv2.subtract(image, dark, dtype=cv2.CV_32F) if dark else image
    return cv2.divide(light, profile, scale=mean, dtype=cv2.CV_16U)


def divided_by_numpy(image: Image, profile: Image, dark: float) -> Image:
    """Divide by a profile with numpy, in float32."""
    light = (image - np.float32(dark)) / (profile / profile.mean())
    return rounded(light.clip(0, TOP))


def blur(image: Image, sigma: float) -> Image:
    """Blur with OpenCV as far as the kernel does."""
    side = 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(image, (side, side), sigma)


def gaussian(sigma: float) -> npt.NDArray[np.float32]:
    """Return the weights of a Gaussian as far as the kernel's reach, for libraries that want them."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def sharpened(image: Image, radius: float) -> Image:
    """Sharpen with OpenCV, in float32."""
    pixels = image.astype(np.float32)
    return cv2.addWeighted(pixels, 2, blur(pixels, radius), -1, 0, dtype=cv2.CV_16U)


def sharpened_as_integers(image: Image, radius: float) -> Image:
    """Sharpen with OpenCV, in uint16."""
    return cv2.addWeighted(image, 2, blur(image, radius), -1, 0)


def tophat(image: Image, radius: int) -> Image:
    """Take the top-hat with OpenCV."""
    return cv2.morphologyEx(image, cv2.MORPH_TOPHAT, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))


def otsu(image: Image) -> Image:
    """Threshold with OpenCV, which leaves uint16."""
    return cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)[1].astype(np.uint8)


def shrunk(image: Image, factor: int) -> Image:
    """Take the means of squares with OpenCV; it rounds halves up."""
    size = (image.shape[1] // factor, image.shape[0] // factor)
    cut = image[: size[1] * factor, : size[0] * factor]
    return cv2.resize(cut, size, interpolation=cv2.INTER_AREA)


def added(image: Image, factor: int) -> Image:
    """Add up shifted slices with numpy."""
    height, width = (length // factor * factor for length in image.shape)
    total = np.zeros((height // factor, width // factor), np.uint32)
    for y in range(factor):
        for x in range(factor):
            total += image[y:height:factor, x:width:factor]
    return rounded(total / np.float64(factor * factor))


def largest(stack: Image) -> Image:
    """Compare plane after plane with OpenCV."""
    result = stack[0].copy()
    for image in stack[1:]:
        cv2.max(result, image, dst=result)
    return result


def accumulated(stack: Image) -> Image:
    """Add plane after plane with OpenCV."""
    total = np.zeros(stack.shape[1:], np.float32)
    for image in stack:
        cv2.accumulate(image, total)
    return rounded(total / np.float32(len(stack)))


def averaged(stack: Image, weights: tuple[float, ...]) -> Image:
    """Take the weighted mean with numpy, in float64."""
    return rounded(np.average(stack, axis=0, weights=weights))


def averaged_in_float32(stack: Image, weights: tuple[float, ...]) -> Image:
    """Take the weighted mean with numpy, in float32."""
    total = np.zeros(stack.shape[1:], np.float32)
    for image, weight in zip(stack, weights, strict=True):
        total += image * np.float32(weight)
    return rounded(total / np.float32(sum(weights)))


def middle(stack: Image) -> Image:
    """Sort with numpy, an odd number of planes."""
    return np.partition(stack, len(stack) // 2, axis=0)[len(stack) // 2]


def most_varied(stack: Image) -> Image:
    """Keep the plane with the largest normalized variance, by OpenCV."""
    moments = [cv2.meanStdDev(image) for image in stack]
    return stack[int(np.argmax([(spread / mean) ** 2 for mean, spread in moments]))].copy()


def steepest(stack: Image) -> Image:
    """Keep the plane with the largest squared gradient, by OpenCV."""
    scores = []
    for image in stack:
        along = (cv2.Sobel(image, cv2.CV_32F, dx, dy) for dx, dy in ((1, 0), (0, 1)))
        scores.append(sum(cv2.norm(gradient, cv2.NORM_L2SQR) for gradient in along))
    return stack[int(np.argmax(scores))].copy()


def most_curved(stack: Image) -> Image:
    """Keep the plane with the largest squared Laplacian, by OpenCV."""
    scores = [cv2.norm(cv2.Laplacian(image, cv2.CV_32F), cv2.NORM_L2SQR) for image in stack]
    return stack[int(np.argmax(scores))].copy()


def most_different(stack: Image) -> Image:
    """Keep the plane with the largest squared differences, by OpenCV."""
    scores = [
        cv2.norm(image[2:], image[:-2], cv2.NORM_L2SQR) + cv2.norm(image[:, 2:], image[:, :-2], cv2.NORM_L2SQR)
        for image in stack
    ]
    return stack[int(np.argmax(scores))].copy()
