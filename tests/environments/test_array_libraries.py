"""Plugins of array libraries in environments of their own: without the libraries, and torch alone."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.environments
PIPELINE = """\
hcs: 1
name: alone
steps:
  - max_projection
  - gaussian_blur: {sigma: 1.5}
  - mine:inverted
"""
MINE = """\
from hcs_core import step_function


@step_function(memory="torch", axes="yx")
def inverted(image):
    return image.amax() - image
"""


@pytest.mark.parametrize("library", ["torch", "jax", "cupy"])
def test_without_its_library_a_plugin_is_whole_and_says_what_is_missing(make_environment, install_by_name, library):
    environment = make_environment(f"without_{library}")
    install_by_name(environment, f"hcs-{library}")
    hcs = environment.command("hcs")
    found = environment.run(hcs, "plugins", "--json")
    assert found.returncode == 0, found.stderr
    assert {record["status"] for record in json.loads(found.stdout)} == {"ok"}
    functions = environment.run(hcs, "functions", "--json")
    assert functions.returncode == 0, functions.stderr
    blur = next(row for row in json.loads(functions.stdout) if row["name"] == "gaussian_blur")
    assert blur["memory_types"] == {library: "not installed"}
    doctor = environment.run(hcs, "doctor", "--json")
    assert "Traceback" not in doctor.stderr
    state = next(row for row in json.loads(doctor.stdout)["memory_types"] if row["name"] == library)
    assert (state["state"], state["library"]) == ("not installed", library)
    assert f"hcs-{library}[" in state["get"]
    # Its kernels are not imported, which need the library: that is no fault of the plugin's.
    shown = environment.run(hcs, "plugins", "show", library, "--json")
    assert (shown.returncode, json.loads(shown.stdout)["status"]) == (0, "ok"), shown.stdout + shown.stderr


@pytest.mark.usefixtures("machine_wheels")
def test_hcs_torch_works_without_hcs_numpy(make_environment, install_by_name, tmp_path):
    environment = make_environment("torch_alone")
    for name in ("hcs-torch", "hcs-synthetic", "hcs-imagexpress", "hcs-disk", "hcs-memory", "hcs-zarr"):
        install_by_name(environment, name)
    environment.install("torch==2.13.0")
    code = (
        "import sys\n"
        "from hcs_core import PluginManager\n"
        "from hcs_synthetic.making import make_plate\n"
        "from hcs_synthetic.plate import SyntheticPlate\n"
        "plugins = PluginManager()\n"
        "plugins.discover()\n"
        "facts = SyntheticPlate(name='plate', wells=('A01',), grid=(1, 1), image_shape=(40, 50), z_count=2)\n"
        "print(make_plate(sys.argv[1], facts, plugins=plugins))\n"
    )
    made = environment.run(environment.python, "-c", code, tmp_path)
    assert made.returncode == 0, made.stderr
    (tmp_path / "alone.yaml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    out = tmp_path / "out"
    hcs = environment.command("hcs")
    ran = environment.run(hcs, "run", made.stdout.strip(), tmp_path / "alone.yaml", "-o", out)
    assert ran.returncode == 0, ran.stderr
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["status"] == "ok"
    assert [row["kernel"] for row in run["kernels"]] == ["max_projection/torch", "gaussian_blur/torch", "inverted"]
    assert (out / "images.zarr" / "zarr.json").is_file()
