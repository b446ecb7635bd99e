"""Pipelines on a plate, every step in jax: what comes out, what is moved, what is compiled, and what is imported."""

import json

import numpy as np
import pytest
import zarr

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginManager, Step, step_function
from hcs_core.testing import require_library
from hcs_synthetic.making import make_plate
from hcs_synthetic.plate import SyntheticPlate

jax = require_library("jax")

WELLS, SITES, CHANNELS, PLANES = 3, 2, 2, 3
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
        name="plate",
        wells=("A01", "B03", "C02"),
        grid=(1, SITES),
        image_shape=(48, 61),
        cells_per_field=6.0,
        z_count=PLANES,
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
def test_a_chain_in_jax_gives_what_it_gives_in_numpy_and_converts_each_plane_once(plate, tmp_path, in_numpy, workers):
    result = ran(plate, tmp_path / "out", chain("jax"), num_workers=workers, use_threading=False)
    found = pixels(result)
    assert found.dtype == np.uint16
    # A blur may be a level off, and an opening of what it made another one.
    assert np.abs(found.astype(int) - in_numpy).max() <= 2
    assert found.max() > 100
    read = WELLS * SITES * CHANNELS * PLANES
    run = json.loads((result.output / "run.json").read_text())
    assert run["conversions"] == {"numpy->jax": read, "jax->numpy": read // PLANES}
    assert {kernel["kernel"] for kernel in run["kernels"]} == {f"{name}/jax" for name, _ in CHAIN}
    assert run["fallbacks"] == []


def test_wells_after_the_first_compile_nothing(plate, tmp_path):
    compiled = []

    def listen(event, _seconds, **_about):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    ran(plate, tmp_path / "first", chain("jax"))
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        ran(plate, tmp_path / "again", chain("jax"))
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert compiled == []


def test_estimates_are_taken_by_kernels_in_jax(plate, tmp_path):
    steps = [("flat_field", {"dark": 10.0}), ("percentile_normalize", {"limits": "well"})]
    found, expected = (
        pixels(ran(plate, tmp_path / memory, [Step(name, memory=memory, **given) for name, given in steps]))
        for memory in ("jax", "numpy")
    )
    # A level off before a well is stretched over the whole range is some after.
    assert np.abs(found.astype(int) - expected).max() <= 40
    assert found.max() == 65535


def test_functions_of_the_users_own_compute_in_jax(plate, tmp_path):
    seen = []

    @step_function(memory="jax", axes="zyx", out="yx")
    def brightest(stack):
        seen.append((isinstance(stack, jax.Array), stack.dtype.name))
        return stack.max(axis=0)

    @step_function(memory="jax")
    def halved(image):
        # Floats: they are rounded and clipped into the image's dtype.
        return image * 0.5

    found = pixels(ran(plate, tmp_path / "out", [Step(brightest), Step(halved)]))
    assert set(seen) == {(True, "uint16")}
    expected = pixels(ran(plate, tmp_path / "numpy", [Step("max_projection", memory="numpy")]))
    assert found.dtype == np.uint16
    assert np.array_equal(found, np.rint(expected * 0.5))


def test_a_function_that_returns_numpys_array_says_so(plate, tmp_path):
    @step_function(memory="jax")
    def on_the_host(image):
        return np.asarray(image)

    settings = GlobalPipelineConfig(num_workers=1)
    pipeline = Pipeline("wrong", [Step(on_the_host)])
    result = PipelineOrchestrator(plate, global_config=settings, output=tmp_path / "out").run([pipeline])
    assert result.status == "failed"
    assert all(
        "returned a numpy array" in record.fault.error and "jax" in record.fault.error for record in result.failed
    )
