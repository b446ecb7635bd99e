"""The engine in an empty environment: it imports, lists itself, and says what to install for the rest."""

from __future__ import annotations

import json

import pytest

from hcs_core import __version__

pytestmark = pytest.mark.environments
STANDARD = "hcs-engine[standard]"


@pytest.fixture(scope="module")
def alone(make_environment, install_by_name):
    environment = make_environment("alone")
    install_by_name(environment, "hcs-engine")
    return environment


@pytest.fixture
def hcs(alone):
    """Run `hcs` there; return what it did."""

    def run(*arguments, **variables):
        return alone.run(alone.command("hcs"), *arguments, **variables)

    return run


def python(alone, code):
    done = alone.run(alone.python, "-I", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_imports_from_the_wheel(alone):
    path, version = python(alone, "import hcs_core; print(hcs_core.__file__, hcs_core.__version__)").split()
    assert path.startswith(str(alone.folder))
    assert version == __version__


def test_every_public_name_can_be_had(alone):
    code = "import hcs_core; print([n for n in dir(hcs_core) if getattr(hcs_core, n, None) is None])"
    assert python(alone, code) == "[]"


def test_discovery_finds_the_engine_itself(alone):
    code = (
        "import json, hcs_core\n"
        "manager = hcs_core.PluginManager(strict=True)\n"
        "manager.discover()\n"
        "print(json.dumps([record.to_json() for record in manager.records()]))\n"
    )
    (record,) = json.loads(python(alone, code))
    assert (record["name"], record["status"], record["version"]) == ("core", "ok", __version__)
    assert record["provides"]["executors"] == ["local"]


def test_an_unknown_name_says_what_to_install(alone):
    code = (
        "import hcs_core\n"
        "for registry in ('readers', 'microscopes', 'storage_backends', 'kernels'):\n"
        "    try:\n"
        "        getattr(hcs_core.PluginManager(), registry).get('zarr')\n"
        "    except hcs_core.UnknownNameError as error:\n"
        "        print(error)\n"
    )
    lines = python(alone, code).splitlines()
    assert len(lines) == 4
    assert all(STANDARD in line and "Installed: none" in line for line in lines)


def test_hcs_says_its_version(hcs):
    done = hcs("--version")
    assert (done.returncode, __version__ in done.stdout) == (0, True), done.stderr


def test_hcs_plugins_lists_the_engine(hcs):
    done = hcs("plugins", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert {"name", "distribution", "version", "status", "provides", "error"} <= set(record)
    assert (record["name"], record["distribution"], record["status"]) == ("core", "hcs-engine", "ok")


def test_hcs_run_says_what_to_install(hcs, tmp_path):
    plate = tmp_path / "plate"
    plate.mkdir()
    (plate / "plate_A01_s1_w1.TIF").write_bytes(b"II*\0")
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text("hcs: 1\nname: nuclei\nsteps:\n  - max_projection\n")
    done = hcs("run", str(plate), str(pipeline), "-o", str(tmp_path / "out"))
    assert done.returncode == 1, done.stderr
    assert STANDARD in done.stderr
    assert "Traceback" not in done.stderr


def test_hcs_without_a_command_is_a_usage(hcs):
    assert hcs("no_such_command").returncode == 2
