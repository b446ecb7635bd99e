"""A dtype that a memory type cannot hold: the kernel is taken that can, or it is a problem before anything runs."""

import pytest

from hcs_core import KernelSpec, MemoryTypeSpec, Signature, Step, step_function
from hcs_core.testing import FakeDeviceMemory

ANY = Signature(axes="yx", out="yx", dtypes=("uint16", "uint64"))


@pytest.fixture
def narrow(make_manager, target):
    """A manager with the memory type `narrow`, which has no uint64, and two operations, one of them in numpy too."""

    class Narrow(FakeDeviceMemory):
        there = ("cpu",)
        widened = {"uint64": "", "uint16": "int32"}  # noqa: RUF012 - of this class

    def kernel(operation, memory_type):
        return KernelSpec(operation=operation, memory_type=memory_type, target="nowhere:kernel", signature=ANY)

    return make_manager(
        hcs_memory_types=[MemoryTypeSpec(name="narrow", target=target("Narrow", Narrow), library="json")],
        hcs_kernels=[kernel("alone", "narrow"), kernel("both", "narrow"), kernel("both", "numpy")],
    )


@step_function(memory="narrow", dtypes=("uint16",), out_dtype="uint64")
def widens(image):
    return image


def told(plan):
    return [(problem.step, problem.function, problem.parameter, problem.found) for problem in plan.problems]


def test_an_image_that_cannot_be_held_is_a_problem(draft, narrow):
    plan = draft(Step("alone", name="first"), plugins=narrow, dtype="uint64")
    assert told(plan) == [("first", "alone", "memory", "uint64")]
    assert plan.problems[0].message == (
        "its image is uint64, which the memory type 'narrow' cannot hold, not even in a wider one."
    )
    assert "numpy" in plan.problems[0].hint


def test_a_result_that_cannot_be_held_is_a_problem(draft, narrow):
    plan = draft(Step(widens, name="second"), plugins=narrow)
    assert told(plan) == [("second", "widens", "memory", "uint64")]
    assert plan.problems[0].message.startswith("it returns uint64, which the memory type 'narrow' cannot hold")


def test_a_dtype_that_is_held_in_a_wider_one_is_none(draft, narrow):
    assert draft(Step("alone"), plugins=narrow).problems == ()


def test_where_another_kernel_can_hold_it_that_one_is_taken(draft, narrow):
    plan = draft(Step("both"), plugins=narrow, dtype="uint64")
    assert (plan.problems, plan.nodes[0].memory_type) == ((), "numpy")


def test_what_a_step_asks_for_is_not_changed_behind_its_back(draft, narrow):
    plan = draft(Step("both", memory="narrow", name="asked"), plugins=narrow, dtype="uint64")
    assert told(plan) == [("asked", "both", "memory", "uint64")]
