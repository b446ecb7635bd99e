"""`hcs doctor` says what is there, and of each trouble what to do; what is installed is looked for anew each time."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from types import SimpleNamespace

import numcodecs
import pytest

from hcs_core import PluginManager
from hcs_core.cli import doctor_costs, doctor_findings
from hcs_core.cli.application import run
from hcs_core.cli.doctor_findings import examine, why_no_symlinks
from hcs_core.compiler.choice.costs import KernelCost, LibraryCost
from hcs_core.compiler.choice.costs_file import costs_path, read_costs
from hcs_core.compiler.machine import Machine

LIBRARIES = "torch,jax,cupy"
"""The plugins of array libraries, which may be installed or not where tests run."""

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

    from_host = to_host = cast = stack = nonfinite = holds = to_device
    device_of = scope = free_bytes = is_out_of_memory = release = to_device

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

    def call(*arguments, disabled=LIBRARIES):
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
    found = document(doctor("--json", disabled=""), 0)
    assert found["troubles"] == []
    assert found["python"] == platform.python_version()
    assert found["versions"]["hcs-engine"] == version("hcs-engine")
    assert found["versions"]["hcs-zarr"] == version("hcs-zarr")
    assert {record["status"] for record in found["plugins"]} == {"ok"}
    assert {"core", "disk", "imagexpress", "memory", "numpy", "zarr"} <= {item["name"] for item in found["plugins"]}
    numpy = {"name": "numpy", "library": "numpy", "state": "ready", "devices": ["cpu"], "get": ""}
    assert numpy in found["memory_types"]
    assert "cpu" in found["devices"]
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
    assert "numpy: ready on cpu\n" in text
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
    found = document(doctor("--json", disabled=f"report,{LIBRARIES}"), 0)
    assert {item["name"]: item["status"] for item in found["plugins"]}["report"] == "disabled"


def test_without_plugins_it_says_what_to_install(doctor):
    every = f"disk,imagexpress,memory,numpy,report,synthetic,zarr,{LIBRARIES}"
    (trouble,) = document(doctor("--json", disabled=every), 1)["troubles"]
    assert trouble["what"] == ("nothing can be run: there are no microscopes, readers, storage backends, kernels.")
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
    # A library that is not there is a state, and no trouble.
    (told,) = [trouble["what"] for trouble in found["troubles"]]
    assert (
        "the memory type 'broken' of plugin 'cards' of hcs-cards raises RuntimeError: the driver is too old" in told
    )
    text = doctor().stdout
    assert "absent: not installed. Install the library 'no_such_library_here'\n" in text
    assert "dummy: ready on gpu:0, gpu:1" in text


KERNELS = """
from hcs_core import KernelSpec, MemoryTypeSpec, Signature, hookimpl
hcs_api = 1

@hookimpl
def hcs_memory_types():
    yield MemoryTypeSpec(name="gems", target="hcs_core.testing:FakeMemoryType", library="no_such_library_here")

@hookimpl
def hcs_kernels():
    for operation in ("gaussian_blur", "polish"):
        if operation in OPERATIONS:
            yield KernelSpec(
                operation=operation, memory_type="gems", target="no_such_library_here:kernel", signature=SIGNATURE
            )
"""


@pytest.mark.parametrize(("operations", "code"), [(("gaussian_blur",), 0), (("gaussian_blur", "polish"), 1)])
def test_a_library_that_is_not_there_is_a_trouble_where_nothing_else_does_its_work(doctor, install, operations, code):
    head = f"from hcs_operations.signatures import GAUSSIAN_BLUR as SIGNATURE\nOPERATIONS = {operations}\n"
    metadata = install("hcs-gems", "gems = hcs_gems", hcs_gems=head + KERNELS)
    with (metadata / "METADATA").open("a") as text:
        text.write("Provides-Extra: rough\nProvides-Extra: cut\n")
    found = document(doctor("--json"), code)
    get = "Install it with pip install 'hcs-gems[rough]' or pip install 'hcs-gems[cut]'."
    expected = {
        "what": "nothing here computes polish, which gems could: "
        "its library 'no_such_library_here' is not installed.",
        "advice": get,
    }
    assert found["troubles"] == ([expected] if code else [])
    (gems,) = [item for item in found["memory_types"] if item["name"] == "gems"]
    assert (gems["state"], gems["get"]) == ("not installed", get)


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


def test_a_disk_that_is_nearly_full_is_a_trouble(tmp_path, monkeypatch):
    installed = PluginManager(disabled=LIBRARIES.split(","))
    installed.discover()
    monkeypatch.setattr(doctor_findings, "this_machine", lambda _folder: Machine(cores=1, free_disk_bytes=2**20))
    (trouble,) = examine(installed, tmp_path).troubles
    assert trouble.what == f"{tmp_path} has 1,048,576 bytes free."


def test_a_folder_without_symlinks_says_why(tmp_path):
    assert why_no_symlinks(tmp_path) == ""
    assert "absent" in why_no_symlinks(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


# --- Measured costs ---------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache folder of one test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hcs"


def test_without_measurements_it_says_how_to_make_them(doctor, cache):
    assert "Measured: none; `hcs doctor --measure` makes them\n" in doctor().stdout
    assert document(doctor("--json"), 0)["costs"]["kernels"] == []
    assert not cache.exists()


def test_a_file_that_cannot_be_read_is_a_trouble_and_stops_nothing(doctor, cache):
    costs_path().parent.mkdir(parents=True)
    costs_path().write_text("no costs")
    found = document(doctor("--json"), 1)
    (trouble,) = found["troubles"]
    assert trouble["what"].startswith(f"the measurements in {costs_path()} cannot be read (")
    assert trouble["advice"] == "`hcs doctor --measure` makes them anew; or remove the file."


def test_where_nothing_can_be_kept_nobody_waits_for_measuring(tmp_path):
    """A file stands where the cache folder would be made: not even root can write there."""
    (tmp_path / "file").touch()
    ran = subprocess.run(
        [sys.executable, "-m", "hcs_core", "doctor", "--measure"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "HCS_DISABLE": LIBRARIES, "XDG_CACHE_HOME": str(tmp_path / "file")},
    )  # fmt: skip
    assert ran.returncode == 1
    assert "cannot be written" in ran.stderr
    assert "to measure" not in ran.stderr
    # Nothing is kept there, which is no trouble to anybody who does not measure.
    ran = subprocess.run(
        [sys.executable, "-m", "hcs_core", "doctor"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "HCS_DISABLE": LIBRARIES, "XDG_CACHE_HOME": str(tmp_path / "file")},
    )  # fmt: skip
    assert (ran.returncode, "Measured: none;" in ran.stdout) == (0, True)


def test_what_is_measured_is_kept_and_said(cache, tmp_path):
    """The real thing, in a program of its own, for the kernels of numpy."""
    ran = subprocess.run(
        [sys.executable, "-m", "hcs_core", "doctor", "--measure"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "HCS_DISABLE": LIBRARIES},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "numpy: started in 0.0 s, on cpu" in ran.stderr
    assert f"Measured: of {datetime.now(UTC).date()}: numpy {version('numpy')} on cpu (" in ran.stdout
    (path,) = cache.iterdir()
    assert path == costs_path()
    costs = read_costs()
    manager = PluginManager()
    manager.discover()
    every = {spec.name for spec in manager.kernels if spec.memory_type == "numpy"}
    assert {item.kernel for item in costs.kernels} == every
    assert {item.dtype for item in costs.kernels} == {"uint8", "uint16", "float32"}
    # Blurring a megapixel takes neither a microsecond nor a second.
    assert all(1e-6 < item.seconds_per_megapixel < 1 for item in costs.kernels if "gaussian" in item.kernel)
    # A table of what was measured comes last.
    assert re.search(r"^ *gaussian_blur +[\d.]+$", ran.stdout, re.MULTILINE)


def test_what_was_measured_is_kept_though_it_is_not_come_to_an_end(cache, monkeypatch, installed):
    cost = KernelCost(kernel="a/numpy", version="1", device="cpu", dtype="uint16", seconds_per_megapixel=1.0)
    library = LibraryCost(
        memory_type="numpy", library="numpy", version=version("numpy"), start_seconds=0.0, devices=("cpu",)
    )

    def interrupted(*_arguments):
        yield library
        yield cost
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor_costs, "measured", interrupted)
    with pytest.raises(KeyboardInterrupt):
        doctor_costs.measure_costs(installed)
    assert read_costs().kernels == (cost,)
