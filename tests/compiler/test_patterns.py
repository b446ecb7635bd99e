"""The five function patterns, dicts by every component, and what is stacked in place of z."""

import pytest

from hcs_core import Selection, Step, step_function
from hcs_core.compiler.node_plan import PLATE, Only, Port

PLATE_OF = {"wells": ("A01", "B02"), "sites": (1, 2), "z_indexes": (1, 2, 3), "timepoints": (1, 2)}


def blur(sigma):
    return ("gaussian_blur", {"sigma": sigma})


@pytest.mark.parametrize(
    ("pattern", "calls"),
    [
        ("max_projection", [("max_projection", 2)]),
        (blur(1.0), [("gaussian_blur", 2)]),
        ([blur(1.0), "max_projection"], [("gaussian_blur", 2), ("max_projection", 2)]),
        ({"GFP": blur(1.0)}, [("gaussian_blur", 1)]),
        (
            {"DAPI": [blur(1.0), ("white_tophat", {"radius": 3})], "GFP": blur(2.0)},
            [("gaussian_blur", 1), ("white_tophat", 1), ("gaussian_blur", 1)],
        ),
    ],
)
def test_each_pattern_becomes_the_calls_that_it_names(draft, pattern, calls):
    plan = draft(Step(pattern), **PLATE_OF)
    assert plan.problems == ()
    assert [(node.operation, len(node.inputs)) for node in plan.nodes] == calls


@pytest.mark.parametrize(
    ("component", "key", "value"),
    [("well", "b2", "B02"), ("site", 2, 2), ("z_index", "3", 3), ("timepoint", 1, 1)],
)
def test_a_dict_by_another_component_works_where_it_says(draft, component, key, value):
    plan = draft(Step({key: blur(1.0)}, group_by=component), **PLATE_OF)
    assert plan.problems == ()
    (node,) = plan.nodes
    assert node.only == Only(component=component, value=value)
    assert node.inputs == (Port(PLATE, 0), Port(PLATE, 1))
    assert plan.outputs[0].image == plan.sources[0]


def test_branches_by_site_follow_each_other(draft):
    plan = draft(Step({1: blur(1.0), 2: [blur(2.0), blur(3.0)]}, group_by="site"), **PLATE_OF)
    assert [node.only.value for node in plan.nodes] == [1, 2, 2]
    assert [node.inputs[0] for node in plan.nodes] == [Port(PLATE, 0), Port(0, 0), Port(1, 0)]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step({"C07": "max_projection"}, group_by="well"), "a branch for the well 'C07', which is not there"),
        (Step({9: blur(1.0)}, group_by="site"), "a branch for the site '9', which is not there"),
        (Step({0: blur(1.0)}, group_by="z_index"), "a branch for the z_index '0'"),
        (Step({3: blur(1.0)}, group_by="timepoint"), "a branch for the timepoint '3'"),
        (Step({1: blur(1.0), "01": blur(2.0)}, group_by="site"), "a branch for the site '01'"),
        (Step({"A1": blur(1.0), "a01": blur(2.0)}, group_by="well"), "which has a branch already"),
        (Step({1: "max_projection"}, group_by="z_index"), "it stacks what a dict by z_index takes one by one"),
        (Step({1: "max_projection"}, group_by="site"), "change the image (z)"),
        (Step({"A01": "composite"}, group_by="well"), "change the image"),
    ],
)
def test_a_dict_that_cannot_be(draft, step, words):
    (problem,) = draft(step, **PLATE_OF).problems
    assert problem.step == step.name
    assert words in problem.message


def test_a_well_that_is_not_selected_is_no_mistake(draft):
    plan = draft(Step({"B02": blur(1.0)}, group_by="well"), select=Selection(wells="A01"), **PLATE_OF)
    assert plan.problems == ()


def test_another_component_is_stacked(draft):
    plan = draft(Step("max_projection", variable_components=["timepoint"]), time_step_s=60.0, **PLATE_OF)
    assert plan.problems == ()
    (node,) = plan.nodes
    assert (node.axes, node.out) == ("tyx", "yx")
    image = plan.outputs[0].image
    assert (image.z_indexes, image.timepoints, image.reduced, image.time_step_s) == ((1, 2, 3), (1,), "t", None)


def test_channels_are_stacked_into_one_of_the_operation_s_name(draft):
    plan = draft(Step("max_projection", variable_components="channel"), **PLATE_OF)
    assert [channel.name for channel in plan.outputs[0].image.channels] == ["max_projection"]
    assert plan.nodes[0].axes == "cyx"


def test_sites_are_stacked_by_what_keeps_them(draft):
    @step_function(axes="zyx")
    def even(stack):
        return stack

    assert draft(Step(even, variable_components=["site"]), **PLATE_OF).nodes[0].out == "syx"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step("max_projection", variable_components=["site"]), "cannot reduce 's'"),
        (Step("max_projection", variable_components=["site", "timepoint"]), "it cannot stack site, timepoint"),
        (Step("gaussian_blur", sigma=1, variable_components=["timepoint"]), "it works plane by plane"),
    ],
)
def test_components_that_cannot_be_stacked(draft, step, words):
    (problem,) = draft(step, **PLATE_OF).problems
    assert (problem.step, problem.parameter) == (step.name, "variable_components")
    assert words in problem.message


def test_a_plane_wise_call_of_a_chain_is_not_asked_to_stack(draft):
    plan = draft(Step([blur(1.0), "max_projection"], variable_components=["timepoint"]), **PLATE_OF)
    assert plan.problems == ()
    assert [node.axes for node in plan.nodes] == ["yx", "tyx"]
