"""The truth's columns, against the pixels."""

import attrs
import numpy as np
import pytest

from hcs_core import PlateError
from hcs_synthetic import SyntheticPlate
from hcs_synthetic.appearance import appearance
from hcs_synthetic.cells import REACH_UM, population

SPARSE = SyntheticPlate(
    grid=(1, 1), image_shape=(1100, 1100), cells_per_field=26, z_count=5, z_step_um=3.0,
    channels=("DAPI", "GFP", "Cy5"), timepoint_count=6, shading=0.0, photon_noise=False, read_noise=False,
    wells=("E05",), seed=11,
)  # fmt: skip


def pixels(plate, truth, site=1):
    """The cells' places in a field, in pixels."""
    at = plate.positions[truth.well, site]
    rows, columns = plate.image_shape
    y = (truth.y_um - at.y_um) / plate.pixel_size_um + (rows - 1) / 2
    x = (truth.x_um - at.x_um) / plate.pixel_size_um + (columns - 1) / 2
    return y, x


def alone(plate, truth, reach):
    """The cells that have a square of `2 reach + 1` pixels within the field to themselves."""
    y, x = pixels(plate, truth)
    apart = np.maximum(np.abs(y[:, None] - y), np.abs(x[:, None] - x)) + 1e9 * np.eye(len(truth))
    inside = (np.minimum(y, x) > reach) & (np.maximum(y, x) < np.array(plate.image_shape).min() - 1 - reach)
    return np.flatnonzero(inside & (apart.min(axis=1) > 2 * reach))


def square(image, y, x, reach):
    row, column = round(y), round(x)
    return image[row - reach : row + reach + 1, column - reach : column + reach + 1].astype(np.float64)


@pytest.mark.parametrize("channel", [1, 2, 3])
@pytest.mark.parametrize("z_index", [1, 3])
def test_a_cells_light_is_its_pixels_sum_in_and_out_of_focus(channel, z_index):
    truth, reach = SPARSE.truth("E05"), 56
    image = SPARSE.ideal("E05", 1, channel, z_index, 1)
    y, x = pixels(SPARSE, truth)
    found = alone(SPARSE, truth, reach)
    assert len(found) >= 2
    for cell in found:
        light = (square(image, y[cell], x[cell], reach) - SPARSE.background).sum()
        assert light == pytest.approx(truth.light[cell, channel - 1], rel=0.01)


def test_a_cell_out_of_focus_is_wider_and_dimmer():
    truth, reach = SPARSE.truth("E05"), 56
    y, x = pixels(SPARSE, truth)
    steps = np.arange(-reach, reach + 1)
    found = alone(SPARSE, truth, reach)
    assert len(found) >= 2
    for cell in found:
        near, far = sorted((1, 5), key=lambda z: abs(truth.z_um[cell] - SPARSE.focus_um(z)))
        assert abs(truth.z_um[cell] - SPARSE.focus_um(far)) > abs(truth.z_um[cell] - SPARSE.focus_um(near))
        sharp, blurred = (
            square(SPARSE.ideal("E05", 1, 1, z, 1), y[cell], x[cell], reach) - SPARSE.background for z in (near, far)
        )
        assert blurred.max() < sharp.max()
        growth = _spread(blurred, steps) - _spread(sharp, steps)
        assert growth.min() > 0.3 * growth.max() > 0


def _spread(light, steps):
    """The mean squared widths of the light along its two main axes, the smaller first."""
    places = np.stack(np.meshgrid(steps, steps, indexing="ij")).reshape(2, -1)
    covariance = np.cov(places, aweights=np.clip(light, 0, None).ravel())
    return np.linalg.eigvalsh(covariance)


def test_the_middle_of_the_stack_is_focus_0():
    assert [SPARSE.focus_um(z) for z in (1, 2, 3, 4, 5)] == [-6.0, -3.0, 0.0, 3.0, 6.0]


def test_nuclei_are_where_the_truth_says():
    """The centre of a lone nucleus's light is its place, and the brightest pixel of its square is within it."""
    truth, reach = SPARSE.truth("E05"), 40
    image = SPARSE.image("E05", 1, 1, 3, 1)
    y, x = pixels(SPARSE, truth)
    found = alone(SPARSE, truth, reach)
    assert len(found) >= 4
    for cell in found:
        part = square(image, y[cell], x[cell], reach)
        peak = np.array(np.unravel_index(part.argmax(), part.shape)) - reach
        assert np.hypot(*peak) * SPARSE.pixel_size_um < 2.0 * truth.radius_um[cell]
        light = np.clip(part - np.median(part) - 200, 0, None)
        centre = [(light.sum(axis=1 - axis) * np.arange(-reach, reach + 1)).sum() / light.sum() for axis in (0, 1)]
        expected = y[cell] - round(y[cell]), x[cell] - round(x[cell])
        np.testing.assert_allclose(centre, expected, atol=1.5)


def test_brightness_is_the_height_of_a_nucleus_and_radius_its_size():
    truth, reach = SPARSE.truth("E05"), 40
    image = SPARSE.ideal("E05", 1, 1, 3, 1)
    y, x = pixels(SPARSE, truth)
    found = [cell for cell in alone(SPARSE, truth, reach) if not truth.mitotic[cell] and abs(truth.z_um[cell]) < 2]
    assert found
    for cell in found:
        part = square(image, y[cell], x[cell], reach) - SPARSE.background
        brightness = truth.brightness[cell, 0]
        assert 0.5 * brightness < np.percentile(part, 99) < 1.6 * brightness
        # A plateau with a soft edge is half as high at about 0.68 of its semi-axes, where (1-u)^2 (1+2u) = 1/2.
        radius_um = np.sqrt((part > 0.5 * brightness).sum() / np.pi) * SPARSE.pixel_size_um
        assert radius_um == pytest.approx(0.7 * truth.radius_um[cell], rel=0.2)


def test_cells_drift_as_the_truth_says():
    first, last = SPARSE.truth("E05", 1), SPARSE.truth("E05", 6)
    moved = np.hypot(last.y_um - first.y_um, last.x_um - first.x_um)
    assert 0 < moved.max() < 5 * 0.9
    reach = 40
    (y, x), (later_y, later_x) = pixels(SPARSE, first), pixels(SPARSE, last)
    images = [SPARSE.ideal("E05", 1, 1, 3, timepoint) for timepoint in (1, 6)]
    found = alone(SPARSE, first, reach + 8)
    assert len(found) >= 2
    for cell in found:
        before = square(images[0], y[cell], x[cell], reach) - SPARSE.background
        # The same square of the field, so that the light in it has moved.
        after = square(images[1], y[cell], x[cell], reach) - SPARSE.background
        steps = np.arange(-reach, reach + 1)
        shift = [
            (after.sum(axis=1 - axis) * steps).sum() / after.sum()
            - (before.sum(axis=1 - axis) * steps).sum() / before.sum()
            for axis in (0, 1)
        ]
        np.testing.assert_allclose(shift, (later_y[cell] - y[cell], later_x[cell] - x[cell]), atol=0.05)


def test_columns_have_one_length_and_sane_values():
    truth = SPARSE.truth("e5")
    count = len(truth)
    assert truth.well == "E05"
    for name in ("y_um", "x_um", "z_um", "radius_um", "mitotic"):
        assert getattr(truth, name).shape == (count,)
    assert truth.brightness.shape == truth.light.shape == (count, 3)
    assert (truth.brightness > 0).all()
    assert (truth.light > 0).all()
    assert np.abs(truth.z_um).max() < 6.0 + 1.0
    assert 2.9 < truth.radius_um.min() < truth.radius_um.max() < 8.7


def test_the_second_channel_is_dimmer_and_wider_than_the_nuclei():
    plate = SyntheticPlate(cells_per_field=40)
    truth = plate.truth("A01")
    assert np.median(truth.brightness[:, 1]) < 0.5 * np.median(truth.brightness[:, 0])
    images = [plate.ideal("A01", 1, channel, 1, 1) - plate.background for channel in (1, 2)]
    areas = [(image > 0.1 * np.percentile(image, 99)).mean() for image in images]
    assert areas[1] > 1.5 * areas[0]


@pytest.mark.parametrize("per_field", [0, 4, 35])
def test_a_field_holds_as_many_cells_as_stated_on_average(per_field):
    plate = SyntheticPlate(wells=("A01", "A02", "A03"), grid=(4, 4), cells_per_field=per_field)
    counts = []
    for well in plate.wells:
        truth = plate.truth(well)
        for site in plate.site_grid:
            y, x = pixels(plate, truth, site)
            counts.append(((y >= 0) & (y < 512) & (x >= 0) & (x < 512)).sum())
    assert np.mean(counts) == pytest.approx(per_field, rel=0.15)


def test_cells_take_up_each_further_dye_by_themselves():
    brightness = SyntheticPlate(channels=("DAPI", "GFP", "Cy5"), grid=(3, 3)).truth("A01").brightness
    others = np.log(brightness[:, 1:] / brightness[:, :1])
    assert (others.std(axis=0) > 0.3).all()
    assert abs(np.corrcoef(others, rowvar=False)[0, 1]) < 0.25


def test_an_empty_plate_is_background():
    plate = SyntheticPlate(cells_per_field=0, image_shape=(32, 40))
    np.testing.assert_array_equal(plate.ideal("A01", 1, 2, 1, 1), np.full((32, 40), plate.background, np.float32))
    assert plate.truth("A01").light.shape == (0, 2)


def test_nuclei_do_not_lie_on_top_of_each_other():
    truth = SyntheticPlate(cells_per_field=40).truth("A01")
    apart = np.hypot(truth.y_um[:, None] - truth.y_um, truth.x_um[:, None] - truth.x_um)
    touching = apart < truth.radius_um[:, None] + truth.radius_um
    assert np.triu(touching, 1).sum() <= 0.02 * len(truth)


def test_no_cell_reaches_farther_than_stated():
    plate = SyntheticPlate(cells_per_field=60, grid=(4, 4), channels=("DAPI", "GFP", "Cy5"))
    cells = population(plate, "A01")
    for channel in (1, 2, 3):
        shown = appearance(plate, "A01", channel)
        centre = np.hypot(shown.parts.y - cells.y[shown.cell], shown.parts.x - cells.x[shown.cell])
        reach_um = (centre + np.maximum(shown.parts.along, shown.parts.across)) * plate.pixel_size_um
        assert reach_um.max() < REACH_UM


def test_the_truth_cannot_be_spoiled():
    truth = SPARSE.truth("E05")
    truth.z_um[:] = 99.0
    truth.brightness[:] = 0.0
    truth.mitotic[:] = True
    again = SPARSE.truth("E05")
    assert again.z_um.max() < 99.0
    assert again.brightness.all()
    assert not again.mitotic.all()


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (("A01", 1, 1, 1, 1), "no well A01"),
        (("E05", 2, 1, 1, 1), "no site 2: it has 1 to 1"),
        (("E05", 0, 1, 1, 1), "no site 0"),
        (("E05", 1, 4, 1, 1), "no channel 4: it has 1 to 3"),
        (("E05", 1, 1, 6, 1), "no z_index 6: it has 1 to 5"),
        (("E05", 1, 1, 1, 7), "no timepoint 7: it has 1 to 6"),
    ],
)
def test_a_plane_that_is_not_there_is_an_error(place, text):
    with pytest.raises(PlateError, match=text):
        SPARSE.image(*place)


@pytest.mark.parametrize(
    "wrong",
    [
        {"grid": (0, 2)}, {"grid": (1, 2, 3)}, {"image_shape": (10,)}, {"overlap": 1.0}, {"dtype": "float32"},
        {"channels": ()}, {"channels": ("A", "A")}, {"z_count": 0}, {"pixel_size_um": 0.0}, {"seed": -1},
        {"shading": 1.5}, {"name": "a/b"}, {"cells_per_field": -1}, {"stage_error_px": -0.1},
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        attrs.evolve(SPARSE, **wrong)


@pytest.mark.parametrize(
    ("wells", "text"),
    [
        (("A01", "a1"), "stands twice"),
        (("AG01",), "AF48"),
        (("A49",), "AF48"),
        (("well",), "no well name"),
        ((), "no well"),
    ],
)
def test_wrong_wells_are_refused(wells, text):
    with pytest.raises(PlateError, match=text):
        SyntheticPlate(wells=wells)


NFC = "プレート \u304c 株\u00e9"
NFD = "プレート \u304b\u3099 株e\u0301"


@pytest.mark.parametrize("name", ["plate 1", "#7 (copy)", "5 µm", NFC, NFD, "a.b-c_d"])
def test_a_name_of_any_script_is_kept_as_it_is(name):
    assert SyntheticPlate(name=name).name == SyntheticPlate(name=name).description().name == name


@pytest.mark.parametrize("name", ["", " ", "a ", " a", ".a", "a.", "a/b", "a\\b", "a:b", "a?", "a\tb", "a\nb", "a\0"])
def test_a_name_that_no_folder_can_have_is_refused(name):
    with pytest.raises(ValueError, match="expected a name that a folder can have"):
        SyntheticPlate(name=name)


def test_fractions_of_a_plane_are_refused():
    with pytest.raises(TypeError):
        SyntheticPlate(image_shape=(10.5, 10))
