"""The workspace: the same plate through links, and the originals as they were."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hcs_core import PlaneState, StorageError, open_plate
from hcs_core.plate.workspace import MAPPING, make_workspace, workspace_place


def facts(plate):
    """All that an inventory says but for where it lies and why it was chosen."""
    return plate.digest(), plate.name, plate.differences, plate.image_shape, sorted(plate.positions)


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture
def plate(make_plate, installed):
    return open_plate(make_plate(), plugins=installed)


def same_plate_through_links(root, installed, tmp_path):
    plate = open_plate(root, plugins=installed)
    made = make_workspace(plate, tmp_path / "spaces")
    assert made == workspace_place(plate, tmp_path / "spaces")
    assert files_of(made) == files_of(root)
    assert facts(open_plate(made, plugins=installed)) == facts(plate)
    for plane in plate.planes:
        if plane.uri:
            assert (made / plane.uri).is_symlink()
            assert (made / plane.uri).resolve() == (root / plane.uri).resolve()


def test_a_synthetic_plate_is_the_same_through_links(make_plate, installed, tmp_path, digest_of):
    root = make_plate()
    before = digest_of(root)
    same_plate_through_links(root, installed, tmp_path)
    assert digest_of(root) == before


@pytest.mark.parametrize(
    "name",
    [
        "9987_Plate_3420",
        "9987_Plate_3434",
        "SingleChannel",
        "SingleChannel/2023-02-21",
        "SingleChannel/2023-02-21/1334",
    ],
)
def test_a_real_plate_is_the_same_through_links(samples, installed, tmp_path, digest_of, name):
    before = digest_of(samples / name)
    same_plate_through_links(samples / name, installed, tmp_path)
    assert digest_of(samples / name) == before


def test_what_is_written_into_it_is_not_in_the_plate(plate, tmp_path, digest_of):
    before = digest_of(plate.root)
    made = make_workspace(plate, tmp_path)
    for folder in [made, *(path for path in made.rglob("*") if path.is_dir() and not path.is_symlink())]:
        (folder / "new.tif").write_bytes(b"of a step")
    assert digest_of(plate.root) == before


def test_it_is_made_once(plate, tmp_path):
    made = make_workspace(plate, tmp_path)
    (made / "kept.txt").touch()
    assert make_workspace(plate, tmp_path) == made
    assert (made / "kept.txt").exists()


def test_many_who_ask_at_once_get_the_same_whole_one(plate, tmp_path):
    expected = files_of(plate.root)

    def ask(_):
        return files_of(make_workspace(plate, tmp_path))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(16)))
    assert found == [expected] * 16
    # Nothing is left of the attempts that came too late.
    assert [path.name for path in workspace_place(plate, tmp_path).parent.iterdir()] == [plate.name]


def test_a_plate_that_has_changed_gets_another_one(plate, installed, tmp_path):
    made = make_workspace(plate, tmp_path)
    first = plate.planes.plane(0)
    (plate.root / first.uri).unlink()
    changed = open_plate(plate.root, plugins=installed)
    again = make_workspace(changed, tmp_path)
    assert again != made
    assert facts(open_plate(again, plugins=installed)) == facts(changed)


def test_a_link_to_nothing_is_missing_in_both(plate, installed, tmp_path):
    image = plate.root / plate.planes.plane(0).uri
    image.unlink()
    image.symlink_to(tmp_path / "gone.tif")
    plate = open_plate(plate.root, plugins=installed)
    made = open_plate(make_workspace(plate, tmp_path), plugins=installed)
    assert made.planes.plane(0).state == plate.planes.plane(0).state == PlaneState.MISSING


def test_folders_that_are_links_lead_to_no_original_folder(plate, installed, tmp_path):
    """One to a folder of the plate, one round in a circle, one to another disk with the images of timepoint 2."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(plate.root / "TimePoint_1", elsewhere)
    (elsewhere / "back").symlink_to(elsewhere)
    (plate.root / "TimePoint_2").symlink_to(elsewhere)
    (plate.root / "TimePoint_3").symlink_to(plate.root / "TimePoint_1")
    (plate.root / "loop").symlink_to(plate.root)
    plate = open_plate(plate.root, plugins=installed)
    assert plate.timepoints == (1, 2)
    made = make_workspace(plate, tmp_path / "spaces")
    assert facts(open_plate(made, plugins=installed)) == facts(plate)
    for path in made.rglob("*"):
        if path.is_symlink() and path.is_dir():
            assert path.resolve().is_relative_to(made.resolve()), path


def no_links(self, target, target_is_directory=False):
    raise OSError(1, "a required privilege is not held")


def test_where_there_are_no_links_a_file_says_so_and_names_the_originals(plate, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "symlink_to", no_links)
    made = make_workspace(plate, tmp_path)
    assert files_of(made) == [MAPPING]
    said = json.loads((made / MAPPING).read_text())
    assert said["why"].startswith("links cannot be made here (PermissionError")
    assert sorted(said["files"]) == files_of(plate.root)
    for path, original in said["files"].items():
        assert original == str(plate.root / path)


def test_a_place_where_a_file_stands(plate, tmp_path):
    (tmp_path / "spaces").write_text("a file")
    with pytest.raises(StorageError, match=r"the workspace .* cannot be made \(Not a directory\)"):
        make_workspace(plate, tmp_path / "spaces")
