"""Artifacts by name: how they are called, who gets which, and what nobody can take."""

import pytest

from hcs_core import GlobalPipelineConfig, Step, Taken, WritersConfig, WriterSpec, step_function

PLATE_OF = {"wells": ("A01", "B02"), "sites": (1, 2), "z_indexes": (1, 2, 3)}


@step_function(out="", makes={"spots": "table"})
def measure(image):
    return {"n": [1]}


@step_function(out="", makes={"spots": "json"})
def describe(image):
    return {}


@step_function(makes={"nuclei": "image"})
def segment(image):
    return image, image


@step_function(axes="zyx", out="yx", makes={"volumes": "table"})
def project(image):
    return image[0], {}


@step_function(takes={"spots": "table"})
def count(image, *, spots):
    return image


@step_function(axes="zyx", out="yx", takes={"spots": "table"})
def count_all(image, *, spots):
    return image[0]


@step_function(takes=[Taken(keyword="mask", kind="image", name="nuclei")])
def cut(image, *, mask):
    return image


@step_function(axes="zyx", out="yx", takes=[Taken(keyword="mask", kind="image", name="nuclei")])
def cut_all(image, *, mask):
    return image[0]


@step_function(axes="cyx", takes=[Taken(keyword="mask", kind="image", name="nuclei")])
def cut_channels(image, *, mask):
    return image


def test_an_artifact_is_called_as_its_function_says(draft):
    plan = draft(Step(measure, name="first"), Step(count), **PLATE_OF)
    assert plan.problems == ()
    (artifact,) = plan.artifacts
    assert (artifact.name, artifact.kind, artifact.makers, artifact.over) == ("spots", "table", (0,), "stcz")
    assert (artifact.writer, artifact.suffix) == ("csv", ".csv")
    assert plan.nodes[1].takes[0].makers == (0,)


def test_a_step_that_makes_only_artifacts_passes_its_image_on(draft):
    plan = draft(Step(measure), Step("max_projection"), **PLATE_OF)
    assert plan.problems == ()
    assert plan.nodes[1].inputs == plan.nodes[0].inputs
    assert plan.outputs[0].image.z_indexes == (0,)
    alone = draft(Step(measure), **PLATE_OF)
    assert alone.outputs[0].image == alone.sources[0]
    assert alone.outputs[0].ports == alone.nodes[0].inputs


def test_what_two_steps_make_is_called_after_each(draft):
    plan = draft(Step(measure), Step(measure), Step(count, spots="measure_2.spots"), **PLATE_OF)
    assert plan.problems == ()
    assert [artifact.name for artifact in plan.artifacts] == ["measure.spots", "measure_2.spots"]
    (taken,) = plan.nodes[2].takes
    assert (taken.name, taken.makers) == ("measure_2.spots", (1,))


def test_a_name_with_its_step_may_be_written_always(draft):
    plan = draft(Step(measure), Step(count, spots="measure.spots"), **PLATE_OF)
    assert plan.problems == ()
    assert (plan.nodes[1].takes[0].name, plan.artifacts[0].name) == ("spots", "spots")


def test_a_plain_name_is_the_one_that_was_made_before(draft):
    plan = draft(Step(measure), Step(count), Step(measure, name="later"), **PLATE_OF)
    assert plan.problems == ()
    assert plan.nodes[1].takes[0].name == "measure.spots"


def test_branches_of_a_dict_make_one_artifact(draft):
    plan = draft(Step({"DAPI": measure, "GFP": measure}), Step(count), **PLATE_OF)
    assert plan.problems == ()
    (artifact,) = plan.artifacts
    assert artifact.makers == (0, 1)
    assert plan.nodes[2].takes[0].makers == (0, 1)
    assert not plan.nodes[2].takes[0].shared


def test_what_one_channel_has_is_every_channel_s(draft):
    for taker in (cut, cut_channels):
        plan = draft(Step({"DAPI": segment}), Step(taker), **PLATE_OF)
        assert plan.problems == ()
        assert plan.nodes[1].takes[0].shared


def test_components_that_were_reduced_tell_nothing_apart(draft):
    plan = draft(Step("max_projection"), Step(measure), **PLATE_OF)
    assert plan.artifacts[0].over == "stc"


def only(plan):
    (problem,) = plan.problems
    return problem


PROBLEMS = {
    "nobody": ([Step(count)], "no step makes 'spots'.", "Put a step that makes it before this one."),
    "another": (
        [Step(segment), Step(count, spots="nucle")],
        "no step makes 'nucle'. Did you mean 'nuclei'?",
        "There are nuclei.",
    ),
    "later": (
        [Step(count), Step(measure)],
        "'spots' is made only by the later step 'measure'.",
        "Put 'measure' before it.",
    ),
    "twice in a chain": (
        [Step([measure, measure], name="chain")],
        "'spots' is made twice for the channel 'DAPI', by 'measure' before.",
        "in two steps",
    ),
    "two kinds": (
        [Step({"DAPI": measure, "GFP": describe})],
        "is made as json by 'describe' and as table",
        "in two steps",
    ),
    "which": (
        [Step(measure), Step(measure, name="other"), Step(count)],
        "'spots' is made by more than one step.",
        "Write which one it takes: spots: measure.spots or other.spots.",
    ),
    "another kind": (
        [Step(segment), Step(count, spots="nuclei")],
        "it takes table, and 'nuclei' of step 'segment' is image.",
        "",
    ),
    "no name": (
        [Step(measure), Step(count, spots=3)],
        "expected the name of an artifact, such as 'spots', found 3.",
        "",
    ),
    "finer": (
        [Step(segment), Step(cut_all)],
        "'nuclei' is made for each z_index, and the step takes all of them at once.",
        "Only tables are joined",
    ),
    "other channels": (
        [Step({"DAPI": measure, "GFP": measure}), Step({"Cy5": count})],
        "'spots' is made for DAPI, GFP, and not for Cy5.",
        "dict by channel",
    ),
    "elsewhere": (
        [Step({1: measure}, group_by="site"), Step(count)],
        "'spots' is made only at site 1.",
        "wherever it is taken",
    ),
    "another well": (
        [Step({"A01": measure}, group_by="well"), Step({"B02": count}, group_by="well")],
        "'spots' is made only at well A01.",
        "",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_cannot_be_taken_is_told_with_step_function_and_keyword(draft, name):
    steps, message, hint = PROBLEMS[name]
    problem = only(draft(*steps, **PLATE_OF, channels=("DAPI", "GFP", "Cy5")))
    assert message in problem.message
    assert hint in problem.hint
    assert problem.step
    assert problem.function
    if "made twice" not in message and "is made as" not in message:
        assert problem.parameter in {"spots", "mask"}


@pytest.mark.parametrize(
    "steps",
    [
        [Step(measure), Step(count_all)],  # a finer table is joined
        [Step({3: measure}, group_by="z_index"), Step(count_all)],  # so is a part of one
        [Step({1: measure, 2: measure}, group_by="site"), Step(count)],
        [Step({1: measure}, group_by="site"), Step({1: count}, group_by="site")],
        [Step({"A01": measure, "B02": measure}, group_by="well"), Step(count)],
        [Step({"DAPI": measure}), Step({"GFP": measure}), Step(count, spots="measure.spots")],
        [Step("max_projection"), Step(segment), Step(cut)],
        [Step({"DAPI": [measure, count]})],
    ],
    ids=lambda steps: "-".join(step.name for step in steps),
)
def test_what_can_be_taken_is_no_problem(draft, steps):
    assert draft(*steps, **PLATE_OF).problems == ()


def test_an_artifact_is_of_one_step(draft):
    plan = draft(Step({"DAPI": measure}), Step({"GFP": measure}), **PLATE_OF)
    assert plan.problems == ()
    assert [artifact.name for artifact in plan.artifacts] == ["measure.spots", "measure_2.spots"]


def test_who_takes_from_a_step_that_has_problems_of_its_own_gets_no_second_one(draft):
    plan = draft(Step({"Cy7": measure}), Step(count), **PLATE_OF)
    assert "the channel 'Cy7', which is not there" in only(plan).message


def test_a_writer_that_is_not_there_is_a_problem(draft):
    config = GlobalPipelineConfig(writers=WritersConfig(table="excel"))
    problem = only(draft(Step(measure), config=config, **PLATE_OF))
    assert problem.parameter == "writers.table"
    assert "no writer is called 'excel'" in problem.message
    assert draft(Step("max_projection"), config=config, **PLATE_OF).problems == ()


def test_a_writer_of_another_kind_is_a_problem(draft, make_manager):
    config = GlobalPipelineConfig(writers=WritersConfig(table="npy"))
    problem = only(draft(Step(measure), config=config, **PLATE_OF))
    assert problem.message == "the writer 'npy' writes image, and no table."
    assert problem.hint == "Choose csv."
    spec = WriterSpec(name="sheet", kind="table", target="a:b", suffix=".sheet")
    config = GlobalPipelineConfig(writers=WritersConfig(table="sheet"))
    plan = draft(Step(measure), config=config, plugins=make_manager(hcs_writers=[spec]), **PLATE_OF)
    assert (plan.artifacts[0].writer, plan.artifacts[0].suffix) == ("sheet", ".sheet")


def test_another_writer_leaves_the_images_as_they_are(draft, make_manager):
    """Wells that are there are not made again for it."""
    spec = WriterSpec(name="sheet", kind="table", target="a:b", suffix=".sheet")
    plugins = make_manager(hcs_writers=[spec])
    plans = [
        draft(Step(measure), config=GlobalPipelineConfig(writers=writers), plugins=plugins, **PLATE_OF)
        for writers in (WritersConfig(), WritersConfig(table="sheet"))
    ]
    assert plans[0].content_key == plans[1].content_key
    assert plans[0].artifacts != plans[1].artifacts


def test_a_step_that_makes_only_artifacts_needs_memory_for_its_input_alone(draft):
    (node,) = draft(Step(measure), **PLATE_OF).nodes
    plane = 64 * 48 * 2
    assert node.needs_bytes == plane + 2 * plane


def test_a_stack_that_waits_to_be_measured_is_planned(draft):
    @step_function(axes="zyx", out="", makes={"volumes": "table"})
    def measure_stack(image):
        return {}

    blur, project = Step("gaussian_blur", sigma=1.0), Step("max_projection")
    plans = [draft(blur, *more, project, **PLATE_OF) for more in ([], [Step(measure)], [Step(measure_stack)])]
    # Three blurred planes are there when the projection is done; what is measured plane by plane does not wait.
    assert [plan.waiting_bytes_per_worker for plan in plans] == [0, 0, 3 * 64 * 48 * 2]
    assert plans[2].peak_memory_bytes_per_worker > plans[1].peak_memory_bytes_per_worker
