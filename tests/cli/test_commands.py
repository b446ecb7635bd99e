"""The commands that look and tell: their JSON has the keys that other programs read, their text is for people."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from hcs_core import Pipeline, __version__


def call(*arguments, cwd=None, **environment):
    """Run `hcs` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "hcs_core", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )


def document(*arguments, **options):
    ran = call(*arguments, **options)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate()


@pytest.fixture
def pipeline(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text("hcs: 1\nname: two\nsteps:\n  - gaussian_blur: {sigma: 1, save: true}\n  - max_projection\n")
    return path


def test_the_version_is_told_before_click_is_imported():
    code = (
        "import sys; sys.argv = ['hcs', '--version']\n"
        "from hcs_core.cli import main\nmain()\n"
        "others = {'click', 'attr', 'pluggy', 'numpy', 'rich'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & others))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [f"hcs {__version__}", "[]"]


def test_listing_plugins_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['hcs', 'plugins']\n"
        "from hcs_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert left.code == 0\n"
        "heavy = {'numpy', 'zarr', 'tifffile', 'cv2', 'torch', 'jax', 'cupy', 'yaml'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_plugins_in_json_have_the_keys_that_are_promised():
    records = {record["name"]: record for record in document("plugins", "--json")}
    assert set(records["zarr"]) == {"name", "distribution", "version", "status", "provides", "error"}
    assert records["zarr"]["provides"] == {"readers": ["zarr"], "storage_backends": ["zarr"]}
    assert records["core"]["provides"]["compiler_passes"] == [
        "paths",
        "stores",
        "materialization",
        "memory",
        "devices",
    ]
    assert {record["status"] for record in records.values()} == {"ok"}
    assert document("plugins", "list", "--json") == list(records.values())


def test_one_plugin_is_shown_with_what_it_declares():
    shown = call("plugins", "show", "imagexpress").stdout
    assert shown.startswith("imagexpress: ok, of hcs-imagexpress")
    assert "microscope imagexpress" in shown
    assert document("plugins", "show", "zarr", "--json")["name"] == "zarr"
    ran = call("plugins", "show", "zar")
    assert ran.returncode == 1
    assert "Did you mean 'zarr'?" in ran.stderr


def test_a_disabled_plugin_is_said_to_be_and_what_it_brought_is_missed_by_name(plate, pipeline, tmp_path):
    records = {item["name"]: item for item in document("plugins", "--json", HCS_DISABLE="zarr, numpy")}
    assert (records["zarr"]["status"], records["numpy"]["status"]) == ("disabled", "disabled")
    ran = call("run", plate, pipeline, "-o", tmp_path / "out", HCS_DISABLE="zarr")
    assert ran.returncode == 1
    assert "no storage backend is called 'zarr'" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_functions_in_json_have_the_keys_that_are_promised():
    rows = {row["name"]: row for row in document("functions", "--json")}
    assert set(rows) >= {"percentile_normalize", "gaussian_blur", "white_tophat", "max_projection", "composite"}
    blur = rows["gaussian_blur"]
    assert (blur["axes"], blur["out"], blur["memory_types"]["numpy"]) == ("yx", "yx", "ready")
    assert set(blur["memory_types"].values()) <= {"ready", "no device", "not installed"}
    (kernel,) = [item for item in blur["kernels"] if item["kernel"] == "gaussian_blur/numpy"]
    assert kernel == {
        "kernel": "gaussian_blur/numpy", "version": "1", "state": "ready", "devices": ["cpu"], "get": "",
    }  # fmt: skip
    assert blur["tolerance"].startswith("within 1 grey level on integers")
    (sigma,) = blur["parameters"]
    assert (sigma["name"], sigma["required"], sigma["default"], sigma["unit"]) == ("sigma", False, 1.0, "px")


def test_functions_says_once_what_is_not_ready():
    """Where it is ready stands in a column; the rest in one line, however many operations there are."""
    lines = call("functions").stdout.splitlines()
    assert lines[0].split() == ["operation", "axes", "ready", "in", "what", "it", "does"]
    states = {
        name: state
        for row in document("functions", "--json")
        for name, state in row["memory_types"].items()
        if state != "ready"
    }
    (blur,) = [line for line in lines if "gaussian_blur(" in line]
    assert re.search(r"yx -> yx  +([a-z]+, )*numpy(, [a-z]+)*  +blur each plane", blur)
    assert not [name for name in states if re.search(rf"\b{name}\b", blur)]
    told = [line for line in lines if line.startswith("Not ready here: ")]
    absent = ", ".join(f"{name} ({state})" for name, state in sorted(states.items()))
    assert told == ([f"Not ready here: {absent}. `hcs doctor` says what to do."] if states else [])


def test_one_function_is_shown_with_the_line_to_write():
    shown = call("functions", "gaussian_blur").stdout
    assert "sigma: a number above 0" in shown
    assert "- gaussian_blur: {sigma: 1.0}" in shown
    assert "  gaussian_blur/numpy: ready on cpu\n" in shown
    # No machine that tests run on has CuPy and no card: it is not there, or ready.
    assert re.search(r"gaussian_blur/cupy: (ready on|not installed\. Install it with pip install 'hcs-cupy\[)", shown)
    ran = call("functions", "gausian_blur")
    assert ran.returncode == 1
    assert "Did you mean 'gaussian_blur'?" in ran.stderr


def test_a_plan_in_json_has_the_keys_that_are_promised(plate, pipeline, tmp_path):
    plan = document("plan", plate, pipeline, "--json", "-o", tmp_path / "out")
    promised = "digest wells steps problems peak_memory_bytes_per_worker output_bytes output_files stores"
    assert set(plan) >= set(promised.split())
    first, second = plan["steps"]
    assert set(first) >= {"name", "kernel", "memory_type", "axes", "reads", "writes", "wells_to_run", "why"}
    assert (first["device"], second["device"]) == ("cpu", "cpu")
    # Why a kernel is taken depends on which libraries are there; that one is taken does not.
    assert first["kernel_why"] in {
        "no measurements: numpy",
        "the only kernel",
        "the only kernel whose library is here",
    }
    assert first["kernel"] == "gaussian_blur/numpy"
    assert (first["reads"], first["writes"]) == ("plate", ["gaussian_blur.zarr"])
    assert second["axes"] == "zyx->yx"
    assert (second["reads"], second["writes"]) == ("gaussian_blur", ["images.zarr"])
    assert [store["shape"] for store in plan["stores"]] == [[1, 2, 2, 64, 96], [1, 2, 1, 64, 96]]
    assert plan["problems"] == []
    assert not (tmp_path / "out").exists()


def test_what_a_plan_says_of_bytes_and_files_is_what_a_run_writes(plate, pipeline, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("zarr: {compressor: none}\n")
    plan = document("plan", plate, pipeline, "--json", "-o", tmp_path / "out", "--config", config)
    assert call("run", plate, pipeline, "-o", tmp_path / "out", "--config", config).returncode == 0
    files = [path for path in (tmp_path / "out").glob("*.zarr/**/*") if path.is_file()]
    assert len(files) == plan["output_files"]
    chunks = [path.stat().st_size for path in files if path.name != "zarr.json"]
    assert sum(chunks) == plan["output_bytes"]


def test_a_plan_for_people_says_what_will_happen(plate, pipeline, tmp_path):
    text = call("plan", plate, pipeline, "-o", tmp_path / "out").stdout
    for words in (
        "A01, B03",
        "1. gaussian_blur",
        "max_projection/numpy",
        "gaussian_blur.zarr",
        "Needs:",
        "2 well(s)",
    ):
        assert words in text
    assert call("run", plate, pipeline, "-o", tmp_path / "out", "-n").stdout == text
    assert not (tmp_path / "out").exists()
    assert call("run", plate, pipeline, "-o", tmp_path / "out").returncode == 0
    assert "nothing, all wells are there" in call("plan", plate, pipeline, "-o", tmp_path / "out").stdout


def test_a_run_in_json_is_what_stands_in_run_json(plate, pipeline, tmp_path):
    run = document("run", plate, pipeline, "-o", tmp_path / "out", "--json")
    assert run == json.loads((tmp_path / "out" / "run.json").read_text())
    assert set(run) >= {"status", "plan_digest", "versions", "wells", "missing", "computed", "cached"}
    assert set(run["wells"]["A01"]) == {"status", "seconds", "peak_memory_bytes", "error"}
    assert (run["computed"], run["cached"]) == (4, 0)
    assert run["versions"]["hcs-zarr"]
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["digest"] == run["plan_digest"]
    assert Pipeline.load(tmp_path / "out" / "pipeline.yaml").steps == Pipeline.load(pipeline).steps


def test_init_writes_a_file_that_runs_and_never_over_another(plate, tmp_path):
    ran = call("init", "mine", cwd=tmp_path)
    assert ran.returncode == 0
    assert [step.name for step in Pipeline.load(tmp_path / "mine.yaml").steps] == ["max_projection", "gaussian_blur"]
    assert call("run", plate, "mine.yaml", "-o", "out", cwd=tmp_path).returncode == 0
    again = call("init", "mine", cwd=tmp_path)
    assert again.returncode == 1
    assert "already there" in again.stderr


def test_several_plates_get_a_folder_each(make_plate, pipeline, tmp_path):
    plates = [make_plate(name=name, wells=("A01",), z_count=1, grid=(1, 1)) for name in ("one", "two")]
    pipeline.write_text("hcs: 1\nname: conversion\nsteps: []\n")
    runs = document("run", *plates, pipeline, "-o", tmp_path / "all", "--json")
    assert [run["plate"] for run in runs] == ["one", "two"]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["one_outputs", "two_outputs"]


def test_quiet_prints_nothing_and_plain_lines_go_to_stderr(plate, pipeline, tmp_path):
    ran = call("run", plate, pipeline, "-o", tmp_path / "quiet", "-q")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    ran = call("run", plate, pipeline, "-o", tmp_path / "loud")
    assert "2 of 2 wells" in ran.stderr
    assert "\x1b" not in ran.stderr + ran.stdout


def test_help_lists_the_commands_of_plugins_too():
    text = call("--help").stdout
    for command in ("inspect", "init", "plan", "diff", "run", "functions", "plugins", "demo"):
        assert f"\n  {command} " in text


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m hcs_core functions | head -1"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ran.stdout.count("\n") == 1
    assert "Traceback" not in ran.stderr


def test_verbose_shows_the_traceback_and_plain_does_not(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "Traceback" in call("inspect", tmp_path / "empty", "-v").stderr
    assert "Traceback" not in call("inspect", tmp_path / "empty").stderr
