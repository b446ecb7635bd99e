"""Each option that `hcs plan` and `hcs run` share, through the real command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hcs_core.cli.application import run


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(z_count=3, timepoint_count=2)


@pytest.fixture
def pipeline(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text("hcs: 1\nname: two\nsteps:\n  - gaussian_blur: {sigma: 1}\n")
    return path


@pytest.fixture
def hcs(capfd, plate, pipeline, tmp_path):
    """Run `hcs COMMAND PLATE PIPELINE -o OUT` with options; return exit code, stdout and stderr."""

    def call(command, *options, plate=plate):
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            run([command, str(plate), str(pipeline), "-o", str(tmp_path / "out"), *map(str, options)])
        return (left.value.code or 0, *capfd.readouterr())

    return call


@pytest.fixture
def plan(hcs, tmp_path):
    """Return what `hcs plan --json` says with options; the exit code is as expected, and nothing is made."""

    def call(*options, code=0, **others):
        ended, out, err = hcs("plan", *options, "--json", **others)
        assert ended == code, err
        assert not (tmp_path / "out").exists()
        return json.loads(out)

    return call


def store(document):
    (found,) = document["stores"]
    return found


def test_without_options(plan):
    found = plan()
    assert found["wells"] == ["A01", "B03"]
    assert store(found)["shape"] == [2, 2, 3, 64, 96]
    assert store(found)["channels"] == ["DAPI", "GFP"]
    assert store(found)["backend"] == "zarr"


def test_wells(plan):
    assert plan("--wells", "B03")["wells"] == ["B03"]
    assert plan("--wells", "~B03")["wells"] == ["A01"]


def test_channels(plan):
    assert store(plan("--channels", "GFP"))["channels"] == ["GFP"]
    assert store(plan("--channels", "1"))["channels"] == ["DAPI"]


def test_sites(plan):
    """Both sites are twice the bytes of one."""
    assert plan()["output_bytes"] == 2 * plan("--sites", "2")["output_bytes"]


def test_z(plan):
    assert store(plan("--z", "2-3"))["shape"] == [2, 2, 2, 64, 96]


def test_time(plan):
    assert store(plan("--time", "2"))["shape"] == [1, 2, 3, 64, 96]


def test_workers(plan):
    assert plan("--workers", "2")["workers"] == 2
    assert plan("--workers", "1")["workers"] == 1


def problems(document):
    return [(problem["parameter"], problem["message"]) for problem in document["problems"]]


def test_memory(plan):
    needed = plan()["peak_memory_bytes_per_worker"]
    ((parameter, message),) = problems(plan("--memory", f"{needed - 1}B", code=1))
    assert parameter == "memory_limit"
    assert f"{needed:,}" in message
    assert problems(plan("--memory", f"{needed}B")) == []


def test_device(plan):
    assert problems(plan("--device", "cpu")) == []
    assert problems(plan("--device", "cuda", code=1)) == [
        ("device", "no memory type that the steps work in has a device 'cuda'.")
    ]


def test_executor(plan):
    assert problems(plan("--executor", "local")) == []
    ((parameter, message),) = problems(plan("--executor", "locl", code=1))
    assert parameter == "executor"
    assert "Did you mean 'local'?" in message


def test_backend(plan):
    assert store(plan("--backend", "disk"))["backend"] == "disk"


def test_config_and_options_that_go_before_it(plan, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("vfs: {intermediate_backend: disk, materialization_backend: disk}\nnum_workers: 2\n")
    found = plan("--config", config)
    assert (found["workers"], store(found)["backend"], found["intermediate_backend"]) == (2, "disk", "disk")
    found = plan("--config", config, "--workers", "1", "--backend", "zarr")
    assert (found["workers"], store(found)["backend"], found["intermediate_backend"]) == (1, "zarr", "disk")


def test_missing(plan, make_plate):
    plate = make_plate()
    (plate / "TimePoint_1" / "ZStep_1" / "plate_A01_s2_w1.TIF").unlink()
    ((parameter, _),) = problems(plan(plate=plate, code=1))
    assert parameter == "missing"
    assert plan("--missing", "skip-site", plate=plate)["wells"] == ["A01", "B03"]
    assert plan("--missing", "skip-well", plate=plate)["wells"] == ["B03"]


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize("option", ["-n", "--dry-run"])
def test_dry_run(hcs, tmp_path, command, option):
    assert hcs(command, option) == hcs("plan")
    assert not (tmp_path / "out").exists()


def test_json(hcs, plan, tmp_path):
    code, out, _ = hcs("run", "--json", "--wells", "A01", "--z", "1", "--time", "1")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "out" / "run.json").read_text())


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet(hcs, option):
    assert hcs("plan", option) == (0, "", "")
    code, out, err = hcs("plan", option, "--device", "cuda")
    assert (code, out) == (1, "")
    assert "has a device 'cuda'" in err


@pytest.mark.parametrize("option", ["-v", "--verbose"])
def test_verbose(plate, pipeline, option):
    """With the traceback of an error, which only a process of its own prints."""
    command = [sys.executable, "-m", "hcs_core", "plan", str(plate), str(pipeline.parent / "absent.yaml"), option]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr
