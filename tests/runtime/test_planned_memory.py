"""What a plan says that a worker holds, against what a run really holds: planes that wait, counted where they do."""

import threading
import tracemalloc

import attrs
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from hcs_core import GlobalPipelineConfig, Machine, Pipeline, PipelineOrchestrator, Step, compile_plan, step_function
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.machine import Existing
from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.passes.materialization import materialization_pass
from hcs_core.compiler.passes.memory import memory_pass
from hcs_core.compiler.well_shape import WellShape
from hcs_core.runtime.well.intermediates import Intermediates
from hcs_core.testing.plates import make_plate as made_up

SHAPE = (64, 96)
SMALL_THINGS = 500_000
"""Bytes of a run that are no planes: records, documents, tables."""
PLANE = SHAPE[0] * SHAPE[1] * 2


@step_function(axes="zyx")
def stack_to_stack(image):
    return image.copy()


@step_function(axes="cyx")
def channels_to_channels(image):
    return image.copy()


@step_function(axes="syx")
def sites_to_sites(image):
    return image.copy()


@step_function(axes="tyx", out="yx")
def over_time(image):
    return image.max(axis=0)


@step_function(out_dtype="float32")
def as_float(image):
    return image.astype("float32")


PIPELINES = {
    "conversion": [],
    "plane-wise": [Step("gaussian_blur", sigma=1.0), Step("percentile_normalize")],
    "projection": [Step("gaussian_blur", sigma=1.0), Step("max_projection")],
    "composite of projections": [Step("max_projection"), Step("composite")],
    "stack to stack": [Step(stack_to_stack), Step("gaussian_blur", sigma=1.0)],
    "stacks of floats": [Step(as_float), Step(stack_to_stack), Step("max_projection")],
    "channels across stacks": [Step(stack_to_stack), Step(channels_to_channels), Step("max_projection")],
    "sites": [Step("max_projection"), Step(sites_to_sites)],
    "sites of stacks": [Step(stack_to_stack), Step(sites_to_sites), Step(channels_to_channels)],
    "over time": [Step(stack_to_stack), Step(over_time)],
    "one channel only": [Step({"GFP": "percentile_normalize"}), Step("composite")],
    "one site only": [Step({"1": stack_to_stack}, group_by="site"), Step("max_projection")],
    "kept on the way": [
        Step("gaussian_blur", sigma=1.0, save=True),
        Step("max_projection", save=True),
        Step("composite"),
    ],
    "projections beside stacks": [Step({"DAPI": "max_projection"}), Step(stack_to_stack)],
}


class Counting:
    """Work without pixels that counts the bytes of planes that wait."""

    def __init__(self, plan):
        self._plan = plan
        self.held = {}
        self.most = 0

    def read(self, lane, key):
        return (lane, key)

    def compute(self, index, block, planes, key):
        got = len(list(planes))
        node = self._plan.nodes[index]
        assert got == sum(block.present)
        sizes = dict(zip(node.axes[:-2], block.shape, strict=True))
        return [(index, number) for number in range(int(np.prod([sizes[axis] for axis in node.out[:-2]] or [1])))]

    def write(self, output, channel, key, plane):
        pass

    def hold(self, port, key, plane):
        image = self._plan.lanes[port.channel][0] if port.node == PLATE else self._plan.nodes[port.node].output
        self.held[port, key] = int(np.prod(image.shape)) * np.dtype(image.dtype).itemsize
        self.most = max(self.most, sum(self.held.values()))

    def take(self, port, key, last):
        return self.held.pop((port, key)) if last else self.held[port, key]


def held_bytes(plan):
    """The most that waits in any of a plan's wells, counted while each of them is gone through."""
    most = 0
    for well, index in plan.wells:
        counted = Counting(plan)
        Traversal(plan, plan.well_shapes[index], counted, well).run()
        assert counted.held == {}
        most = max(most, counted.most)
    return most


def planned(steps, installed, **components):
    plate = made_up(
        image_shape=SHAPE, **{"sites": (1, 2), "z_indexes": (1, 2, 3), "timepoints": (1, 2), **components}
    )
    return compile_plan(Pipeline("p", steps), plate, GlobalPipelineConfig(), installed)


def tight(bound, measured, plane=PLANE):
    return measured <= bound <= 1.25 * measured + plane


@pytest.mark.parametrize("name", PIPELINES)
def test_what_waits_is_planned(installed, name):
    plan = planned(PIPELINES[name], installed)
    assert tight(plan.waiting_bytes_per_worker, held_bytes(plan))
    assert plan.peak_memory_bytes_per_worker >= plan.waiting_bytes_per_worker + PLANE


def looked_at(installed):
    return CompileInput(
        pipelines=(Pipeline("p"),),
        plate=made_up(),
        config=GlobalPipelineConfig(),
        plugins=installed,
        machine=Machine(),
        existing=Existing(),
    )


def forked(installed, **components):
    """A plan of which two nodes, far from each other, read the plate's stacks, and two the blurred ones."""
    plan = planned(
        [Step("gaussian_blur", sigma=1.0), Step("max_projection", save=True), Step(stack_to_stack, save=True),
         Step("percentile_normalize")],
        installed, **components,
    )  # fmt: skip
    blur, projection, stack, last = plan.nodes
    plate = tuple(Port(PLATE, channel) for channel in range(2))
    blurred = tuple(Port(0, channel) for channel in range(2))
    whole = {"input": blur.output, "output": blur.output}
    nodes = (
        blur,
        projection,
        attrs.evolve(stack, inputs=plate, **whole),
        attrs.evolve(last, inputs=blurred, **whole),
    )
    outputs = tuple(
        output if output.step == "max_projection" else attrs.evolve(output, image=blur.output)
        for output in plan.outputs
    )
    given = looked_at(installed)
    return memory_pass(materialization_pass(attrs.evolve(plan, nodes=nodes, outputs=outputs), given), given)


def test_where_steps_read_what_others_read_too(installed):
    plan = forked(installed)
    measured = held_bytes(plan)
    assert measured >= 2 * PLANE
    assert tight(plan.waiting_bytes_per_worker, measured)


# Kernels that stack channels or sites refuse wells that lack planes.
RAGGED = (
    "conversion", "plane-wise", "projection", "stack to stack", "stacks of floats", "over time",
    "projections beside stacks",
)  # fmt: skip
ABSENT = st.sets(
    st.tuples(
        st.sampled_from(["A01", "A02"]),
        st.integers(1, 2),
        st.integers(1, 2),
        st.integers(1, 3),
        st.integers(1, 2),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None, database=None)
@given(st.sampled_from(RAGGED), ABSENT)
def test_no_well_that_lacks_planes_holds_more_than_planned(installed, name, absent):
    plan = planned(PIPELINES[name], installed, without=tuple(absent))
    assert held_bytes(plan) <= plan.waiting_bytes_per_worker


def test_wells_with_other_sites_are_counted_as_they_are(installed):
    many = [("A01", site, channel, z, t) for site in (3, 4) for channel in (1, 2) for z in (1, 2, 3) for t in (1, 2)]
    plan = planned(PIPELINES["sites of stacks"], installed, sites=(1, 2, 3, 4), without=many)
    assert len(plan.well_shapes) == 2
    assert tight(plan.waiting_bytes_per_worker, held_bytes(plan))


@pytest.mark.parametrize("name", ["stack to stack", "sites of stacks", "kept on the way", "channels across stacks"])
def test_a_real_run_holds_no_more_than_planned(make_plate, installed, tmp_path, monkeypatch, name):
    held, most, lock = {}, [0], threading.Lock()
    put, take = Intermediates.put, Intermediates.take

    def counted_put(self, port, key, plane):
        with lock:
            held[port, key] = plane.nbytes
            most[0] = max(most[0], sum(held.values()))
        put(self, port, key, plane)

    def counted_take(self, port, key, *, last):
        if last:
            del held[port, key]
        return take(self, port, key, last=last)

    monkeypatch.setattr(Intermediates, "put", counted_put)
    monkeypatch.setattr(Intermediates, "take", counted_take)
    orchestrator = PipelineOrchestrator(
        make_plate(z_count=3),
        global_config=GlobalPipelineConfig(num_workers=1),
        plugins=installed,
        output=tmp_path / "o",
    )
    result = orchestrator.run([Pipeline("p", PIPELINES[name])])
    assert (result.status, held) == ("ok", {})
    assert tight(result.plan.waiting_bytes_per_worker, most[0])


@pytest.mark.parametrize("name", ["projection", "channels across stacks", "sites of stacks"])
def test_all_that_numpy_allocates_in_a_run_is_planned(make_plate, installed, tmp_path, name):
    config = GlobalPipelineConfig(num_workers=1)
    plate = make_plate(z_count=4, wells=("A01",), image_shape=(500, 500))
    orchestrator = PipelineOrchestrator(plate, global_config=config, plugins=installed, output=tmp_path / "out")
    # What is imported and cached once is none of a well's memory.
    plan = orchestrator.run([Pipeline("p", PIPELINES[name])]).plan
    orchestrator.clear()
    contexts = orchestrator.compile_pipelines(Pipeline("p", PIPELINES[name]))
    tracemalloc.start()
    try:
        orchestrator.execute_compiled_plate(Pipeline("p", PIPELINES[name]), contexts)
        _, measured = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert measured - SMALL_THINGS <= plan.peak_memory_bytes_per_worker <= 1.35 * measured


def test_given_images_are_counted_once(installed):
    flat = np.ones(SHAPE)
    one, two = Step("flat_field", profile=flat), Step("flat_field", profile=flat * 2)
    peaks = [planned(steps, installed).peak_memory_bytes_per_worker for steps in ([one], [one, one], [one, two])]
    assert peaks[1] == peaks[0]
    assert peaks[2] == peaks[0] + flat.nbytes


def test_what_waits_elsewhere_is_not_memory(installed):
    plan = planned(PIPELINES["sites of stacks"], installed)
    given = looked_at(installed)
    on_disk = memory_pass(attrs.evolve(plan, intermediate_backend="disk"), given)
    assert on_disk.waiting_bytes_per_worker == plan.waiting_bytes_per_worker > 0
    assert on_disk.peak_memory_bytes_per_worker < plan.peak_memory_bytes_per_worker


def test_a_block_is_held_while_its_planes_are_made(installed):
    # By hand, for one plane after the other: a stack of 3 is filled by a blur (its plane, its result, 2 of scratch).
    plan = planned([Step("gaussian_blur", sigma=1.0), Step("max_projection")], installed)
    filling = 3 + 4
    projecting = 3 + 1 + 2
    writing = 7 / 3
    assert plan.peak_memory_bytes_per_worker == PLANE * (1 + max(filling, projecting, writing))


def test_wells_and_sites_and_timepoints_that_are_alike_cost_nothing(installed):
    small = planned(PIPELINES["kept on the way"], installed)
    large = planned(PIPELINES["kept on the way"], installed, sites=range(1, 10), timepoints=range(1, 30))
    assert large.peak_memory_bytes_per_worker == small.peak_memory_bytes_per_worker
    shape = WellShape(sites=tuple(range(1, 10)), gaps=(0,) * 9)
    assert large.well_shapes == (shape,)
