"""Pixels depend on the place alone, and neighbouring fields show the same cells."""

import hashlib
import itertools
import subprocess
import sys

import attrs
import numpy as np
import pytest

from hcs_core import parse_well
from hcs_synthetic import SyntheticPlate

PLATE = SyntheticPlate(
    wells=("A01", "C05"), grid=(2, 2), image_shape=(96, 112), cells_per_field=9, z_count=2, timepoint_count=2,
    stage_error_px=1.7, overlap=0.3,
)  # fmt: skip
PLACES = list(itertools.product(PLATE.wells, (1, 2, 3, 4), (1, 2), (1, 2), (1, 2)))

SCRIPT = """
import hashlib, sys
from hcs_synthetic import SyntheticPlate
plate = eval(sys.argv[1], {"SyntheticPlate": SyntheticPlate})
for place in eval(sys.argv[2]):
    print(hashlib.sha256(plate.image(*place).tobytes()).hexdigest())
"""


def digests(places):
    return [hashlib.sha256(PLATE.image(*place).tobytes()).hexdigest() for place in places]


def test_another_process_makes_the_same_pixels_in_another_order():
    places = [*reversed(PLACES)]
    done = subprocess.run([sys.executable, "-c", SCRIPT, repr(PLATE), repr(places)], capture_output=True, check=True)
    assert done.stdout.decode().split()[::-1] == digests(PLACES)


def test_all_planes_differ():
    assert len(set(digests(PLACES))) == len(PLACES)


def test_other_wells_and_the_name_change_no_pixel():
    same = SyntheticPlate(
        name="other", wells=("AF48", "C05"), grid=(2, 2), image_shape=(96, 112), cells_per_field=9, z_count=2,
        timepoint_count=2, stage_error_px=1.7, overlap=0.3,
    )  # fmt: skip
    np.testing.assert_array_equal(same.image("C05", 3, 2, 1, 2), PLATE.image("C05", 3, 2, 1, 2))


def test_another_seed_makes_other_pixels():
    other = attrs.evolve(PLATE, seed=2)
    assert (other.ideal("A01", 1, 1, 1, 1) != PLATE.ideal("A01", 1, 1, 1, 1)).mean() > 0.2


@pytest.mark.parametrize("timepoint", [1, 2])
@pytest.mark.parametrize("pair", [(1, 2), (1, 3), (1, 4), (2, 3)])
def test_fields_share_pixels_where_they_overlap(pair, timepoint):
    plate = SyntheticPlate(
        grid=(2, 2), image_shape=(96, 112), overlap=0.4, cells_per_field=12, stage_error_px=3.0,
        whole_pixel_stage_error=True, timepoint_count=2, wells=("B07",), z_count=3,
    )  # fmt: skip
    origins = {site: np.array([at.y_um, at.x_um]) / plate.pixel_size_um for (_, site), at in plate.positions.items()}
    shift = origins[pair[1]] - origins[pair[0]]
    np.testing.assert_allclose(shift, np.rint(shift), atol=1e-9)
    first, second = (plate.ideal("B07", site, 2, 3, timepoint) for site in pair)
    down, right = np.rint(shift).astype(int)
    shared_first, shared_second = _shared(first, second, down, right)
    assert min(shared_first.shape) > 20
    assert np.ptp(shared_first) > 50
    np.testing.assert_array_equal(shared_first, shared_second)


def _shared(first, second, down, right):
    def part(length, shift):
        here = slice(max(shift, 0), length + min(shift, 0))
        return here, slice(here.start - shift, here.stop - shift)

    rows, columns = part(first.shape[0], down), part(first.shape[1], right)
    return first[rows[0], columns[0]], second[rows[1], columns[1]]


def test_sub_pixel_stage_errors_are_in_the_pixels():
    """The shift between two fields, found by phase, is that of their true positions."""
    plate = SyntheticPlate(
        grid=(1, 2), image_shape=(256, 256), overlap=0.9, cells_per_field=25, stage_error_px=1.3, wells=("D04",)
    )
    at = [plate.positions["D04", site] for site in (1, 2)]
    expected = np.array([at[1].y_um - at[0].y_um, at[1].x_um - at[0].x_um]) / plate.pixel_size_um
    first, second = (plate.ideal("D04", site, 1, 1, 1).astype(np.float64) for site in (1, 2))
    whole = np.rint(expected).astype(int)
    assert np.abs(expected - whole).max() > 0.1
    pair = _shared(first, second, *whole)
    np.testing.assert_allclose(_residual_shift(*pair), expected - whole, atol=0.02)


def _residual_shift(first, second):
    """Return d where second(y) = first(y + d): the cross-spectrum's phase is then -2 pi f d, at low frequencies f."""
    window = np.outer(*(np.hanning(length) for length in first.shape))
    cross = np.fft.fft2((first - first.mean()) * window) * np.conj(np.fft.fft2((second - second.mean()) * window))
    fy, fx = np.meshgrid(*(np.fft.fftfreq(length) for length in first.shape), indexing="ij")
    low = (np.hypot(fy, fx) < 0.05) & (np.hypot(fy, fx) > 0)
    weight = np.sqrt(np.abs(cross[low]))
    design = -2 * np.pi * np.stack([fy[low], fx[low]], axis=1) * weight[:, None]
    return np.linalg.lstsq(design, np.angle(cross[low]) * weight, rcond=None)[0]


def test_the_stage_reports_a_regular_grid_and_errs_as_stated():
    wells = tuple(f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13))
    plate = SyntheticPlate(wells=wells, grid=(3, 3), stage_error_px=2.5, image_shape=(100, 200), overlap=0.1)
    nominal, true = plate.nominal_positions, plate.positions
    assert plate.description().positions == nominal
    assert {(at.y_um, at.x_um) for (_, site), at in nominal.items() if site == 5} == {(0.0, 0.0)}
    step = nominal["A01", 9].y_um - nominal["A01", 5].y_um, nominal["A01", 9].x_um - nominal["A01", 5].x_um
    assert step == pytest.approx((90 * 0.65, 180 * 0.65))
    errors = np.array([[true[key].y_um - at.y_um, true[key].x_um - at.x_um] for key, at in nominal.items()]) / 0.65
    assert np.sqrt((errors**2).mean()) == pytest.approx(2.5, rel=0.05)
    assert np.abs(errors.mean(axis=0)).max() < 0.3
    exact = SyntheticPlate(wells=wells, grid=(3, 3), image_shape=(100, 200))
    assert exact.positions == exact.nominal_positions


def test_the_stage_error_moves_fields_not_cells():
    without = SyntheticPlate(stage_error_px=0.0).truth("A01")
    np.testing.assert_array_equal(SyntheticPlate(stage_error_px=4.0).truth("A01").y_um, without.y_um)


def test_sites_count_along_rows():
    grid = SyntheticPlate(grid=(2, 3)).site_grid
    assert grid == {1: (0, 0), 2: (0, 1), 3: (0, 2), 4: (1, 0), 5: (1, 1), 6: (1, 2)}


def test_wells_to_the_last_of_a_1536_well_plate_are_of_their_own():
    plate = SyntheticPlate(wells=("A1", "r16c24", "AA01", "AF48"), grid=(1, 1), image_shape=(64, 64))
    assert plate.wells == ("A01", "P24", "AA01", "AF48")
    assert plate.description().plate_format == (32, 48)
    assert max(map(parse_well, plate.wells)) == (31, 47)
    places = {tuple(plate.truth(well).y_um[:3]) for well in plate.wells}
    assert len(places) == 4
