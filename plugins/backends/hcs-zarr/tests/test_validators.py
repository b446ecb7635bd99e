"""Plates against other people's validators and readers.

The metadata of every group are validated in each run; what needs more libraries says so when it is skipped.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaozarrs

PLATES = {
    "usual": {},
    "mosaics": {"sites": (1,), "shape": (1, 3, 1, 131, 257)},
    "unknown spacing": {"spacing": (None, None, None)},
    "time and z": {"shape": (2, 1, 3, 64, 64), "spacing": (0.3, 1.5, 60.0)},
    "1536 wells": {"plate_format": (32, 48), "wells": ("AA01", "AF48", "Z09")},
    "one level": {"smallest": 1000},
    "chunks of several planes": {"chunk": (1, 2, 2, 32, 40), "codec": "zstd"},
    "floats": {"dtype": "float32", "codec": "gzip"},
    "bytes, not packed": {"dtype": "uint8", "codec": "none"},
    "without display metadata": {"image_metadata": False},
}


@pytest.fixture(params=PLATES.values(), ids=PLATES)
def written(request, write_plate, make_layout):
    options = dict(request.param)
    wells, sites = options.pop("wells", ("A01", "B03")), options.pop("sites", (1, 2))
    return write_plate(
        make_layout(field_count=len(sites), **options), wells=wells, sites=sites, translations={1: (12.5, -40.0)}
    )


@pytest.fixture(params=[(1, 1, 1, 70, 90), (1, 1, 1, 32, 40)], ids=["planes", "tiles"])
def sharded(request, write_plate, make_sharded):
    return write_plate(make_sharded(chunk=request.param, codec="zstd"), wells=("A01", "B03"))


@pytest.fixture
def partial(write_plate, make_layout):
    """A plate with two finished wells, one that was discarded, and one that somebody is still writing."""
    written = write_plate(make_layout(), wells=("A01", "B03"))
    written.store.declare({"A02": (1, 2), "C04": (1, 2)})
    for well in ("A02", "C04"):
        address = next(iter(written.truth))[1]
        written.store.open_well(well).write(address, written.truth["A01", address])
    written.store.discard_well("A02")
    return written


def needs(*modules):
    """Skip a test without these libraries, unless HCS_REQUIRE_VALIDATORS says that they must be there."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(
        bool(absent) and not os.environ.get("HCS_REQUIRE_VALIDATORS"),
        reason=f"{', '.join(absent)} not installed: install yaozarrs[io] and the dependency group validators",
    )


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def script(name):
    """The path of a command that is installed beside this Python."""
    return Path(sys.executable).with_name(name)


def test_yaozarrs_accepts_the_metadata_of_every_group(written, disk):
    groups = {}
    for folder in disk.groups(written.path):
        path = folder / disk.attributes
        groups.setdefault(len(path.relative_to(written.path).parts), []).append(path)
    wells = len(written.store.finished_wells())
    # The plate, its rows (which have no metadata), its wells and their images.
    assert {depth: len(paths) for depth, paths in groups.items()} == {
        1: 1,
        2: len({name.rstrip("0123456789") for name in written.store.finished_wells()}),
        3: wells,
        4: wells * written.layout.field_count,
    }
    for path in groups[1] + groups[3] + groups[4]:
        yaozarrs.validate_ome_json(path.read_text())


def test_yaozarrs_refuses_what_is_wrong(partial, disk):
    # The validator can say no: else the test above would prove nothing.
    text = (partial.path / disk.attributes).read_text()
    with pytest.raises(ValueError, match="validation error"):
        yaozarrs.validate_ome_json(text.replace('"name": "B"', '"name": "A"'))


@needs("fsspec")
def test_yaozarrs_finds_all_that_the_plate_names(written):
    yaozarrs.validate_zarr_store(str(written.path))


@needs("fsspec")
def test_yaozarrs_accepts_a_partial_plate(partial):
    yaozarrs.validate_zarr_store(str(partial.path))


@needs("fsspec")
def test_yaozarrs_finds_what_is_missing(partial, disk):
    (partial.path / "A/01/1/0" / disk.array).unlink()
    with pytest.raises(yaozarrs._storage.StorageValidationError):
        yaozarrs.validate_zarr_store(str(partial.path))


@pytest.mark.validators
@needs("ome_zarr_models")
def test_ome_zarr_models(written):
    accepted_by_ome_zarr_models(written)


def accepted_by_ome_zarr_models(written):
    run(script("ome-zarr-models"), "validate", str(written.path))


@pytest.mark.validators
@needs("ngff_zarr", "jsonschema")
def test_ngff_zarr(written):
    accepted_by_ngff_zarr(written)


def accepted_by_ngff_zarr(written):
    import ngff_zarr

    plate = ngff_zarr.from_hcs_zarr(str(written.path), validate=True)
    assert len(plate.metadata.wells) == len(written.store.finished_wells())
    for listed in plate.metadata.wells:
        well = plate.get_well(*listed.path.split("/"))
        assert len(well.images) == written.layout.field_count
        for site in range(written.layout.field_count):
            image = ngff_zarr.from_ngff_zarr(str(written.path / listed.path / str(site)), validate=True)
            name = listed.path.replace("/", "")
            assert np.array_equal(np.asarray(image.images[0].data), written.image(name, site + 1))


@pytest.mark.validators
@needs("ngio")
def test_ngio_reads_what_was_written(written):
    read_by_ngio(written)


def read_by_ngio(written):
    import ngio

    plate = ngio.open_ome_zarr_plate(str(written.path))
    images = plate.get_images(max_workers=1)
    assert len(images) == len(written.store.finished_wells()) * written.layout.field_count
    for path, container in images.items():
        row, column, name = path.split("/")
        image = container.get_image()
        pixels = image.get_as_numpy(axes_order=list("tczyx"))
        assert np.array_equal(pixels, written.image(row + column, int(name) + 1))
        pixel = written.layout.image.pixel_size_um
        assert (image.pixel_size.y, image.pixel_size.x) == ((pixel, pixel) if pixel else (1.0, 1.0))
        if written.layout.image_metadata:
            assert container.channel_labels == [channel.name for channel in written.layout.image.channels]


@pytest.mark.validators
@needs("ome_zarr")
def test_ome_zarr_py_reads_what_was_written(written):
    read_by_ome_zarr_py(written)


def read_by_ome_zarr_py(written):
    from ome_zarr import io, reader

    for well in written.store.finished_wells():
        for site in range(1, written.layout.field_count + 1):
            folder = written.path / well.rstrip("0123456789") / well[-2:] / str(site - 1)
            (node,) = reader.Reader(io.parse_url(str(folder)))()
            assert len(node.data) == len(written.layout.image.level_shapes)
            assert np.array_equal(np.asarray(node.data[0]), written.image(well, site))
            assert [axis["name"] for axis in node.metadata["axes"]] == list("tczyx")


@pytest.mark.validators
@needs("ome_zarr_models", "ngff_zarr", "ngio", "jsonschema")
def test_all_accept_a_partial_plate(partial):
    import ngff_zarr
    import ngio

    run(script("ome-zarr-models"), "validate", str(partial.path))
    plate = ngff_zarr.from_hcs_zarr(str(partial.path), validate=True)
    assert [well.path for well in plate.metadata.wells] == ["A/01", "B/03"]
    assert set(ngio.open_ome_zarr_plate(str(partial.path)).wells_paths()) == {"A/01", "B/03"}


@needs("fsspec")
def test_yaozarrs_accepts_shards(sharded):
    yaozarrs.validate_zarr_store(str(sharded.path))


@pytest.mark.validators
@needs("ome_zarr_models", "ngff_zarr", "ngio", "ome_zarr", "jsonschema")
def test_all_accept_and_read_shards(sharded):
    accepted_by_ome_zarr_models(sharded)
    accepted_by_ngff_zarr(sharded)
    read_by_ngio(sharded)
    read_by_ome_zarr_py(sharded)
