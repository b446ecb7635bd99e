"""Passes that each break one rule of `PassContract`."""

import itertools

import attrs

from hcs_core import CompilerPassSpec, SitePosition
from hcs_core.compiler.stage import Stage
from hcs_core.testing import PassContract

COUNT = itertools.count()


def no_plain_function():
    return lambda: None


UNPICKLABLE = no_plain_function()


def under_contract(breaks, after=("paths",), before=()):
    """Put a pass under the contract, in a class that says which rule it breaks."""

    def declare(function):
        spec = CompilerPassSpec(
            name="house", target=f"{__name__}:{function.__name__}", after=after, before=before, summary="made up"
        )
        name = f"Test_{function.__name__}"
        globals()[name] = type(name, (PassContract,), {"passes": (spec,), "breaks": breaks})
        return function

    return declare


@under_contract(None)
def has_nothing_to_say(plan, given):
    return plan


@under_contract("test_it_has_a_place_among_the_passes", after=("devices",), before=("paths",))
def wants_to_be_last_and_first(plan, given):
    return plan


@under_contract("test_it_returns_a_plan")
def returns_nothing(plan, given):
    return None


@under_contract("test_it_leaves_what_it_got_as_it_was")
def moves_a_site(plan, given):
    given.plate.positions["A01", 1] = SitePosition(y_um=1.0, x_um=2.0)
    return plan


@under_contract("test_the_same_input_gives_the_same_plan")
def counts(plan, given):
    return attrs.evolve(plan, output_files=next(COUNT))


@under_contract("test_the_machine_is_not_in_the_digest")
def writes_the_machine_down(plan, given):
    return attrs.evolve(plan, stages=(Stage(name=f"on {given.machine.cores} cores", kind="well"),))


@under_contract("test_problems_are_only_added")
def forgets_problems(plan, given):
    return attrs.evolve(plan, problems=())


@under_contract("test_it_keeps_what_a_plan_was_begun_with")
def renames(plan, given):
    return attrs.evolve(plan, pipeline="another")


@under_contract("test_it_takes_an_empty_plan")
def wants_wells(plan, given):
    if not plan.wells and not plan.problems:
        raise IndexError("tuple index out of range")
    return plan


@under_contract("test_it_takes_a_plan_with_problems")
def wants_all_to_be_well(plan, given):
    if plan.problems and not plan.sources:
        raise AttributeError("'NoneType' object has no attribute 'shape'")
    return plan


@under_contract("test_its_plan_travels")
def puts_a_function_into_the_plan(plan, given):
    return attrs.evolve(plan, executor=UNPICKLABLE)
