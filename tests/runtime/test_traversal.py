"""The order in which planes are read and dropped: each is read once, as forecast, and gone after its last reader."""

from __future__ import annotations

import pytest

from hcs_core import GlobalPipelineConfig, Pipeline, Step, compile_plan, open_plate, step_function
from hcs_core.compiler.node_plan import PLATE
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.runtime.well.forecast import forecast


@step_function(axes="zyx")
def stack_to_stack(image):
    return image


@step_function(axes="cyx")
def channels_to_channels(image):
    return image


@step_function(axes="syx")
def sites_to_sites(image):
    return image


PIPELINES = {
    "conversion": [],
    "plane-wise": [Step("gaussian_blur", sigma=1.0), Step("percentile_normalize")],
    "projection": [Step("gaussian_blur", sigma=1.0), Step("max_projection")],
    "composite of projections": [Step("max_projection"), Step("composite")],
    "projection of composites": [Step("composite"), Step("max_projection")],
    "stack to stack": [Step(stack_to_stack), Step("gaussian_blur", sigma=1.0)],
    "channels across stacks": [Step(stack_to_stack), Step(channels_to_channels)],
    "sites": [Step("max_projection"), Step(sites_to_sites)],
    "one channel only": [Step({"GFP": "percentile_normalize"}), Step("composite")],
    "kept on the way": [
        Step("gaussian_blur", sigma=1.0, save=True),
        Step("max_projection", save=True),
        Step("composite"),
    ],
}


class Log:
    """Work without pixels that notes everything and refuses what must not happen."""

    def __init__(self, plan):
        self.plan = plan
        self.reads, self.writes = [], []
        self.held, self.most_held = set(), 0

    def read(self, channel, key):
        self.reads.append((self.plan.lanes[channel][1].number, key))
        return ("plate", channel, key)

    def compute(self, index, block, planes, key):
        node = self.plan.nodes[index]
        got = list(planes)
        assert all(plane is not None for plane in got)
        assert block.is_whole
        sizes = {"s": 2, "t": 1, "c": len(node.input.channels), "z": len(node.input.z_indexes)}
        expected = 1
        for axis in node.axes[:-2]:
            expected *= sizes[axis]
        assert len(got) == expected
        made = 1
        for axis in node.out[:-2]:
            made *= sizes[axis]
        return [(index, place, key) for place in range(made)]

    def write(self, output, channel, key, plane):
        assert plane is not None
        self.writes.append((output, channel, key))

    def hold(self, port, key, plane):
        assert (port, key) not in self.held
        assert plane is not None
        self.held.add((port, key))
        self.most_held = max(self.most_held, len(self.held))

    def take(self, port, key, last):
        assert (port, key) in self.held
        if last:
            self.held.remove((port, key))
        return ("held", port, key)


@pytest.fixture(scope="module")
def plate(make_plate, installed):
    return open_plate(make_plate(z_count=3, wells=("A01",)), plugins=installed)


@pytest.fixture(params=list(PIPELINES), ids=lambda name: name.replace(" ", "-"))
def plan(request, plate, installed):
    return compile_plan(Pipeline("p", PIPELINES[request.param]), plate, GlobalPipelineConfig(), installed)


def test_every_plane_is_read_once_as_forecast_and_none_stays(plan):
    log = Log(plan)
    Traversal(plan, plan.well_shapes[0], log).run()
    assert len(log.reads) == len(set(log.reads)) == 2 * plan.sources[0].planes
    assert tuple(log.reads) == forecast(plan, plan.well_shapes[0], "A01")
    assert log.held == set()


def test_every_plane_of_every_output_is_written_once(plan):
    log = Log(plan)
    Traversal(plan, plan.well_shapes[0], log).run()
    assert len(log.writes) == len(set(log.writes))
    for index, output in enumerate(plan.outputs):
        assert sum(written[0] == index for written in log.writes) == 2 * output.image.planes


def held_at_most(pipeline, plate, installed):
    plan = compile_plan(Pipeline("p", pipeline), plate, GlobalPipelineConfig(), installed)
    log = Log(plan)
    Traversal(plan, plan.well_shapes[0], log).run()
    return log.most_held


def test_what_is_held_is_what_has_to_wait_and_no_more(plate, installed):
    assert held_at_most(PIPELINES["conversion"], plate, installed) == 0
    assert held_at_most(PIPELINES["projection"], plate, installed) == 0
    assert held_at_most(PIPELINES["composite of projections"], plate, installed) == 0
    # A stack that comes out of one call waits for its readers: its planes less the one that was asked for.
    assert held_at_most(PIPELINES["stack to stack"], plate, installed) == 2
    assert held_at_most([Step(channels_to_channels)], plate, installed) == 0
    assert held_at_most([Step(channels_to_channels), Step("gaussian_blur", sigma=1.0)], plate, installed) == 1
    # The second site's projections, one channel at a time.
    assert held_at_most(PIPELINES["sites"], plate, installed) <= 2


def test_the_plate_s_planes_are_the_only_ones_of_node_plate(plan):
    ports = [port for node in plan.nodes for port in node.inputs]
    assert all(port.node == PLATE or 0 <= port.node < len(plan.nodes) for port in ports)
    assert len(plan.node_readers) == len(plan.nodes)
