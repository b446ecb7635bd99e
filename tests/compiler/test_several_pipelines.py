"""Several pipelines in one plan: what they share, what each sees of the others, and what their stores are called."""

from __future__ import annotations

import pickle

import pytest

from hcs_core import (
    CompileError,
    GlobalPipelineConfig,
    Pipeline,
    PlaneState,
    Selection,
    Step,
    compile_plan,
    step_function,
)
from hcs_core.compiler.compiling import draft_plan
from hcs_core.compiler.node_plan import PLATE
from hcs_core.testing.plates import make_plate

PLATE_FACTS = {"wells": ("A01", "A02", "B01"), "sites": (1, 2), "z_indexes": (1, 2, 3), "timepoints": (1, 2)}


@pytest.fixture
def compiled(manager):
    """Compile pipelines for a plate; what is no argument makes the plate."""

    def run(*pipelines, config=None, draft=False, **components):
        make = draft_plan if draft else compile_plan
        plate = make_plate(**(PLATE_FACTS | components))
        return make(list(pipelines), plate, config or GlobalPipelineConfig(), manager)

    return run


def told(plan):
    return [str(problem) for problem in plan.problems]


def plate_channels(plan, step):
    """The numbers of the plate's channels that a step's nodes take from the plate itself."""
    (found,) = [one for one in plan.steps if one.name == step]
    ports = [port for index in found.nodes for port in plan.nodes[index].inputs]
    return [plan.lanes[port.channel][1].number for port in ports if port.node == PLATE]


def test_nodes_and_outputs_come_pipeline_by_pipeline(compiled):
    plan = compiled(
        Pipeline("first", [Step("max_projection"), Step("gaussian_blur", sigma=1)]),
        Pipeline("second", [Step("max_projection", save=True), Step("composite")]),
    )
    assert plan.pipelines == ("first", "second")
    assert plan.pipeline == "first + second"
    names = ["first/max_projection", "first/gaussian_blur", "second/max_projection", "second/composite"]
    assert [step.name for step in plan.steps] == names
    assert [step.pipeline for step in plan.steps] == ["first", "first", "second", "second"]
    assert [node.step for node in plan.nodes] == names
    assert [step.reads for step in plan.steps] == ["start", names[0], "start", names[2]]
    assert [(output.store, output.step) for output in plan.outputs] == [
        ("first.zarr", names[1]),
        ("max_projection.zarr", names[2]),
        ("images.zarr", names[3]),
    ]


def test_one_pipeline_in_a_list_is_the_same_plan_as_alone(compiled, manager):
    one = Pipeline("one", [Step("max_projection", save=True), Step("composite")])
    alone = compile_plan(one, make_plate(**PLATE_FACTS), GlobalPipelineConfig(), manager)
    assert compiled(one) == alone
    assert [step.name for step in alone.steps] == ["max_projection", "composite"]
    assert pickle.loads(pickle.dumps(alone)) == alone  # noqa: S301 - written in this line


def test_sources_that_are_equal_are_one(compiled):
    same = compiled(Pipeline("a", [Step("max_projection")]), Pipeline("b", [Step("composite")]))
    assert len(same.sources) == 1
    assert same.starts == ((0,), (0,))
    other = compiled(
        Pipeline("a", [Step("max_projection")], select=Selection(channels=["GFP"], z=[1, 2])),
        Pipeline("b", [Step("max_projection")], select=Selection(timepoints=[2])),
    )
    assert [[channel.name for channel in source.channels] for source in other.sources] == [["GFP"], ["DAPI", "GFP"]]
    assert [(source.z_indexes, source.timepoints) for source in other.sources] == [
        ((1, 2), (1, 2)),
        ((1, 2, 3), (2,)),
    ]
    assert plate_channels(other, "a/max_projection") == [2]
    assert plate_channels(other, "b/max_projection") == [1, 2]
    # Planes that both take are there for both: no well lacks any.
    assert other.gaps == ((),)
    assert len(other.well_shapes) == 1


def test_what_a_site_lacks_is_known_for_every_pipeline_that_takes_it(compiled):
    absent = ("A02", 1, 2, 3, 2)
    pipelines = (
        Pipeline("a", [Step("max_projection")], select=Selection(channels=["GFP"])),
        Pipeline("b", [Step("max_projection")], select=Selection(z=[2, 3])),
        Pipeline("c", [Step("max_projection")], select=Selection(z=[1, 2])),
    )
    plan = compiled(*pipelines, states={absent: PlaneState.NOT_ACQUIRED})
    (gap,) = [gap for gap in plan.gaps if gap]
    # Lanes: a's GFP; b's DAPI, GFP; c's DAPI, GFP. z 3 is in the first two images, not in the third.
    assert gap == ((0, 2, 3), (2, 2, 3))
    assert [plan.lanes[lane][1].name for lane, _, _ in gap] == ["GFP", "GFP"]
    shapes = {well: plan.well_shapes[index] for well, index in plan.wells}
    assert shapes["A01"] == shapes["B01"] != shapes["A02"]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"select": Selection(wells="A01")}, {}, "have the same wells: 'p' says A01, and 'q' A01, A02, B01"),
        ({"select": Selection(sites=[1])}, {"select": Selection(sites=[2])}, "same sites: 'p' says 1, and 'q' 2"),
        ({"missing": "skip-site"}, {"missing": "skip-well"}, "missing: 'p' says skip-site, and 'q' skip-well"),
        ({"missing": "skip-site"}, {}, "'p' says skip-site, and 'q' error"),
    ],
)
def test_what_pipelines_have_to_share(compiled, first, second, words):
    pipelines = (Pipeline("p", [Step("max_projection")], **first), Pipeline("q", [Step("composite")], **second))
    plan = compiled(*pipelines, draft=True)
    (problem,) = plan.problems
    assert words in problem.message
    assert "run them apart" in problem.hint


def test_the_same_wells_written_in_two_ways_are_the_same(compiled):
    one, two = Selection(wells="A01:A02"), Selection(wells=["a1", "r01c02"])
    plan = compiled(Pipeline("p", [Step("composite")], select=one), Pipeline("q", [Step("composite")], select=two))
    assert plan.well_names == ("A01", "A02")


def test_names_have_to_differ_and_to_name_folders(compiled):
    plan = compiled(Pipeline("p", [Step("composite")]), Pipeline("p", [Step("composite")]), draft=True)
    assert any("2 pipelines are called 'p'" in text for text in told(plan))
    plan = compiled(Pipeline("a/b", [Step("composite")]), Pipeline("p", [Step("composite")]), draft=True)
    assert any("'a/b' cannot name a folder" in text for text in told(plan))
    assert compiled(Pipeline("a/b", [Step("composite")])).problems == ()


def test_a_selection_that_is_wrong_in_both_is_told_once(compiled):
    select = Selection(channels=["DAPY"])
    plan = compiled(Pipeline("p", select=select), Pipeline("q", [Step("nothing")], select=select), draft=True)
    assert sum("no channel 'DAPY'" in text for text in told(plan)) == 1
    assert any("step 'q/nothing'" in text for text in told(plan))


def test_stores_that_would_clash_have_their_pipeline_s_name(compiled):
    def steps():
        return [Step("max_projection", save=True), Step("gaussian_blur", sigma=1, save=True, name="wide")]

    plan = compiled(
        Pipeline("a", [*steps(), Step("composite")]),
        Pipeline("b", [*steps()[:1], Step("composite", save=True, name="a"), Step("percentile_normalize")]),
    )
    assert [output.store for output in plan.outputs] == [
        "a_max_projection.zarr", "wide.zarr", "a.zarr", "b_max_projection.zarr", "b_a.zarr", "images.zarr",
    ]  # fmt: skip


# --- Inputs -------------------------------------------------------------------------------------------------------


def test_a_step_takes_what_its_input_names(compiled):
    plan = compiled(
        Pipeline(
            "p",
            [
                Step("gaussian_blur", sigma=1),
                Step("max_projection", save=True),
                Step("mean_projection", input="start", save=True),
                Step("composite", input="gaussian_blur"),
            ],
        )
    )
    assert [step.reads for step in plan.steps] == ["start", "gaussian_blur", "start", "gaussian_blur"]
    blur, top, mean, composite = plan.steps
    assert all(port.node == PLATE for index in mean.nodes for port in plan.nodes[index].inputs)
    assert {port.node for index in composite.nodes for port in plan.nodes[index].inputs} == set(blur.nodes)
    # The composite is of whole stacks: the projection before it in the list has no part in it.
    assert composite.images[0].z_indexes == (1, 2, 3)
    assert top.images[0].z_indexes == (0,)


def test_a_pipeline_takes_what_earlier_ones_left(compiled):
    steps = [
        Step("percentile_normalize", input="p", save=True),
        Step("mean_projection", input="start", save=True),
        Step("gaussian_blur", input="p/max_projection", sigma=3),
    ]
    first = [Step("max_projection"), Step("gaussian_blur", sigma=1)]
    plan = compiled(Pipeline("p", first, select=Selection(channels=["GFP"])), Pipeline("q", steps))
    assert [step.reads for step in plan.steps][2:] == ["p/gaussian_blur", "start", "p/max_projection"]
    assert [channel.name for channel in plan.steps[2].images[0].channels] == ["GFP"]
    assert plate_channels(plan, "q/mean_projection") == [1, 2]


def test_a_pipeline_that_takes_nothing_of_the_plate_asks_nothing_of_it(compiled):
    states = {("A01", 1, 1, 1, 1): PlaneState.MISSING}
    first = Pipeline("p", [Step("max_projection")], select=Selection(channels=["GFP"]))
    plan = compiled(first, Pipeline("q", [Step("composite", input="p")]), states=states)
    assert [[channel.name for channel in source.channels] for source in plan.sources] == [["GFP"]]
    assert plan.starts == ((0,), ())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("max_projectoin", "is no step before it. Did you mean 'max_projection'?"),
        ("later", "comes later in the pipeline"),
        ("this", "is the step itself"),
        ("off", "is a step that is not enabled"),
        ("q", "is not made when this step begins"),
        ("r/composite", "is not made when this step begins"),
        ("p/nothing", "is no step before it"),
    ],
)
def test_an_input_that_is_not_there(compiled, asked, words):
    plan = compiled(
        Pipeline("p", [Step("gaussian_blur", sigma=1)]),
        Pipeline("q", [Step("max_projection"), Step("composite", enabled=False, name="off"),
                       Step("composite", name="this", input=asked), Step("percentile_normalize", name="later")]),
        Pipeline("r", [Step("composite")]),
        draft=True,
    )  # fmt: skip
    (problem,) = plan.problems
    assert (problem.step, problem.parameter) == ("q/this", "input")
    assert f"its input {asked!r} {words}" in problem.message
    assert problem.hint == "It can be start, max_projection, p/gaussian_blur, p."


def test_inputs_are_judged_where_the_plate_gives_nothing_too(compiled):
    plan = compiled(Pipeline("p", [Step("composite", input="x")], select=Selection(channels=["no"])), draft=True)
    assert {problem.parameter for problem in plan.problems} >= {"input"}


def test_a_step_whose_work_nobody_takes_up_is_refused(compiled):
    steps = [Step("gaussian_blur", sigma=1), Step("max_projection", input="start")]
    with pytest.raises(CompileError, match="step 'gaussian_blur': nothing takes up what it makes"):
        compiled(Pipeline("p", steps))
    taken = Pipeline("q", [Step("composite", input="p/gaussian_blur")])
    assert compiled(Pipeline("p", steps), taken).problems == ()


# --- Wells of a kept output, devices ------------------------------------------------------------------------------


def test_a_kept_output_has_the_wells_that_it_names_whatever_the_run_s(compiled):
    kept = Step("gaussian_blur", sigma=1, save=True, wells="row:A")
    whole = compiled(Pipeline("p", [kept, Step("max_projection")]))
    part = compiled(Pipeline("p", [kept, Step("max_projection")], select=Selection(wells=["A02", "B01"])))
    for plan in (whole, part):
        assert [output.wells for output in plan.outputs] == [("A01", "A02"), None]
    assert part.wells_of(part.outputs[0]) == ("A02",)
    assert part.content_key == whole.content_key
    assert (whole.kept_in("A01"), whole.kept_in("B01")) == ((0, 1), (1,))
    changed = compiled(Pipeline("p", [Step("gaussian_blur", sigma=1, save=True, wells=1), Step("max_projection")]))
    assert changed.content_key != whole.content_key


def test_what_is_kept_for_some_wells_is_counted_for_these(compiled):
    def sizes(**options):
        plan = compiled(Pipeline("p", [Step("gaussian_blur", sigma=1, save=True, **options), Step("composite")]))
        return plan.output_bytes, plan.output_files

    nothing = compiled(Pipeline("p", [Step("gaussian_blur", sigma=1), Step("composite")]))
    everywhere, two = sizes(), sizes(wells="row:A")
    assert everywhere[0] - nothing.output_bytes == 3 * (two[0] - nothing.output_bytes) // 2
    assert nothing.output_files < two[1] < everywhere[1]


def test_wells_that_are_not_there_are_a_problem(compiled):
    plan = compiled(Pipeline("p", [Step("max_projection", save=True, wells="H12"), Step("composite")]), draft=True)
    (problem,) = plan.problems
    assert (problem.step, problem.parameter) == ("max_projection", "wells")
    assert "'H12' matches no well of this plate; it has A01, A02, B01" in problem.message


def test_a_step_s_device_reaches_its_nodes(compiled):
    plan = compiled(Pipeline("p", [Step("max_projection", device="cpu"), Step("composite")]))
    assert [node.asked_device for node in plan.nodes] == ["cpu", None]
    unasked = compiled(Pipeline("p", [Step("max_projection"), Step("composite")]))
    assert plan.content_key == unasked.content_key


# --- Memory, and wells alike --------------------------------------------------------------------------------------


def test_what_waits_between_pipelines_is_in_the_memory_that_is_planned(compiled):
    steps = [Step("gaussian_blur", sigma=1)]
    apart = compiled(Pipeline("p", steps), Pipeline("q", steps))
    taking = compiled(Pipeline("p", steps), Pipeline("q", [Step("gaussian_blur", input="p", sigma=2)]))
    # What p leaves at one site and timepoint waits for q: two channels of three slices.
    plane = 64 * 48 * 2
    assert (apart.waiting_bytes_per_worker, taking.waiting_bytes_per_worker) == (0, 2 * 3 * plane)
    # While the last of them is made, or taken, it is among what its call needs.
    assert taking.peak_memory_bytes_per_worker - apart.peak_memory_bytes_per_worker == (2 * 3 - 1) * plane


def test_a_kept_step_on_the_way_does_not_wait(compiled):
    steps = [Step("gaussian_blur", sigma=1, save=True), Step("gaussian_blur", sigma=2)]
    kept, not_kept = compiled(Pipeline("p", steps)), compiled(Pipeline("p", [unkept(steps[0]), steps[1]]))
    assert kept.peak_memory_bytes_per_worker == not_kept.peak_memory_bytes_per_worker


def unkept(step):
    """A step like another one, not kept."""
    return Step([(call.operation, dict(call.parameters)) for call in step.calls], name=step.name)


def test_wells_alike_are_planned_once_for_several_pipelines(compiled):
    wells = tuple(f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13))
    pipelines = [
        Pipeline("p", [Step("max_projection", save=True, wells="A01:B06"), Step("composite")]),
        Pipeline("q", [Step("composite")], select=Selection(z=[2])),
    ]
    few, many = compiled(*pipelines, wells=wells[:24]), compiled(*pipelines, wells=wells)
    assert len(many.well_shapes) == 1
    assert (len(pickle.dumps(many)) - len(pickle.dumps(few))) / 72 < 60


@step_function(out="", makes={"spots": "table"})
def measure(image):
    return {}


@step_function(takes={"spots": "table"})
def count(image, *, spots):
    return image


def test_a_later_pipeline_takes_what_an_earlier_one_made(compiled):
    plan = compiled(Pipeline("first", [Step(measure)]), Pipeline("second", [Step(count)]))
    assert [artifact.name for artifact in plan.artifacts] == ["spots"]
    (taker,) = [node for node in plan.nodes if node.takes]
    assert taker.takes[0].makers == plan.artifacts[0].makers


def test_what_two_pipelines_make_is_called_after_each(compiled):
    first = Pipeline("first", [Step(measure)])
    second = Pipeline("second", [Step(measure), Step(count, spots="measure.spots")])
    plan = compiled(first, second)
    assert [artifact.name for artifact in plan.artifacts] == ["first.measure.spots", "second.measure.spots"]
    # Without a pipeline's name it is one of its own.
    assert plan.nodes[2].takes[0].name == "second.measure.spots"
    other = Pipeline("second", [Step(measure), Step(count, spots="first.measure.spots")])
    assert compiled(first, other).nodes[2].takes[0].name == "first.measure.spots"
