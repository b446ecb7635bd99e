"""Estimating how a plate is lit: profiles of known illumination, from images with cells in them."""

import functools

import numpy as np
import pytest

from hcs_numpy.illumination import flat_field
from hcs_operations.shading import BLOCKS, blocks, profile

SHAPE = (96, 128)
DARK = 100


def places():
    """Return y and x of a plane's pixels, from -1 to 1."""
    return np.meshgrid(*(np.linspace(-1, 1, length) for length in SHAPE), indexing="ij")


def bowl():
    y, x = places()
    return 1 - 0.15 * (y * y + x * x)


def off_centre():
    y, x = places()
    return np.exp(-0.14 * ((y - 0.4) ** 2 + (x + 0.5) ** 2))


def tilted():
    y, x = places()
    return 1 + 0.1 * x - 0.07 * y


def vignette():
    """The cosine to the fourth of a lens."""
    y, x = places()
    return np.cos(np.arctan(0.31 * np.hypot(y, x))) ** 4


SHADINGS = (bowl, off_centre, tilted, vignette)


@functools.cache
def scenes(count, cells, seed, background):
    """Return what lies under the lens: round cells on a background, as many at the border as elsewhere."""
    random = np.random.default_rng(seed)
    reach = 20
    y, x = np.indices((2 * reach, 2 * reach)) - reach
    found = []
    for _ in range(count):
        scene = np.zeros([length + 4 * reach for length in SHAPE])
        around = scene.size / np.prod(SHAPE)
        for _ in range(random.poisson(cells * around)):
            top, left = (random.integers(0, length - 2 * reach) for length in scene.shape)
            radius, height = random.uniform(2, 4), random.uniform(200, 2000)
            spot = height * np.exp(-(y * y + x * x) / (2 * radius * radius))
            scene[top : top + 2 * reach, left : left + 2 * reach] += spot
        inside = scene[2 * reach : -2 * reach, 2 * reach : -2 * reach]
        found.append((inside + background * random.uniform(0.8, 1.3)).astype(np.float32))
    return found


def images(light, count, cells, seed=0, background=60.0):
    """Yield planes as a camera takes them: lit, with noise and an offset."""
    random = np.random.default_rng(seed + 1)
    for scene in scenes(count, cells, seed, background):
        signal = scene * light.astype(np.float32)
        noise = random.standard_normal(SHAPE, np.float32) * np.sqrt(signal)
        yield np.rint(signal + noise + DARK).clip(0, 65535).astype(np.uint16)


def estimated(light, count=220, cells=3.0, dark=DARK):
    return profile([blocks(image, dark=dark) for image in images(light, count, cells)], SHAPE, dark=dark)


def deviation(light, found):
    """Return how far uniform fields of two brightnesses are from even once they are corrected."""
    worst = 0.0
    for brightness in (500.0, 20000.0):
        image = np.rint(brightness * light + DARK).astype(np.uint16)
        even = flat_field(image, profile=found, dark=DARK).astype(np.float64)
        worst = max(worst, float(np.abs(even / even.mean() - 1).max()))
    return worst


@pytest.mark.parametrize("shading", SHADINGS, ids=lambda shading: shading.__name__)
@pytest.mark.parametrize("cells", [3, 25], ids=["sparse", "dense"])
def test_shading_of_any_shape_comes_under_a_percent(shading, cells):
    light = shading()
    assert np.ptp(light) / light.max() > 0.24
    made = estimated(light, cells=cells)
    assert made.value.shape == SHAPE
    assert made.value.mean() == pytest.approx(1.0, abs=1e-6)
    assert deviation(light, np.ones(SHAPE)) > 0.1
    assert deviation(light, made.value) < 0.01


def test_empty_fields_are_enough():
    assert deviation(bowl(), estimated(bowl(), cells=0).value) < 0.005


def test_planes_of_another_brightness_do_not_count_more():
    planes = [*images(bowl(), 100, 3), *images(bowl(), 100, 3, seed=1, background=3000.0)]
    made = profile([blocks(plane, dark=DARK) for plane in planes], SHAPE, dark=DARK)
    assert deviation(bowl(), made.value) < 0.01


def test_black_and_broken_planes_are_passed_over():
    planes = [blocks(plane, dark=DARK) for plane in images(bowl(), 200, 3)]
    black = blocks(np.zeros(SHAPE, np.uint16), dark=DARK)
    broken = blocks(np.full(SHAPE, np.nan, np.float32), dark=DARK)
    np.testing.assert_array_equal(
        profile([black, *planes, broken], SHAPE, dark=DARK).value, profile(planes, SHAPE, dark=DARK).value
    )


def test_an_even_plate_is_left_nearly_as_it_is():
    made = estimated(np.ones(SHAPE), cells=3)
    assert np.abs(made.value - 1).max() < 0.005
    assert made.notes["uncertainty"] < 0.01


def test_without_the_dark_level_most_of_the_shading_stays():
    # The offset of 100 on a background of about 60 hides most of what the light does.
    light = bowl()
    made = estimated(light, dark=None)
    assert (made.notes["dark"], made.notes["dark_assumed"]) == (0.0, True)
    assert deviation(light, made.value) > 0.05


def test_what_is_noted():
    made = estimated(bowl(), count=40)
    assert (made.notes["dark"], made.notes["dark_assumed"]) == (100.0, False)
    assert made.notes["brightest"] == pytest.approx(made.value.max(), abs=1e-4)
    assert made.notes["darkest"] == pytest.approx(made.value.min(), abs=1e-4)


def test_a_few_planes_full_of_cells_are_less_certain_than_many():
    few, many = (estimated(bowl(), count=count, cells=25) for count in (16, 160))
    assert few.notes["uncertainty"] > 2 * many.notes["uncertainty"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 2), (500, 7)])
def test_a_plane_of_any_size(shape):
    random = np.random.default_rng(2)
    planes = [random.integers(150, 200, shape).astype(np.uint16) for _ in range(16)]
    made = profile([blocks(plane, dark=DARK) for plane in planes], shape, dark=DARK)
    assert made.value.shape == shape
    assert np.isfinite(made.value).all()
    assert (made.value > 0).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_blocks_are_means_less_the_dark_level(dtype):
    plane = np.random.default_rng(0).integers(10, 250, (4 * BLOCKS, 2 * BLOCKS)).astype(dtype)
    means = plane.reshape(BLOCKS, 4, BLOCKS, 2).mean(axis=(1, 3)) - 7
    np.testing.assert_allclose(blocks(plane, dark=7), means, rtol=1e-4)


def test_a_plate_without_light_is_refused():
    with pytest.raises(ValueError, match="no plane is brighter than dark=100"):
        profile([blocks(np.full(SHAPE, 100, np.uint16), dark=100)] * 20, SHAPE, dark=100)


def test_a_plane_alone_needs_a_profile():
    with pytest.raises(ValueError, match="there is no profile"):
        flat_field(np.ones((3, 3), np.uint16))
