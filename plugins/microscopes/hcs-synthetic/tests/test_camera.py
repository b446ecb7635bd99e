import numpy as np
import pytest

from hcs_synthetic import Camera, SyntheticPlate
from hcs_synthetic.camera import READ_NOISE_ELECTRONS
from hcs_synthetic.randomness import standard_noise


def exposed(camera, level, shape=(400, 500), seed=1):
    return camera.expose(np.full(shape, level, np.float32), np.random.PCG64(seed))


@pytest.mark.parametrize(("dtype", "offset"), [("uint16", 100), ("uint8", 8)])
def test_no_light_gives_the_offset(dtype, offset):
    plate = SyntheticPlate(dtype=dtype)
    assert plate.camera.offset == offset
    dark = exposed(plate.camera, 0.0)
    assert dark.dtype == dtype
    assert dark.mean() == pytest.approx(offset, abs=0.02)


def test_the_offset_can_be_chosen_and_the_noise_left_out():
    plate = SyntheticPlate(camera_offset=333, photon_noise=False, read_noise=False, image_shape=(50, 60))
    expected = np.rint(333 + plate.ideal("A01", 1, 1, 1, 1).astype(np.float64) * plate.illumination(1))
    np.testing.assert_allclose(plate.image("A01", 1, 1, 1, 1), expected, atol=1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(("photon", "read"), [(True, True), (True, False), (False, True)])
def test_noise_has_the_stated_mean_and_variance(dtype, photon, read):
    camera = Camera(dtype=dtype, offset=20.0, photon_noise=photon, read_noise=read)
    for level in (30.0, 120.0):
        taken = exposed(camera, level).astype(np.float64)
        variance = (level / camera.electrons_per_grey if photon else 0.0) + (
            READ_NOISE_ELECTRONS / camera.electrons_per_grey if read else 0.0
        ) ** 2
        # Rounding adds 1/12 where the noise spans several grey values; it is all there is where it spans none.
        assert taken.mean() == pytest.approx(20.0 + level, abs=0.1)
        if variance > 0.25:
            assert taken.var() == pytest.approx(variance + 1 / 12, rel=0.03)
        else:
            assert taken.var() < 0.25


def test_no_noise_is_exact():
    camera = Camera(dtype="uint16", offset=7.0, photon_noise=False, read_noise=False)
    assert camera.read_noise_grey == 0.0
    assert (exposed(camera, 50.4) == 57).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_too_much_light_saturates_and_too_little_stops_at_0(dtype):
    camera = Camera(dtype=dtype, offset=0.0)
    most = np.iinfo(dtype).max
    assert (exposed(camera, 10.0 * most) == most).all()
    dark = exposed(camera, -5.0)
    assert dark.max() < most / 2


@pytest.mark.parametrize(("dtype", "most"), [("uint8", 255), ("uint16", 65535)])
def test_plates_use_their_dtype(dtype, most):
    plate = SyntheticPlate(dtype=dtype, image_shape=(256, 256), cells_per_field=12)
    for channel in (1, 2):
        image = plate.image("A01", 1, channel, 1, 1)
        assert image.dtype == np.dtype(dtype)
        assert plate.camera.offset < np.median(image) < image.max()
        assert (image == most).mean() < 0.01


def test_a_uint8_plate_is_a_sixteenth_of_a_uint16_plate():
    wide, narrow = (SyntheticPlate(dtype=dtype).ideal("A01", 2, 1, 1, 1) for dtype in ("uint16", "uint8"))
    np.testing.assert_allclose(narrow * 16, wide, rtol=1e-5)


def test_standard_noise_is_standard_and_nearly_normal():
    noise = standard_noise(np.random.PCG64(9), (1000, 1000)).astype(np.float64).ravel()
    assert noise.mean() == pytest.approx(0.0, abs=0.005)
    assert noise.var() == pytest.approx(1.0, abs=0.01)
    assert (noise**3).mean() == pytest.approx(0.0, abs=0.02)
    assert (noise**4).mean() - 3 * noise.var() ** 2 == pytest.approx(-0.04, abs=0.03)
    # The normal distribution's own shares.
    for limit, share in ((1.0, 0.3173), (2.0, 0.0455), (3.0, 0.0027)):
        assert (np.abs(noise) > limit).mean() == pytest.approx(share, rel=0.15)
    assert len(np.unique(noise)) > 100_000


def test_noise_of_neighbouring_pixels_and_planes_is_independent():
    plate = SyntheticPlate(cells_per_field=0, image_shape=(300, 300), shading=0.0, z_count=2)
    first, second = (plate.image("A01", 1, 1, z, 1).astype(np.float64) for z in (1, 2))
    first, second = first - first.mean(), second - second.mean()
    for one, other in ((first, second), (first[:, 1:], first[:, :-1]), (first[1:], first[:-1])):
        assert abs((one * other).mean()) / (one.std() * other.std()) < 0.02
