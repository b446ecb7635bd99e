"""Which device a step works on: what there is, what is asked for, and who chooses."""

from __future__ import annotations

import pytest

from hcs_core import (
    GlobalPipelineConfig,
    HasDevices,
    KernelSpec,
    MemoryTypeSpec,
    Signature,
    Step,
    hookimpl,
    step_function,
)
from hcs_core.testing import FakeDeviceMemory

HERE_BOTH, HERE_CARD = "Here numpy has cpu; card has gpu:0, gpu:1.", "Here card has gpu:0, gpu:1."
PLANE = Signature(axes="yx", out="yx")


@pytest.fixture
def with_card(make_manager, target):
    """Return a maker of a manager in which the memory type `card` has some devices, and kernels of two operations."""

    def make(*devices, memory=None):
        class Card(FakeDeviceMemory):
            there = devices

        place = target("Card", memory or Card)
        kernels = [
            KernelSpec(operation=operation, memory_type=memory_type, target="nowhere:kernel", signature=signature)
            for operation, memory_type, signature in (
                ("on_card", "card", PLANE),
                ("on_both", "card", PLANE),
                ("on_both", "numpy", PLANE),
            )
        ]
        return make_manager(
            hcs_memory_types=[MemoryTypeSpec(name="card", target=place, library="json")], hcs_kernels=kernels
        )

    return make


def devices(plan):
    return [(node.operation, node.memory_type, node.device) for node in plan.nodes]


def told(plan):
    return [
        (problem.step, problem.function, problem.parameter, problem.message, problem.hint)
        for problem in plan.problems
    ]


def wanting(device):
    return GlobalPipelineConfig(device=device)


def test_numpy_works_on_the_cpu(draft):
    assert devices(draft(Step("gaussian_blur", sigma=1.0))) == [("gaussian_blur", "numpy", "cpu")]


def test_the_first_device_is_taken_where_nobody_chooses(draft, with_card):
    plan = draft(Step("on_card"), Step("gaussian_blur", sigma=1.0), plugins=with_card("gpu:0", "gpu:1", "cpu"))
    assert devices(plan) == [("on_card", "card", "gpu:0"), ("gaussian_blur", "numpy", "cpu")]
    assert not plan.problems


@pytest.mark.parametrize(
    ("wanted", "device"), [("gpu", "gpu:0"), ("gpu:1", "gpu:1"), ("gpu:0", "gpu:0"), ("cpu", "cpu")]
)
def test_the_configuration_asks_for_a_device(draft, with_card, wanted, device):
    plugins = with_card("gpu:0", "gpu:1", "cpu")
    plan = draft(Step("on_card"), Step("gaussian_blur", sigma=1.0), plugins=plugins, config=wanting(wanted))
    assert devices(plan) == [("on_card", "card", device), ("gaussian_blur", "numpy", "cpu")]
    assert not plan.problems


def test_a_kernel_is_chosen_whose_memory_type_has_the_device(draft, with_card):
    plugins = with_card("gpu:0")
    assert devices(draft(Step("on_both"), plugins=plugins)) == [("on_both", "numpy", "cpu")]
    assert devices(draft(Step("on_both"), plugins=plugins, config=wanting("gpu"))) == [("on_both", "card", "gpu:0")]
    # The step's own word goes before it.
    step = Step("on_both", memory="numpy")
    plan = draft(step, Step("on_card"), plugins=plugins, config=wanting("gpu"))
    assert devices(plan)[0] == ("on_both", "numpy", "cpu")


@pytest.mark.parametrize(
    ("operation", "wanted", "problem"),
    [
        (
            "on_both", "tpu",
            ("", "", "device", "no memory type that the steps work in has a device 'tpu'.", HERE_BOTH),
        ),
        (
            "on_card", "gpu:7",
            ("on_card", "on_card", "device", "the memory type 'card' has no device 'gpu:7'.", HERE_CARD),
        ),
        (
            "on_card", "cpu",
            ("on_card", "on_card", "device", "the memory type 'card' has no device 'cpu'.", HERE_CARD),
        ),
    ],
)  # fmt: skip
def test_a_device_that_is_not_there_is_a_problem_that_says_what_is(draft, with_card, operation, wanted, problem):
    plan = draft(Step(operation), plugins=with_card("gpu:0", "gpu:1"), config=wanting(wanted))
    assert told(plan) == [problem]


def test_a_memory_type_without_a_device_is_a_problem(draft, with_card):
    plan = draft(Step("on_card"), plugins=with_card())
    assert told(plan) == [
        ("on_card", "on_card", "memory", "the memory type 'card' has no device.", "Here card has none.")
    ]


def test_a_memory_type_that_raises_is_a_problem_that_says_whose_it_is(draft, with_card):
    class Broken(FakeDeviceMemory):
        def devices(self):
            raise RuntimeError("driver too old")

    plugins = with_card(memory=Broken)
    ((step, function, parameter, message, hint),) = told(draft(Step("on_card"), plugins=plugins))
    assert (step, function, parameter, hint) == ("on_card", "on_card", "memory", "Here card cannot be used.")
    assert message == (
        "the memory type 'card' of plugin 'made_up' raises RuntimeError: driver too old in devices: mend it where "
        "the program registers it."
    )
    # Where the same operation is there in numpy, nobody has to know.
    assert devices(draft(Step("on_both"), plugins=plugins)) == [("on_both", "numpy", "cpu")]


# --- A step's own device ----------------------------------------------------------------------------------------


def test_a_step_s_device_goes_before_the_configuration_s(draft, with_card):
    steps = (Step("on_card", device="gpu:1"), Step("on_both", device="cpu"), Step("on_card", name="again"))
    plan = draft(*steps, plugins=with_card("gpu:0", "gpu:1"), config=wanting("gpu:0"))
    assert devices(plan) == [("on_card", "card", "gpu:1"), ("on_both", "numpy", "cpu"), ("on_card", "card", "gpu:0")]
    assert not plan.problems


def test_a_step_s_device_that_is_not_there_is_a_problem(draft, with_card):
    steps = (Step("on_both", device="gpu"), Step("gaussian_blur", sigma=1.0, device="gpu:0"))
    assert told(draft(*steps, plugins=with_card("gpu:0"))) == [
        (
            "gaussian_blur", "gaussian_blur", "device", "the memory type 'numpy' has no device 'gpu:0'.",
            "Here numpy has cpu.",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(("asked", "config"), [({"device": "tpu"}, None), ({}, wanting("tpu"))])
def test_a_device_that_is_not_there_is_told_with_all_that_could_compute_the_step(draft, with_card, asked, config):
    """Not only with what the step would work in: that is not what was asked for."""
    ((*_, hint),) = told(draft(Step("on_both", **asked), plugins=with_card("gpu:0", "gpu:1"), config=config))
    assert hint == HERE_BOTH
    ((*_, hint),) = told(draft(Step("on_both", memory="numpy", device="tpu"), plugins=with_card("gpu:0")))
    assert hint == "Here numpy has cpu."


def test_libraries_that_could_bring_the_device_and_are_absent_are_named(draft, make_manager):
    kernels = [
        KernelSpec(operation="polish", memory_type=name, target="nowhere:kernel", signature=PLANE)
        for name in ("numpy", "gems")
    ]
    gems = MemoryTypeSpec(name="gems", target="nowhere:Gems", library="no_such_library_here")
    plugins = make_manager(hcs_memory_types=[gems], hcs_kernels=kernels)
    ((*_, hint),) = told(draft(Step("polish", device="cuda"), plugins=plugins))
    assert hint == "Here numpy has cpu. Not installed here: gems (see `hcs doctor`)."


# --- The policy -------------------------------------------------------------------------------------------------


class Policy:
    """Chooses the last device, and notes what it was asked."""

    hcs_api = 1

    def __init__(self):
        self.asked = []

    @hookimpl
    def hcs_choose_device(self, memory_type, devices):
        self.asked.append((memory_type, devices))
        return devices[-1]


def test_a_plugin_chooses_among_several(draft, with_card):
    plugins, policy = with_card("gpu:0", "gpu:1", "cpu"), Policy()
    plugins.register(policy)
    plan = draft(Step("on_card"), Step("on_card", name="again"), plugins=plugins)
    assert [device for _, _, device in devices(plan)] == ["cpu", "cpu"]
    assert policy.asked == [("card", ("gpu:0", "gpu:1", "cpu"))]
    policy.asked.clear()
    plan = draft(Step("on_card"), plugins=plugins, config=wanting("gpu"))
    assert devices(plan) == [("on_card", "card", "gpu:1")]
    assert policy.asked == [("card", ("gpu:0", "gpu:1"))]


def test_no_plugin_is_asked_where_there_is_nothing_to_choose(draft, with_card):
    plugins, policy = with_card("gpu:0", "gpu:1"), Policy()
    plugins.register(policy)
    plan = draft(Step("on_card"), Step("gaussian_blur", sigma=1.0), plugins=plugins, config=wanting("gpu:0"))
    assert [device for _, _, device in devices(plan)] == ["gpu:0", "cpu"]
    assert policy.asked == []


# --- What a device is no part of --------------------------------------------------------------------------------


def test_the_device_is_no_part_of_the_digest(draft, with_card):
    plugins = with_card("gpu:0", "gpu:1")
    plans = [draft(Step("on_card"), plugins=plugins, config=wanting(name)) for name in ("gpu:0", "gpu:1")]
    assert plans[0].digest == plans[1].digest
    assert plans[0].content_key == plans[1].content_key


def test_numpy_has_no_methods_for_devices(manager):
    """The protocol is for memory types that have several: the others need not know of it."""
    assert not isinstance(manager.memory_types.make("numpy"), HasDevices)


def test_a_function_of_the_user_works_on_a_device_too(draft, with_card):
    @step_function(memory="card", axes="yx", out="yx")
    def on_mine(image, *, gain=1.0):
        return image

    plan = draft(Step(on_mine), plugins=with_card("gpu:0", "gpu:1"), config=wanting("gpu:1"))
    assert devices(plan) == [("on_mine", "card", "gpu:1")]
