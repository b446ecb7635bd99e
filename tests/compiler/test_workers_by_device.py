"""How many workers each device has room for, to which each worker is bound, and how many planes fit at once."""

import re

import pytest

from hcs_core import GlobalPipelineConfig, KernelSpec, Machine, MemoryTypeSpec, Signature, Step
from hcs_core.cli.plan_text import plan_document, plan_text
from hcs_core.compiler.passes.device_rooms import MOST_IN_BATCH, USABLE
from hcs_core.compiler.passes.devices import with_workers
from hcs_core.compiler.views.difference import plan_difference
from hcs_core.testing import FakeDeviceMemory

WELLS = tuple(f"A{number:02d}" for number in range(1, 13))
SHAPE = (100, 100)
PLANE = 100 * 100 * 2
# By hand, of an operation on planes: the plane, the result, and in float32 two planes and the result as computed.
ONE_CALL = 2 * PLANE + 3 * 2 * PLANE
GIGABYTE = 2**30


@pytest.fixture
def with_card(make_manager, target):
    """Return a maker of a manager whose memory type `card` has devices, each with so many bytes (`None`: any)."""

    def make(memory, *, batches=False, context_bytes=0, widened=None):
        class Card(FakeDeviceMemory):
            there = tuple(memory)

        Card.memory = {name: size for name, size in memory.items() if size is not None}
        Card.widened = widened or {}
        kernels = [
            KernelSpec(
                operation="on_card",
                memory_type="card",
                target="nowhere:kernel",
                signature=Signature(axes="yx", out="yx"),
                batches=batches,
            )
        ]
        spec = MemoryTypeSpec(name="card", target=target("Card", Card), library="json", context_bytes=context_bytes)
        return make_manager(hcs_memory_types=[spec], hcs_kernels=kernels)

    return make


@pytest.fixture
def planned(draft):
    """Return a maker of the plan of steps for twelve wells of two channels, one plane each unless told otherwise."""

    def make(plugins, *steps, machine=None, sites=(1,), z_indexes=(1,), timepoints=(1,), **config):
        return draft(
            *(steps or (Step("on_card"),)),
            wells=WELLS,
            sites=sites,
            z_indexes=z_indexes,
            timepoints=timepoints,
            image_shape=SHAPE,
            plugins=plugins,
            machine=machine or Machine(cores=8),
            config=GlobalPipelineConfig(**{"num_workers": 8, **config}),
        )

    return make


def room_for(workers, each=ONE_CALL):
    """The free bytes of a device that has just room for so many workers."""
    return int(workers * each / USABLE) + 1


# --- Workers ----------------------------------------------------------------------------------------------------


def test_all_devices_are_used_the_best_first(planned, with_card):
    plan = planned(with_card({"gpu:0": GIGABYTE, "gpu:1": GIGABYTE, "gpu:2": GIGABYTE, "cpu": None}))
    assert plan.problems == ()
    assert plan.worker_devices == ("gpu:0", "gpu:1", "gpu:2", "gpu:0", "gpu:1", "gpu:2", "gpu:0", "gpu:1")
    assert [node.device for node in plan.nodes] == ["gpu"]
    assert [(device.device, device.workers) for device in plan.devices] == [("gpu:0", 3), ("gpu:1", 3), ("gpu:2", 2)]


@pytest.mark.parametrize(
    ("workers", "bound"), [(1, ("gpu:0",)), (2, ("gpu:0", "gpu:1")), (3, ("gpu:0", "gpu:1", "gpu:0"))]
)
def test_the_user_s_number_is_a_limit_and_the_best_devices_go_first(planned, with_card, workers, bound):
    plan = planned(with_card({"gpu:0": None, "gpu:1": None}), num_workers=workers)
    assert (plan.workers, plan.worker_devices) == (workers, bound)
    # Bound to one, that is known now.
    assert [node.device for node in plan.nodes] == ["gpu:0" if workers == 1 else "gpu"]


def test_there_are_no_more_workers_than_a_device_has_room_for(planned, with_card):
    plan = planned(with_card({"gpu:0": room_for(1), "gpu:1": room_for(3)}))
    assert plan.worker_devices == ("gpu:0", "gpu:1", "gpu:1", "gpu:1")
    assert plan.workers == 4
    assert [(device.workers, device.bytes_per_worker) for device in plan.devices] == [(1, ONE_CALL), (3, ONE_CALL)]
    for device in plan.devices:
        assert device.workers * device.bytes_per_worker <= device.free_bytes * USABLE


def test_a_device_without_room_has_no_worker(planned, with_card):
    plan = planned(with_card({"gpu:0": ONE_CALL // 2, "gpu:1": room_for(2)}))
    assert plan.worker_devices == ("gpu:1", "gpu:1")
    assert [node.device for node in plan.nodes] == ["gpu:1"]


def test_what_a_library_holds_for_each_process_counts(planned, with_card):
    plugins = with_card({"gpu:0": room_for(4)}, context_bytes=ONE_CALL)
    assert planned(plugins).worker_devices == ("gpu:0", "gpu:0")


def test_an_image_counts_as_its_memory_type_holds_it(planned, with_card):
    (plain,) = planned(with_card({"gpu:0": None})).devices
    (wide,) = planned(with_card({"gpu:0": None}, widened={"uint16": "int32"})).devices
    # By hand: input and result are twice as large, and a result of floats is as wide as what it goes into.
    assert plain.bytes_per_worker == 2 * PLANE + 3 * 2 * PLANE
    assert wide.bytes_per_worker == 2 * 2 * PLANE + 2 * 2 * PLANE


def test_host_memory_is_a_limit_beside_the_devices(planned, with_card):
    plugins = with_card({"gpu:0": None, "gpu:1": None})
    host = planned(plugins).peak_memory_bytes_per_worker
    plan = planned(plugins, memory_limit=3 * host)
    assert plan.worker_devices == ("gpu:0", "gpu:1", "gpu:0")


def test_what_is_on_a_device_is_not_counted_as_host_memory(planned, with_card):
    on_card = planned(with_card({"gpu:0": None}))
    on_host = planned(with_card({"cpu": None}))
    assert on_card.peak_memory_bytes_per_worker < on_host.peak_memory_bytes_per_worker
    assert on_host.devices == on_host.worker_devices == ()


def test_too_little_for_one_worker_is_a_problem(planned, with_card):
    (problem,) = planned(with_card({"gpu:0": 1000, "gpu:1": 2000})).problems
    assert (problem.step, problem.function, problem.parameter) == ("on_card", "on_card", "device")
    assert problem.message == f"one worker needs {ONE_CALL:,} bytes on gpu:1, and 2,000 are free there."
    assert "--device cpu" in problem.hint
    assert problem.found == "2000 bytes"


# --- Steps that say where they work ------------------------------------------------------------------------------


def test_a_step_s_device_takes_room_of_those_that_are_bound_there(planned, with_card):
    plugins = with_card({"gpu:0": room_for(20), "gpu:1": room_for(20)})
    plan = planned(plugins, Step("on_card"), Step("on_card", name="pinned", device="gpu:1"))
    assert [node.device for node in plan.nodes] == ["gpu", "gpu:1"]
    # All eight work on the second one too.
    assert [(device.device, device.workers) for device in plan.devices] == [("gpu:0", 4), ("gpu:1", 8)]
    tight = with_card({"gpu:0": room_for(20), "gpu:1": room_for(2)})
    assert planned(tight, Step("on_card"), Step("on_card", name="pinned", device="gpu:1")).workers == 2


def test_where_steps_name_several_devices_nobody_is_bound(planned, with_card):
    steps = (Step("on_card", device="gpu:0"), Step("on_card", name="other", device="gpu:1"))
    plan = planned(with_card({"gpu:0": None, "gpu:1": None}), *steps)
    assert [node.device for node in plan.nodes] == ["gpu:0", "gpu:1"]
    assert plan.worker_devices == ()
    assert [(device.device, device.workers) for device in plan.devices] == [("gpu:0", 8), ("gpu:1", 8)]


# --- Batches ----------------------------------------------------------------------------------------------------


MANY = {"z_indexes": range(1, 41)}


def batch_of(plan):
    (node,) = plan.nodes
    return node.batch


def test_a_kernel_that_batches_gets_as_many_planes_as_fit_beside_the_other_workers(planned, with_card):
    free = room_for(2, 5 * ONE_CALL)
    two = planned(with_card({"gpu:0": free}, batches=True), num_workers=2, **MANY)
    one = planned(with_card({"gpu:0": free}, batches=True), num_workers=1, **MANY)
    assert 1 < batch_of(two) < batch_of(one) <= MOST_IN_BATCH
    for plan in (one, two):
        (device,) = plan.devices
        assert device.workers * device.bytes_per_worker <= device.free_bytes * USABLE
        assert device.bytes_per_worker >= batch_of(plan) * ONE_CALL


def test_a_batch_has_an_end(planned, with_card):
    assert batch_of(planned(with_card({"gpu:0": None}, batches=True), **MANY)) == MOST_IN_BATCH


@pytest.mark.parametrize("along", ["z_indexes", "timepoints", "sites"])
def test_a_batch_is_counted_along_whatever_its_planes_come(planned, with_card, along):
    plan = planned(with_card({"gpu:0": room_for(4)}, batches=True), num_workers=1, **{along: range(1, 41)})
    assert 1 < batch_of(plan) <= 4


def test_without_room_for_more_planes_come_one_by_one(planned, with_card):
    plan = planned(with_card({"gpu:0": room_for(1)}, batches=True))
    assert (plan.workers, batch_of(plan)) == (1, 1)


@pytest.mark.parametrize(("devices", "batches"), [(("gpu:0",), False), (("cpu",), True)])
def test_other_kernels_and_the_cpu_get_planes_one_by_one(planned, with_card, devices, batches):
    assert batch_of(planned(with_card(dict.fromkeys(devices), batches=batches))) == 1


def test_a_batch_leaves_host_memory_for_all_workers(planned, with_card):
    plugins = with_card({"gpu:0": None}, batches=True)
    one_by_one = planned(with_card({"gpu:0": None}), **MANY).peak_memory_bytes_per_worker
    plan = planned(plugins, num_workers=2, memory_limit=2 * one_by_one + 6 * PLANE, **MANY)
    assert plan.workers == 2
    assert 1 <= batch_of(plan) < MOST_IN_BATCH
    assert 2 * plan.peak_memory_bytes_per_worker <= 2 * one_by_one + 6 * PLANE


# --- A plan that is made -----------------------------------------------------------------------------------------


def test_workers_can_be_counted_anew(planned, with_card):
    plugins = with_card({"gpu:0": None, "gpu:1": None}, batches=True)
    plan = planned(plugins, num_workers=1)
    again = with_workers(plan, 3, None, None, plugins)
    assert again.worker_devices == ("gpu:0", "gpu:1", "gpu:0")
    assert [node.device for node in again.nodes] == ["gpu"]
    assert with_workers(again, 1, None, None, plugins) == plan


def test_what_is_free_is_no_part_of_the_digest(planned, with_card):
    plans = [planned(with_card({"gpu:0": size}, batches=True)) for size in (GIGABYTE, room_for(1))]
    assert plans[0].worker_devices != plans[1].worker_devices
    assert batch_of(plans[0]) != batch_of(plans[1])
    assert plans[0].digest == plans[1].digest
    assert plans[0].content_key == plans[1].content_key


# --- What is said of it -----------------------------------------------------------------------------------------


def test_a_plan_says_which_devices_workers_and_batches(planned, with_card):
    plan = planned(
        with_card({"gpu:0": room_for(3), "gpu:1": room_for(2), "gpu:2": None}, batches=True), num_workers=4
    )
    text = plan_text(plan, "out")
    for device in plan.devices:
        workers = "1 worker" if device.workers == 1 else f"{device.workers} workers"
        assert re.search(rf"Device: +{device.device}: {workers}, [\d.]+ KB each", text)
    assert "that are free" in text.split("gpu:0:")[1].splitlines()[0]
    assert "that are free" not in text.split("gpu:2:")[1].splitlines()[0]
    assert "card (gpu)" in text
    document = plan_document(plan)
    assert document["worker_devices"] == ["gpu:0", "gpu:1", "gpu:2", "gpu:0"]
    assert [(found["device"], found["workers"]) for found in document["devices"]] == [
        ("gpu:0", 2), ("gpu:1", 1), ("gpu:2", 1),
    ]  # fmt: skip
    assert (document["steps"][0]["device"], document["steps"][0]["batch"]) == ("gpu", batch_of(plan))
    assert plan.to_json()["worker_devices"] == document["worker_devices"]


def test_a_plan_without_devices_says_nothing_of_them(draft):
    plan = draft(Step("gaussian_blur", sigma=1.0))
    text = plan_text(plan, "out")
    assert "Device:" not in text
    assert "Batches:" not in text
    assert "(cpu)" not in text
    document = plan_document(plan)
    assert (document["devices"], document["worker_devices"]) == ([], [])


def test_two_plans_that_differ_in_devices_alone_are_the_same(planned, with_card):
    plans = [planned(with_card({"gpu:0": size}, batches=True)).to_json() for size in (GIGABYTE, room_for(1))]
    assert plan_difference(*plans).same
    plans[1]["digest"] = "another"
    assert plan_difference(*plans).changes == ()
