"""What a run really has on a device, against what its plan says: the plan's figure is a bound, and not far off."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from hcs_core import (
    GlobalPipelineConfig,
    KernelSpec,
    MemoryTypeSpec,
    Parameter,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    Signature,
    Step,
    hookimpl,
    step_function,
)
from hcs_core.testing import FakeDeviceMemory

PLANE = Signature(axes="yx", out="yx")
STACK = Signature(axes="zyx", out="yx")
PROFILE = Parameter(name="profile", kind="image", default=None)


def computed(image, function):
    """Compute as kernels on devices do: in floats, in two steps, and back into the image's dtype."""
    wide = image.map(np.asarray, np.float32)
    made = wide.map(function)
    return made.map(np.asarray, image.dtype)


def halved(image):
    return computed(image, lambda values: values / 2)


def mean_of(image):
    return computed(image, lambda values: values.mean(axis=-3))


def shaded(image, *, profile=None):
    assert profile.device == image.device
    return computed(image, lambda values: values * profile.values)


@step_function(memory="card", axes="zyx", out="zyx")
def stack_to_stack(image):
    return computed(image, lambda values: values[::-1] / 3)


@step_function(memory="card", axes="cyx", out="cyx")
def channels_to_channels(image):
    return computed(image, lambda values: values[::-1])


@step_function(memory="numpy", axes="yx", out="yx")
def on_host(image):
    return image // 2


PIPELINES = {
    "one step": [Step("halved")],
    "a chain": [Step("halved"), Step("halved", name="again"), Step("halved", name="more")],
    "a projection": [Step("mean_of")],
    "a projection of a chain": [
        Step("halved"),
        Step("halved", name="again"),
        Step("mean_of"),
        Step("halved", name="x"),
    ],
    "stack to stack": [Step(stack_to_stack), Step("halved")],
    "stacks of stacks": [Step(stack_to_stack), Step(stack_to_stack, name="again"), Step("mean_of")],
    "channels across stacks": [Step(stack_to_stack), Step(channels_to_channels), Step("mean_of")],
    "kept on the way": [Step("halved", save=True), Step("mean_of", save=True), Step("halved", name="last")],
    "on the host in between": [Step("halved"), Step(on_host), Step("halved", name="again"), Step("mean_of")],
    "to the host": [Step(stack_to_stack), Step(on_host), Step("max_projection", memory="numpy")],
    "one channel on the host": [Step({"DAPI": on_host}), Step("halved"), Step(channels_to_channels)],
    "one site": [Step({"1": "halved"}, group_by="site"), Step("mean_of")],
    "a given image": [Step("shaded", profile=np.full((64, 96), 0.5, np.float32)), Step("mean_of")],
}


@pytest.fixture
def made_of_card(target):
    """Return a maker of a manager with a card of one device, whose library holds dtypes as it is told."""

    def make(widened):
        class Card(FakeDeviceMemory):
            there = ("cuda:0",)

        Card.widened = widened
        kernels = [
            KernelSpec(
                operation=function.__name__,
                memory_type="card",
                target=target(function.__name__, function),
                signature=signature,
                batches=function is not shaded,
            )
            for function, signature in (
                (halved, PLANE),
                (mean_of, STACK),
                (shaded, Signature(axes="yx", out="yx", parameters=(PROFILE,))),
            )
        ]
        specs = [MemoryTypeSpec(name="card", target=target("Card", Card), library="json")]
        plugins = PluginManager()
        hooks = {"hcs_memory_types": specs, "hcs_kernels": kernels}
        plugins.register(
            SimpleNamespace(
                hcs_api=1, **{name: hookimpl(lambda found=found: iter(found)) for name, found in hooks.items()}
            ),
            "card",
        )
        plugins.discover()
        return Card, plugins

    return make


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(z_count=5, wells=("A01",))


@pytest.mark.parametrize("widened", [{}, {"uint16": "int32"}], ids=["as it is", "wider"])
@pytest.mark.parametrize("name", PIPELINES)
def test_no_more_is_on_the_device_than_planned(plate, made_of_card, tmp_path, name, widened):
    card, plugins = made_of_card(widened)
    config = GlobalPipelineConfig(num_workers=1, device_fallback=False)
    orchestrator = PipelineOrchestrator(plate, global_config=config, plugins=plugins, output=tmp_path / "out")
    result = orchestrator.run([Pipeline("p", PIPELINES[name])])
    assert result.status == "ok", [record.fault for record in result.failed]
    (device,) = result.plan.devices
    peak = card.use.peak["cuda:0"]
    assert peak <= device.bytes_per_worker <= 3 * peak, (peak, device.bytes_per_worker)
    assert card.use.live("cuda:0") == 0


@pytest.mark.parametrize("name", ["a chain", "a projection of a chain", "channels across stacks"])
def test_what_is_planned_is_enough(plate, made_of_card, tmp_path, name):
    """With no more memory than the plan asks for, no call finds the device full."""
    card, plugins = made_of_card({"uint16": "int32"})
    config = GlobalPipelineConfig(num_workers=1, device_fallback=False)

    def orchestrator(output):
        made = PipelineOrchestrator(plate, global_config=config, plugins=plugins, output=tmp_path / output)
        made.initialize()
        return made

    steps = Pipeline("p", PIPELINES[name])
    one_by_one = [Pipeline("p", PIPELINES[name])]
    (large,) = orchestrator("plan").plan(steps).devices
    batches = []
    for share in (1.0, 0.7, 0.5):
        card.memory = {"cuda:0": int(large.bytes_per_worker * share / 0.9) + 1}
        drafted = orchestrator("draft").plan(steps, draft=True)
        if drafted.problems:
            continue
        batches.append(max(node.batch for node in drafted.nodes))
        card.reset()
        result = orchestrator(f"out_{share}").run(one_by_one)
        assert result.status == "ok", [record.fault for record in result.failed]
        assert all(record.fallbacks == () for record in result.wells.values())
        (device,) = result.plan.devices
        assert card.use.peak["cuda:0"] <= device.bytes_per_worker <= 0.9 * card.memory["cuda:0"]
    assert batches[0] >= batches[-1]


def test_a_library_on_the_cpu_holds_no_more_in_host_memory_than_planned(make_plate, made_of_card, tmp_path):
    card, plugins = made_of_card({})
    card.there = ("cpu",)
    plate = make_plate(z_count=1, wells=("A01",), grid=(1, 1), image_shape=(800, 800))
    orchestrator = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(num_workers=1), plugins=plugins, output=tmp_path / "out"
    )
    pipeline = Pipeline("p", [Step("halved")])
    # What is imported and cached once is none of a well's memory.
    plan = orchestrator.run([pipeline]).plan
    orchestrator.clear()
    contexts = orchestrator.compile_pipelines(pipeline)
    tracemalloc.start()
    try:
        orchestrator.execute_compiled_plate(pipeline, contexts)
        _, measured = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    small_things = 500_000
    assert measured - small_things <= plan.peak_memory_bytes_per_worker <= 1.35 * measured
