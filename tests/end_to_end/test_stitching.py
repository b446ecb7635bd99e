"""Stitched wells through a whole run, against plates whose every pixel and position is known.

Where no noise is in the images, overlapping fields show the same: every tile, as the plate says that it is, has to be
found in the mosaic at the place at which the plate says that it lies, by what the mosaic's own metadata say of its
pixels. Numbers are compared to a grey value, as a field's light is rounded where it is drawn.
"""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import attrs
import cv2
import numpy as np
import ome_types
import pytest
import tifffile
import yaozarrs
import zarr

from hcs_core import (
    GlobalPipelineConfig,
    ImageStitchingStep,
    Parameter,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    PositionGenerationStep,
    Step,
    StitcherSpec,
    TilePositions,
    VFSConfig,
    ZarrConfig,
    hookimpl,
    step_function,
)
from hcs_core.arrays.positions_table import read_positions
from hcs_core.arrays.table import Table
from hcs_synthetic import Fault, SyntheticPlate, make_plate as write_plate
from hcs_zarr.check import check_plate

PLATE = SyntheticPlate(
    name="plate", wells=("A01", "B03"), grid=(2, 3), image_shape=(60, 80), cells_per_field=6.0, overlap=0.2,
    pixel_size_um=0.5, shading=0.0, photon_noise=False, read_noise=False,
)  # fmt: skip
STITCH = (PositionGenerationStep(channel="DAPI"), ImageStitchingStep())


@pytest.fixture
def written(tmp_path, installed):
    """Return a function that writes a plate into a folder of its own."""

    def write(plate):
        return write_plate(tmp_path / "plates", plate, plugins=installed)

    return write


@pytest.fixture
def run(written, tmp_path, installed):
    """Return a function that runs steps on a synthetic plate; the result lies in `result.output`."""

    def call(plate, *steps, plugins=installed, output="out", root=None, **config):
        config = GlobalPipelineConfig(**{"num_workers": 1, **config})
        root = written(plate) if root is None else root
        orchestrator = PipelineOrchestrator(root, global_config=config, plugins=plugins, output=tmp_path / output)
        return orchestrator.run([Pipeline("stitched", steps)])

    return call


def ome(store, path):
    """The OME metadata of a group, 0.5 or 0.4."""
    newer, older = store / path / "zarr.json", store / path / ".zattrs"
    return json.loads(newer.read_text())["attributes"]["ome"] if newer.exists() else json.loads(older.read_text())


def mosaic(store, well, name="stitched"):
    """A well's mosaic as (t, c, z, y, x), and (y, x) in um of its first pixel and of the side of a pixel."""
    path = f"{well[0]}/{well[1:]}/{name}"
    pixels = np.asarray(zarr.open_array(store / path / "0", mode="r")[:])
    scale, translation = ome(store, path)["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    return pixels, np.array(translation["translation"][-2:]), scale["scale"][-1]


def corners(plate, well, sites, first_um, pixel_um, shape):
    """Where the first pixels of fields lie in a mosaic, by the plate's true positions."""
    half = (np.array(shape) - 1) / 2 * pixel_um
    centres = np.array([(plate.positions[well, site].y_um, plate.positions[well, site].x_um) for site in sites])
    return (centres - half - first_um) / pixel_um


def check_mosaic(plate, plane, where, tiles):
    """Every tile is in the plane where it should be, and nothing is where no tile lies."""
    covered = np.zeros(plane.shape, bool)
    for (y, x), tile in zip(where, tiles, strict=True):
        assert abs(y - round(y)) < 1e-3 > abs(x - round(x)), "on this plate, fields lie whole pixels apart"
        place = slice(round(y), round(y) + tile.shape[0]), slice(round(x), round(x) + tile.shape[1])
        found = plane[place].astype(int)
        assert found.shape == tile.shape
        assert np.abs(found - tile).max() <= 1
        covered[place] = True
    assert not plane[~covered].any()


def check_well(plate, store, well, sites=None, changed=lambda tile: tile, slices=None):
    """Every plane of a well's mosaic is made of the fields as the plate says that they are."""
    sites = sorted(plate.site_grid) if sites is None else sites
    pixels, first_um, pixel_um = mosaic(store, well)
    slices = range(1, plate.z_count + 1) if slices is None else slices
    assert pixels.shape[:3] == (plate.timepoint_count, len(plate.channels), len(slices))
    shape = changed(plate.image(well, sites[0], 1, 1, 1)).shape
    where = corners(plate, well, sites, first_um, pixel_um, shape)
    for t, c, z in itertools.product(*map(range, pixels.shape[:3])):
        tiles = [changed(plate.image(well, site, c + 1, slices[z], t + 1)) for site in sites]
        check_mosaic(plate, pixels[t, c, z], where, tiles)


# --- One mosaic for every channel, z and timepoint ---------------------------------------------------------------


def test_every_plane_of_a_mosaic_is_made_of_the_fields(run):
    plate = attrs.evolve(PLATE, z_count=2, timepoint_count=2)
    store = run(plate, *STITCH).output / "images.zarr"
    yaozarrs.validate_zarr_store(str(store))
    assert check_plate(store, allow_absent_chunks=True) == ()
    for well in plate.wells:
        check_well(plate, store, well)
        images = [image["path"] for image in ome(store, f"{well[0]}/{well[1:]}")["well"]["images"]]
        assert images == [*map(str, range(6)), "stitched"]


def test_the_images_of_sites_stay_beside_it_as_they_were(run):
    store = run(PLATE, *STITCH).output / "images.zarr"
    for well, site in itertools.product(PLATE.wells, PLATE.site_grid):
        pixels, first_um, pixel_um = mosaic(store, well, str(site - 1))
        for channel in (1, 2):
            np.testing.assert_array_equal(pixels[0, channel - 1, 0], PLATE.image(well, site, channel, 1, 1))
        position = PLATE.nominal_positions[well, site]
        half = (np.array(PLATE.image_shape) - 1) / 2 * pixel_um
        np.testing.assert_allclose(first_um + half, (position.y_um, position.x_um), atol=1e-6)


def test_a_mosaic_is_chunked_by_1024_and_a_canvas_is_whole_multiples_of_64(run):
    plate = attrs.evolve(PLATE, wells=("A01",), image_shape=(700, 60), cells_per_field=1.0)
    array = zarr.open_array(run(plate, *STITCH).output / "images.zarr/A/01/stitched/0", mode="r")
    # Two rows of 700 with 20 % overlap are 1260 px, three columns of 60 are 156.
    assert array.shape[-2] >= 1260
    assert array.shape[-1] >= 156
    assert array.chunks == (1, 1, 1, 1024, array.shape[-1])
    assert [side % 64 for side in array.shape[-2:]] == [0, 0]


def test_a_pyramid_belongs_to_a_mosaic_as_to_any_image(run):
    plate = attrs.evolve(PLATE, wells=("A01",), image_shape=(300, 300), cells_per_field=3.0)
    store = run(plate, *STITCH).output / "images.zarr/A/01/stitched"
    levels = [np.asarray(zarr.open_array(store / str(level), mode="r")[0, 0, 0]) for level in (0, 1)]
    mean = levels[0].reshape(levels[1].shape[0], 2, levels[1].shape[1], 2).mean(axis=(1, 3))
    assert np.abs(levels[1] - mean).max() <= 0.5


def test_pixels_that_were_joined_before_stitching_lie_where_they_should(run):
    store = run(PLATE, Step("bin", factor=2), *STITCH).output / "images.zarr"

    def joined(tile):
        return tile.reshape(30, 2, 40, 2).mean(axis=(1, 3))

    assert mosaic(store, "A01")[2] == 1.0
    for well in PLATE.wells:
        check_well(PLATE, store, well, changed=joined)


def test_pixels_that_are_joined_after_stitching_lie_where_they_should(run, written):
    root = written(PLATE)
    before = mosaic(run(PLATE, *STITCH, root=root, output="before").output / "images.zarr", "B03")
    result = run(PLATE, *STITCH, Step("bin", factor=2), root=root)
    pixels, first_um, pixel_um = mosaic(result.output / "images.zarr", "B03")
    t, c, z, y, x = before[0].shape
    expected = before[0].reshape(t, c, z, y // 2, 2, x // 2, 2).mean(axis=(4, 6))
    assert np.abs(pixels - expected).max() <= 0.5
    assert pixel_um == 2 * before[2]
    np.testing.assert_allclose(first_um, before[1] + 0.5 * before[2])


def test_cropped_fields_lie_where_they_were_cut_out(run):
    store = run(PLATE, Step("crop", y=4, x=8, height=54, width=70), *STITCH).output / "images.zarr"
    pixels, first_um, pixel_um = mosaic(store, "A01")
    where = corners(PLATE, "A01", PLATE.site_grid, first_um, pixel_um, PLATE.image_shape) + np.array((4, 8))
    tiles = [PLATE.image("A01", site, 1, 1, 1)[4:58, 8:78] for site in PLATE.site_grid]
    check_mosaic(PLATE, pixels[0, 0, 0], where, tiles)


def test_steps_go_on_with_the_mosaic(run, written):
    plate = attrs.evolve(PLATE, z_count=2, wells=("A01",))
    root = written(plate)
    plain = mosaic(run(plate, *STITCH, root=root, output="plain").output / "images.zarr", "A01")[0]
    steps = (*STITCH, Step("gaussian_blur", sigma=2.0, save=True), Step("max_projection"))
    result = run(plate, *steps, root=root)
    blurred = mosaic(result.output / "gaussian_blur.zarr", "A01")[0]
    expected = cv2.GaussianBlur(plain[0, 0, 0].astype(np.float64), (0, 0), 2.0)
    inside = (slice(16, -16), slice(16, -16))
    assert np.abs(blurred[0, 0, 0][inside] - expected[inside]).max() <= 1
    final = mosaic(result.output / "images.zarr", "A01")[0]
    np.testing.assert_array_equal(final[:, :, 0], blurred.max(axis=2))
    # What is kept after `stitch` holds mosaics alone; the final plate has the sites' slices beside the mosaic.
    images = [image["path"] for image in ome(result.output / "gaussian_blur.zarr", "A/01")["well"]["images"]]
    assert images == ["stitched"]
    assert mosaic(result.output / "images.zarr", "A01", "0")[0].shape == (1, 2, 2, 60, 80)
    for store in ("images.zarr", "gaussian_blur.zarr"):
        yaozarrs.validate_zarr_store(str(result.output / store))
        assert check_plate(result.output / store, allow_absent_chunks=True) == ()


@step_function(axes="zyx")
def turned_over(image):
    return image[::-1].copy()


@pytest.mark.parametrize("backend", ["memory", "disk", "zarr"])
def test_mosaics_that_wait_for_what_comes_next_come_back_as_they_were(run, written, backend):
    plate = attrs.evolve(PLATE, z_count=3)
    root = written(plate)
    plain = run(plate, *STITCH, root=root, output="plain").output / "images.zarr"
    steps = (*STITCH, Step(turned_over), Step("rescale_intensity", low=0, high=65535, out_low=0, out_high=65535))
    result = run(plate, *steps, root=root, vfs=VFSConfig(intermediate_backend=backend))
    assert result.status == "ok", [record.fault for record in result.failed]
    for well in plate.wells:
        made = mosaic(result.output / "images.zarr", well)[0]
        np.testing.assert_array_equal(made, mosaic(plain, well)[0][:, :, ::-1])
    assert not (result.output / ".hcs" / "waiting").exists()


@step_function(out="", makes={"brightest": "table"})
def measure(image):
    return Table({"brightest": [int(image.max())]})


def test_what_is_measured_on_mosaics_is_told_of_wells_and_not_of_sites(run):
    result = run(PLATE, *STITCH, Step(measure))
    table = result.tables["brightest"]
    assert "Metadata_Site" not in table.names
    assert list(zip(table["Metadata_Well"].tolist(), table["Metadata_Channel"].tolist(), strict=True)) == [
        (well, channel) for well in PLATE.wells for channel in ("DAPI", "GFP")
    ]
    truth = [
        max(int(PLATE.image(well, site, channel, 1, 1).max()) for site in PLATE.site_grid)
        for well in PLATE.wells
        for channel in (1, 2)
    ]
    assert np.abs(table["brightest"] - truth).max() <= 1


# --- Wells of every shape -----------------------------------------------------------------------------------------


def test_one_site_alone_is_its_own_mosaic(run):
    plate = attrs.evolve(PLATE, grid=(1, 1))
    store = run(plate, *STITCH).output / "images.zarr"
    for well in plate.wells:
        check_well(plate, store, well)


def test_wells_that_lack_sites_have_a_mosaic_of_those_that_are_there(run):
    faults = (
        Fault(kind="missing", wells="B03", sites=(3, 6)),
        Fault(kind="missing", wells="A01", sites=5, channels=2),
    )
    plate = attrs.evolve(PLATE, faults=faults)
    result = run(plate, *STITCH, missing="skip-site")
    store = result.output / "images.zarr"
    check_well(plate, store, "A01", sites=[1, 2, 3, 4, 6])
    check_well(plate, store, "B03", sites=[1, 2, 4, 5])
    assert mosaic(store, "A01")[0].shape[-1] > mosaic(store, "B03")[0].shape[-1]
    assert result.well_tables["B03"]["positions"]["Metadata_Site"].tolist() == [1, 2, 4, 5]


def test_a_file_that_turns_out_to_be_unusable_leaves_a_hole_in_the_mosaic(run):
    plate = attrs.evolve(PLATE, faults=(Fault(kind="truncated", wells="B03", sites=6, channels=2),))
    result = run(plate, *STITCH, missing="skip-site")
    assert result.wells["B03"].sites == (1, 2, 3, 4, 5)
    store = result.output / "images.zarr"
    check_well(plate, store, "B03", sites=[1, 2, 3, 4, 5])
    assert mosaic(store, "A01")[0].shape == mosaic(store, "B03")[0].shape


@pytest.mark.parametrize("kind", ["missing", "truncated"])
def test_what_is_filled_leaves_a_hole_in_one_channel_alone(run, kind):
    plate = attrs.evolve(PLATE, wells=("B03",), faults=(Fault(kind=kind, wells="B03", sites=6, channels=2),))
    result = run(plate, *STITCH, missing="fill")
    assert result.status == "ok", [record.fault for record in result.failed]
    assert result.present == {"B03": 11}
    assert result["B03"].outputs == (result.output / "images.zarr",)
    pixels, first_um, pixel_um = mosaic(result.output / "images.zarr", "B03")
    for c, sites in ((0, [1, 2, 3, 4, 5, 6]), (1, [1, 2, 3, 4, 5])):
        where = corners(plate, "B03", sites, first_um, pixel_um, plate.image_shape)
        tiles = [plate.image("B03", site, c + 1, 1, 1) for site in sites]
        check_mosaic(plate, pixels[0, c, 0], where, tiles)


def test_a_channel_without_a_stack_is_stitched_beside_one_with(run):
    plate = attrs.evolve(PLATE, wells=("A01",), z_count=2, faults=(Fault(kind="missing", channels=2, z_indexes=2),))
    result = run(plate, *STITCH, missing="error")
    pixels, first_um, pixel_um = mosaic(result.output / "images.zarr", "A01")
    where = corners(plate, "A01", plate.site_grid, first_um, pixel_um, plate.image_shape)
    for c, z in ((0, 0), (0, 1), (1, 0)):
        tiles = [plate.image("A01", site, c + 1, z + 1, 1) for site in plate.site_grid]
        check_mosaic(plate, pixels[0, c, z], where, tiles)
    assert not pixels[0, 1, 1].any()


# --- Positions ----------------------------------------------------------------------------------------------------


class Oracle:
    """A stitcher that is told where fields really are, and asks for tiles from the last to the first."""

    plate = PLATE

    def positions(self, tiles, nominal_yx, *, max_shift):
        taken = [tile() for tile in reversed(tiles)][::-1]
        well = next(well for well in self.plate.wells if np.array_equal(taken[0], self.plate.image(well, 1, 2, 1, 1)))
        true = np.array([attrs.astuple(self.plate.positions[well, site]) for site in self.plate.site_grid])
        stage = np.array([attrs.astuple(self.plate.nominal_positions[well, site]) for site in self.plate.site_grid])
        shifts = (true - stage) / self.plate.pixel_size_um
        assert np.abs(shifts).max() <= max_shift
        return TilePositions(yx=nominal_yx + shifts, confidence=np.linspace(0.5, 1.0, len(tiles)))

    def fuse(self, tiles, positions_yx, shape):
        found = None
        for tile, (y, x) in zip(tiles, np.rint(positions_yx).astype(int), strict=True):
            found = np.zeros(shape, tile.dtype) if found is None else found
            found[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
        return found


def with_stitcher(target, stitcher, **facts):
    """Return the installed plugins, and a stitcher called `oracle`."""
    limit = Parameter(name="max_shift", kind="float", default=12.0)
    facts = {"positions": (limit,), "needs_pixels": True, "max_shift": "max_shift", **facts}
    spec = StitcherSpec(name="oracle", target=target("stitcher", stitcher), **facts)
    manager = PluginManager()
    manager.discover()
    manager.register(SimpleNamespace(hcs_api=1, hcs_stitchers=hookimpl(lambda: iter((spec,)))), "made_up")
    return manager


MOVED = attrs.evolve(PLATE, stage_error_px=3.0, whole_pixel_stage_error=True, z_count=3)


def test_found_positions_are_those_of_every_channel_and_slice(run, written, target):
    # Tiles are compared in the second channel, in the middle of the stack: of three slices in the second.
    class Middle(Oracle):
        def positions(self, tiles, nominal_yx, *, max_shift):
            taken = [tile() for tile in reversed(tiles)][::-1]
            well = next(well for well in MOVED.wells if np.array_equal(taken[0], MOVED.image(well, 1, 2, 2, 1)))
            for site, tile in enumerate(taken, 1):
                np.testing.assert_array_equal(tile, MOVED.image(well, site, 2, 2, 1))
            true, stage = MOVED.positions, MOVED.nominal_positions
            shifts = np.array([
                np.subtract(attrs.astuple(true[well, site]), attrs.astuple(stage[well, site]))
                for site in MOVED.site_grid
            ])  # fmt: skip
            assert np.abs(shifts).max() <= max_shift * MOVED.pixel_size_um
            return TilePositions(
                yx=nominal_yx + shifts / MOVED.pixel_size_um, confidence=np.linspace(0.5, 1.0, len(tiles))
            )

    steps = (PositionGenerationStep(channel="GFP", stitcher="oracle"), ImageStitchingStep(stitcher="oracle"))
    root = written(MOVED)
    result = run(MOVED, *steps, plugins=with_stitcher(target, Middle), root=root)
    assert result.status == "ok", [record.fault for record in result.failed]
    store = result.output / "images.zarr"
    for well in MOVED.wells:
        check_well(MOVED, store, well)
        table = result.well_tables[well]["positions"]
        _, first_um, pixel_um = mosaic(store, well)
        where = corners(MOVED, well, MOVED.site_grid, first_um, pixel_um, MOVED.image_shape)
        np.testing.assert_allclose(np.stack([table["y_px"], table["x_px"]], axis=1), where, atol=1e-3)
        assert table["confidence"].tolist() == np.linspace(0.5, 1.0, 6).tolist()
        assert set(table["Metadata_Plate"]) == {"plate"}
        assert set(table["Metadata_Well"]) == {well}
    # The stage was wrong, and by the stage's word the tiles would not fit.
    with pytest.raises(AssertionError):
        check_well(MOVED, run(MOVED, *STITCH, root=root, output="plain").output / "images.zarr", "A01")


def test_positions_that_were_found_in_larger_pixels_are_used_in_smaller_ones(run, target):
    plate = attrs.evolve(MOVED, z_count=1, image_shape=(60, 84))

    class Binned(Oracle):
        def positions(self, tiles, nominal_yx, *, max_shift):
            tile = tiles[0]()
            assert tile.shape == (30, 42)
            assert max_shift == 12.0
            moved = np.zeros_like(nominal_yx)
            moved[1] = (1.0, -2.0)
            return TilePositions(yx=nominal_yx + moved, confidence=np.ones(len(tiles)))

    steps = (Step("bin", factor=2), PositionGenerationStep(stitcher="oracle"), ImageStitchingStep(stitcher="oracle"))
    result = run(plate, *steps, plugins=with_stitcher(target, Binned))
    assert result.status == "ok", [record.fault for record in result.failed]
    table = result.well_tables["A01"]["positions"]
    # 20 % overlap of 84 pixels are 67 from column to column, in pixels twice as wide 33.5.
    assert table["x_px"][1] - table["x_px"][0] == pytest.approx(33.5 - 2.0)
    assert table["y_px"][1] - table["y_px"][0] == pytest.approx(1.0)


def test_the_table_of_positions_that_a_run_leaves_is_taken_back(run, target, written):
    class Told(Oracle):
        plate = attrs.evolve(MOVED, z_count=1)

    plugins, root = with_stitcher(target, Told), written(Told.plate)
    steps = (PositionGenerationStep(channel="GFP", stitcher="oracle"), ImageStitchingStep(stitcher="oracle"))
    first = run(Told.plate, *steps, plugins=plugins, root=root)
    file = first.output / "results" / "positions.csv"
    assert file.read_text().splitlines()[0] == "Metadata_Plate,Metadata_Well,Metadata_Site,y_px,x_px,confidence"
    again = run(Told.plate, ImageStitchingStep(positions_file=str(file)), root=root, output="again")
    for well in Told.plate.wells:
        check_pixels(mosaic(first.output / "images.zarr", well), mosaic(again.output / "images.zarr", well))
        own = again.well_tables[well]["positions"]
        known = read_positions(file)
        rows_of_it = known["Metadata_Well"] == well
        assert own["confidence"].tolist() == known["confidence"][rows_of_it].tolist()


def check_pixels(one, other):
    """Two mosaics show the same, whichever whole pixel their canvases begin at."""
    trimmed = []
    for pixels in (one[0][0, 0, 0], other[0][0, 0, 0]):
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        trimmed.append(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(int))
    assert trimmed[0].shape == trimmed[1].shape
    # Which of two fields is on top is each stitcher's own.
    assert np.abs(trimmed[0] - trimmed[1]).max() <= 1


class TooSmall(Oracle):
    def fuse(self, tiles, positions_yx, shape):
        return np.zeros((3, 3), np.uint16)


class RaisesInFuse(Oracle):
    def fuse(self, tiles, positions_yx, shape):
        raise AttributeError("boom")


class RaisesInPositions(Oracle):
    def positions(self, tiles, nominal_yx, *, max_shift):
        raise ZeroDivisionError


class AsksTwice(Oracle):
    def positions(self, tiles, nominal_yx, *, max_shift):
        return [tiles[0](), tiles[0]()]


class GivesTooFew(Oracle):
    def positions(self, tiles, nominal_yx, *, max_shift):
        return TilePositions(yx=nominal_yx[1:], confidence=np.zeros(len(tiles) - 1))


class MovesTooFar(Oracle):
    def positions(self, tiles, nominal_yx, *, max_shift):
        return TilePositions(yx=nominal_yx + 300, confidence=np.zeros(len(tiles)))


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (TooSmall, "a mosaic of uint16 (3, 3)"),
        (RaisesInFuse, "raised AttributeError: boom"),
        (RaisesInPositions, "raised ZeroDivisionError"),
        (AsksTwice, "tile 0 was asked for twice"),
        (GivesTooFew, "5 positions of 6"),
        (MovesTooFar, "site 1: it lies at"),
    ],
)
def test_a_stitcher_that_fails_fails_its_well_by_name(run, target, broken, text):
    steps = (PositionGenerationStep(channel=2, stitcher="oracle"), ImageStitchingStep(stitcher="oracle"))
    result = run(PLATE, *steps, plugins=with_stitcher(target, broken))
    assert result.status == "failed"
    for record in result.failed:
        assert record.fault.step == record.fault.function
        assert record.fault.step in {"positions", "stitch"}
        assert text in record.fault.error
    assert not (result.output / "images.zarr" / "zarr.json").exists()


# --- Places and workers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zarr_config", [{"ome_zarr_version": "0.4"}, {"shards": "image", "chunk_strategy": "tiled"}], ids=str
)
def test_other_forms_of_ome_zarr_hold_the_same(run, zarr_config):
    plate = attrs.evolve(PLATE, image_shape=(600, 700), cells_per_field=3.0, wells=("A01",))
    store = run(plate, *STITCH, zarr=ZarrConfig(**zarr_config)).output / "images.zarr"
    yaozarrs.validate_zarr_store(str(store))
    assert check_plate(store, allow_absent_chunks=True) == ()
    check_well(plate, store, "A01")
    if "shards" in zarr_config:
        array = zarr.open_array(store / "A/01/stitched/0", mode="r")
        files = [path for path in (store / "A/01/stitched/0").rglob("*") if path.is_file() and path.name.isdigit()]
        assert array.chunks[-2:] == (1024, 1024)
        assert len(files) == 1


def test_files_of_the_disk_backend_hold_the_same(run):
    result = run(PLATE, *STITCH, vfs=VFSConfig(materialization_backend="disk"))
    (index,) = result.output.glob("images*/index.json")
    store, document = index.parent, json.loads(index.read_text())
    for well in PLATE.wells:
        for channel in (1, 2):
            file = store / well / f"{well}_stitched_w{channel:02d}_z001_t001.ome.tif"
            pixels = tifffile.imread(file)
            told = ome_types.from_tiff(file)
            (plane,) = told.images[0].pixels.planes
            centre = np.array([plane.position_y, plane.position_x])
            entry = document["wells"][well]["mosaic"]
            assert entry["shape_yx"] == list(pixels.shape)
            np.testing.assert_allclose([entry["y_um"], entry["x_um"]], centre, atol=1e-6)
            first_um = centre - (np.array(pixels.shape) - 1) / 2 * PLATE.pixel_size_um
            where = corners(PLATE, well, PLATE.site_grid, first_um, PLATE.pixel_size_um, PLATE.image_shape)
            tiles = [PLATE.image(well, site, channel, 1, 1) for site in PLATE.site_grid]
            check_mosaic(PLATE, pixels, where, tiles)
        assert len(list((store / well).glob("*_s*_w*.ome.tif"))) == 12 + 2


@pytest.mark.parametrize("config", [{"num_workers": 2}, {"num_workers": 2, "use_threading": True}])
def test_workers_make_the_same(run, written, config):
    root = written(PLATE)
    here = run(PLATE, *STITCH, root=root)
    there = run(PLATE, *STITCH, root=root, output="workers", **config)
    for well in PLATE.wells:
        np.testing.assert_array_equal(
            mosaic(here.output / "images.zarr", well)[0], mosaic(there.output / "images.zarr", well)[0]
        )
        one, other = (result.well_tables[well]["positions"] for result in (here, there))
        assert [one[name].tolist() for name in one.names] == [other[name].tolist() for name in other.names]


def test_a_rerun_makes_what_is_not_there(run, written):
    root = written(PLATE)
    first = run(PLATE, *STITCH, root=root)
    pixels = mosaic(first.output / "images.zarr", "B03")[0]
    again = run(PLATE, *STITCH, root=root)
    assert {record.status for record in again.wells.values()} == {"cached"}
    np.testing.assert_array_equal(mosaic(again.output / "images.zarr", "B03")[0], pixels)


# --- Real plates --------------------------------------------------------------------------------------------------


def test_a_real_well_is_stitched_at_its_stage_positions(samples, hcs, write_pipeline, tmp_path):
    plate = samples / "9987_Plate_3434"
    ran = hcs("run", plate, write_pipeline("  - positions: {channel: 1}\n  - stitch\n"), "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    store = tmp_path / "out" / "images.zarr"
    assert ran.out.count(store.name) == 1
    yaozarrs.validate_zarr_store(str(store))
    for well in ("B02", "B03"):
        pixels, first_um, pixel_um = mosaic(store, well)
        for z, c in itertools.product((1, 2), (1, 2, 3)):
            covered = np.zeros(pixels.shape[-2:], bool)
            for site in (1, 2):
                with tifffile.TiffFile(plate / f"TimePoint_1/ZStep_{z}/9987_{well}_s{site}_w{c}.TIF") as file:
                    tile, text = file.asarray(), file.pages[0].description
                centre = [float(text.split(f'id="OffsetFromWellCenterUm{axis}"')[1].split('"')[3]) for axis in "YX"]
                y, x = np.floor((np.array(centre) - first_um) / pixel_um - 255 / 2 + 0.5).astype(int)
                place = (slice(y, y + 256), slice(x, x + 256))
                fresh = ~covered[place]
                np.testing.assert_array_equal(pixels[0, c - 1, z - 1][place][fresh], tile[fresh])
                covered[place] = True
            assert not pixels[0, c - 1, z - 1][~covered].any()


def test_a_real_plate_of_one_image_is_stitched_too(samples, hcs, write_pipeline, tmp_path):
    plate = samples / "9987_Plate_3420"
    ran = hcs("run", plate, write_pipeline("  - stitch\n"), "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    pixels = mosaic(tmp_path / "out" / "images.zarr", "B02")[0][0, 0, 0]
    tile = tifffile.imread(plate / "TimePoint_1" / "9987_B02.TIF")
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    np.testing.assert_array_equal(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], tile)
