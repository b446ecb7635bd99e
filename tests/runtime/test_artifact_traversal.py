"""Functions that make artifacts run once for every block, before whoever takes what they make; reads as forecast."""

from __future__ import annotations

import itertools

import pytest

from hcs_core import GlobalPipelineConfig, Pipeline, Step, Taken, compile_plan, step_function
from hcs_core.compiler.order.artifact_parts import Parts
from hcs_core.compiler.order.presence import Presence, made_shape
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.plate.plane_table import PlaneState
from hcs_core.runtime.well.forecast import forecast
from hcs_core.testing.plates import make_plate


@step_function(out="", makes={"spots": "table"})
def measure(image):
    return {}


@step_function(axes="zyx", out="", makes={"volumes": "table"})
def measure_stack(image):
    return {}


@step_function(axes="syx", out="", makes={"field": "json"})
def measure_sites(image):
    return {}


@step_function(axes="cyx", out="", makes={"overlap": "json"})
def measure_channels(image):
    return {}


@step_function(makes={"nuclei": "image"})
def segment(image):
    return image, image


@step_function(axes="zyx", makes={"cells": "image"})
def segment_stack(image):
    return image, image


@step_function(axes="zyx", out="yx", takes={"spots": "table"}, makes={"counts": "table"})
def count_all(image, *, spots):
    return image, spots


@step_function(takes=[Taken(keyword="mask", kind="image", name="nuclei")], makes={"cut": "table"})
def cut(image, *, mask):
    return image, {}


@step_function(takes={"field": "json", "volumes": "table"})
def use(image, *, field, volumes):
    return image


PIPELINES = {
    "measure": [Step(measure)],
    "measure then blur": [Step(measure), Step("gaussian_blur", sigma=1.0)],
    "blur then measure": [Step("gaussian_blur", sigma=1.0), Step(measure)],
    "measure stacks": [Step(measure_stack), Step("gaussian_blur", sigma=1.0)],
    "measure what is projected": [Step(measure), Step(measure_stack), Step("max_projection")],
    "measure sites": [Step("gaussian_blur", sigma=1.0), Step(measure_sites), Step("max_projection")],
    "measure channels": [Step(measure_channels), Step("max_projection")],
    "masks": [Step({"DAPI": segment}), Step(cut), Step("max_projection")],
    "masks of stacks": [Step(segment_stack), Step(measure), Step("max_projection")],
    "joined": [Step(measure), Step(count_all), Step("gaussian_blur", sigma=1.0)],
    "many": [
        Step(measure_sites),
        Step(segment),
        Step(measure),
        Step(measure_stack),
        Step(use),
        Step(count_all),
        Step("gaussian_blur", sigma=1.0),
    ],
    "in some places": [
        Step({2: measure}, group_by="site"),
        Step({1: segment}, group_by="z_index"),
        Step("max_projection"),
    ],
}

RAGGED = {
    "whole": {},
    "gaps": {
        "states": {
            ("A01", 1, 2, 2, 1): PlaneState.NOT_ACQUIRED,
            ("A01", 1, 2, 3, 1): PlaneState.NOT_ACQUIRED,
            ("A01", 2, 2, 1, 1): PlaneState.NOT_ACQUIRED,
        }
    },
}


class Log:
    """Work without pixels that notes every call, and refuses what must not happen."""

    def __init__(self, plan, parts):
        self.plan, self.parts = plan, parts
        self.reads, self.calls, self.held = [], [], set()
        self.most_held = 0

    def read(self, lane, key):
        self.reads.append((self.plan.lanes[lane][1].number, key))
        return "plane"

    def compute(self, index, block, planes, key):
        node = self.plan.nodes[index]
        call = self.parts.call(index, *block.cells[0])
        assert len(list(planes)) == sum(block.present)
        assert call not in self.calls, "a call is made once"
        for taken in node.takes:
            for part in self.parts.taken(taken, call):
                assert part in self.calls, "what it takes is made before"
        self.calls.append(call)
        made = 1
        for size in made_shape(node, block):
            made *= size
        return ["plane"] * made

    def write(self, output, channel, key, plane):
        assert plane == "plane"

    def hold(self, port, key, plane):
        assert (port, key) not in self.held
        self.held.add((port, key))
        self.most_held = max(self.most_held, len(self.held))

    def take(self, port, key, last):
        assert (port, key) in self.held
        if last:
            self.held.remove((port, key))
        return "plane"


def compiled(installed, steps, **plate):
    facts = {"wells": ("A01",), "sites": (1, 2), "z_indexes": (1, 2, 3), "timepoints": (1, 2)}
    return compile_plan(Pipeline("p", steps), make_plate(**{**facts, **plate}), GlobalPipelineConfig(), installed)


def traversed(plan):
    parts = Parts(plan, Presence(plan, plan.well_shapes[0], "A01"))
    log = Log(plan, parts)
    Traversal(plan, plan.well_shapes[0], log, "A01").run()
    return log, parts


CASES = [
    (name, ragged)
    for name in PIPELINES
    for ragged in RAGGED
    # A function that stacks channels or sites refuses a gap before anything runs.
    if ragged == "whole" or name not in {"measure channels", "measure sites", "many"}
]


@pytest.mark.parametrize(("name", "ragged"), CASES)
def test_every_call_is_made_once_and_nothing_stays(installed, name, ragged):
    plan = compiled(installed, PIPELINES[name], **RAGGED[ragged])
    log, parts = traversed(plan)
    for index, node in enumerate(plan.nodes):
        if node.makes:
            assert {call for call in log.calls if call.node == index} == set(parts.all(index))
    assert log.held == set()
    assert tuple(log.reads) == forecast(plan, plan.well_shapes[0], "A01")


def places(*axes):
    return set(itertools.product(*axes))


def test_the_calls_of_a_function_are_those_of_what_it_does_not_stack(installed):
    plan = compiled(installed, [Step(measure), Step(measure_stack), Step(measure_sites), Step(measure_channels)])
    parts = Parts(plan, Presence(plan, plan.well_shapes[0], "A01"))

    def found(index):
        return {(call.key.site, call.key.timepoint, call.channel, call.key.z_index) for call in parts.all(index)}

    assert found(0) == places((1, 2), (1, 2), (0, 1), (1, 2, 3))
    assert found(1) == places((1, 2), (1, 2), (0, 1), (1,))
    assert found(2) == places((1,), (1, 2), (0, 1), (1, 2, 3))
    assert found(3) == places((1, 2), (1, 2), (0,), (1, 2, 3))


def test_a_taker_gets_the_parts_of_its_own_place_in_order(installed):
    plan = compiled(installed, [Step(measure), Step(count_all)])
    parts = Parts(plan, Presence(plan, plan.well_shapes[0], "A01"))
    (taken,) = plan.nodes[1].takes
    for call in parts.all(1):
        own = [
            (part.key.site, part.key.timepoint, part.channel, part.key.z_index) for part in parts.taken(taken, call)
        ]
        assert own == [(call.key.site, call.key.timepoint, call.channel, z) for z in (1, 2, 3)]
    assert parts.free(taken, call) == "z"


def test_rows_follow_each_other_by_site_time_channel_and_z(installed):
    plan = compiled(installed, [Step({"GFP": measure, "DAPI": measure})])
    parts = Parts(plan, Presence(plan, plan.well_shapes[0], "A01"))
    calls = parts.sorted([*parts.all(0), *parts.all(1)])
    named = [(c.key.site, c.key.timepoint, parts.channel(c).name, c.key.z_index) for c in calls]
    assert named == list(itertools.product((1, 2), (1, 2), ("DAPI", "GFP"), (1, 2, 3)))


def test_a_plane_that_is_only_measured_does_not_wait(installed):
    """It is measured as it comes, and read once."""
    for name in ("measure then blur", "blur then measure", "measure what is projected"):
        log, _ = traversed(compiled(installed, PIPELINES[name]))
        assert log.most_held == 0
    log, _ = traversed(compiled(installed, PIPELINES["measure then blur"]))
    assert len(log.reads) == len(set(log.reads))


def test_who_is_needed_by_nobody_is_no_reader(installed):
    """Planes would wait for it for ever."""
    plan = compiled(installed, [Step(measure)])
    assert plan.source_readers == ((0,), (0,))
    assert plan.node_readers == (((), ()),)
