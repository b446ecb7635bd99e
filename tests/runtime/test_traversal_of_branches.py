"""Graphs that branch, by pipelines, inputs and wells of outputs: all is made once, and little has to wait."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings, strategies as st

import hcs_memory.plugin
import hcs_numpy.plugin
import hcs_zarr.plugin
from hcs_core import GlobalPipelineConfig, Pipeline, PluginManager, Selection, Step, compile_plan, step_function
from hcs_core.compiler.node_plan import PLATE
from hcs_core.compiler.order.presence import PlaneKey
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.runtime.well.forecast import forecast
from hcs_core.testing.plates import make_plate


@step_function(axes="zyx")
def stack_to_stack(image):
    return image


@step_function(axes="syx")
def sites_to_sites(image):
    return image


class Log:
    """Work without pixels that notes everything, and what waits between calls in bytes."""

    def __init__(self, plan):
        self.plan = plan
        self.reads, self.writes, self.computed = [], [], []
        self.held, self.most_held = {}, 0

    def read(self, channel, key):
        self.reads.append((self.plan.lanes[channel][1].number, key))
        return (PLATE, channel, key)

    def compute(self, index, block, planes, key):
        node = self.plan.nodes[index]
        got = list(planes)
        assert len(got) == len(block.cells)
        self.computed.append(index)
        made = math.prod(block.shape[node.axes.index(axis)] for axis in node.out[:-2])
        return [(index, place, key) for place in range(made)]

    def write(self, output, channel, key, plane):
        self.writes.append((output, channel, key))

    def hold(self, port, key, plane):
        assert port.node != PLATE
        assert (port, key) not in self.held
        image = self.plan.nodes[port.node].output
        self.held[port, key] = math.prod(image.shape) * np.dtype(image.dtype).itemsize
        self.most_held = max(self.most_held, sum(self.held.values()))

    def take(self, port, key, last):
        assert (port, key) in self.held
        if last:
            del self.held[port, key]
        return (port.node, key)


def usual():
    manager = PluginManager()
    for module in (hcs_numpy.plugin, hcs_memory.plugin, hcs_zarr.plugin):
        manager.register(module)
    return manager


PLUGINS = usual()
SITES, Z, T = (1, 2, 3), (1, 2), (1, 2)


def compiled(pipelines, **facts):
    plate = make_plate(**({"wells": ("A01", "A02"), "sites": SITES, "z_indexes": Z, "timepoints": T} | facts))
    return compile_plan(pipelines, plate, GlobalPipelineConfig(), PLUGINS)


def traversed(plan, well="A01"):
    log = Log(plan)
    shape = plan.well_shapes[dict(plan.wells)[well]]
    Traversal(plan, shape, log, well).run()
    assert tuple(log.reads) == forecast(plan, shape, well)
    return log


def test_two_pipelines_read_the_plate_each_for_itself_and_hold_none_of_it():
    plan = compiled([Pipeline("p", [Step("max_projection")]), Pipeline("q", [Step("gaussian_blur", sigma=1)])])
    log = traversed(plan)
    # 3 sites, 2 channels, 2 slices, 2 timepoints.
    assert len(log.reads) == 2 * 24
    assert len(set(log.reads)) == 24
    assert log.most_held == 0


def test_a_conversion_beside_a_projection_writes_each_plane_once():
    plan = compiled([Pipeline("p"), Pipeline("q", [Step("max_projection")])])
    log = traversed(plan)
    assert len(log.writes) == len(set(log.writes)) == 24 + 12


def test_wells_out_of_a_kept_output_do_not_compute_what_it_alone_needs():
    steps = [Step("gaussian_blur", sigma=1, save=True, wells="A01"), Step("max_projection", input="start")]
    plan = compiled([Pipeline("p", steps)])
    inside, outside = traversed(plan, "A01"), traversed(plan, "A02")
    assert {output for output, _, _ in inside.writes} == {0, 1}
    assert {output for output, _, _ in outside.writes} == {1}
    blur, top = (set(step.nodes) for step in plan.steps)
    assert set(inside.computed) == blur | top
    assert set(outside.computed) == top
    assert len(outside.reads) == 24


def test_what_is_kept_on_the_way_is_written_there_and_does_not_wait():
    steps = [
        Step("gaussian_blur", sigma=1, save=True),
        Step("max_projection", save=True),
        Step("gaussian_blur", sigma=2),
    ]
    log = traversed(compiled([Pipeline("p", steps)]))
    assert len(log.reads) == 24
    assert len(log.writes) == 24 + 12 + 12
    assert log.most_held == 0


def test_what_a_later_pipeline_takes_waits_for_a_site_and_timepoint_only():
    plan = compiled(
        [Pipeline("p", [Step("gaussian_blur", sigma=1)]), Pipeline("q", [Step("max_projection", input="p")])]
    )
    log = traversed(plan)
    assert log.computed.count(0) == 24
    assert log.most_held == 2 * 2 * 64 * 48 * 2


OPERATIONS = [
    ("gaussian_blur", {"sigma": 1}),
    "percentile_normalize",
    "max_projection",
    "composite",
    stack_to_stack,
    sites_to_sites,
]


@st.composite
def runs(draw):
    """One to three pipelines whose steps take whatever is there; every step that nobody takes is kept."""
    pipelines, left = [], []
    for name in "pqr"[: draw(st.integers(1, 3))]:
        steps, own = [], []
        for number in range(draw(st.integers(0, 3))):
            asked = draw(st.sampled_from([None, "start", *own, *left]))
            wells = draw(st.sampled_from([None, "A01"]))
            operation = draw(st.sampled_from(OPERATIONS))
            steps.append(Step(operation, name=f"s{number}", input=asked, save=True, wells=wells))
            own.append(f"s{number}")
        select = draw(
            st.sampled_from([None, Selection(channels=["GFP"]), Selection(z=[2]), Selection(timepoints=[1])])
        )
        pipelines.append(Pipeline(name, steps, select=select))
        left += [name, *(f"{name}/{step}" for step in own)]
    return pipelines


@settings(max_examples=80, deadline=None)
@given(runs())
def test_whatever_branches_is_made_once_and_what_waits_was_planned(pipelines):
    plan = compiled(pipelines)
    for well in plan.well_names:
        log = traversed(plan, well)
        assert log.held == {}
        assert len(log.writes) == len(set(log.writes))
        kept = plan.kept_in(well)
        assert {output for output, _, _ in log.writes} == set(kept)
        for index in kept:
            written = sum(output == index for output, _, _ in log.writes)
            assert written == len(SITES) * plan.outputs[index].image.planes
        assert log.most_held <= plan.waiting_bytes_per_worker
        calls = {index: log.computed.count(index) for index in log.computed}
        for index, count in calls.items():
            node = plan.nodes[index]
            sizes = node.output.axis_sizes(len(SITES))
            each = math.prod(sizes[axis] for axis in "stcz" if axis not in node.out)
            assert count == each


EVERY = [(site, channel, z, t) for site in SITES for channel in (1, 2) for z in Z for t in T]


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(EVERY), max_size=18),
    st.sampled_from([{}, {"z": (2,)}, {"timepoints": (1,)}]),
    st.sampled_from([{}, {"channels": (2,)}, {"z": (1,)}]),
)
def test_each_pipeline_makes_of_a_ragged_plate_what_its_own_selection_has(lacking, first, second):
    def chosen(select):
        wanted = {1: select.get("channels", (1, 2)), 2: select.get("z", Z), 3: select.get("timepoints", T)}
        return {
            place
            for place in EVERY
            if place not in lacking and all(place[axis] in values for axis, values in wanted.items())
        }

    if not chosen(first) or not chosen(second):
        return
    pipelines = [
        Pipeline("p", select=Selection(**{name: list(value) for name, value in first.items()})),
        Pipeline("q", [Step("max_projection")], select=Selection(**{k: list(v) for k, v in second.items()})),
    ]
    # Another well has all, so that every channel and place is one of the plate.
    plan = compiled(pipelines, without=[("A01", *place) for place in lacking])
    if "A01" not in plan.well_names:
        return
    log = Log(plan)
    log.compute = lambda *call: [(call[0], list(call[2]))]
    Traversal(plan, plan.well_shapes[dict(plan.wells)["A01"]], log, "A01").run()
    numbers = [[channel.name for channel in output.image.channels] for output in plan.outputs]
    of = {"DAPI": 1, "GFP": 2}
    written = [
        {
            (key.site, of[numbers[output][c]], key.z_index, key.timepoint)
            for output, c, key in log.writes
            if output == at
        }
        for at in (0, 1)
    ]
    assert written[0] == chosen(first)
    assert written[1] == {(site, channel, 0, t) for site, channel, _, t in chosen(second)}
    assert len(log.writes) == len(written[0]) + len(written[1])
    assert set(log.reads) == {
        (channel, PlaneKey(site, t, z)) for site, channel, z, t in chosen(first) | chosen(second)
    }
