"""A store from its declaration to its finished wells: what is half written never looks whole."""

import json
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

from hcs_core import (
    Droppable,
    FinishedWell,
    ImageStore,
    PlaneAddress,
    StorageBackend,
    StorageError,
    WellStore,
    WellSummary,
)
from hcs_disk import backend
from hcs_disk.backend import DiskBackend

FIRST = PlaneAddress(site=1, t=0, c=0, z=0)


def seen(root):
    """What somebody finds who looks for images in folders of wells."""
    return sorted(path.relative_to(root).as_posix() for path in root.glob("*/*"))


def everything(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.fixture
def store(tmp_path, make_layout):
    return DiskBackend().open(tmp_path, make_layout())


@pytest.fixture
def plane(make_layout, random_plane):
    return random_plane(np.random.default_rng(1), make_layout())


def test_it_follows_the_protocols(store):
    store.declare({"A01": (1,)})
    assert isinstance(DiskBackend(), StorageBackend)
    assert isinstance(store, ImageStore)
    assert isinstance(store.open_well("A01"), WellStore)
    assert isinstance(store.open_well("A01"), Droppable)


def test_opening_makes_nothing(store, tmp_path):
    assert store.finished_wells() == ()
    assert not list(tmp_path.iterdir())


def test_a_store_travels_by_pickle(store):
    store.declare({"A01": (1,)})
    assert pickle.loads(pickle.dumps(store)) == store  # noqa: S301  our own bytes


def test_a_well_appears_when_it_is_finished(store, plane):
    store.declare({"a1": (1, 2), "B02": (1,)})
    well = store.open_well("A01")
    well.write(FIRST, plane)
    assert seen(store.root) == [".unfinished/A01", ".unfinished/B02"]
    assert store.finished_wells() == ()
    store.finish_well(FinishedWell(well="A01", sites=(1, 2), summary=well.close()))
    assert store.finished_wells() == ("A01",)
    assert everything(store.root) == [
        ".unfinished/B02/sites.json",
        "A01/A01_s001_w01_z001_t001.ome.tif",
        "index.json",
    ]


def test_when_all_is_finished_only_planes_and_index_are_left(write_store, make_layout):
    written = write_store(make_layout(), wells=("A01", "B03"))
    files = [written.file(*key).relative_to(written.store.root).as_posix() for key in written.truth]
    assert everything(written.store.root) == sorted([*files, "index.json"])
    assert not (written.store.root / ".unfinished").exists()


def test_the_index_says_what_there_is(write_store, make_layout):
    layout = make_layout(plate_name="Plate µ")
    written = write_store(layout, wells=("B10", "B02"), translations={2: (-10.0, 20.0)})
    index = json.loads((written.store.root / "index.json").read_text(encoding="utf-8"))
    assert (index["plate"], index["rows"], index["columns"]) == ("Plate µ", 8, 12)
    assert (index["shape_tczyx"], index["dtype"]) == ([1, 2, 2, 70, 90], "uint16")
    assert (index["pixel_size_um"], index["z_step_um"], index["time_step_s"]) == (0.65, 2.0, None)
    assert index["channels"] == [
        {"w": 1, "name": "DAPI", "colour": "0000FF"},
        {"w": 2, "name": "GFP", "colour": "00FF00"},
    ]
    assert list(index["wells"]) == ["B02", "B10"]
    first, second = index["wells"]["B02"]["sites"]
    assert first == {"site": 1, "y_um": None, "x_um": None}
    # From the first pixel's centre, 69 and 89 pixels of 0.65 um lead to the last one's: half of that is the middle.
    assert (second["y_um"], second["x_um"]) == pytest.approx((-10 + 34.5 * 0.65, 20 + 44.5 * 0.65))
    assert index["wells"]["B02"]["bytes"] == 2 * 2 * 2 * 70 * 90 * 2


def test_without_a_pixel_size_the_centre_of_a_field_is_not_known(write_store, make_layout):
    written = write_store(make_layout(spacing=(None, None, None)), translations={1: (1.0, 2.0), 2: (1.0, 2.0)})
    index = json.loads((written.store.root / "index.json").read_text(encoding="utf-8"))
    assert {site["y_um"] for site in index["wells"]["A01"]["sites"]} == {None}


def test_what_a_killed_run_left_is_removed(store, plane):
    store.declare({"A01": (1,), "B02": (1,), "B03": (1,)})
    store.finish_well(FinishedWell(well="A01", sites=(1,)))
    store.open_well("B02").write(FIRST, plane)
    # Shown and not listed: the run was killed between the two.
    (store.root / "C01").mkdir()
    (store.root / "notes").mkdir()
    store.declare({"B03": (1,)})
    assert seen(store.root) == [".unfinished/B03"]
    assert sorted(path.name for path in store.root.iterdir()) == [".unfinished", "A01", "index.json", "notes"]
    assert store.finished_wells() == ("A01",)


def test_an_unfinished_well_starts_afresh_and_a_finished_one_is_left_alone(write_store, make_layout, plane):
    written = write_store(make_layout(), wells=("A01",))
    store = written.store
    store.declare({"B01": (1, 2)})
    store.open_well("B01").write(FIRST, plane)
    store.declare({"A01": (1, 2, 3), "B01": (1,)})
    np.testing.assert_array_equal(store.open_well("A01").read(FIRST), written.truth["A01", FIRST])
    with pytest.raises(StorageError, match="was not written"):
        store.open_well("B01").read(FIRST)
    with pytest.raises(StorageError, match=r"site 2 of well B01 .*declare it first"):
        store.open_well("B01").write(PlaneAddress(site=2, t=0, c=0, z=0), plane)


def test_discarding(store, plane):
    store.discard_well("A01")
    assert not store.root.exists()
    store.declare({"A01": (1,), "A02": (1,), "B01": (1,)})
    for well in ("A01", "A02"):
        store.open_well(well).write(FIRST, plane)
        store.finish_well(FinishedWell(well=well, sites=(1,)))
    store.discard_well("B01")
    store.discard_well("B01")
    assert not (store.root / ".unfinished").exists()
    store.discard_well("a1")
    assert store.finished_wells() == ("A02",)
    assert not (store.root / "A01").exists()
    store.discard_well("A02")
    assert store.finished_wells() == ()
    with pytest.raises(StorageError, match="A02 is not in"):
        store.open_well("A02")


def test_sites_that_are_not_finished_are_removed_and_what_others_put_there_is_not(store, plane):
    store.declare({"A01": (1, 2)})
    well = store.open_well("A01")
    for site in (1, 2):
        well.write(PlaneAddress(site=site, t=0, c=0, z=0), plane)
    (store.root / ".unfinished/A01/A01_s001_w01_z002_t001.ome.tif.partial").touch()
    store.finish_well(FinishedWell(well="A01", sites=(1,)))
    assert [path.name for path in (store.root / "A01").iterdir()] == ["A01_s001_w01_z001_t001.ome.tif"]
    (store.root / "A01/regions.zip").touch()
    store.finish_well(FinishedWell(well="A01", sites=(1,)))
    assert (store.root / "A01/regions.zip").exists()
    assert store.finished_wells() == ("A01",)


@pytest.mark.parametrize(
    ("finished", "message"),
    [
        (FinishedWell(well="A02", sites=(1,)), "well A02 is not in"),
        (FinishedWell(well="A01", sites=(1, 2)), "site 2 of well A01 is not in"),
        (FinishedWell(well="A01", sites=()), "no site to list"),
        (FinishedWell(well="A01", sites=(1,), translations={1: (0.0, float("nan"))}), "leave out what is not known"),
        (FinishedWell(well="A01", sites=(1,), summary=WellSummary(windows=((0, 1),))), "1 display windows for 2"),
    ],
)
def test_what_cannot_be_finished(store, finished, message):
    store.declare({"A01": (1,)})
    with pytest.raises(StorageError, match=message):
        store.finish_well(finished)
    assert store.finished_wells() == ()
    assert not (store.root / "A01").exists()


def test_sites_count_from_one(store):
    with pytest.raises(StorageError, match=r"site 0 of well A01 .* count from 1"):
        store.declare({"A01": (0, 1)})
    assert not store.root.exists()


@pytest.mark.parametrize("stop", ["replace_text", "os", "write_index"])
def test_finishing_can_stop_anywhere(write_store, make_layout, monkeypatch, plane, stop):
    store = write_store(make_layout()).store
    store.declare({"B02": (1,)})
    well = store.open_well("B02")
    well.write(FIRST, plane)

    class Full:
        @staticmethod
        def replace(*_):
            raise OSError(28, "No space left on device")

    def refuse(*_):
        raise StorageError("no space left")

    finished = FinishedWell(well="B02", sites=(1,), translations={1: (0.0, 0.0)}, summary=well.close())
    with monkeypatch.context() as patch:
        patch.setattr(backend, stop, Full if stop == "os" else refuse)
        with pytest.raises(StorageError, match=r"(?i)no space left"):
            store.finish_well(finished)
    assert store.finished_wells() == ("A01",)
    store.discard_well("B02")
    assert sorted(path.name for path in store.root.iterdir()) == ["A01", "index.json"]


KILLED = """
import os, pickle, signal, sys
import numpy as np
from hcs_core import PlaneAddress
store = pickle.load(open(sys.argv[1], "rb"))
store.declare({"B02": (1, 2)})
well = store.open_well("B02")
well.write(PlaneAddress(site=1, t=0, c=0, z=0), np.ones((70, 90), np.uint16))
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
well.write(PlaneAddress(site=2, t=0, c=0, z=0), np.ones((70, 90), np.uint16))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_in_the_middle_of_a_plane_no_other_well_changes_and_the_plane_has_not_its_name(
    write_store, make_layout, tmp_path
):
    store = write_store(make_layout()).store
    before = seen(store.root)
    (tmp_path / "store").write_bytes(pickle.dumps(store))
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "store"], check=False)
    assert done.returncode == -signal.SIGKILL
    left = sorted(path.name for path in (store.root / ".unfinished/B02").iterdir())
    assert left == [
        "B02_s001_w01_z001_t001.ome.tif",
        "B02_s002_w01_z001_t001.ome.tif.partial",
        "sites.json",
    ]
    assert store.finished_wells() == ("A01",)
    store.declare({})
    assert seen(store.root) == before


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 1}', '{"version": 1, "wells": 3}'])
def test_an_index_that_is_none_says_where(write_store, make_layout, content):
    store = write_store(make_layout()).store
    (store.root / "index.json").write_text(content)
    with pytest.raises(StorageError, match=r"images/index.json is damaged"):
        store.finished_wells()


def test_an_index_of_a_later_version_is_left_alone(write_store, make_layout):
    store = write_store(make_layout()).store
    (store.root / "index.json").write_text('{"version": 2, "wells": {}}')
    with pytest.raises(StorageError, match=r"version 2, 1 is known here: update hcs-disk"):
        store.declare({"A01": (1,)})


def test_a_folder_that_cannot_be_made_or_read_says_where(store):
    store.root.mkdir()
    (store.root / ".unfinished").symlink_to("nowhere")
    with pytest.raises(StorageError, match=r"images/.unfinished\S* cannot be written"):
        store.declare({"A01": (1,)})
    (store.root / "index.json").mkdir()
    with pytest.raises(StorageError, match=r"images/index.json cannot be read \(Is a directory\)"):
        store.finished_wells()


def test_a_list_of_sites_that_is_damaged_says_where(store):
    store.declare({"A01": (1,)})
    (store.root / ".unfinished/A01/sites.json").write_text("[1")
    with pytest.raises(StorageError, match=r"A01/sites.json cannot be read .*declare the well again"):
        store.open_well("A01")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codec": "bzip2"}, "none, gzip, lz4, zstd"),
        ({"level": 10}, "level 10 .*write 0 to 9"),
        ({"dtype": "uint64"}, "'uint64' of images cannot be stored as OME-TIFF"),
        ({"dtype": ">u2"}, "cannot be stored"),
        ({"names": ("DAPI",), "colours": ("0000FF",)}, "names 1 channels"),
        ({"colours": ("0000FF", "green")}, "colour 'green' of channel 'GFP'"),
        ({"spacing": (0.0, None, None)}, "pixel size of images is 0.0"),
        ({"spacing": (1.0, float("inf"), None)}, "z step of images is inf"),
        ({"spacing": (1.0, None, -1.0)}, "time step of images is -1.0"),
    ],
)
def test_a_layout_that_cannot_be_stored_is_refused_first(tmp_path, make_layout, change, message):
    with pytest.raises(StorageError, match=message):
        DiskBackend().open(tmp_path, make_layout(**change))
