"""Pipelines on a plate, every step in torch: what comes out, what is moved, and what is imported."""

import json
import subprocess
import sys

import numpy as np
import pytest
import zarr

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginManager, Step, step_function
from hcs_core.testing import require_library
from hcs_synthetic.making import make_plate
from hcs_synthetic.plate import SyntheticPlate

torch = require_library("torch")

WELLS, SITES, CHANNELS, PLANES = 2, 2, 2, 3
CHAIN = (
    ("gaussian_blur", {"sigma": 1.2}),
    ("white_tophat", {"radius": 6}),
    ("median_projection", {}),
    ("bin", {}),
    ("crop", {"y": 2, "x": 3}),
)


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    plugins = PluginManager()
    plugins.discover()
    facts = SyntheticPlate(
        name="plate", wells=("A01", "B03"), grid=(1, SITES), image_shape=(48, 61), cells_per_field=6.0, z_count=PLANES
    )
    return make_plate(tmp_path_factory.mktemp("plates"), facts, plugins=plugins)


def ran(plate, output, steps, **config):
    settings = GlobalPipelineConfig(**{"num_workers": 1, **config})
    result = PipelineOrchestrator(plate, global_config=settings, output=output).run([Pipeline("chain", list(steps))])
    assert result.status == "ok", [record.fault for record in result.failed]
    return result


def pixels(result):
    """Return every full-size image of a run, by its place in the store."""
    store = result.output / "images.zarr"
    places = sorted(path.parent for path in store.glob("*/*/*/0/zarr.json"))
    assert len(places) == WELLS * SITES
    return np.stack([zarr.open_array(place, mode="r")[:] for place in places])


def chain(memory):
    return [Step(name, memory=memory, **arguments) for name, arguments in CHAIN]


@pytest.fixture(scope="module")
def in_numpy(plate, tmp_path_factory):
    return pixels(ran(plate, tmp_path_factory.mktemp("numpy") / "out", chain("numpy")))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_chain_in_torch_gives_what_it_gives_in_numpy_and_converts_each_plane_once(
    plate, tmp_path, in_numpy, workers
):
    result = ran(plate, tmp_path / "out", chain("torch"), num_workers=workers, use_threading=False, device="cpu")
    found = pixels(result)
    assert found.dtype == np.uint16
    # A blur may be a level off, and an opening of what it made another one.
    assert np.abs(found.astype(int) - in_numpy).max() <= 2
    assert found.max() > 100
    read = WELLS * SITES * CHANNELS * PLANES
    run = json.loads((result.output / "run.json").read_text())
    assert run["conversions"] == {"numpy->torch": read, "torch->numpy": read // PLANES}
    assert {row["kernel"] for row in run["kernels"]} == {f"{name}/torch" for name, _ in CHAIN}
    assert {row["device"] for row in run["kernels"]} == {"cpu"}
    assert run["fallbacks"] == []


def test_functions_of_the_users_own_compute_in_torch(plate, tmp_path):
    seen = []

    @step_function(memory="torch", axes="zyx", out="yx")
    def brightest(stack):
        seen.append((type(stack), stack.dtype, stack.requires_grad))
        return stack.amax(0)

    @step_function(memory="torch")
    def halved(image):
        # Floats: they are rounded and clipped into the image's dtype.
        return image * 0.5 + torch.zeros(1)

    found = pixels(ran(plate, tmp_path / "out", [Step(brightest), Step(halved)]))
    assert set(seen) == {(torch.Tensor, torch.int32, False)}
    expected = pixels(ran(plate, tmp_path / "numpy", [Step("max_projection", memory="numpy")]))
    assert found.dtype == np.uint16
    assert np.array_equal(found, np.rint(expected * 0.5))


def test_a_function_that_returns_numpys_array_says_so(plate, tmp_path):
    @step_function(memory="torch")
    def on_the_host(image):
        return image.numpy()

    settings = GlobalPipelineConfig(num_workers=1)
    pipeline = Pipeline("wrong", [Step(on_the_host)])
    result = PipelineOrchestrator(plate, global_config=settings, output=tmp_path / "out").run([pipeline])
    assert result.status == "failed"
    assert len(result.failed) == WELLS
    for record in result.failed:
        assert "'on_the_host'" in record.fault.error
        assert "it returned a numpy array" in record.fault.error
        assert "means a torch array" in record.fault.error


def in_place(image):
    return image.mul_(2)


def in_numpys_view(image):
    image.numpy()[3:5] = 0
    return image + 1


def in_place_without_gradients(image):
    with torch.inference_mode():
        return image.mul_(2)


@pytest.mark.parametrize("function", [in_place, in_numpys_view, in_place_without_gradients])
def test_a_function_that_changes_its_image_fails_its_wells(plate, tmp_path, function):
    changing = step_function(memory="torch")(function)

    @step_function(memory="torch")
    def plain(image):
        return image + 1

    # The plane that `plain` made is read by both of the functions after it.
    steps = [
        Step(plain, name="plain"),
        Step(changing, save=True),
        Step("gaussian_blur", memory="torch", input="plain"),
    ]
    settings = GlobalPipelineConfig(num_workers=1)
    result = PipelineOrchestrator(plate, global_config=settings, output=tmp_path / "out").run(
        [Pipeline("changed", steps)]
    )
    assert len(result.failed) == WELLS
    for record in result.failed:
        assert f"function {function.__name__!r}" in record.fault.error
        assert "it changes its input in place" in record.fault.error
        assert "image.clone()" in record.fault.error


def test_a_function_that_changes_what_it_takes_by_name_fails_its_wells(plate, tmp_path):
    @step_function(memory="torch", makes={"brightness": "image"}, out="")
    def brightness(image):
        return image.to(torch.float32)

    @step_function(memory="torch", takes={"brightness": "image"})
    def changing(image, *, brightness):
        brightness.add_(1)
        return image / brightness

    settings = GlobalPipelineConfig(num_workers=1)
    result = PipelineOrchestrator(plate, global_config=settings, output=tmp_path / "out").run(
        [Pipeline("changed", [Step(brightness), Step(changing)])]
    )
    assert len(result.failed) == WELLS
    assert all("it changes its parameter 'brightness' in place" in record.fault.error for record in result.failed)


ALONE = """
import json
import sys
from pathlib import Path
from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginManager, Step
plugins = PluginManager(disabled=["numpy", "jax", "cupy"])
plugins.discover()
steps = [Step("max_projection"), Step("gaussian_blur"), Step("percentile_normalize", limits="plate")]
result = PipelineOrchestrator(
    Path(sys.argv[1]), global_config=GlobalPipelineConfig(num_workers=1), output=Path(sys.argv[2]), plugins=plugins
).run([Pipeline("alone", steps)])
assert result.status == "ok", result.failed
print(json.dumps([sorted(node.kernel for node in result.plan.nodes), "hcs_numpy" in sys.modules]))
"""


def test_it_works_without_the_kernels_in_numpy(plate, tmp_path):
    command = [sys.executable, "-c", ALONE, str(plate), str(tmp_path / "out")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = ["gaussian_blur/torch", "max_projection/torch", "percentile_normalize/torch"]
    assert json.loads(done.stdout.splitlines()[-1]) == [expected, False]


QUIET = """
import sys
from pathlib import Path
from hcs_core.cli.application import run
try:
    run(sys.argv[1:])
except SystemExit as left:
    assert not left.code, left.code
print(sorted({"torch", "jax", "cupy"} & set(sys.modules)))
"""


@pytest.mark.parametrize("command", ["plugins", "inspect PLATE", "plan PLATE PIPELINE", "run PLATE PIPELINE -o OUT"])
def test_commands_on_a_pipeline_that_uses_no_torch_do_not_import_it(plate, tmp_path, command):
    pipeline = tmp_path / "quiet.yaml"
    pipeline.write_text("hcs: 1\nname: quiet\nsteps:\n  - max_projection\n  - gaussian_blur\n", encoding="utf-8")
    places = {"PLATE": plate, "PIPELINE": pipeline, "OUT": tmp_path / "out"}
    arguments = [str(places.get(word, word)) for word in command.split()]
    done = subprocess.run([sys.executable, "-c", QUIET, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
