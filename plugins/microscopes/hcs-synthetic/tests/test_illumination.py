import numpy as np
import pytest

from hcs_synthetic import SyntheticPlate


@pytest.mark.parametrize("shape", [(128, 200), (65, 33), (1, 7)])
@pytest.mark.parametrize("shading", [0.0, 0.25, 0.8, 1.0])
def test_mean_is_1_and_the_shading_is_as_stated(shading, shape):
    field = SyntheticPlate(shading=shading, image_shape=shape).illumination(2).astype(np.float64)
    assert field.shape == shape
    assert field.mean() == pytest.approx(1.0, abs=1e-5)
    assert (field.max() - field.min()) / field.max() == pytest.approx(shading, abs=1e-5)


def test_it_is_a_quadratic_polynomial_brightest_inside():
    field = SyntheticPlate(shading=0.5, image_shape=(90, 110)).illumination(1).astype(np.float64)
    y, x = np.meshgrid(np.linspace(-1, 1, 90), np.linspace(-1, 1, 110), indexing="ij")
    terms = np.stack([y**i * x**j for i in range(3) for j in range(3 - i)], axis=-1).reshape(-1, 6)
    rest = field.ravel() - terms @ np.linalg.lstsq(terms, field.ravel(), rcond=None)[0]
    assert np.abs(rest).max() < 1e-5
    row, column = np.unravel_index(field.argmax(), field.shape)
    assert 20 < row < 70
    assert 25 < column < 85


def test_channels_and_seeds_differ_wells_do_not():
    plate = SyntheticPlate(shading=0.4, wells=("A01", "A02"), photon_noise=False, read_noise=False, cells_per_field=0)
    assert not np.array_equal(plate.illumination(1), plate.illumination(2))
    assert not np.array_equal(plate.illumination(1), SyntheticPlate(shading=0.4, seed=3).illumination(1))
    np.testing.assert_array_equal(plate.image("A01", 1, 1, 1, 1), plate.image("A02", 4, 1, 1, 1))


def test_images_are_shaded_by_it():
    plate = SyntheticPlate(shading=0.5, photon_noise=False, read_noise=False, image_shape=(80, 90), cells_per_field=5)
    light = (plate.image("A01", 2, 1, 1, 1).astype(np.float64) - 100) / plate.ideal("A01", 2, 1, 1, 1)
    np.testing.assert_allclose(light, plate.illumination(1), atol=0.5 / plate.background + 1e-6)


def test_the_shared_field_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        SyntheticPlate().illumination(1)[0, 0] = 2.0
