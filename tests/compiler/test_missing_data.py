"""What the policies for missing data leave of a plate, and what they say of it."""

import pytest

from hcs_core import GlobalPipelineConfig, Pipeline, PlaneState, Selection, Step, compile_plan
from hcs_core.testing.plates import make_plate

SITES = {"wells": ("A01", "A02", "A03"), "sites": (1, 2, 3)}
LACKING = {
    ("A01", 2, 1, 1, 1): PlaneState.MISSING,
    ("A03", 1, 2, 1, 1): PlaneState.NOT_RECORDED,
    ("A03", 2, 2, 1, 1): PlaneState.UNREADABLE,
    ("A03", 3, 1, 1, 1): PlaneState.MISSING,
}


def plan_of(draft, missing, states=LACKING, **more):
    return draft(states=states, config=GlobalPipelineConfig(missing=missing), **SITES, **more)


def left(plan):
    return {well: plan.sites(well) for well in plan.well_names}


def test_error_refuses_what_is_known_to_be_absent(draft):
    (problem,) = plan_of(draft, "error").problems
    assert problem.message.startswith("3 plane(s) of the plate are absent: A01 site 2 channel 1 z 1 t 1 (missing);")
    assert problem.parameter == "missing"


def test_skip_site_leaves_out_sites_and_wells_that_have_none_left(draft):
    plan = plan_of(draft, "skip-site")
    assert plan.problems == ()
    assert left(plan) == {"A01": (1, 3), "A02": (1, 2, 3)}
    assert plan.skipped_sites == (("A01", 2), ("A03", 1), ("A03", 2), ("A03", 3))
    assert plan.skipped_wells == ("A03",)


def test_skip_well_leaves_out_whole_wells(draft):
    plan = plan_of(draft, "skip-well")
    assert left(plan) == {"A02": (1, 2, 3)}
    assert plan.skipped_wells == ("A01", "A03")


@pytest.mark.parametrize("missing", ["skip-site", "skip-well"])
def test_what_is_not_selected_is_not_missed(draft, missing):
    plan = plan_of(draft, missing, select=Selection(channels=("GFP",), sites=(1,)))
    assert left(plan) == {"A01": (1,), "A02": (1,)}
    assert plan.skipped_sites == (("A03", 1),)
    whole = plan_of(draft, missing, select=Selection(wells="A02"))
    assert (left(whole), whole.skipped_sites, whole.skipped_wells) == ({"A02": (1, 2, 3)}, (), ())


def test_fill_leaves_out_planes_alone(draft):
    plan = plan_of(draft, "fill")
    assert plan.problems == ()
    assert left(plan) == {"A01": (1, 2, 3), "A02": (1, 2, 3), "A03": (1, 2, 3)}
    assert plan.filled_sites == (("A01", 2), ("A03", 1), ("A03", 2), ("A03", 3))
    assert (plan.skipped_sites, plan.skipped_wells) == ((), ())
    lacking = {well: [plan.gaps[gap] for gap in plan.well_shapes[shape].gaps] for well, shape in plan.wells}
    # (lane, timepoint, z_index) of what each site lacks.
    assert lacking == {
        "A01": [(), ((0, 1, 1),), ()],
        "A02": [(), (), ()],
        "A03": [((1, 1, 1),), ((1, 1, 1),), ((0, 1, 1),)],
    }


def test_fill_leaves_out_a_site_of_which_nothing_is_there(draft):
    gone = {("A01", 2, channel, 1, 1): PlaneState.MISSING for channel in (1, 2)}
    every = gone | {("A02", site, channel, 1, 1): PlaneState.MISSING for site in (1, 2, 3) for channel in (1, 2)}
    plan = plan_of(draft, "fill", states=every)
    assert left(plan) == {"A01": (1, 3), "A03": (1, 2, 3)}
    assert plan.skipped_sites == (("A01", 2), ("A02", 1), ("A02", 2), ("A02", 3))
    assert (plan.skipped_wells, plan.filled_sites) == (("A02",), ())


@pytest.mark.parametrize("missing", ["skip-site", "skip-well"])
def test_nothing_left_is_a_problem(draft, missing):
    every = {(well, site, 1, 1, 1): PlaneState.MISSING for well in SITES["wells"] for site in SITES["sites"]}
    problems = plan_of(draft, missing, states=every).problems
    assert f"missing={missing} leaves none" in problems[0].message


def test_what_was_never_taken_is_not_missed(draft):
    never = {("A01", 1, 2, 1, 1): PlaneState.NOT_ACQUIRED}
    plan = plan_of(draft, "skip-well", states=never)
    assert plan.well_names == ("A01", "A02", "A03")
    assert plan.skipped_sites == ()


def test_a_pipeline_s_own_policy_comes_before_the_configuration_s(manager):
    plate = make_plate(states={("A01", 1, 1, 1, 1): PlaneState.MISSING})
    pipeline = Pipeline("mine", [Step("max_projection")], missing="skip-site")
    plan = compile_plan(pipeline, plate, GlobalPipelineConfig(missing="error"), manager)
    assert plan.well_names == ("A02",)


def test_what_is_left_out_is_in_the_digest_and_not_in_the_key(draft):
    one, other = plan_of(draft, "skip-site"), plan_of(draft, "skip-site", states={})
    assert one.digest != other.digest
    # A rerun with the files that were found again goes on with the same output.
    assert one.content_key == other.content_key
