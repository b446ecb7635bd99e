"""A store from its declaration to its finished plate: what is half written never looks whole."""

import os
import pickle
import signal
import subprocess
import sys

import attrs
import numpy as np
import pytest
import yaozarrs
import zarr

from hcs_core import Compression, FinishedWell, PlaneAddress, StorageError, WellSummary
from hcs_zarr import formats, places
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.check import check_plate

FIRST = PlaneAddress(site=1, t=0, c=0, z=0)


def groups(root, disk):
    """Every group below a plate's root, by its path there."""
    return [folder.relative_to(root).as_posix() for folder in disk.groups(root)]


def validated(folder, disk):
    """The OME metadata of a group, as a validator reads it."""
    read = yaozarrs.validate_ome_json((folder / disk.attributes).read_text())
    return read if disk.version == "0.4" else read.attributes.ome


def is_valid_for_readers(root, disk):
    """Whether all metadata that the plate reaches are valid, and lead to what is there."""
    for well in validated(root, disk).plate.wells:
        for image in validated(root / well.path, disk).well.images:
            folder = root / well.path / image.path
            for dataset in validated(folder, disk).multiscales[0].datasets:
                assert zarr.open_array(folder / dataset.path, mode="r").ndim == 5
    return all("that the plate does not list" in defect for defect in check_plate(root, allow_absent_chunks=True))


def test_what_a_killed_run_left_of_other_wells_is_removed(tmp_path, make_layout):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1,), "B02": (1,), "B03": (1,)})
    store.finish_well(FinishedWell(well="A01", sites=(1,)))
    store.declare({"B03": (1,)})
    assert sorted(path.relative_to(store.root).as_posix() for path in store.root.glob("*/*") if path.is_dir()) == [
        "A/01",
        "B/03",
    ]
    store.declare({})
    assert not (store.root / "B").exists()
    assert store.finished_wells() == ("A01",)


def test_what_is_declared_has_arrays_and_no_groups(tmp_path, make_layout, disk):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"b2": (1, 3)})
    assert zarr.open_array(store.root / "B/02/2/0", mode="r").shape == (1, 2, 2, 70, 90)
    assert groups(store.root, disk) == []
    assert store.finished_wells() == ()


def test_metadata_come_with_the_well(tmp_path, make_layout, disk):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"B02": (1, 2), "B03": (1, 2), "C01": (1,)})
    store.finish_well(FinishedWell(well="B02", sites=(1, 2)))
    assert groups(store.root, disk) == [".", "B", "B/02", "B/02/0", "B/02/1"]
    assert store.finished_wells() == ("B02",)
    assert is_valid_for_readers(store.root, disk)


def test_partial_plates_are_valid(write_plate, make_layout, disk):
    written = write_plate(make_layout(), wells=("A01", "C03"))
    store = written.store
    store.declare({"B02": (1, 2), "D04": (1, 2)})
    store.open_well("B02").write(FIRST, written.truth["A01", FIRST])
    assert is_valid_for_readers(store.root, disk)
    store.discard_well("B02")
    store.discard_well("D04")
    assert store.finished_wells() == ("A01", "C03")
    assert check_plate(store.root) == ()
    assert sorted(path.name for path in store.root.iterdir()) == sorted({"A", "C", disk.group, disk.attributes})


def test_an_unfinished_well_starts_afresh_and_a_finished_one_is_left_alone(write_plate, make_layout):
    written = write_plate(make_layout(), wells=("A01", "A02"))
    store = written.store
    store.declare({"B01": (1, 2)})
    store.open_well("B01").write(FIRST, written.truth["A01", FIRST])
    store.declare({"A01": (1, 2, 3), "B01": (1,)})
    assert not (store.root / "A/01/2").exists()
    assert np.array_equal(store.open_well("A01").read(FIRST), written.truth["A01", FIRST])
    assert not (store.root / "B/01/1").exists()
    with pytest.raises(StorageError, match="was not written"):
        store.open_well("B01").read(FIRST)


@pytest.mark.parametrize("plate_metadata", [True, False])
def test_discarding(tmp_path, make_layout, plate_metadata, disk):
    store = ZarrBackend().open(tmp_path, make_layout(plate_metadata=plate_metadata))
    store.discard_well("A01")
    assert not store.root.exists()
    store.declare({"A01": (1,), "A02": (1,), "B01": (1,)})
    for well in ("A01", "A02"):
        store.finish_well(FinishedWell(well=well, sites=(1,)))
    store.discard_well("B01")
    store.discard_well("B01")
    assert not (store.root / "B").exists()
    store.discard_well("A01")
    assert store.finished_wells() == ("A02",)
    assert not (store.root / "A/01").exists()
    assert (store.root / "A" / disk.group).exists()
    store.discard_well("A02")
    assert store.finished_wells() == ()
    assert not (store.root / "A").exists()


def test_the_last_well_takes_the_plates_metadata_with_it(write_plate, make_layout):
    store = write_plate(make_layout()).store
    store.discard_well("A01")
    # A plate that lists no well is not valid.
    assert not list(store.root.iterdir())


def test_sites_that_are_not_finished_are_removed(tmp_path, make_layout, disk):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1, 2, 3)})
    store.finish_well(FinishedWell(well="A01", sites=(1, 3)))
    assert sorted(path.name for path in (store.root / "A/01").iterdir()) == sorted(
        {"0", "2", disk.group, disk.attributes}
    )
    assert check_plate(store.root, allow_absent_chunks=True) == ()


def test_finishing_again_replaces(tmp_path, make_layout):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1, 2)})
    store.finish_well(FinishedWell(well="A01", sites=(1, 2)))
    store.finish_well(FinishedWell(well="a1", sites=(2,)))
    assert store.finished_wells() == ("A01",)
    assert check_plate(store.root, allow_absent_chunks=True) == ()


@pytest.mark.parametrize(
    ("finished", "message"),
    [
        (FinishedWell(well="A02", sites=(1,)), "site 1 of well A02 is not in"),
        (FinishedWell(well="A01", sites=(1, 2)), "site 2 of well A01 is not in"),
        (FinishedWell(well="A01", sites=()), "no site to list"),
        (FinishedWell(well="A01", sites=(1,), translations={1: (0.0, float("nan"))}), "leave out what is not known"),
        (FinishedWell(well="A01", sites=(1,), summary=WellSummary(windows=((0, 1),))), "1 display windows for 2"),
    ],
)
def test_what_cannot_be_finished(tmp_path, make_layout, finished, message, disk):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1,)})
    with pytest.raises(StorageError, match=message):
        store.finish_well(finished)
    assert groups(store.root, disk) == []


def test_a_well_outside_the_plate_is_refused_before_anything_is_made(tmp_path, make_layout):
    store = ZarrBackend().open(tmp_path, make_layout(plate_format=(8, 12)))
    with pytest.raises(StorageError, match=r"site 0 of well A01 .* count from 1"):
        store.declare({"A01": (0, 1)})
    with pytest.raises(StorageError, match="I01 lies outside the plate of 8 x 12"):
        store.declare({"A01": (1,), "I01": (1,)})
    assert not store.root.exists()


def test_finishing_can_stop_anywhere(tmp_path, make_layout, monkeypatch, disk):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1, 2)})
    store.finish_well(FinishedWell(well="A01", sites=(1, 2)))
    real = places.replace_document
    stops = 0
    for steps in range(12):
        store.declare({"B02": (1, 2)})
        left = steps

        def replace(target, document):
            nonlocal left
            if not left:
                raise StorageError("no space left")
            left -= 1
            real(target, document)

        monkeypatch.setattr(formats, "replace_document", replace)
        try:
            store.finish_well(FinishedWell(well="B02", sites=(1, 2)))
        except StorageError:
            stops += 1
            assert store.finished_wells() == ("A01",)
            assert is_valid_for_readers(store.root, disk)
        else:
            break
    # Two images, the well, its row and the plate; in zarr format 2, images and well have two documents each.
    assert stops == {"0.4": 8, "0.5": 5}[disk.version]
    assert store.finished_wells() == ("A01", "B02")
    assert check_plate(store.root, allow_absent_chunks=True) == ()


KILLED = """
import os, pickle, signal, sys
import numpy as np
from hcs_core import PlaneAddress
store = pickle.load(open(sys.argv[1], "rb"))
store.declare({"B02": (1, 2)})
well = store.open_well("B02")
well.write(PlaneAddress(site=1, t=0, c=0, z=0), np.ones((70, 90), np.uint16))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_in_the_middle_the_other_wells_stay_valid(write_plate, make_layout, tmp_path, disk):
    store = write_plate(make_layout(), wells=("A01", "B01")).store
    (tmp_path / "store").write_bytes(pickle.dumps(store))
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "store"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert disk.chunk(store.root / "B/02/0/0").exists()
    assert is_valid_for_readers(store.root, disk)
    assert store.finished_wells() == ("A01", "B01")
    store.discard_well("B02")
    assert check_plate(store.root) == ()


def test_no_temporary_files_are_left(write_plate, make_layout, disk):
    written = write_plate(make_layout(), wells=("A01", "A02"))
    names = {path.name for path in written.path.rglob("*") if path.is_file()}
    assert {name for name in names if not name.isdigit()} == {disk.array, disk.group, disk.attributes}


def test_unreadable_plate_metadata_say_where(write_plate, make_layout, disk):
    store = write_plate(make_layout()).store
    (store.root / disk.attributes).write_text("{")
    with pytest.raises(StorageError, match=rf"images.zarr/{disk.attributes} cannot be read"):
        store.finished_wells()


def test_a_folder_that_cannot_be_made_says_where(tmp_path, make_layout):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.root.mkdir()
    (store.root / "A").write_text("a file where a row must be")
    with pytest.raises(StorageError, match=r"images.zarr/A/?.* cannot be written"):
        store.declare({"A01": (1,)})


def _changed(layout, **image):
    return attrs.evolve(layout, image=attrs.evolve(layout.image, **image))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layout: attrs.evolve(layout, compression=Compression(codec="bzip2")), "none, gzip, lz4, zstd"),
        (lambda layout: _changed(layout, channels=layout.image.channels[:1]), "names 1 channels"),
        (lambda layout: _changed(layout, level_shapes=((70, 90), (30, 45))), "level 1 .* half of the level before"),
        (lambda layout: _changed(layout, level_shapes=((70, 91),)), "level 0"),
        (lambda layout: _changed(layout, dtype=">u2"), "cannot be stored"),
        (lambda layout: _changed(layout, dtype="complex64"), "cannot be stored"),
        (lambda layout: _changed(layout, dtype="colour"), "not known to numpy"),
        (lambda layout: _changed(layout, chunk=(1, 1, 1, 0, 90)), "at least 1"),
        (lambda layout: _changed(layout, level_shapes=()), "has no level"),
        (
            lambda layout: _changed(layout, shape=(1, 2, 1, 40000, 40000), chunk=(1, 1, 1, 40000, 40000)),
            "choose smaller chunks",
        ),
    ],
)
def test_a_layout_that_cannot_be_stored_is_refused(tmp_path, make_layout, change, message):
    with pytest.raises(StorageError, match=message):
        ZarrBackend().open(tmp_path, change(make_layout()))


def test_two_processes_write_two_wells_at_once(tmp_path, make_layout, addresses, random_plane):
    layout = make_layout(codec="zstd")
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1, 2), "A02": (1, 2)})
    running, truth = [], {}
    for seed, well in enumerate(("A01", "A02")):
        generator = np.random.default_rng(seed)
        planes = {address: random_plane(generator, layout) for address in addresses(layout, (1, 2))}
        (tmp_path / well).write_bytes(pickle.dumps((store, well, planes)))
        running.append(subprocess.Popen([sys.executable, "-c", WRITES, tmp_path / well], env=dict(os.environ)))
        truth[well] = planes
    assert [process.wait(60) for process in running] == [0, 0]
    for well, planes in truth.items():
        summary = pickle.loads((tmp_path / f"{well}.summary").read_bytes())  # noqa: S301  our own bytes
        assert summary.bytes_written == sum(plane.nbytes for plane in planes.values())
        store.finish_well(FinishedWell(well=well, sites=(1, 2), summary=summary))
        for address, plane in planes.items():
            assert np.array_equal(store.open_well(well).read(address), plane)
    assert check_plate(store.root) == ()


WRITES = """
import pickle, sys
from pathlib import Path
store, well, planes = pickle.loads(Path(sys.argv[1]).read_bytes())
images = store.open_well(well)
for address, plane in planes.items():
    images.write(address, plane)
Path(sys.argv[1] + ".summary").write_bytes(pickle.dumps(images.close()))
"""


def test_a_plate_of_another_version_is_refused_and_left_alone(write_plate, make_layout, disk):
    written = write_plate(make_layout())
    before = sorted(written.path.rglob("*"))
    other = {"0.4": "0.5", "0.5": "0.4"}[disk.version]
    store = ZarrBackend().open(written.path.parent, attrs.evolve(written.layout, ome_zarr_version=other))
    for call in (store.finished_wells, lambda: store.declare({"B02": (1,)})):
        with pytest.raises(StorageError, match=rf"is OME-Zarr {disk.version}, and {other} was asked for"):
            call()
    assert sorted(written.path.rglob("*")) == before


def test_what_others_do_to_the_list_is_seen(tmp_path, make_layout, disk):
    layout = make_layout()
    one, other = (ZarrBackend().open(tmp_path, layout) for _ in range(2))
    one.declare({"A01": (1,), "A02": (1, 2), "B01": (1,)})
    one.finish_well(FinishedWell(well="A02", sites=(1, 2)))
    other.finish_well(FinishedWell(well="B01", sites=(1,)))
    one.finish_well(FinishedWell(well="A01", sites=(1,)))
    assert one.finished_wells() == other.finished_wells() == ("A01", "A02", "B01")
    other.discard_well("A02")
    assert one.finished_wells() == ("A01", "B01")
    assert disk.ome(one.root)["plate"]["field_count"] == 1
    (one.root / disk.attributes).unlink()
    assert one.finished_wells() == ()


def test_a_plates_name_cannot_disturb_its_list(tmp_path, make_layout, disk):
    name = 'a "wells": [] \\"wells": [], "b"'
    store = ZarrBackend().open(tmp_path, attrs.evolve(make_layout(), plate_name=name))
    store.declare({"A01": (1,)})
    store.finish_well(FinishedWell(well="A01", sites=(1,)))
    plate = disk.ome(store.root)["plate"]
    assert plate["name"] == plate["acquisitions"][0]["name"] == name
    assert [well["path"] for well in plate["wells"]] == ["A/01"]
