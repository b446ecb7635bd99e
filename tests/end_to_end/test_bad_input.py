"""Bad input through the command line: one sentence on what, where and what to do, the right exit code, no harm."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaozarrs

PLANE = Path("TimePoint_1", "ZStep_1", "plate_B03_s1_w1.TIF")
MIP = "  - max_projection\n"


@pytest.fixture(scope="module")
def good_plate(make_plate):
    return make_plate()


@pytest.fixture
def plate(good_plate, tmp_path):
    """A copy that may be spoilt."""
    return Path(shutil.copytree(good_plate, tmp_path / "plate"))


def one_sentence(ran, *words):
    """The error is on stderr, names these words, and is no traceback."""
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for word in words:
        assert str(word) in ran.err, ran.err
    return True


def cut_off(path):
    path.write_bytes(path.read_bytes()[:5000])


def emptied(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("the disk was full\n")


@pytest.mark.parametrize("spoil", [cut_off, emptied, text])
@pytest.mark.parametrize("mode", [["--workers", "1"], ["--workers", "2", "--threads"]])
def test_a_bad_file_fails_its_well_by_name_and_no_other(plate, hcs, write_pipeline, tmp_path, spoil, mode, digest_of):
    spoil(plate / PLANE)
    before = digest_of(plate)
    ran = hcs("run", plate, write_pipeline(MIP), "-o", tmp_path / "out", *mode)
    assert ran.code == 3
    assert "B03 failed" in ran.err
    assert str(PLANE) in ran.err
    with (tmp_path / "out" / "failed.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["well"], row["site"]) == ("B03", "1")
    assert row["file"].endswith(str(PLANE))
    assert row["command"].endswith("--wells B03")
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["status"] == "partial"
    assert {well: record["status"] for well, record in run["wells"].items()} == {"A01": "ok", "B03": "failed"}
    store = tmp_path / "out" / "images.zarr"
    yaozarrs.validate_zarr_store(str(store))
    assert not (store / "B").exists()
    assert digest_of(plate) == before


def test_a_failed_well_is_made_by_the_next_run_and_no_other(
    plate, good_plate, hcs, write_pipeline, tmp_path, read_attributes
):
    pipeline = write_pipeline(MIP)
    emptied(plate / PLANE)
    assert hcs("run", plate, pipeline, "-o", tmp_path / "out").code == 3
    shutil.copy(good_plate / PLANE, plate / PLANE)
    ran = hcs("run", plate, pipeline, "-o", tmp_path / "out", "--json")
    assert ran.code == 0
    assert {well: record["status"] for well, record in ran.document["wells"].items()} == {
        "A01": "cached",
        "B03": "ok",
    }
    assert (ran.document["computed"], ran.document["cached"]) == (1, 1)
    assert not (tmp_path / "out" / "failed.csv").exists()
    wells = read_attributes(tmp_path / "out" / "images.zarr")["plate"]["wells"]
    assert [well["path"] for well in wells] == ["A/01", "B/03"]


def test_wells_whose_images_were_removed_are_made_again(good_plate, hcs, write_pipeline, tmp_path):
    pipeline = write_pipeline(MIP)
    assert hcs("run", good_plate, pipeline, "-o", tmp_path / "out").code == 0
    shutil.rmtree(tmp_path / "out" / "images.zarr")
    ran = hcs("run", good_plate, pipeline, "-o", tmp_path / "out", "--json")
    assert (ran.code, ran.document["computed"], ran.document["cached"]) == (0, 2, 0)
    yaozarrs.validate_zarr_store(str(tmp_path / "out" / "images.zarr"))


def test_a_plate_without_a_good_file_fails_as_a_whole(plate, hcs, write_pipeline, tmp_path):
    for file in plate.rglob("*.TIF"):
        emptied(file)
    ran = hcs("run", plate, write_pipeline(MIP), "-o", tmp_path / "out")
    assert ran.code == 1
    assert one_sentence(ran, "no plane of this plate can be read", "hcs inspect")
    assert not (tmp_path / "out").exists()
    found = hcs("inspect", plate, "--json").document
    assert found["planes"]["unreadable"] > 0


def test_an_absent_plane_is_refused_by_name_before_anything_is_made(plate, hcs, write_pipeline, tmp_path):
    (plate / PLANE).unlink()
    ran = hcs("run", plate, write_pipeline(MIP), "-o", tmp_path / "out")
    assert ran.code == 1
    assert one_sentence(ran, "B03 site 1 channel 1 z 1 t 1 (not_recorded)", "--missing skip-site")
    assert not (tmp_path / "out").exists()
    assert hcs("run", plate, write_pipeline(MIP), "-o", tmp_path / "out", "--wells", "~B03").code == 0


def test_a_folder_that_is_no_plate(hcs, tmp_path):
    (tmp_path / "holiday.jpg").touch()
    ran = hcs("inspect", tmp_path)
    assert ran.code == 1
    assert one_sentence(ran, tmp_path, "is not a plate", "imagexpress looks for", "*.HTD")


def test_an_empty_folder(hcs, tmp_path):
    (tmp_path / "empty").mkdir()
    ran = hcs("inspect", tmp_path / "empty")
    assert ran.code == 1
    assert one_sentence(ran, tmp_path / "empty", "is empty")


def test_a_folder_that_is_not_there(hcs, tmp_path):
    ran = hcs("inspect", tmp_path / "nowhere")
    assert ran.code == 1
    assert one_sentence(ran, "nowhere", "does not exist")


def test_an_output_that_cannot_be_written(good_plate, hcs, write_pipeline, tmp_path):
    """A file stands where the folder would be made: not even root can write there."""
    (tmp_path / "file").touch()
    ran = hcs("run", good_plate, write_pipeline(MIP), "-o", tmp_path / "file" / "out")
    assert ran.code == 1
    assert one_sentence(ran, tmp_path / "file" / "out", "cannot be written", "-o")


def test_an_output_within_the_plate(plate, hcs, write_pipeline, digest_of):
    before = digest_of(plate)
    ran = hcs("run", plate, write_pipeline(MIP), "-o", plate / "results")
    assert ran.code == 1
    assert one_sentence(ran, "lies within the plate")
    assert digest_of(plate) == before


def test_an_output_that_holds_somebody_s_files(good_plate, hcs, write_pipeline, tmp_path, digest_of):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("precious")
    before = digest_of(tmp_path / "thesis")
    for extra in ([], ["--fresh"]):
        ran = hcs("run", good_plate, write_pipeline(MIP), "-o", tmp_path / "thesis", *extra)
        assert ran.code == 1
        assert one_sentence(ran, "is not empty", "-o")
    assert digest_of(tmp_path / "thesis") == before


def test_an_output_that_holds_a_run_of_another_pipeline(good_plate, hcs, write_pipeline, tmp_path, digest_of):
    assert hcs("run", good_plate, write_pipeline(MIP, "first"), "-o", tmp_path / "out").code == 0
    before = digest_of(tmp_path / "out")
    second = write_pipeline("  - gaussian_blur: {sigma: 1}\n", "second")
    for command in ("run", "plan"):
        ran = hcs(command, good_plate, second, "-o", tmp_path / "out")
        assert ran.code == 1
        assert "holds a run of the pipeline 'first'" in ran.err
        assert "--fresh" in ran.err
    assert digest_of(tmp_path / "out") == before
    assert hcs("run", good_plate, second, "-o", tmp_path / "out", "--fresh").code == 0


def test_fresh_with_a_mistake_in_the_pipeline_costs_nothing(good_plate, hcs, write_pipeline, tmp_path, digest_of):
    assert hcs("run", good_plate, write_pipeline(MIP), "-o", tmp_path / "out").code == 0
    before = digest_of(tmp_path / "out")
    ran = hcs("run", good_plate, write_pipeline("  - max_projecton\n", "typo"), "-o", tmp_path / "out", "--fresh")
    assert ran.code == 1
    assert digest_of(tmp_path / "out") == before


def test_every_mistake_of_a_pipeline_is_told_at_once(good_plate, hcs, write_pipeline, tmp_path):
    steps = (
        "  - max_projecton\n"
        "  - gaussian_blur: {sgima: 2}\n"
        "  - white_tophat: {radius: 0}\n"
        "  - by: channel\n    DAPPI: max_projection\n"
    )
    ran = hcs("run", good_plate, write_pipeline(steps, head="select: {channels: [GFPP]}\n"), "-o", tmp_path / "out")
    assert ran.code == 1
    assert one_sentence(
        ran, "'max_projecton'", "'max_projection'", "'sgima'", "'sigma'", "at least 1", "'GFPP'", "'GFP'"
    )
    assert not (tmp_path / "out").exists()
    steps = steps.replace("  - max_projecton\n", "")
    ran = hcs("plan", good_plate, write_pipeline(steps), "--json")
    assert ran.code == 1
    problems = ran.document["problems"]
    assert {problem["function"] for problem in problems} >= {"gaussian_blur", "white_tophat"}
    assert any("DAPPI" in problem["message"] and "DAPI" in problem["message"] for problem in problems)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("hcs: 1\nselect:\n  wels: A1\nsteps: []\n", 3, ("'wels'", "'wells'")),
        ("hcs: 1\nstep: []\n", 2, ("'step'", "'steps'")),
        ("hcs: 7\nsteps: []\n", 1, ("hcs: 1",)),
        ("hcs: 1\nsteps:\n  - [gaussian_blur\n", 4, ("not YAML",)),
        ("hcs: 1\nsteps:\n  - 5\n", 3, ("- operation",)),
        ("hcs: 1\nmissing: maybe\nsteps: []\n", 2, ("error",)),
    ],
)
def test_a_wrong_pipeline_file_is_told_with_its_line(good_plate, hcs, tmp_path, content, line, words):
    path = tmp_path / "wrong.yaml"
    path.write_text(content)
    ran = hcs("run", good_plate, path, "-o", tmp_path / "out")
    assert ran.code == 1
    assert one_sentence(ran, f"wrong.yaml, line {line}:", *words)


def test_the_command_line_itself_has_an_exit_code_of_its_own(good_plate, hcs, tmp_path):
    assert hcs("run", good_plate).code == 2
    assert hcs("run", "--nonsense").code == 2
    ran = hcs("rum")
    assert ran.code == 2
    assert "Did you mean 'run'?" in ran.err


def test_a_wrong_configuration_is_told_with_its_line(good_plate, hcs, write_pipeline, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("num_workers: 1\nzarr:\n  compresor: lz4\n")
    ran = hcs("run", good_plate, write_pipeline(MIP), "-o", tmp_path / "out", "--config", config)
    assert ran.code == 1
    assert one_sentence(ran, "config.yaml, line 3", "compresor", "'compressor'")
    config.write_text("zarr:\n  compressor: bzip\n")
    ran = hcs("run", good_plate, write_pipeline(MIP), "-o", tmp_path / "out", "--config", config)
    assert ran.code == 1
    assert one_sentence(ran, "config.yaml, line 2", "none, lz4, zstd, gzip")
