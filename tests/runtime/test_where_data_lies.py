"""Data stays where it is: transfers to and from a device are counted, by the device's memory type and by the run."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hcs_core import Pipeline, Step, VFSConfig, step_function

PLANES = 2 * 2 * 2 * 3
"""Wells, sites, channels and z of the plate."""
STACKS = 2 * 2 * 2


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(z_count=3)


def there(card):
    return card.memory.use.transfers["host->cuda:0"]


def back(card):
    return card.memory.use.transfers["cuda:0->host"]


def moved(result):
    """The conversions of all wells, by route."""
    assert result.status == "ok", [record.fault.trace for record in result.failed]
    return json.loads((result.output / "run.json").read_text())["conversions"]


FIVE = (Step("lift"), Step("turn"), Step("lift", by=3), Step("turn"), Step("lift", by=100))


def test_five_steps_on_a_device_are_one_transfer_there_and_one_back_for_each_plane(
    plate, card, run_on_card, same_pixels
):
    found = moved(run_on_card(plate, *FIVE))
    assert found == {"numpy->card": PLANES, "card->numpy": PLANES}
    assert (there(card), back(card)) == (PLANES, PLANES)
    assert card.memory.use.calls["cast"] == 0
    assert moved(run_on_card(plate, *FIVE, output="host", device=None)) == {}
    same_pixels("host", "out")


def test_each_well_says_what_was_moved_in_it(plate, run_on_card):
    result = run_on_card(plate, *FIVE)
    assert [record.conversions for record in result.wells.values()] == [
        {"numpy->card": PLANES // 2, "card->numpy": PLANES // 2}
    ] * 2


@pytest.mark.parametrize("threads", [True, False])
def test_several_workers_move_what_one_does(plate, card, run_on_card, same_pixels, threads):
    one = moved(run_on_card(plate, *FIVE))
    assert moved(run_on_card(plate, *FIVE, output="workers", num_workers=2, use_threading=threads)) == one
    same_pixels("out", "workers")


def test_planes_that_are_on_the_device_are_stacked_there(plate, card, run_on_card, same_pixels):
    found = moved(run_on_card(plate, Step("lift"), Step("flatten"), Step("turn")))
    assert found == {"numpy->card": PLANES, "card->numpy": STACKS}
    assert card.memory.use.calls["stack"] == STACKS
    run_on_card(plate, Step("lift"), Step("flatten"), Step("turn"), output="host", device=None)
    same_pixels("host", "out")


def test_a_stack_of_the_plate_s_planes_goes_there_as_one(plate, card, run_on_card):
    assert moved(run_on_card(plate, Step("flatten"))) == {"numpy->card": STACKS, "card->numpy": STACKS}
    assert card.memory.use.calls["stack"] == 0


def test_a_stack_from_several_places_is_filled_on_the_host_and_goes_as_one(plate, card, run_on_card, same_pixels):
    """One channel is lifted on the card, the other comes from the plate."""
    steps = (Step({"DAPI": "lift"}), Step("blend"))
    found = moved(run_on_card(plate, *steps))
    mixed = PLANES // 2
    # The lifted one there and back, both there, and their blend back.
    assert found == {"numpy->card": 2 * mixed, "card->numpy": 2 * mixed}
    run_on_card(plate, *steps, output="host", device=None)
    same_pixels("host", "out")


def test_a_stack_that_comes_out_at_once_stays_there_until_its_planes_are_read(plate, card, run_on_card, same_pixels):
    steps = (Step("ramp"), Step("lift"), Step("flatten"))
    assert moved(run_on_card(plate, *steps)) == {"numpy->card": STACKS, "card->numpy": STACKS}
    run_on_card(plate, *steps, output="host", device=None)
    same_pixels("host", "out")


def test_planes_wait_on_the_host_where_the_user_spares_memory(plate, card, run_on_card, same_pixels):
    steps = (Step("ramp"), Step("lift"))
    found = moved(run_on_card(plate, *steps, vfs=VFSConfig(intermediate_backend="disk")))
    # Of each stack, which comes back as one, a plane goes on at once, and two wait on disk and are brought again.
    assert found == {"numpy->card": STACKS * 3, "card->numpy": STACKS + PLANES}
    run_on_card(plate, *steps, output="memory")
    same_pixels("memory", "out")


def test_a_plane_with_several_readers_is_moved_once(plate, card, run_on_card, same_pixels):
    """Kept, and read by a step on the device and by one on the host, which gives it to another pipeline."""
    second = Pipeline("second", [Step("turn", input="p/first", memory="numpy"), Step("flatten", memory="numpy")])
    third = Pipeline("third", [Step("flatten", input="p/first")])
    steps = (Step("lift", name="first", save=True), Step("turn"))
    found = moved(run_on_card(plate, *steps, more=(second, third)))
    assert found == {"numpy->card": PLANES, "card->numpy": PLANES + PLANES + STACKS}
    run_on_card(plate, *steps, more=(second, third), output="host", device=None)
    same_pixels("host", "out")


def test_what_only_the_host_reads_waits_there(plate, card, run_on_card):
    result = run_on_card(plate, Step("ramp"), Step("lift", memory="numpy"), Step("flatten", memory="numpy"))
    assert moved(result) == {"numpy->card": STACKS, "card->numpy": STACKS}


def test_a_given_image_goes_there_once_for_each_worker(plate, card, run_on_card, same_pixels, tmp_path):
    profile = np.arange(64 * 96, dtype=np.uint16).reshape(64, 96) % 50
    steps = (Step("shade", profile=profile), Step("lift"), Step("shade", profile=profile))
    found = moved(run_on_card(plate, *steps))
    # Each of the two steps has its own.
    assert found == {"numpy->card": PLANES + 2, "card->numpy": PLANES}
    run_on_card(plate, *steps, output="host", device=None)
    same_pixels("host", "out")


def test_a_function_that_measures_on_the_device_looks_at_the_plane_that_is_there(plate, card, run_on_card):
    @step_function(memory="card", out="", makes={"total": "table"})
    def total(image):
        return {"sum": [int(image.values.sum())]}

    result = run_on_card(plate, Step("lift"), Step(total), Step("turn"))
    assert moved(result) == {"numpy->card": PLANES, "card->numpy": PLANES}
    assert len(result.tables["total"]) == PLANES


def test_an_image_that_a_function_made_is_taken_on_the_device(plate, card, run_on_card, tmp_path):
    @step_function(memory="card", axes="zyx", out="zyx", makes={"dark": "image"})
    def darkest(stack):
        return stack, stack.map(lambda values: values.min(axis=0))

    @step_function(memory="card", takes={"dark": "image"})
    def less(image, *, dark):
        assert (dark.device, dark.dtype) == ("cuda:0", np.int32)
        return image.map(np.subtract, dark)

    result = run_on_card(plate, Step(darkest), Step(less), Step("flatten"), num_workers=1)
    # Each stack, and what was made of it, there and back; taken three times, it is brought once.
    assert moved(result) == {"numpy->card": 2 * STACKS, "card->numpy": 2 * STACKS}


def test_which_planes_are_absent_is_told_in_numpy(make_plate, card, run_on_card, same_pixels):
    plate = make_plate()
    (plate / "TimePoint_1" / "ZStep_1" / "plate_A01_s2_w1.TIF").unlink()
    assert run_on_card(plate, Step("lift"), Step("blend"), missing="fill").status == "ok"
    run_on_card(plate, Step("lift"), Step("blend"), missing="fill", output="host", device=None)
    same_pixels("host", "out")


def test_nothing_is_moved_and_no_device_is_touched_without_one(plate, card, run_on_card):
    assert moved(run_on_card(plate, *FIVE, device=None)) == {}
    assert card.memory.use.calls == {}
