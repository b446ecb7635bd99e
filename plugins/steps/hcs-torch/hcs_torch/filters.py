"""Linear filters."""

from __future__ import annotations

import torch

from hcs_operations.portable.filters import gaussian_weights
from hcs_torch.greys import stored


def gaussian_blur(image: torch.Tensor, *, sigma: float = 1.0, dtype: str = "") -> torch.Tensor:
    """Blur planes with a Gaussian.

    The operation is that of `hcs_operations.portable.filters.gaussian_blur`: sampled at whole pixels, cut off at
    `int(4 * sigma + 0.5)` px, mirrored about the centre of the outermost pixels. Arithmetic is float32.

    On the CPU each axis is a product with a band matrix, in blocks: that is ten times as fast as
    `torch.nn.functional.conv2d`. On a device it is a sum of shifted planes: matrix products and convolutions may be
    computed there in TF32, whose 10 bits are too few for 16-bit images.

    Parameters
    ----------
    image
        Axes `yx`, or one more before them; uint8, float32, or int32 that holds uint16.
    sigma
        The standard deviation in px, above 0.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same shape and dtype, a new tensor; integers are rounded half to even.

    Notes
    -----
    Beside its input and its output it holds two planes in float32.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.filters import gaussian_blur
    >>> gaussian_blur(torch.tensor([[0, 0, 100, 0, 0]], dtype=torch.uint8), sigma=0.5).tolist()
    [[0, 11, 79, 11, 0]]
    """
    return stored(_blurred(image.to(torch.float32), sigma), image, dtype)


def unsharp_mask(image: torch.Tensor, *, radius: float = 1.0, amount: float = 1.0, dtype: str = "") -> torch.Tensor:
    """Sharpen planes: add what a Gaussian would take away, `image + amount * (image - blurred)`.

    Parameters
    ----------
    image
        Axes `yx`, or one more before them; uint8, float32, or int32 that holds uint16.
    radius
        The standard deviation of the Gaussian in px, above 0.
    amount
        How much of the difference is added, from 0 to 100.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same shape and dtype, a new tensor; integers are rounded half to even and clipped.

    Notes
    -----
    The blur is that of `gaussian_blur` before it is rounded. Beside its input and its output it holds two planes in
    float32.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.filters import unsharp_mask
    >>> unsharp_mask(torch.tensor([[10, 10, 10, 50, 50, 50]], dtype=torch.uint8), radius=0.5).tolist()
    [[10, 10, 6, 54, 50, 50]]
    """
    pixels = image.to(torch.float32)
    sharpened = _blurred(pixels, radius).mul_(-amount).add_(pixels, alpha=1.0 + amount)
    return stored(sharpened, image, dtype)


def mirrored(places: torch.Tensor, length: int) -> torch.Tensor:
    """Return the pixels that are seen at places beyond an axis, mirrored about its outermost pixels, however far."""
    if length == 1:
        return torch.zeros_like(places)
    return length - 1 - (places.remainder(2 * (length - 1)) - (length - 1)).abs()


def _blurred(pixels: torch.Tensor, sigma: float) -> torch.Tensor:
    weights = torch.from_numpy(gaussian_weights(sigma))
    along = _along_by_matrices if pixels.device.type == "cpu" else _along_by_shifts
    return along(along(pixels, weights, -1), weights, -2)


def _along_by_shifts(pixels: torch.Tensor, weights: torch.Tensor, axis: int) -> torch.Tensor:
    """Return planes convolved along an axis, as a sum of shifted planes."""
    length, reach = pixels.shape[axis], len(weights) // 2
    places = torch.arange(-reach, length + reach, device=pixels.device)
    padded = pixels.index_select(axis, mirrored(places, length))
    total = padded.narrow(axis, 0, length) * float(weights[0])
    for shift, weight in enumerate(weights.tolist()[1:], start=1):
        total.add_(padded.narrow(axis, shift, length), alpha=weight)
    return total


def _along_by_matrices(pixels: torch.Tensor, weights: torch.Tensor, axis: int) -> torch.Tensor:
    """Return planes convolved along an axis, block by block: each is a product of what it sees with a band matrix.

    A wider block multiplies with more zeros; one that is narrower than half the reach, or than 32 pixels, is too
    small for the product to be fast.
    """
    length, reach = pixels.shape[axis], len(weights) // 2
    block = min(max(32, reach // 2), length)
    result = torch.empty_like(pixels, memory_format=torch.contiguous_format)
    bands: dict[tuple[int, int, int], torch.Tensor] = {}
    for start in range(0, length, block):
        stop = min(length, start + block)
        first, last = max(0, start - reach), min(length, stop + reach)
        # All blocks but those near the border have one matrix.
        what = (stop - start, start - first, last - stop)
        if what not in bands:
            bands[what] = _band(weights, (start, stop), (first, last), length)
        seen, made = pixels.narrow(axis, first, last - first), result.narrow(axis, start, stop - start)
        torch.matmul(*((seen, bands[what]) if axis == -1 else (bands[what].T, seen)), out=made)
    return result


def _band(weights: torch.Tensor, made: tuple[int, int], seen: tuple[int, int], length: int) -> torch.Tensor:
    """Return the matrix of (seen pixels, made pixels): what each that is seen adds to each that is made."""
    reach = len(weights) // 2
    columns = torch.arange(made[1] - made[0], device="cpu").repeat_interleave(len(weights))
    steps = torch.arange(-reach, reach + 1, device="cpu").repeat(made[1] - made[0])
    rows = mirrored(columns + steps + made[0], length) - seen[0]
    band = torch.zeros((seen[1] - seen[0], made[1] - made[0]), dtype=torch.float64, device="cpu")
    # Where the mirror shows a pixel twice, its weights add up.
    band.index_put_((rows, columns), weights.repeat(made[1] - made[0]), accumulate=True)
    return band.to(torch.float32)
