"""The journal survives cuts, and the output folder is never somebody else's."""

from __future__ import annotations

import pytest

from hcs_core import RunError, StorageError
from hcs_core.pipeline.config import PathPlanningConfig
from hcs_core.runtime.existing_wells import existing_of
from hcs_core.runtime.journal import Journal
from hcs_core.runtime.output_folder import check_output, clear_output, held_output, output_folder, prepare_output
from hcs_core.runtime.task import AbsentPlane, WellRecord


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path)
    made.begin("mips", "key", ["images.zarr"])
    return made


ABSENT = AbsentPlane(
    site=2,
    channel=1,
    z_index=3,
    timepoint=1,
    kind="acquired",
    state="unreadable",
    file="a µ.tif",
    error="it is empty",
)


def whole(well, *, sites=(1, 2), absent=()):
    return WellRecord(well=well, status="ok", sites=sites, absent=absent)


def test_what_a_rerun_has_to_tell_again_is_noted(journal):
    journal.note([(whole("A01", sites=(1,), absent=(ABSENT,)), "d1")])
    journal.note([(whole("A02"), "d2")])
    content = journal.read()
    assert content.sites == {"A01": (1,), "A02": (1, 2)}
    assert content.absent == {"A01": (ABSENT,), "A02": ()}


def test_what_is_noted_is_read_back(journal):
    journal.note([(whole("A01"), "d1")])
    journal.note([(whole("B02"), "d2")])
    content = journal.read()
    assert (content.pipeline, content.content_key, content.stores) == ("mips", "key", ("images.zarr",))
    assert content.wells == {"A01": "d1", "B02": "d2"}


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_torn_line_is_dropped_and_the_next_note_is_whole(journal, cut):
    journal.note([(whole("A01"), "d1")])
    journal.note([(whole("B02"), "d2")])
    text = journal.path.read_bytes()
    journal.path.write_bytes(text[:-cut])
    assert journal.read().wells["A01"] == "d1"
    journal.note([(whole("C03"), "d3")])
    wells = journal.read().wells
    assert wells["A01"] == "d1"
    assert wells["C03"] == "d3"
    assert wells.get("B02", "d2") == "d2"


def test_a_journal_that_was_never_begun_is_none(tmp_path):
    assert Journal(tmp_path).read() is None
    journal = Journal(tmp_path)
    journal.begin("mips", "key", [])
    journal.path.write_bytes(journal.path.read_bytes()[:10])
    assert journal.read() is None


def test_a_journal_of_a_later_version_is_refused_by_name(journal):
    journal.path.write_text(journal.path.read_text().replace('"version": 1', '"version": 99'))
    with pytest.raises(StorageError, match=r"journal\.jsonl.*update"):
        journal.read()


def test_only_wells_with_the_same_planes_exist(journal):
    journal.note([(whole("A01"), "d1")])
    journal.note([(whole("B02"), "d2")])
    found = existing_of(journal.read(), {"A01": "d1", "B02": "other", "C03": "d3"}, {"A01", "B02"})
    assert (found.content_key, found.wells) == ("key", frozenset({"A01"}))


def test_a_well_that_is_not_stored_any_more_does_not_exist(journal):
    journal.note([(whole("A01"), "d1")])
    assert existing_of(journal.read(), {"A01": "d1"}, ()).wells == frozenset()


def test_the_output_lies_beside_the_plate_or_in_the_folder_that_is_named(tmp_path):
    plate = tmp_path / "p1"
    assert output_folder(plate, PathPlanningConfig()) == tmp_path / "p1_outputs"
    assert output_folder(plate, PathPlanningConfig(output_dir_suffix="_x")) == tmp_path / "p1_x"
    elsewhere = PathPlanningConfig(global_output_folder=tmp_path / "all")
    assert output_folder(plate, elsewhere) == tmp_path / "all" / "p1_outputs"


def test_links_into_the_plate_are_seen_through(tmp_path):
    (tmp_path / "plate").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "plate")
    for output in (tmp_path / "link" / "out", tmp_path / "plate", tmp_path / "plate" / ".." / "plate" / "x"):
        with pytest.raises(RunError, match="lies within the plate"):
            check_output(output, tmp_path / "plate")


def test_the_folder_that_holds_the_plate_is_no_output(tmp_path):
    (tmp_path / "plate").mkdir()
    with pytest.raises(RunError, match="holds the plate itself"):
        check_output(tmp_path, tmp_path / "plate")


def test_clearing_removes_the_stores_that_the_journal_names_and_no_other(tmp_path):
    output = tmp_path / "out"
    prepare_output(output)
    Journal(output).begin("mips", "key", ["images.zarr"])
    for name in ("images.zarr", "mine.zarr"):
        (output / name).mkdir()
        (output / name / "zarr.json").write_text("{}")
    (output / "run.json").write_text("{}")
    (output / "notes.txt").write_text("mine")
    clear_output(output)
    assert sorted(path.name for path in output.iterdir()) == [".hcs", "mine.zarr", "notes.txt"]
    assert list((output / ".hcs").iterdir()) == []
    check_output(output, tmp_path / "plate")


def test_a_second_run_in_one_output_is_kept_out(tmp_path):
    prepare_output(tmp_path / "out")
    second = held_output(tmp_path / "out")
    with held_output(tmp_path / "out"), pytest.raises(RunError, match="another run works in"):
        second.__enter__()
    with held_output(tmp_path / "out"):
        pass


def test_preparing_an_output_leaves_nothing_but_its_folder(tmp_path):
    prepare_output(tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["out", "out/.hcs"]
