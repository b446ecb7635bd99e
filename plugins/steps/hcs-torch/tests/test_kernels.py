"""What the contract does not ask of the kernels: several images at once, wide filters, NaN, how devices compute."""

import doctest
import importlib
import pkgutil
from fractions import Fraction
from operator import mul
from pathlib import Path

import numpy as np
import pytest

import hcs_torch
from hcs_core.testing import require_library
from hcs_core.testing.contracts.targets import imported
from hcs_numpy import plugin as numpys
from hcs_torch.memory import TorchMemory
from hcs_torch.plugin import hcs_kernels

torch = require_library("torch")

MEMORY = TorchMemory()
KERNELS = {spec.operation: spec for spec in hcs_kernels()}
IN_NUMPY = {spec.operation: spec for spec in numpys.hcs_kernels()}
DTYPES = ("uint8", "uint16", "float32")
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def noise(dtype, shape, seed=5):
    top = {"uint8": 256, "uint16": 65536, "float32": 900.0}[dtype]
    return (np.random.default_rng(seed).random(shape) ** 2 * top).astype(dtype)


def in_torch(operation, image, **arguments):
    """Return what the kernel makes of a numpy image, as numpy's array."""
    told = {"dtype": image.dtype.name} if KERNELS[operation].takes_dtype else {}
    found = imported(KERNELS[operation].target)(MEMORY.from_host(image), **arguments, **told)
    return MEMORY.to_host(found, KERNELS[operation].signature.out_dtype or image.dtype.name)


def in_numpy(operation, image, **arguments):
    return imported(IN_NUMPY[operation].target)(image, **arguments)


def arguments_of(operation, shape):
    light = np.linspace(1, 2, shape[-2] * shape[-1], dtype=np.float32).reshape(shape[-2:])
    return {"gaussian_blur": {"sigma": 1.5}, "white_tophat": {"radius": 3}, "flat_field": {"profile": light}}.get(
        operation, {}
    )


def test_every_operation_that_numpy_has_is_there():
    assert set(KERNELS) == set(IN_NUMPY)


@every_dtype
@pytest.mark.parametrize("operation", sorted(KERNELS))
def test_several_images_at_once_give_what_each_gives_alone(operation, dtype):
    spec = KERNELS[operation]
    shape = (3, 4, 20, 31)[0 if len(spec.signature.axes) == 3 else 1 :]
    images = np.stack([noise(dtype, shape[-len(spec.signature.axes) :], seed) for seed in range(3)])
    arguments = arguments_of(operation, shape)
    assert spec.batches
    together = in_torch(operation, images, **arguments)
    alone = np.stack([in_torch(operation, image, **arguments) for image in images])
    assert together.shape == alone.shape
    assert np.array_equal(together, alone)


@every_dtype
@pytest.mark.parametrize(
    "view", [lambda image: image.mT, lambda image: image[..., 1:-2, 2::3]], ids=["turned", "cut"]
)
@pytest.mark.parametrize("operation", sorted(KERNELS))
def test_a_view_gives_what_its_copy_gives(operation, dtype, view):
    axes = len(KERNELS[operation].signature.axes)
    tensor = view(MEMORY.from_host(noise(dtype, (3, 24, 33)[-axes:])))
    copy = tensor.clone(memory_format=torch.contiguous_format)
    arguments = arguments_of(operation, tuple(tensor.shape)) | {"dtype": dtype}
    kernel = imported(KERNELS[operation].target)
    found, expected = kernel(tensor, **arguments), kernel(copy, **arguments)
    assert torch.equal(found, expected)


# --- Filters ------------------------------------------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize(
    ("shape", "sigma"),
    [((40, 61), 0.3), ((40, 61), 9.0), ((7, 5), 20.0), ((1, 9), 3.0), ((9, 1), 3.0), ((70, 140), 8.0)],
)
def test_a_blur_reaches_beyond_the_plane_as_often_as_it_takes(dtype, shape, sigma):
    image = noise(dtype, shape)
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    expected = np.pad(image.astype(np.float64), reach, mode="reflect")
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(expected, len(weights), axis=axis)
        expected = windows @ weights / weights.sum()
    found = in_torch("gaussian_blur", image, sigma=sigma)
    assert np.abs(found - expected).max() <= (1e-3 if dtype == "float32" else 0.51)


@pytest.mark.parametrize(("shape", "sigma"), [((33, 70), 1.0), ((33, 70), 12.0), ((2, 5, 6), 4.0)])
def test_devices_blur_as_the_cpu_does(shape, sigma):
    from hcs_operations.portable.filters import gaussian_weights
    from hcs_torch.filters import _along_by_matrices, _along_by_shifts

    pixels, weights = torch.from_numpy(noise("float32", shape)), torch.from_numpy(gaussian_weights(sigma))
    for axis in (-1, -2):
        ways = [along(pixels, weights, axis) for along in (_along_by_matrices, _along_by_shifts)]
        assert torch.allclose(*ways, rtol=1e-5, atol=1e-3)


# --- Morphology ---------------------------------------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize("radius", [1, 2, 3, 7, 8, 40])
@pytest.mark.parametrize("shape", [(25, 36), (1, 9), (6, 1), (3, 4)])
def test_a_tophat_is_that_of_numpy_for_every_radius(dtype, radius, shape):
    image = noise(dtype, shape)
    found, expected = in_torch("white_tophat", image, radius=radius), in_numpy("white_tophat", image, radius=radius)
    assert np.array_equal(found, expected) if dtype != "float32" else np.allclose(found, expected, rtol=1e-6)


# --- Intensity and thresholds -------------------------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize("percents", [(0, 100), (1, 99), (12.5, 50.0), (99.0, 99.9)])
def test_percentiles_are_those_of_numpy(dtype, percents):
    from hcs_torch.percentiles import percentiles

    image = noise(dtype, (37, 41))
    image = image - np.float32(300) if dtype == "float32" else image
    found = percentiles(MEMORY.from_host(image), percents, 0 if dtype == "float32" else np.iinfo(dtype).max + 1)
    # In float64: numpy interpolates float32 in float32.
    assert found == pytest.approx(np.percentile(image.astype(np.float64), percents), rel=1e-14, abs=1e-12)


@pytest.mark.parametrize("spoiled", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_counts_for_no_percentile(spoiled):
    from hcs_torch.percentiles import percentiles

    image = noise("float32", (20, 30)) - np.float32(400)
    kept = image.copy()
    image[::3, ::4] = spoiled
    kept = kept[np.isfinite(image)]
    found = percentiles(MEMORY.from_host(image), (5.0, 50.0, 98.0))
    assert found == pytest.approx(np.percentile(kept.astype(np.float64), [5, 50, 98]), rel=1e-14)
    assert percentiles(torch.full((2, 3), spoiled), (5.0, 50.0)) == ()


@every_dtype
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"low": 10, "high": 200},
        {"low": 10, "high": 200, "out_low": 180, "out_high": 20},
        {"low": 1e6},
        {"high": -3.0, "out_low": 7},
        {"out_low": -50, "out_high": 1e5},
    ],
    ids=str,
)
@pytest.mark.parametrize("content", ["noise", "constant"])
def test_rescaling_is_that_of_numpy(dtype, arguments, content):
    image = noise(dtype, (13, 17))
    image = image if content == "noise" else np.full_like(image, 40)
    found, expected = (
        in_torch("rescale_intensity", image, **arguments),
        in_numpy("rescale_intensity", image, **arguments),
    )
    assert np.allclose(found, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("operation", ["percentile_normalize", "rescale_intensity", "threshold_otsu"])
def test_nan_and_infinities_become_what_they_become_in_numpy(operation):
    image = noise("float32", (19, 23))
    image[2, 3], image[4, 5], image[6, 7] = np.nan, np.inf, -np.inf
    for given in (image, np.full((3, 4), np.nan, np.float32)):
        found, expected = in_torch(operation, given), in_numpy(operation, given)
        assert np.allclose(found, expected, rtol=1e-6, equal_nan=True)


@pytest.mark.parametrize("values", [[5], [5, 9], [0, 65535], [3, 3, 3, 60000]])
def test_thresholds_of_few_levels_are_those_of_numpy(values):
    image = np.resize(np.array(values, np.uint16), (6, 10))
    assert np.array_equal(in_torch("threshold_otsu", image), in_numpy("threshold_otsu", image))


def test_a_threshold_of_floats_is_the_centre_of_the_bin_that_numpy_takes():
    image = np.concatenate([noise("float32", (40, 50)), noise("float32", (40, 50), 8) + np.float32(2000)])
    assert np.array_equal(in_torch("threshold_otsu", image), in_numpy("threshold_otsu", image))


@pytest.mark.parametrize("operation", ["percentile_normalize", "rescale_intensity", "threshold_otsu"])
def test_an_image_of_16_bits_whose_dtype_is_not_told_is_refused(operation):
    # Else 2 ** 31 numbers would be counted.
    with pytest.raises(ValueError, match="dtype='uint16'"):
        imported(KERNELS[operation].target)(torch.arange(12, dtype=torch.int32).reshape(3, 4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 50, "high": 50}, "must be below"),
        ({"limits": "well"}, "needs levels"),
        ({"levels": (3.0,)}, "two numbers"),
        ({"levels": (5.0, 3.0)}, "two numbers"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        in_torch("percentile_normalize", noise("uint8", (3, 4)), **arguments)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, 1e39])
@pytest.mark.parametrize("in_library", [False, True])
def test_a_profile_that_is_not_above_0_is_refused_with_where(bad, in_library):
    profile = np.ones((5, 7))
    profile[2, 3] = bad
    with pytest.raises(ValueError, match=r"1 of 35 values.*y=2, x=3"):
        in_torch("flat_field", noise("uint8", (5, 7)), profile=torch.from_numpy(profile) if in_library else profile)


@every_dtype
def test_a_profile_may_be_numpys_or_a_tensor_and_of_any_dtype(dtype):
    image, profile = noise(dtype, (20, 31)), np.add.outer(np.arange(1, 21), np.arange(31)).astype(np.float64)
    expected = in_numpy("flat_field", image, profile=profile, dark=12.5)
    for given in (profile, profile.astype(np.uint16), torch.from_numpy(profile), torch.from_numpy(profile).int()):
        found = in_torch("flat_field", image, profile=given, dark=12.5)
        assert np.allclose(found, expected, rtol=1e-5, atol=1 if dtype != "float32" else 0)
    with pytest.raises(ValueError, match="shape"):
        in_torch("flat_field", image, profile=profile[:-1])
    with pytest.raises(ValueError, match="no profile"):
        in_torch("flat_field", image)


# --- Stacks -------------------------------------------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize("measure", ["normalized_variance", "tenengrad", "laplacian", "brenner"])
def test_the_plane_in_focus_is_that_of_numpy(dtype, measure):
    # Blurred more and more from the third plane on, each twice as bright as the one before.
    sharp = noise(dtype, (40, 52)) // 16
    sigmas = (4.0, 2.0, 0.3, 1.0, 3.0)
    stack = np.stack([in_numpy("gaussian_blur", sharp, sigma=sigma) for sigma in sigmas])
    found = in_torch("best_focus_projection", stack, measure=measure)
    assert np.array_equal(found, stack[2])
    assert np.array_equal(found, in_numpy("best_focus_projection", stack, measure=measure))


def test_of_planes_in_equal_focus_the_lowest_is_kept_and_one_with_nan_is_not():
    plane = noise("float32", (9, 11))
    spoiled = plane.copy()
    spoiled[0, 0] = np.nan
    marked = plane[::-1].copy()
    found = in_torch("best_focus_projection", np.stack([spoiled, plane, marked]))
    assert np.array_equal(found, plane)
    with pytest.raises(ValueError, match="none can be measured"):
        in_torch("best_focus_projection", np.stack([spoiled, spoiled]))
    with pytest.raises(ValueError, match="tenengrad"):
        in_torch("best_focus_projection", np.stack([plane]), measure="sharpness")


@pytest.mark.parametrize("count", [1, 2, 3, 6, 9, 10])
@pytest.mark.parametrize("operation", ["mean_projection", "median_projection", "max_projection"])
def test_projections_of_any_number_of_planes_are_exact(operation, count):
    for dtype in DTYPES:
        stack = noise(dtype, (count, 12, 15))
        stack[:, :2] = {"float32": 3e38}.get(dtype, 0) or np.iinfo(dtype).max
        wide = stack.astype(np.float64)
        expected = {"mean": wide.mean, "median": lambda axis, wide=wide: np.median(wide, axis), "max": wide.max}[
            operation.partition("_")[0]
        ](axis=0)
        found = in_torch(operation, stack)
        rounded = expected.astype(dtype) if dtype == "float32" else np.rint(expected).astype(dtype)
        assert (
            np.allclose(found, rounded, rtol=1e-6, atol=0) if dtype == "float32" else np.array_equal(found, rounded)
        )


# --- Examples -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(found.name for found in pkgutil.iter_modules(hcs_torch.__path__)))
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(f"hcs_torch.{name}")).failed == 0


def test_the_examples_of_the_readme_run():
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted
    assert result.failed == 0


def test_of_thresholds_that_part_a_plane_equally_well_all_libraries_take_the_first():
    # Of a histogram that is its own mirror image, the best threshold comes twice, unless it is in the middle. In
    # floats the variances of the two differ, or not, with the order in which they are summed.
    for levels, counts in (
        ([21, 219, 251, 260, 292, 490], [11, 5, 15, 15, 5, 11]),
        ([31, 199, 254, 257, 312, 480], [17, 25, 17, 17, 25, 17]),
        ([34, 58, 119, 152, 219, 232, 279, 292, 359, 392, 453, 477], [18, 3, 4, 3, 7, 26, 26, 7, 3, 4, 3, 18]),
    ):
        image = np.repeat(np.array(levels, np.uint16), counts)[None]
        variances = [parted(levels, counts, place) for place in range(1, len(levels))]
        expected = (image > levels[variances.index(max(variances))]) * np.uint8(255)
        assert np.array_equal(in_torch("threshold_otsu", image), expected)


def parted(levels, counts, place):
    """Return the variance between the levels before a place and those from it on, exactly."""
    parts = [(levels[:place], counts[:place]), (levels[place:], counts[place:])]
    sizes = [sum(number) for _, number in parts]
    means = [Fraction(sum(map(mul, *part)), size) for part, size in zip(parts, sizes, strict=True)]
    return sizes[0] * sizes[1] * (means[0] - means[1]) ** 2
