"""Estimates of the plate are stages before the wells: what they sample, and what makes them the same."""

import pickle

import numpy as np
import pytest

from hcs_core import Existing, GlobalPipelineConfig, Selection, Step
from hcs_core.compiler.graph.spreading import spread
from hcs_core.plate.plane_table import PlaneState
from hcs_core.plugins.estimate import Estimate
from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.signature import Signature

WELLS = tuple(f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13))
PLATE = {"wells": WELLS, "sites": (1, 2, 3), "z_indexes": (1, 2)}
FLAT = Step("flat_field", dark=100.0)
LIMITS = Step("percentile_normalize", limits="plate")


def sampled(plan, stage=0):
    """The planes that a stage samples, by well."""
    return {sample.well: sample.planes for sample in plan.reductions[stage].samples}


def test_stages_come_in_the_order_of_the_steps_and_the_wells_last(draft):
    plan = draft(FLAT, LIMITS, **PLATE)
    assert [(stage.kind, stage.parameter) for stage in plan.stages] == [
        ("reduction", "profile"),
        ("reduction", "levels"),
        ("well", ""),
    ]
    assert plan.problems == ()


def test_what_is_given_is_not_estimated(draft):
    plan = draft(
        Step("flat_field", profile=np.ones((64, 48))),
        Step("percentile_normalize"),
        Step("percentile_normalize", limits="plate", levels=(10.0, 90.0), name="given"),
        **PLATE,
    )
    assert (plan.problems, plan.reductions) == ((), ())


def test_limits_of_wells_are_no_stage(draft):
    plan = draft(Step("percentile_normalize", limits="well"), **PLATE)
    assert plan.reductions == ()
    assert [estimate.scope for _, estimate in plan.estimates_of("well")] == ["well"]


def test_a_sample_is_spread_over_the_wells_sites_and_z(draft):
    plan = draft(FLAT, **PLATE)
    (stage,) = plan.reductions
    assert stage.sampled == (256,) * len(plan.nodes[0].input.channels)
    counts = [len([plane for plane in planes if plane[0] == 0]) for planes in sampled(plan).values()]
    assert len(counts) == len(WELLS)
    assert set(counts) == {2, 3}
    places = [plane[1:] for planes in sampled(plan).values() for plane in planes if plane[0] == 0]
    times_each = {place: places.count(place) for place in places}
    assert len(times_each) == 6
    assert min(times_each.values()) > 20


def test_the_sample_is_the_plates_whatever_the_well_filter(draft):
    every, one = draft(FLAT, **PLATE), draft(FLAT, select=Selection(wells="B02"), **PLATE)
    assert sampled(one) == sampled(every)
    assert one.well_names == ("B02",)
    assert one.content_key == every.content_key
    assert one.estimate_key(one.reductions[0]) == every.estimate_key(every.reductions[0])


def test_limits_of_the_plate_count_every_plane(draft):
    plan = draft(LIMITS, **PLATE)
    assert plan.reductions[0].sampled == (len(WELLS) * 6,) * len(plan.nodes[0].input.channels)
    assert set(sampled(plan).values()) == {None}


@pytest.mark.parametrize("missing", ["error", "skip-site"])
def test_sites_that_lack_planes_are_not_sampled(draft, missing):
    lacking = {"wells": WELLS[:4], "sites": (1, 2), "z_indexes": (1,)}
    states = {("A02", 2, 1, 1, 1): PlaneState.MISSING}
    config = GlobalPipelineConfig(missing=missing)
    plan = draft(LIMITS, select=Selection(wells="A01"), config=config, states=states, **lacking)
    whole = draft(LIMITS, select=Selection(wells="A01"), **lacking)
    assert plan.problems == ()
    shapes = {sample.well: plan.sampled_shapes[sample.shape].sites for sample in plan.reductions[0].samples}
    assert shapes == {"A01": (1, 2), "A02": (1,), "A03": (1, 2), "A04": (1, 2)}
    assert plan.reductions[0].sampled[0] == whole.reductions[0].sampled[0] - 1


def test_wells_that_the_policy_leaves_out_are_not_sampled(draft):
    config = GlobalPipelineConfig(missing="skip-well")
    lacking = {
        "wells": WELLS[:4],
        "sites": (1, 2),
        "z_indexes": (1,),
        "states": {("A02", 2, 1, 1, 1): PlaneState.MISSING},
    }
    plan = draft(LIMITS, config=config, **lacking)
    assert set(sampled(plan)) == {"A01", "A03", "A04"}


def test_too_few_planes_are_a_problem_that_says_what_to_do(draft):
    plan = draft(FLAT, wells=("A01",), sites=(1,), z_indexes=(1,))
    text = str(plan.problems[0])
    assert "has 1 that can be used; at least 16 are needed" in text
    assert "Give profile" in text


def test_a_dict_by_well_samples_the_wells_that_it_names(draft):
    plan = draft(
        Step({"A01": ("percentile_normalize", {"limits": "plate"}), "B02": "percentile_normalize"}, group_by="well"),
        **PLATE,
    )
    assert plan.problems == ()
    assert list(sampled(plan)) == ["A01"]


def test_the_key_is_of_how_it_is_estimated_and_of_what_comes_before(draft):
    plans = [
        draft(FLAT, **PLATE),
        draft(Step("flat_field", dark=90.0), **PLATE),
        draft(Step("flat_field"), **PLATE),
        draft(Step("gaussian_blur", sigma=1.0), FLAT, **PLATE),
        draft(FLAT, select=Selection(channels=("DAPI",)), **PLATE),
        draft(FLAT, name="other", **PLATE),
    ]
    keys = {plan.estimate_key(plan.reductions[0]) for plan in plans}
    assert len(keys) == len(plans)
    after = draft(FLAT, Step("gaussian_blur", sigma=1.0), **PLATE)
    assert after.estimate_key(after.reductions[0]) in keys


def test_what_is_kept_is_known_and_is_no_part_of_the_digest(draft):
    plan = draft(FLAT, **PLATE)
    key = plan.estimate_key(plan.reductions[0])
    known = draft(FLAT, existing=Existing(estimates=frozenset({key, "another"})), **PLATE)
    assert (plan.estimated, known.estimated) == ((), (key,))
    assert known.digest == plan.digest


def test_the_planned_memory_holds_collected_arrays_and_estimated_images(draft):
    plain, flat = (
        draft(Step("gaussian_blur", sigma=1.0), **PLATE),
        draft(Step("gaussian_blur", sigma=1.0), FLAT, **PLATE),
    )
    channels = len(flat.nodes[0].input.channels)
    height, width = flat.nodes[0].input.shape
    assert flat.peak_memory_bytes_per_worker >= plain.peak_memory_bytes_per_worker + channels * height * width * 4
    counted = draft(LIMITS, **PLATE)
    assert counted.peak_memory_bytes_per_worker >= 2 * channels * 65536 * 8


def test_a_plan_that_samples_all_stays_small(draft):
    few, many = (draft(LIMITS, **{**PLATE, "wells": WELLS[:count]}) for count in (8, 96))
    assert (len(pickle.dumps(many)) - len(pickle.dumps(few))) / 88 < 100


# --- Spreading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "most"),
    [([9] * 96, 256), ([9] * 500, 256), ([0, 3, 100, 1, 0], 20), ([1] * 10, 10), ([5], 3), ([], 4), ([0, 0], 4)],
)
def test_a_choice_is_as_large_as_can_be_and_takes_nothing_twice(counts, most):
    found = spread(counts, most)
    assert sum(map(len, found)) == min(most, sum(counts))
    for places, count in zip(found, counts, strict=True):
        assert len(set(places)) == len(places)
        assert all(0 <= place < count for place in places)
    # Nobody gives two more than another who has them to give.
    full = max(map(len, found), default=0)
    assert all(len(places) >= min(count, full - 1) for places, count in zip(found, counts, strict=True))


def test_few_of_many_groups_lie_evenly_apart():
    chosen = [index for index, places in enumerate(spread([9] * 100, 10)) if places]
    assert set(np.diff(chosen)) == {10}


# --- Signatures -------------------------------------------------------------------------------------------------

OFFSET = Parameter(name="offset", kind="floats", description="what is taken away")
HOW = {"collect": "a.b:c", "reduce": "a.b:d"}


@pytest.mark.parametrize(
    ("estimate", "parameters", "axes", "said"),
    [
        ({"parameter": "other"}, (OFFSET,), "yx", "'other' cannot be estimated"),
        ({"parameter": "gain"}, (Parameter(name="gain", kind="float"),), "yx", "'gain' cannot be estimated"),
        ({"parameter": "offset"}, (Parameter(name="offset", kind="floats", default=(1.0,)),), "yx", "cannot be est"),
        ({"parameter": "offset", "scope": "whose"}, (OFFSET,), "yx", "scope='whose'"),
        (
            {"parameter": "offset", "scope": "whose"},
            (OFFSET, Parameter(name="whose", kind="str", default="row", choices=("row",))),
            "yx",
            "scope='whose'",
        ),
        ({"parameter": "offset"}, (OFFSET,), "cyx", "for each channel alone"),
    ],
)
def test_a_signature_refuses_estimates_that_nobody_could_make(estimate, parameters, axes, said):
    with pytest.raises(ValueError, match=said):
        Signature(axes=axes, out=axes, parameters=parameters, estimates=(Estimate(**HOW, **estimate),))


@pytest.mark.parametrize(
    "wrong",
    [
        {"collect": "a.b"},
        {"reduce": ""},
        {"merge": "x"},
        {"scope": "plane"},
        {"planes": 3, "fewest": 4},
        {"fewest": 0},
    ],
)
def test_an_estimate_refuses_what_it_could_never_do(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Estimate(**{"parameter": "offset", **HOW, **wrong})


def test_a_pipeline_says_which_scope(draft):
    plan = draft(Step("percentile_normalize", limits="row"), **PLATE)
    assert "one of plane, well, plate" in str(plan.problems[0])


def test_a_run_of_one_well_has_workers_for_the_sample(draft):
    config = GlobalPipelineConfig(num_workers=4)
    assert draft(LIMITS, select=Selection(wells="B02"), config=config, **PLATE).workers == 4
    assert draft(Step("max_projection"), select=Selection(wells="B02"), config=config, **PLATE).workers == 1
