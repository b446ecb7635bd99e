"""Going on where a step is computed in another library, and float plates with NaN under each policy."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import zarr

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, step_function
from hcs_core.errors import RunError
from hcs_core.testing import require_library
from hcs_synthetic import Fault, SyntheticPlate, make_plate as write_plate

WELLS = ("A01", "B03")


@pytest.fixture(scope="module", autouse=True)
def libraries():
    require_library("torch")


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=WELLS, grid=(1, 2), z_count=2, image_shape=(32, 40))


@pytest.fixture
def run(tmp_path):
    """Run steps in the output; return the result."""

    def call(plate, *steps, **fields):
        config = GlobalPipelineConfig(**{"num_workers": 1, **fields})
        orchestrator = PipelineOrchestrator(plate, global_config=config, output=tmp_path / "out")
        return orchestrator.run([Pipeline("p", list(steps))])

    return call


def statuses(result):
    assert result.status == "ok", [record.fault for record in result.failed]
    return {record.status for record in result.wells.values()}


def test_to_ask_for_what_was_taken_anyhow_keeps_the_wells(plate, run):
    """Kernels can be chosen otherwise after measuring: who then writes down what there was goes on."""
    assert statuses(run(plate, Step("gaussian_blur"))) == {"ok"}
    assert statuses(run(plate, Step("gaussian_blur", memory="numpy"))) == {"cached"}
    assert statuses(run(plate, Step("gaussian_blur"), device="cpu")) == {"cached"}
    assert statuses(run(plate, Step("gaussian_blur", device="cpu"))) == {"cached"}


def test_the_device_cpu_is_numpy_s_and_a_step_s_memory_goes_before_it(plate, run):
    result = run(plate, Step("gaussian_blur"), Step("white_tophat", radius=3, memory="torch"), device="cpu")
    assert [(node.kernel, node.device) for node in result.plan.nodes] == [
        ("gaussian_blur/numpy", "cpu"), ("white_tophat/torch", "cpu"),
    ]  # fmt: skip
    assert result.plan.nodes[1].why == "asked for by the step"


def test_another_library_s_kernel_is_another_output(plate, run, tmp_path):
    """An output that numpy's kernel began is not gone on with by torch's: within the tolerance, it is another."""
    import torch

    run(plate, Step("gaussian_blur"))
    with pytest.raises(RunError, match="holds a run of an earlier version of 'p'"):
        run(plate, Step("gaussian_blur", memory="torch"))
    shutil.rmtree(tmp_path / "out")
    assert statuses(run(plate, Step("gaussian_blur", memory="torch"))) == {"ok"}
    document = json.loads((tmp_path / "out" / "run.json").read_text())
    assert document["kernels"] == [
        {"step": "gaussian_blur", "kernel": "gaussian_blur/torch", "version": "1", "device": "cpu"}
    ]
    assert document["versions"]["torch"] == torch.__version__
    assert "jax" not in document["versions"]


def test_a_function_of_torch_works_in_its_well_alone(plate, run, tmp_path):
    @step_function(memory="torch", version="1")
    def more(image):
        return image + 5

    base = run(plate, Step("crop", height=20, save=True), Step({"B03": (more, {})}, group_by="well"))
    assert statuses(base) == {"ok"}
    for well, extra in (("A01", 0), ("B03", 5)):
        one = zarr.open_array(tmp_path / "out" / "crop.zarr" / well[0] / well[1:] / "0" / "0")[:]
        two = zarr.open_array(tmp_path / "out" / "images.zarr" / well[0] / well[1:] / "0" / "0")[:]
        np.testing.assert_array_equal(two, one + extra)


@step_function(memory="torch", out_dtype="float32", version="1")
def as_floats(image):
    return image / 1


@step_function(memory="torch", version="1")
def with_a_hole(image):
    image = image.clone()
    image[0, 0] = float("nan")
    return image


FAULTS = (
    Fault(kind="missing", wells="A01", sites=1, channels=1, z_indexes=1),
    Fault(kind="truncated", wells="B03", sites=2, channels=2, z_indexes=2),
)


@pytest.mark.parametrize("policy", ["skip-site", "fill"])
@pytest.mark.parametrize("memory", ["numpy", "torch"])
def test_planes_that_are_filled_are_never_refused(tmp_path, run, policy, memory):
    facts = {"name": "plate", "wells": WELLS, "grid": (1, 3), "image_shape": (32, 40), "z_count": 2}
    damaged = write_plate(tmp_path / "plate", SyntheticPlate(**facts, faults=FAULTS))
    steps = Step(as_floats), Step("gaussian_blur", memory=memory), Step("max_projection", memory=memory)
    assert statuses(run(damaged, *steps, missing=policy)) == {"ok"}


@pytest.mark.parametrize("policy", ["skip-site", "fill"])
@pytest.mark.parametrize("memory", ["numpy", "torch"])
def test_a_plane_that_is_refused_names_well_site_and_step(tmp_path, run, policy, memory):
    facts = {"name": "plate", "wells": WELLS, "grid": (1, 3), "image_shape": (32, 40), "z_count": 2}
    damaged = write_plate(tmp_path / "plate", SyntheticPlate(**facts, faults=FAULTS))
    holes = Step({"3": with_a_hole}, group_by="site")
    result = run(damaged, Step(as_floats), holes, Step("gaussian_blur", memory=memory), missing=policy)
    assert result.status == "failed"
    for record in result.wells.values():
        assert (record.fault.step, record.fault.function, record.fault.site) == ("gaussian_blur", "gaussian_blur", 3)
        assert "site 3: 1 of 1280 pixels of its float32 image are NaN or infinite" in record.fault.error
