"""Devices whose memory is too small: smaller batches, then the CPU, else a well that says what to do."""

from __future__ import annotations

import gc
import json

import pytest

from hcs_core import Pipeline, Step, compile_plan, open_plate, step_function
from hcs_core.cli.run_text import run_text
from hcs_core.pipeline.config import GlobalPipelineConfig
from hcs_core.runtime.journal import Journal
from hcs_core.runtime.task import Fallback
from hcs_core.testing import FakeFailure

SIDE = 16 * 24
PLANE = 4 * SIDE
"""Bytes of a plane on the card, which holds uint16 in int32."""
PLANES = 24
STEPS = (Step("lift"), Step("turn"))


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(z_count=3, timepoint_count=2, wells=("A01",), image_shape=(16, 24))


@pytest.fixture
def on_host(plate, run_on_card):
    """What steps leave where nothing is on a device, in the output `host`."""

    def run(*steps):
        assert run_on_card(plate, *steps, output="host", device=None).status == "ok"

    return run


def document(result):
    return json.loads((result.output / "run.json").read_text())


def fallbacks(result):
    assert result.status == "ok", [record.fault.trace for record in result.failed]
    return [
        (each["step"], each["kernel"], each["device"], each["to"], each["calls"])
        for each in document(result)["fallbacks"]
    ]


def test_a_batch_that_is_too_large_is_halved_and_stays_so(plate, card, run_on_card, on_host, same_pixels):
    """There is room for four planes and their results, and no more."""
    card.having(memory={"cuda:0": 9 * PLANE})
    card.in_batches_of(16)
    assert fallbacks(run_on_card(plate, Step("lift"))) == [
        ("lift", "lift/card", "cuda:0", "8 at once", 1),
        ("lift", "lift/card", "cuda:0", "4 at once", 1),
    ]
    assert [shape[0] for _, shape in card.seen][-6:] == [4] * 6
    on_host(Step("lift"))
    same_pixels("host", "out")


def test_the_worker_keeps_to_the_smaller_batch_in_the_wells_that_follow(make_plate, card, run_on_card):
    plate = make_plate(z_count=3, wells=("A01", "A02", "A03"), image_shape=(16, 24))
    card.having(memory={"cuda:0": 9 * PLANE})
    card.in_batches_of(8)
    result = run_on_card(plate, Step("lift"))
    assert [len(record.fallbacks) for record in result.wells.values()] == [1, 0, 0]


def test_a_single_call_that_is_too_large_is_computed_on_the_cpu_of_its_memory_type(
    plate, card, run_on_card, on_host, same_pixels
):
    """A stack of three planes has no room, each of them has."""
    card.having(memory={"cuda:0": 5 * PLANE})
    steps = (Step("lift"), Step("ramp"), Step("turn"))
    found = fallbacks(run_on_card(plate, *steps))
    assert found == [("ramp", "ramp/card", "cuda:0", "ramp/card on cpu", 8)]
    assert card.memory.use.peak["cuda:0"] <= 5 * PLANE
    on_host(*steps)
    same_pixels("host", "out")


def test_without_a_cpu_of_its_own_the_kernel_of_numpy_takes_over(plate, card, run_on_card, on_host, same_pixels):
    card.having(there=("cuda:0",), memory={"cuda:0": 5 * PLANE})
    steps = (Step("lift"), Step("ramp"), Step("turn"))
    assert fallbacks(run_on_card(plate, *steps)) == [("ramp", "ramp/card", "cuda:0", "ramp/numpy on cpu", 8)]
    on_host(*steps)
    same_pixels("host", "out")


def test_a_device_without_room_for_anything_leaves_all_to_the_host(plate, card, run_on_card, on_host, same_pixels):
    card.having(there=("cuda:0",), memory={"cuda:0": PLANE // 2})
    card.in_batches_of(4)
    assert [(step, to, calls) for step, _, _, to, calls in fallbacks(run_on_card(plate, *STEPS))] == [
        ("lift", "2 at once", 1),
        ("lift", "1 at once", 1),
        ("lift", "lift/numpy on cpu", PLANES),
        ("turn", "turn/numpy on cpu", PLANES),
    ]
    on_host(*STEPS)
    same_pixels("host", "out")


@pytest.mark.parametrize("method", ["from_host", "map", "stack", "cast", "to_host"])
def test_one_failure_wherever_it_comes_is_tried_again(plate, card, run_on_card, on_host, same_pixels, method):
    """Others may have kept what was released; a function of the user's own is cast."""

    @step_function(memory="card", version="1")
    def half(image):
        return image * 0.5

    @step_function(version="1")
    def half_on_host(image):
        return image * 0.5

    card.having(failures=(FakeFailure(method=method, call=2, out_of_memory=True),))
    steps = (Step("lift"), Step("flatten"), Step(half, name="half"))
    result = run_on_card(plate, *steps)
    assert result.status == "ok", [record.fault.trace for record in result.failed]
    assert card.memory.use.calls["release"] >= 1
    run_on_card(plate, Step("lift"), Step("flatten"), Step(half_on_host, name="half"), output="host", device=None)
    same_pixels("host", "out")


def test_what_is_no_lack_of_memory_fails_the_well(plate, card, run_on_card):
    card.having(failures=(FakeFailure(method="map", call=3),))
    (record,) = run_on_card(plate, Step("lift")).failed
    assert record.fault.error == (
        "step 'lift', function 'lift', site 1: it raised FakeDeviceError: call 3 of map fails, as it was told."
    )


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        (Step("ramp"), {"device_fallback": False}),
        (Step("ramp", memory="card"), {}),
        (Step("ramp", device="cuda:0"), {}),
    ],
)
def test_where_nothing_may_take_over_the_well_says_what_to_do(plate, card, run_on_card, step, fields):
    card.having(memory={"cuda:0": 5 * PLANE})
    (record,) = run_on_card(plate, step, **fields).failed
    assert record.fault.error == (
        "step 'ramp', function 'ramp', site 1: cuda:0 has too little memory for it (FakeOutOfMemoryError: cuda:0 is "
        f"full: {3 * PLANE} of {5 * PLANE} bytes, and {3 * PLANE} asked for); select a smaller part of its images, "
        "give the device fewer workers, or let it work on the CPU (device: cpu)."
    )
    assert card.memory.use.live("cuda:0") == 0


def planned(card, plate, *steps, **fields):
    config = GlobalPipelineConfig(**{"device": "cuda:0", **fields})
    plan = compile_plan(Pipeline("p", list(steps)), open_plate(plate, plugins=card.plugins), config, card.plugins)
    assert not plan.problems
    return [node.fallback for node in plan.nodes]


def test_what_takes_over_is_planned(plate, card):
    @step_function(memory="card", version="1")
    def mine(image):
        return image

    steps = (
        Step("lift"),
        Step("turn", memory="card"),
        Step("turn", device="cuda:0"),
        Step("lift", memory="numpy"),
        Step(mine),
    )
    assert planned(card, plate, *steps) == ["cpu", "", "", "", "cpu"]
    assert planned(card, plate, *steps, device_fallback=False) == [""] * 5
    # What works on the CPU has nothing to fall back from.
    assert planned(card, plate, Step(mine), device="cpu") == [""]
    card.having(there=("cuda:0",))
    assert planned(card, plate, *steps) == ["lift/numpy", "", "", "", ""]


def test_a_plan_is_the_same_whether_or_not_something_may_take_over(plate, card):
    given = open_plate(plate, plugins=card.plugins), card.plugins
    one, other = (
        compile_plan(
            Pipeline("p", STEPS), given[0], GlobalPipelineConfig(device="cuda:0", device_fallback=on), given[1]
        )
        for on in (True, False)
    )
    assert (one.digest, one.content_key) == (other.digest, other.content_key)


def test_the_end_of_a_run_says_it_in_a_line(plate, card, run_on_card):
    card.having(memory={"cuda:0": 5 * PLANE})
    result = run_on_card(plate, Step("ramp"))
    text = run_text(result, GlobalPipelineConfig(), ())
    assert "  ramp: cuda:0 was too small for ramp/card in 1 well(s): ramp/card on cpu, 8 time(s)" in text.splitlines()


# --- Going on ---------------------------------------------------------------------------------------------------


def test_a_rerun_takes_the_well_and_still_says_it(plate, card, run_on_card):
    card.having(there=("cuda:0",), memory={"cuda:0": 5 * PLANE})
    first = document(run_on_card(plate, Step("ramp")))["fallbacks"]
    again = run_on_card(plate, Step("ramp"))
    assert [record.status for record in again.wells.values()] == ["cached"]
    assert document(again)["fallbacks"] == first != []


def test_a_well_is_made_again_when_the_kernel_that_took_over_has_changed(plate, card, run_on_card):
    """The key names the planned kernel, and cannot know of the other."""
    card.having(there=("cuda:0",), memory={"cuda:0": 5 * PLANE})
    result = run_on_card(plate, Step("ramp"))
    journal = Journal(result.output)
    (well,) = journal.read().fallbacks
    assert journal.read().fallbacks[well] == (
        Fallback(
            step="ramp", kernel="ramp/card", device="cuda:0", other_kernel="ramp/numpy", other_device="cpu",
            version="1", calls=8,
        ),
    )  # fmt: skip
    journal.path.write_text(journal.path.read_text().replace('"version": "1"', '"version": "0"'))
    again = run_on_card(plate, Step("ramp"))
    assert dict(again.plan.redo) == {"A01": "a kernel that computed what was too large for a device is another now"}
    assert [record.status for record in again.wells.values()] == ["ok"]


# --- Nothing stays ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_left_on_a_device(make_plate, card, run_on_card, workers):
    plate = make_plate(z_count=3, image_shape=(16, 24))
    gc.disable()
    try:
        result = run_on_card(
            plate, Step("ramp"), Step("lift"), num_workers=workers, use_threading=workers > 1 or None
        )
        assert result.status == "ok"
        assert (card.memory.use.peak["cuda:0"] > 0, card.memory.use.live("cuda:0")) == (True, 0)
    finally:
        gc.enable()
    assert card.memory.use.calls["release"] == workers


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_after_a_failure_or_an_interrupt(plate, card, run_on_card, error):
    @step_function(memory="card", version="1")
    def fail(image):
        raise error("on purpose")

    steps = (Step("ramp"), Step("lift"), Step(fail))
    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            run_on_card(plate, *steps)
    else:
        assert run_on_card(plate, *steps).status == "failed"
    gc.collect()
    assert card.memory.use.peak["cuda:0"] > 0
    assert card.memory.use.live("cuda:0") == 0
    assert card.memory.use.calls["release"] >= 1


def test_a_run_of_an_older_version_has_no_fallbacks(tmp_path):
    journal = Journal(tmp_path)
    journal.begin("p", "key", ["images.zarr"])
    with journal.path.open("a") as file:
        file.write(json.dumps({"well": "A01", "planes": "d", "sites": [1]}) + "\n")
    assert journal.read().fallbacks == {"A01": ()}
