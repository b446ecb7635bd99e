import math

import attrs
import numpy as np
import pytest

from hcs_synthetic.rendering import SUBPIXELS, SoftEllipses, add_ellipses, light_of, snap


def ellipses(*, y, x, along, across, angle=0.0, softness=0.0, light=1000.0):
    columns = {
        "y": y, "x": x, "along": along, "across": across, "cosine": math.cos(angle), "sine": math.sin(angle),
        "softness": softness, "light": light,
    }  # fmt: skip
    return SoftEllipses(**{name: np.atleast_1d(np.asarray(value, np.float64)) for name, value in columns.items()})


def drawn(shape, what):
    image = np.zeros(shape, np.float32)
    add_ellipses(image, what)
    return image.astype(np.float64)


def profile(u, softness):
    """The profile as the module's docstring states it."""
    return np.where(u < 1, (1 - u) ** 2 * (1 + 2 * (1 - softness) * u), 0.0)


@pytest.mark.parametrize("softness", [0.0, 0.4, 1.0])
def test_the_stated_integral_is_that_of_the_stated_profile(softness):
    u = (np.arange(200_000) + 0.5) / 200_000
    by_sum = math.pi * 3.0 * 5.0 * profile(u, softness).mean()
    assert light_of(np.array([1.0]), np.array([3.0]), np.array([5.0]), softness)[0] == pytest.approx(by_sum, rel=1e-6)


@pytest.mark.parametrize(
    ("angle", "along", "across", "softness", "centre"),
    [
        (0.7, 14.0, 8.0, 0.3, (30.3, 41.8)),
        (0.0, 16.0, 16.0, 0.0, (29.95, 41.97)),
        (2.1, 3.0, 19.5, 1.0, (33.0, 40.5)),
    ],
)
def test_pixels_are_the_stated_profile(angle, along, across, softness, centre):
    cy, cx = snap(np.array(centre))
    image = drawn((64, 80), ellipses(y=cy, x=cx, along=along, across=across, angle=angle, softness=softness))
    y, x = np.mgrid[:64, :80]
    forward = (x - cx) * math.cos(angle) + (y - cy) * math.sin(angle)
    sideways = (y - cy) * math.cos(angle) - (x - cx) * math.sin(angle)
    expected = profile((forward / along) ** 2 + (sideways / across) ** 2, softness)
    height = 1000.0 / (math.pi * along * across * (3 - softness) / 6)
    np.testing.assert_allclose(image, expected * height, atol=1e-5 * height)


@pytest.mark.parametrize(("along", "tolerance"), [(2.0, 0.03), (3.0, 0.01), (6.0, 1e-3), (20.0, 1e-4)])
def test_pixels_add_up_to_the_light(along, tolerance):
    places = snap(np.random.default_rng(3).uniform(30, 40, (20, 2)))
    for y, x in places:
        image = drawn((72, 72), ellipses(y=y, x=x, along=along, across=along, softness=0.5))
        assert image.sum() == pytest.approx(1000.0, rel=tolerance)


def test_an_image_is_the_part_of_a_larger_one_to_the_last_bit():
    rng = np.random.default_rng(5)
    many = 300
    whole = SoftEllipses(
        y=snap(rng.uniform(-10, 130, many)), x=snap(rng.uniform(-10, 150, many)), along=rng.uniform(1.5, 25, many),
        across=rng.uniform(1.5, 25, many), cosine=np.ones(many), sine=np.zeros(many),
        softness=rng.uniform(0, 1, many), light=rng.uniform(-50, 900, many),
    )  # fmt: skip
    large = drawn((120, 140), whole)
    shifted = attrs.evolve(whole, y=whole.y - 37, x=whole.x - 51)
    np.testing.assert_array_equal(drawn((40, 60), shifted), large[37:77, 51:111])


def test_nothing_outside_is_drawn():
    assert not drawn((20, 20), ellipses(y=-30.0, x=10.0, along=12.0, across=12.0)).any()
    none = np.zeros(1, np.bool_)
    inside = ellipses(y=10.0, x=10.0, along=12.0, across=12.0)
    assert drawn((20, 20), inside).any()
    assert not drawn((20, 20), inside.select(none)).any()


def test_snapped_lengths_are_multiples():
    snapped = snap(np.array([0.1, -7.77777, 123456.789]))
    np.testing.assert_array_equal(snapped * SUBPIXELS, np.rint(snapped * SUBPIXELS))
    # So they stay what they are in every image: whole pixels are added and taken off without rounding.
    np.testing.assert_array_equal((snapped - 54321) + 54321, snapped)
    np.testing.assert_allclose(snapped, [0.1, -7.77777, 123456.789], atol=0.5 / SUBPIXELS)
