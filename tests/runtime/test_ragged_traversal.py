"""Wells with holes: each plane that is there is read once, what can be made is written once, nothing stays."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from hcs_core import GlobalPipelineConfig, Pipeline, Step, compile_plan, step_function
from hcs_core.compiler.order.presence import made_shape
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.runtime.well.forecast import forecast
from hcs_core.testing.plates import make_plate

SITES, CHANNELS, SLICES, TIMES = (1, 2), ("a", "b"), (1, 2, 3), (1, 2)
EVERY = [("A01", *place) for place in itertools.product(SITES, (1, 2), SLICES, TIMES)]


@step_function()
def touch(image):
    return image


@step_function(axes="zyx")
def stack_to_stack(stack):
    return stack


@step_function(axes="zyx", out="yx")
def flatten(stack):
    return stack[0]


@step_function(axes="cyx", out="yx", out_channel="one", missing="mask")
def join(stack, *, present):
    return stack[present][0]


@step_function(axes="cyx", missing="mask")
def level(stack, *, present):
    return stack * present[:, None, None]


def places(present, *axes):
    """The different places of the present planes along some axes: 1 site, 2 channel, 3 z, 4 t."""
    return len({tuple(key[axis] for axis in axes) for key in present})


PIPELINES = {
    "conversion": ([], len),
    "plane by plane": ([Step(touch), Step(touch)], len),
    "some sites": ([Step({1: [touch, touch], 2: touch}, group_by="site"), Step(touch)], len),
    "some z": ([Step({2: touch}, group_by="z_index"), Step(stack_to_stack)], len),
    "some times": ([Step({1: touch}, group_by="timepoint"), Step(level)], len),
    "this well": ([Step({"A01": touch}, group_by="well")], len),
    "stacks": ([Step(stack_to_stack), Step(touch)], len),
    "projections": ([Step(flatten), Step(touch)], lambda present: places(present, 1, 2, 4)),
    "along time": ([Step(flatten, variable_components=["timepoint"])], lambda present: places(present, 1, 2, 3)),
    "joined": ([Step(join), Step(stack_to_stack)], lambda present: places(present, 1, 3, 4)),
    "levelled": ([Step(level), Step(flatten)], lambda present: places(present, 1, 2, 4)),
}


NAMED = {"some sites": [(1, 1), (1, 2)], "some z": [(3, 2)], "some times": [(4, 1)]}
"""What the dicts name: the axis in a key, and the value."""


class Log:
    """Work without pixels that notes everything and refuses what must not happen."""

    def __init__(self, plan):
        self.plan = plan
        self.reads, self.writes, self.held = [], [], set()

    def read(self, lane, key):
        self.reads.append((self.plan.lanes[lane][1].number, key))
        return "plane"

    def compute(self, index, block, planes, key):
        node = self.plan.nodes[index]
        assert sum(1 for _ in planes) == sum(block.present)
        assert block.is_whole or node.masks
        return ["plane"] * math.prod(made_shape(node, block))

    def write(self, output, channel, key, plane):
        assert plane == "plane"
        self.writes.append((output, channel, key))

    def hold(self, port, key, plane):
        assert (port, key) not in self.held
        self.held.add((port, key))

    def take(self, port, key, last):
        assert (port, key) in self.held
        if last:
            self.held.remove((port, key))
        return "plane"


@pytest.mark.parametrize("name", PIPELINES)
@settings(deadline=None, max_examples=25, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(absent=st.sets(st.sampled_from(EVERY), max_size=20))
def test_what_is_there_is_used_once_and_nothing_stays(installed, name, absent):
    steps, count = PIPELINES[name]
    present = set(EVERY) - absent
    # A dict that names what no plane has is refused.
    assume(all(any(key[axis] == value for key in present) for axis, value in NAMED.get(name, ())))
    plate = make_plate(
        wells=("A01",), sites=SITES, channels=CHANNELS, z_indexes=SLICES, timepoints=TIMES, without=tuple(absent)
    )
    plan = compile_plan(Pipeline("p", steps), plate, GlobalPipelineConfig(), installed)
    ((well, index),) = plan.wells
    log = Log(plan)
    Traversal(plan, plan.well_shapes[index], log, well).run()
    assert tuple(log.reads) == forecast(plan, plan.well_shapes[index], well)
    read = {("A01", key.site, number, key.z_index, key.timepoint) for number, key in log.reads}
    assert (read, len(log.reads)) == (present, len(present))
    assert log.held == set()
    assert len(log.writes) == len(set(log.writes)) == count(present)
