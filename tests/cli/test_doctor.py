"""`hcs doctor` says what is there, and of each trouble what to do; what is installed is looked for anew each time."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import numcodecs
import pytest

from hcs_core.cli import doctor_findings
from hcs_core.cli.application import run
from hcs_core.cli.doctor_findings import examine, why_no_symlinks
from hcs_core.compiler.machine import Machine

MEMORY_TYPES = """
from hcs_core import MemoryTypeSpec, hookimpl
hcs_api = 1

@hookimpl
def hcs_memory_types():
    libraries = {"dummy": "json", "absent": "no_such_library_here", "idle": "json", "broken": "json"}
    for name, library in libraries.items():
        yield MemoryTypeSpec(name=name, target=f"hcs_cards_memory:{name.title()}", library=library)
"""
MEMORY = """
class Dummy:
    def owns(self, array):
        return False

    def to_device(self, array, device):
        return array

    from_host = to_host = to_device

    def devices(self):
        return ("gpu:0", "gpu:1")

class Idle(Dummy):
    def devices(self):
        return ()

class Broken(Dummy):
    def devices(self):
        raise RuntimeError("the driver is too old")

class Absent(Dummy):
    pass
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A folder on the path, for distributions that a test puts there; what it imports of them is forgotten."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def doctor(path, tmp_path, capfd, monkeypatch):
    """Return what runs `hcs doctor` in an empty folder, which stays so."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments, disabled=""):
        capfd.readouterr()
        monkeypatch.setenv("HCS_DISABLE", disabled)
        with pytest.raises(SystemExit) as left:
            run(["doctor", *arguments])
        out, err = capfd.readouterr()
        assert err == ""
        assert list(folder.iterdir()) == []
        return SimpleNamespace(stdout=out, returncode=left.value.code or 0)

    return call


@pytest.fixture
def install(path):
    """Return what puts a distribution on the path: its metadata, and its modules by name."""

    def make(name, plugin="", **modules):
        metadata = path / f"{name.replace('-', '_')}-1.5.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        if plugin:
            (metadata / "entry_points.txt").write_text(f"[hcs_core]\n{plugin}\n")
        for module, text in modules.items():
            (path / f"{module}.py").write_text(text)
        return metadata

    return make


def document(ran, code):
    assert ran.returncode == code, ran.stdout
    return json.loads(ran.stdout)


def test_all_is_well(doctor, tmp_path):
    found = document(doctor("--json"), 0)
    assert found["troubles"] == []
    assert found["python"] == platform.python_version()
    assert found["versions"]["hcs-engine"] == version("hcs-engine")
    assert found["versions"]["hcs-zarr"] == version("hcs-zarr")
    assert {record["status"] for record in found["plugins"]} == {"ok"}
    assert {"core", "disk", "imagexpress", "memory", "numpy", "zarr"} <= {item["name"] for item in found["plugins"]}
    assert found["memory_types"] == [{"name": "numpy", "library": "numpy", "state": "ready", "devices": ["cpu"]}]
    assert found["devices"] == ["cpu"]
    affinity = getattr(os, "sched_getaffinity", None)
    assert found["cores"] == (len(affinity(0)) if affinity else os.cpu_count())
    assert found["disk"]["folder"] == str(tmp_path / "folder")
    assert found["disk"]["symlinks"] is True
    assert found["disk"]["free_bytes"] == pytest.approx(shutil.disk_usage(tmp_path).free, abs=2**30)
    assert found["other_distributions"] == []


def test_it_is_a_command_of_its_own():
    ran = subprocess.run([sys.executable, "-m", "hcs_core", "doctor"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("\nAll is well.\n")


def test_codecs_are_those_that_the_libraries_have(doctor):
    found = document(doctor("--json"), 0)
    of_zarr = {item["codec"]: item["works"] for item in found["codecs"] if "'zarr'" in item["of"]}
    # blosc itself says what it was built with.
    assert of_zarr == {"none": True, "gzip": True} | {
        name: name in numcodecs.blosc.list_compressors() for name in ("lz4", "zstd")
    }
    of_tiff = {item["codec"] for item in found["codecs"] if "'tiff'" in item["of"]}
    assert of_tiff >= {"LZW", "JPEG 2000", "Deflate"}


def test_for_people(doctor):
    text = doctor().stdout
    assert text.startswith(f"Python:   {platform.python_version()} on ")
    assert f"zarr         ok        hcs-zarr {version('hcs-zarr')}" in text
    assert "Arrays:   numpy: ready on cpu" in text
    assert "symlinks work there" in text
    assert text.endswith("\nAll is well.\n")


def test_a_plugin_that_fails_is_a_trouble(doctor, install):
    install("hcs-bad", "bad = hcs_bad", hcs_bad='raise RuntimeError("no licence")')
    found = document(doctor("--json"), 1)
    (trouble,) = found["troubles"]
    assert "plugin 'bad' of hcs-bad" in trouble["what"]
    assert "RuntimeError: no licence" in trouble["what"]
    assert trouble["advice"] == "`hcs plugins show bad -v` shows where."
    text = doctor().stdout
    assert "bad          failed    hcs-bad 1.5" in text
    assert text.endswith(f"1 thing(s) to do:\n  1. {trouble['what']}\n     {trouble['advice']}\n")


def test_a_target_that_cannot_be_imported_is_found(doctor, install):
    """Listing plugins does not see it, as nothing of a plugin is imported then."""
    code = (
        "from hcs_core import ReaderSpec, hookimpl\nhcs_api = 1\n"
        "@hookimpl\ndef hcs_readers():\n    yield ReaderSpec(name='late', target='no_such_library_here:Reader')\n"
    )
    install("hcs-late", "late = hcs_late", hcs_late=code)
    (trouble,) = document(doctor("--json"), 1)["troubles"]
    assert "the reader 'late' of plugin 'late' of hcs-late cannot be used" in trouble["what"]


def test_a_disabled_plugin_is_no_trouble(doctor):
    found = document(doctor("--json", disabled="report"), 0)
    assert {item["name"]: item["status"] for item in found["plugins"]}["report"] == "disabled"


def test_without_plugins_it_says_what_to_install(doctor):
    every = "disk,imagexpress,memory,numpy,report,synthetic,zarr"
    (trouble,) = document(doctor("--json", disabled=every), 1)["troubles"]
    assert trouble["what"] == (
        "nothing can be run: there are no microscopes, readers, storage backends, memory types, kernels."
    )
    assert "pip install 'hcs-engine[standard]'" in trouble["advice"]
    assert "Codecs:   none" in doctor(disabled=every).stdout


def test_memory_types_have_three_states_and_faults(doctor, install):
    install("hcs-cards", "cards = hcs_cards", hcs_cards=MEMORY_TYPES, hcs_cards_memory=MEMORY)
    found = document(doctor("--json"), 1)
    states = {item["name"]: (item["state"], item["devices"]) for item in found["memory_types"]}
    assert states == {
        "numpy": ("ready", ["cpu"]),
        "dummy": ("ready", ["gpu:0", "gpu:1"]),
        "absent": ("not installed", []),
        "idle": ("no device", []),
        "broken": ("failed", []),
    }
    assert found["devices"] == ["gpu:0", "gpu:1", "cpu"]
    told = [trouble["what"] for trouble in found["troubles"]]
    assert len(told) == 2
    assert (
        "the memory type 'broken' of plugin 'cards' of hcs-cards raises RuntimeError: the driver is too old"
        in told[0]
    )
    assert "its library 'no_such_library_here' is not installed" in told[1]
    text = doctor().stdout
    assert "absent: not installed (no_such_library_here)" in text
    assert "dummy: ready on gpu:0, gpu:1" in text


def test_the_other_distribution_that_imports_as_hcs_core(doctor, install):
    (install("hcs-core") / "top_level.txt").write_text("hcs_core\n")
    found = document(doctor("--json"), 1)
    assert found["other_distributions"] == ["hcs-core"]
    (trouble,) = found["troubles"]
    assert "'hcs-core' imports as 'hcs_core' too" in trouble["what"]
    assert trouble["advice"].startswith("pip uninstall hcs-core, then pip install --force-reinstall")


def test_a_codec_that_does_not_work_is_a_trouble(doctor, install):
    code = (
        "from hcs_core import ReaderSpec, hookimpl\nhcs_api = 1\n"
        "@hookimpl\ndef hcs_readers():\n"
        "    yield ReaderSpec(name='czi', target='hcs_czi:Reader', codecs='hcs_czi:codecs')\n"
        "class Reader:\n    pass\n"
        "def codecs():\n    return {'raw': '', 'JPEG XR': 'ImportError: no jxrlib'}\n"
    )
    install("hcs-czi", "czi = hcs_czi", hcs_czi=code)
    found = document(doctor("--json"), 1)
    (trouble,) = found["troubles"]
    assert trouble["what"] == "the reader 'czi' cannot use the codec 'JPEG XR' (ImportError: no jxrlib)."
    assert {"of": "the reader 'czi'", "codec": "raw", "works": True, "why_not": ""} in found["codecs"]
    assert "the reader 'czi': raw, JPEG XR not usable" in doctor().stdout


def test_a_disk_that_is_nearly_full_is_a_trouble(installed, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor_findings, "this_machine", lambda _folder: Machine(cores=1, free_disk_bytes=2**20))
    (trouble,) = examine(installed, tmp_path).troubles
    assert trouble.what == f"{tmp_path} has 1,048,576 bytes free."


def test_a_folder_without_symlinks_says_why(tmp_path):
    assert why_no_symlinks(tmp_path) == ""
    assert "absent" in why_no_symlinks(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []
