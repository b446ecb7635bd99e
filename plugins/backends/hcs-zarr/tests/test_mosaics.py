"""Mosaics beside sites: what zarr and other people's libraries find in a plate that has them."""

import importlib.util
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import attrs
import numpy as np
import pytest
import yaozarrs
import zarr

from hcs_core import MOSAIC, FinishedWell, PlaneAddress, StorageError
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.check import check_plate
from hcs_zarr.size import store_size

FRAMES = {"A01": (130, 190), "B03": (1100, 64)}
"""(y, x): one of a single chunk, one of more rows than a chunk has; both of rows of levels that are odd."""


@attrs.frozen(kw_only=True)
class Plate:
    """A finished plate, the (t, c, z, y, x) of its mosaics, and the planes of its sites by (well, address)."""

    store: object
    mosaics: dict
    planes: dict

    @property
    def path(self):
        return self.store.root


def with_mosaic(layout, **changes):
    """A layout with mosaics of the same channels and dtype as the sites' images, and one z_index."""
    t, c, _, _, _ = layout.image.shape
    shard = None if layout.image.shard is None else (1, c, 1, 1024, 1024)
    facts = {"shape": (t, c, 1, 0, 0), "level_shapes": (), "chunk": (1, 1, 1, 1024, 1024), "shard": shard}
    return attrs.evolve(layout, mosaic=attrs.evolve(layout.image, **facts), field_count=3, **changes)


@pytest.fixture
def write(tmp_path, addresses, random_plane):
    def call(layout):
        generator = np.random.default_rng(3)
        store = ZarrBackend().open(tmp_path, layout)
        sites = (1, 2) if layout.image else ()
        store.declare(dict.fromkeys(FRAMES, sites), mosaics=FRAMES)
        mosaics, planes = {}, {}
        for number, (well, frame) in enumerate(FRAMES.items()):
            images = store.open_well(well, frame)
            mosaics[well] = generator.integers(0, 4000, (*layout.mosaic.shape[:3], *frame), np.uint16)
            for t, c, z in product(*map(range, layout.mosaic.shape[:3])):
                images.write(PlaneAddress(site=MOSAIC, t=t, c=c, z=z), mosaics[well][t, c, z])
            for address in addresses(layout, sites) if sites else ():
                planes[well, address] = random_plane(generator, layout)
                images.write(address, planes[well, address])
            summary = images.close()
            place = {"mosaic": frame, "mosaic_translation": (12.5 * number, -40.0)}
            fields = {"sites": sites, "translations": dict.fromkeys(sites, (1.0, 2.0))}
            store.finish_well(FinishedWell(well=well, summary=summary, **fields, **place))
        return Plate(store=store, mosaics=mosaics, planes=planes)

    return call


@pytest.fixture(params=["beside sites", "alone"])
def plate(request, make_layout, write):
    layout = with_mosaic(make_layout())
    return write(layout if request.param == "beside sites" else attrs.evolve(layout, image=None, field_count=1))


def path_of(plate, well):
    return plate.path / well[0] / well[1:]


def test_zarr_reads_what_was_written(plate):
    for well, truth in plate.mosaics.items():
        array = zarr.open_array(path_of(plate, well) / "stitched" / "0", mode="r")
        assert array.chunks == (1, 1, 1, *(min(1024, side) for side in FRAMES[well]))
        np.testing.assert_array_equal(array[:], truth)
    for (well, address), plane in plate.planes.items():
        array = zarr.open_array(path_of(plate, well) / str(address.site - 1) / "0", mode="r")
        np.testing.assert_array_equal(array[address.t, address.c, address.z], plane)


def test_a_pyramid_is_the_mean_of_four(plate):
    folder = path_of(plate, "B03") / "stitched"
    levels = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
    # Halved until no side is longer than 384: 1100, 550, 275.
    assert levels == [0, 1, 2]
    below = np.asarray(zarr.open_array(folder / "1", mode="r")[0, 0, 0])
    mean = plate.mosaics["B03"][0, 0, 0].reshape(550, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(below, np.floor(mean + 0.5))


def test_a_plan_is_told_how_much_it_takes(plate):
    layout = plate.store.layout
    wells = dict.fromkeys(FRAMES, (1, 2) if layout.image else ())
    size = store_size(layout, wells, FRAMES)
    assert size.files == sum(path.is_file() for path in plate.path.rglob("*"))
    levels = {"A01": [(130, 190)], "B03": [(1100, 64), (550, 32), (275, 16)]}
    pixels = 2 * sum(y * x for each in levels.values() for y, x in each)
    if layout.image:
        pixels += 2 * 2 * 4 * sum(y * x for y, x in layout.image.level_shapes)
    assert size.bytes == 2 * pixels


def test_a_well_lists_its_sites_and_then_the_mosaic(plate, disk):
    sites = ["0", "1"] if plate.store.layout.image else []
    for well in FRAMES:
        images = disk.ome(path_of(plate, well))["well"]["images"]
        assert [image["path"] for image in images] == [*sites, "stitched"]
    assert disk.ome(plate.path)["plate"]["field_count"] == len(sites) + 1


def test_a_mosaic_has_its_own_place_and_windows(plate, disk):
    for number, (well, truth) in enumerate(plate.mosaics.items()):
        ome = disk.ome(path_of(plate, well) / "stitched")
        first = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"]
        assert first[0]["scale"] == [1.0, 1.0, 2.0, 0.65, 0.65]
        assert first[1]["translation"] == [0.0, 0.0, 0.0, 12.5 * number, -40.0]
        for channel, told in enumerate(ome["omero"]["channels"]):
            window = told["window"]
            assert float(truth[:, channel].min()) <= window["start"] < window["end"] <= float(truth[:, channel].max())
            assert window["end"] < 4001, "not that of the sites' images, which have every grey value"


def test_our_own_checks_find_nothing(plate):
    assert check_plate(plate.path) == ()


def test_a_mosaic_that_a_well_does_not_have_is_removed(make_layout, write):
    plate = write(with_mosaic(make_layout()))
    plate.store.finish_well(FinishedWell(well="A01", sites=(1, 2)))
    assert not (path_of(plate, "A01") / "stitched").exists()
    assert check_plate(plate.path) == ()


def test_a_well_that_begins_anew_has_no_old_pixels(make_layout, tmp_path):
    store = ZarrBackend().open(tmp_path, with_mosaic(make_layout()))
    store.declare({"A01": (1,)}, mosaics={"A01": (70, 90)})
    well = store.open_well("A01", (70, 90))
    address = PlaneAddress(site=MOSAIC, t=0, c=0, z=0)
    well.write(address, np.ones((70, 90), np.uint16))
    well.restart()
    with pytest.raises(StorageError, match=r"the mosaic.*was not written"):
        well.read(address)


def test_a_well_whose_mosaic_is_gone_is_not_listed(make_layout, tmp_path):
    store = ZarrBackend().open(tmp_path, with_mosaic(make_layout()))
    store.declare({"A01": (1,)}, mosaics={"A01": (70, 90)})
    shutil.rmtree(store.root / "A/01/stitched")
    with pytest.raises(StorageError, match=r"the mosaic of well A01.*declare and write it"):
        store.finish_well(FinishedWell(well="A01", sites=(1,), mosaic=(70, 90)))
    assert store.finished_wells() == ()


def test_windows_that_do_not_fit_the_mosaic_are_refused(make_layout, write):
    plate = write(with_mosaic(make_layout()))
    for wrong, text in (
        ({"mosaic_windows": ((0.0, 1.0),)}, "1 display windows for 2 channels"),
        ({"windows": ((0.0, 1.0),)}, "1 display windows for 2 channels"),
    ):
        summary = attrs.evolve(FinishedWell(well="A01", sites=()).summary, **wrong)
        with pytest.raises(StorageError, match=text):
            plate.store.finish_well(FinishedWell(well="A01", sites=(1,), mosaic=FRAMES["A01"], summary=summary))
    far = FinishedWell(well="A01", sites=(1,), mosaic=FRAMES["A01"], mosaic_translation=(float("nan"), 0.0))
    with pytest.raises(StorageError, match="position"):
        plate.store.finish_well(far)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"dtype": "complex64"}, "cannot be stored"),
        ({"shape": (1, 3, 1, 0, 0)}, "names 2 channels, and its shape has 3"),
        ({"chunk": (1, 1, 1, 0, 1024)}, "must have t, c, z, y and x of at least 1"),
        ({"shard": (1, 2, 1, 1000, 1024)}, "is not made of whole chunks|OME-Zarr 0.4 has none"),
    ],
)
def test_a_layout_of_mosaics_that_makes_no_sense_is_refused(make_layout, tmp_path, change, text):
    layout = with_mosaic(make_layout())
    layout = attrs.evolve(layout, mosaic=attrs.evolve(layout.mosaic, **change))
    with pytest.raises(StorageError, match=text):
        ZarrBackend().open(tmp_path, layout)


def test_a_mosaic_s_chunks_of_a_timepoint_share_a_shard(make_sharded, write):
    plate = write(with_mosaic(make_sharded()))
    for well, frame in FRAMES.items():
        level = path_of(plate, well) / "stitched" / "0"
        array = zarr.open_array(level, mode="r")
        np.testing.assert_array_equal(array[:], plate.mosaics[well])
        assert array.chunks[-2:] == tuple(min(1024, side) for side in frame)
        assert len([path for path in level.rglob("*") if path.is_file() and path.name != "zarr.json"]) == 1
    assert check_plate(plate.path) == ()
    yaozarrs.validate_zarr_store(str(plate.path))


# --- Other people's validators and readers --------------------------------------------------------------------------


def needs(*modules):
    """Skip a test without these libraries, unless HCS_REQUIRE_VALIDATORS says that they must be there."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(
        bool(absent) and not os.environ.get("HCS_REQUIRE_VALIDATORS"),
        reason=f"{', '.join(absent)} not installed: install yaozarrs[io] and the dependency group validators",
    )


@needs("fsspec")
def test_yaozarrs_accepts_it(plate):
    yaozarrs.validate_zarr_store(str(plate.path))


@pytest.mark.validators
@needs("ome_zarr_models")
def test_ome_zarr_models_accepts_it(plate):
    command = [Path(sys.executable).with_name("ome-zarr-models"), "validate", str(plate.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.validators
@needs("ngff_zarr", "jsonschema")
def test_ngff_zarr_accepts_and_reads_it(plate):
    import ngff_zarr

    opened = ngff_zarr.from_hcs_zarr(str(plate.path), validate=True)
    assert [listed.path for listed in opened.metadata.wells] == ["A/01", "B/03"]
    for listed in opened.metadata.wells:
        images = opened.get_well(*listed.path.split("/")).images
        assert [image.path for image in images][-1] == "stitched"
        image = ngff_zarr.from_ngff_zarr(str(plate.path / listed.path / "stitched"), validate=True)
        np.testing.assert_array_equal(np.asarray(image.images[0].data), plate.mosaics[listed.path.replace("/", "")])


@pytest.mark.validators
@needs("ngio")
def test_ngio_reads_it(plate):
    import ngio

    images = ngio.open_ome_zarr_plate(str(plate.path)).get_images(max_workers=1)
    for well, truth in plate.mosaics.items():
        image = images[f"{well[0]}/{well[1:]}/stitched"].get_image()
        np.testing.assert_array_equal(image.get_as_numpy(axes_order=list("tczyx")), truth)
        assert (image.pixel_size.y, image.pixel_size.x) == (0.65, 0.65)


@pytest.mark.validators
@needs("ome_zarr")
def test_ome_zarr_py_reads_it(plate):
    from ome_zarr import io, reader

    for well, truth in plate.mosaics.items():
        (node,) = reader.Reader(io.parse_url(str(path_of(plate, well) / "stitched")))()
        np.testing.assert_array_equal(np.asarray(node.data[0]), truth)
