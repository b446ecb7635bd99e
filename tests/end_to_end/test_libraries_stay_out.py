"""A pipeline that uses no array library but numpy imports no other, though their plugins are installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from hcs_core import PluginManager
from hcs_core.compiler.choice.costs import Costs, KernelCost, LibraryCost, RouteCost
from hcs_core.compiler.choice.costs_file import costs_path, costs_text, this_hardware
from hcs_core.plugins.libraries import library_version

LIBRARIES = ("torch", "jax", "jaxlib", "cupy")

PROGRAM = """
import json, sys
from hcs_core.cli.application import run
try:
    run(json.loads(sys.argv[1]))
except SystemExit as left:
    code = left.code or 0
found = sorted({name.partition(".")[0] for name in sys.modules} & set(json.loads(sys.argv[2])))
print("AFTER", json.dumps([code, found]))
"""

FUNCTIONS = f"""
import sys
from hcs_core import step_function

@step_function(axes="yx", out="yx")
def look_around(image):
    there = {{name.partition(".")[0] for name in sys.modules}} & set({LIBRARIES!r})
    if there:
        raise RuntimeError(f"imported here: {{sorted(there)}}")
    return image
"""

PIPELINE = """hcs: 1
name: plain
steps:
  - gaussian_blur: {sigma: 1}
  - my_functions:look_around
  - max_projection
  - percentile_normalize
"""


def everything_measured(plugins):
    """Return costs in which every other library is dear, and numpy cheap, on cards that the machine has not."""
    names = [spec.name for spec in plugins.memory_types]
    return Costs(
        measured_on=this_hardware(),
        measured_at="2026-01-01T00:00:00+00:00",
        libraries=tuple(
            LibraryCost(
                memory_type=name,
                library=name,
                version=library_version(name),
                start_seconds=0.0,
                devices=("cpu",) if name == "numpy" else ("cuda:0", "cpu"),
            )
            for name in names
        ),
        kernels=tuple(
            KernelCost(
                kernel=spec.name,
                version=spec.version,
                device="cpu" if spec.memory_type == "numpy" else "cuda:0",
                dtype="uint16",
                seconds_per_megapixel=0.1 if spec.memory_type == "numpy" else 1.0,
            )
            for spec in plugins.kernels
        ),
        routes=tuple(
            RouteCost(source=one, destination=other, device="cuda:0", dtype="uint16", seconds_per_megabyte=0.1)
            for name in names
            for one, other in (("numpy", name), (name, "numpy"))
            if name != "numpy"
        ),
    )


@pytest.fixture
def hcs(tmp_path, make_plate):
    """Return what runs `hcs` in a process of its own, on a plate, and says which libraries it has imported."""
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "my_functions.py").write_text(FUNCTIONS)
    plate = make_plate()

    def call(command, *options):
        arguments = [command, str(plate), str(tmp_path / "pipeline.yaml"), "-o", str(tmp_path / "out"), *options]
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps(arguments), json.dumps(LIBRARIES)],
            capture_output=True, text=True, check=True, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        )  # fmt: skip
        code, found = json.loads(ran.stdout.rpartition("AFTER ")[2])
        assert code == 0, ran.stderr
        assert found == []
        return ran.stdout

    return call


def test_the_plugins_are_installed(installed):
    """Else the rest would say nothing."""
    assert {"torch", "jax", "cupy"} <= {record.name for record in installed.records()}


@pytest.mark.parametrize(
    "options", [("--workers", "1"), ("--workers", "2", "--processes"), ("--device", "cpu", "--workers", "1")]
)
def test_a_run_imports_none(hcs, options):
    hcs("run", *options)


def test_choosing_by_what_was_measured_imports_none(hcs, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plugins = PluginManager()
    plugins.discover()
    path = costs_path()
    path.parent.mkdir(parents=True)
    path.write_text(costs_text(everything_measured(plugins)))
    assert "gaussian_blur/numpy" in hcs("plan")


def test_listing_what_there_is_imports_none_that_is_ready_anywhere(tmp_path):
    """Nothing was measured here. cupy has no CPU: whether it is ready, only it can tell."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(["functions"]), json.dumps(["torch", "jax", "jaxlib"])],
        capture_output=True, text=True, check=True, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )  # fmt: skip
    assert json.loads(ran.stdout.rpartition("AFTER ")[2]) == [0, []]
    assert "gaussian_blur(sigma=1.0)" in ran.stdout
