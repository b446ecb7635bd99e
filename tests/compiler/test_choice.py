"""Which kernel computes a step: as it is asked for, as it was measured, and without measurements by a fixed rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from hcs_core import (
    Costs,
    GlobalPipelineConfig,
    KernelSpec,
    Machine,
    MemoryTypeSpec,
    Selection,
    Signature,
    Step,
    step_function,
)
from hcs_core.compiler.choice.costs import KernelCost, LibraryCost, RouteCost
from hcs_core.plugins.manager import PluginManager
from hcs_core.testing import FakeMemoryType

PLANE = Signature(axes="yx", out="yx")
CARD, SLOW = "cuda:0", 1.0
MEASURED = Path(__file__).parent / "measured" / "two_cores.json"


class Card(FakeMemoryType):
    """A memory type whose devices are those that an accelerator's machine has; who asks it is told on `asked`."""

    asked: ClassVar[list[str]] = []

    def devices(self):
        self.asked.append("devices")
        return (CARD, "cpu")

    def device_of(self, array):
        return CARD

    def to_device(self, array, device):
        return array

    def scope(self, device, dtype):
        raise AssertionError("nothing is computed here")

    def free_bytes(self, device):
        return None

    def is_out_of_memory(self, error):
        return False

    def release(self, device):
        pass


@pytest.fixture
def plugins(make_manager, target):
    """Return a maker of managers in which operations `a` to `e` have kernels in the memory types that are named."""

    def make(memory_types=("numpy", "card"), operations="abcde", library="json"):
        Card.asked.clear()
        own = [name for name in memory_types if name != "numpy"]
        return make_manager(
            hcs_memory_types=[
                MemoryTypeSpec(name=name, target=target("Card", Card), library=library) for name in own
            ],
            hcs_kernels=[
                KernelSpec(operation=operation, memory_type=name, target="nowhere:kernel", signature=PLANE)
                for operation in operations
                for name in memory_types
            ],
        )

    return make


def costs(kernels, way=0.0, start=0.0, devices=(CARD, "cpu"), memory_type="card"):
    """Return costs: `kernels` are seconds a megapixel by name; each way to a card and back takes `way` a megabyte."""
    return Costs(
        libraries=(
            LibraryCost(memory_type="numpy", library="numpy", version="2", start_seconds=0.0, devices=("cpu",)),
            LibraryCost(memory_type=memory_type, library="json", version="1", start_seconds=start, devices=devices),
        ),
        kernels=tuple(
            KernelCost(
                kernel=name,
                version="1",
                device="cpu" if name.endswith("/numpy") else devices[0],
                dtype="uint16",
                seconds_per_megapixel=seconds,
            )
            for name, seconds in kernels.items()
        ),
        routes=tuple(
            RouteCost(source=one, destination=other, device=devices[0], dtype="uint16", seconds_per_megabyte=way)
            for one, other in (("numpy", memory_type), (memory_type, "numpy"))
        ),
    )


def every(operations, numpy=SLOW, card=0.1):
    return {f"{name}/numpy": numpy for name in operations} | {f"{name}/card": card for name in operations}


def measured(found, **more):
    return {"machine": Machine(cores=2, costs=found), **more}


def chosen(plan):
    assert plan.problems == ()
    return [node.memory_type for node in plan.nodes]


def steps(names, **options):
    return [Step(name, **options) for name in names]


# --- By what was measured ---------------------------------------------------------------------------------------


def test_the_cheaper_kernel_is_taken(draft, plugins):
    plan = draft(*steps("abc"), plugins=plugins(), **measured(costs(every("abc"))))
    assert chosen(plan) == ["card"] * 3
    assert [node.device for node in plan.nodes] == [CARD] * 3


def test_conversions_count_for_the_chain_and_not_for_each_step(draft, plugins):
    """A step saves 0.9 s a megapixel of 2 megabytes, there and back cost 4 times 0.3: from two steps on it pays."""
    found = measured(costs(every("abcde"), way=0.3), plugins=plugins())
    assert chosen(draft(*steps("a"), **found)) == ["numpy"]
    assert chosen(draft(*steps("ab"), **found)) == ["card"] * 2
    assert chosen(draft(*steps("abcde"), **found)) == ["card"] * 5


def test_a_step_that_is_cheaper_on_the_host_is_left_out_only_where_the_way_pays(draft, plugins):
    kernels = every("abc") | {"b/numpy": 0.1, "b/card": 0.7}
    cheap, dear = costs(kernels, way=0.1), costs(kernels, way=0.2)
    assert chosen(draft(*steps("abc"), **measured(cheap, plugins=plugins()))) == ["card", "numpy", "card"]
    assert chosen(draft(*steps("abc"), **measured(dear, plugins=plugins()))) == ["card", "card", "card"]


def test_starting_a_library_has_to_pay_in_every_worker(draft, plugins):
    """The plate has 4 wells of one site of 1 megapixel: 3.6 s are saved, and two workers start."""
    plate = {"wells": ("A01", "A02", "B01", "B02"), "channels": ("DAPI",), "image_shape": (1000, 1000)}
    for start, found in ((1.7, "card"), (1.9, "numpy")):
        given = measured(costs(every("a"), start=start), plugins=plugins())
        assert chosen(draft(*steps("a"), **given, **plate)) == [found]


def test_the_choice_is_that_of_the_whole_plate_for_any_wells_of_it(draft, plugins):
    plate = {"wells": ("A01", "A02", "B01", "B02"), "channels": ("DAPI",), "image_shape": (1000, 1000)}
    given = measured(costs(every("a"), start=1.7), plugins=plugins(), **plate)
    whole, part = draft(*steps("a"), **given), draft(*steps("a"), select=Selection(wells="A01"), **given)
    assert chosen(part) == chosen(whole) == ["card"]
    assert part.content_key == whole.content_key


def test_a_stack_is_as_large_as_its_planes(draft, make_manager, target):
    """Ten planes go to the card for one that comes back: the way there decides."""
    stack = Signature(axes="zyx", out="yx")
    manager = make_manager(
        hcs_memory_types=[MemoryTypeSpec(name="card", target=target("Card", Card), library="json")],
        hcs_kernels=[
            KernelSpec(operation="a", memory_type=name, target="nowhere:kernel", signature=stack)
            for name in ("numpy", "card")
        ],
    )
    plate = {"z_indexes": tuple(range(1, 11)), "plugins": manager}
    # A megapixel of input saves 0.9 s and is 2 megabytes; of output it is a tenth of that.
    for way, found in ((0.40, "card"), (0.42, "numpy")):
        plan = draft(*steps("a"), **measured(costs(every("a"), way=way), **plate))
        assert chosen(plan) == [found]


# --- Without them -----------------------------------------------------------------------------------------------


def test_without_measurements_it_is_numpy_where_there_is_a_numpy_kernel(draft, plugins):
    manager = plugins()
    assert chosen(draft(Step("a", memory="card"), Step("b"), plugins=manager)) == ["card", "numpy"]
    why = draft(Step("a"), plugins=manager).nodes[0].why
    assert why == "no measurements: numpy"


def test_without_measurements_and_numpy_it_is_where_the_image_is(draft, plugins):
    manager = plugins(memory_types=("card", "hall"))
    plan = draft(Step("a", memory="hall"), Step("b"), plugins=manager)
    assert chosen(plan) == ["hall", "hall"]
    assert plan.nodes[1].why == "no measurements: hall, where its image is"


def test_why_there_are_none_is_said(draft, plugins):
    plan = draft(Step("a"), plugins=plugins(), **measured(Costs(notice="the measurements are of another machine")))
    assert plan.nodes[0].why == "the measurements are of another machine: numpy"


def test_a_kernel_that_was_not_measured_is_not_compared(draft, plugins):
    only_numpy = {"a/numpy": SLOW, "b/numpy": SLOW, "b/card": 0.1}
    plan = draft(*steps("ab"), plugins=plugins(), **measured(costs(only_numpy)))
    assert chosen(plan) == ["numpy", "card"]
    only_card = {"a/card": 0.1}
    plan = draft(*steps("a"), plugins=plugins(), **measured(costs(only_card)))
    assert chosen(plan) == ["numpy"]
    assert plan.nodes[0].why == "what it costs in numpy was not measured: numpy"


def test_another_version_of_a_kernel_was_not_measured(draft, plugins):
    found = costs(every("a"))
    old = attrs.evolve(found, kernels=tuple(attrs.evolve(item, version="0") for item in found.kernels))
    assert chosen(draft(*steps("a"), plugins=plugins(), **measured(old))) == ["numpy"]


# --- On the CPU -------------------------------------------------------------------------------------------------


def test_what_works_on_the_cpu_too_never_takes_numpys_place(draft, plugins):
    found = costs(every("ab", card=0.01), devices=("cpu",))
    plan = draft(*steps("ab"), plugins=plugins(), **measured(found))
    assert chosen(plan) == ["numpy", "numpy"]
    assert plan.nodes[0].why == "no other kernel was measured on a device: numpy"


def real_costs():
    document = json.loads(MEASURED.read_text())
    del document["format"]
    return Costs.from_json(document)


@pytest.fixture
def as_measured(make_manager, target):
    """Return hcs-numpy's kernels, and beside them those of torch and jax that were measured, under their names."""
    from hcs_operations.operations import OPERATIONS

    names = {item.kernel: item.version for item in real_costs().kernels if not item.kernel.endswith("/numpy")}
    return make_manager(
        hcs_memory_types=[
            MemoryTypeSpec(name=name, target=target("Card", Card), library="json") for name in ("torch", "jax")
        ],
        hcs_kernels=[
            attrs.evolve(OPERATIONS[name.partition("/")[0]].kernel(name.partition("/")[2]), version=version)
            for name, version in names.items()
        ],
    )


CHAIN = (
    Step("percentile_normalize"), Step("white_tophat", radius=25), Step("gaussian_blur"), Step("unsharp_mask"),
    Step("max_projection"), Step("threshold_otsu"),
)  # fmt: skip


def test_a_machine_that_has_a_cpu_alone_ends_with_numpy_as_it_was_measured(draft, as_measured):
    """The file is what `hcs doctor --measure` wrote on a machine of two cores, with torch and jax."""
    found = real_costs()
    assert {item.memory_type for item in found.libraries} == {"numpy", "torch", "jax"}
    plate = {"z_indexes": (1, 2, 3), "image_shape": (2160, 2160)}
    plan = draft(*CHAIN, plugins=as_measured, **measured(found, **plate))
    assert chosen(plan) == ["numpy"] * len(CHAIN)


def test_with_a_fast_device_the_same_steps_are_taken_there(draft, as_measured):
    """Were torch's measurements those of a card, and a thousandth, the chain would be computed on it."""
    found = real_costs()

    def on_card(item):
        seconds = {
            name: getattr(item, name) / 1000
            for name in ("seconds_per_megapixel", "seconds_per_megabyte")
            if hasattr(item, name)
        }
        return attrs.evolve(item, device=CARD, **seconds)

    fast = attrs.evolve(
        found,
        libraries=tuple(
            attrs.evolve(item, devices=(CARD, "cpu"), start_seconds=0.0) if item.memory_type == "torch" else item
            for item in found.libraries
        ),
        kernels=tuple(on_card(item) if item.kernel.endswith("/torch") else item for item in found.kernels),
        routes=tuple(on_card(item) if "torch" in {item.source, item.destination} else item for item in found.routes),
    )
    plate = {"z_indexes": (1, 2, 3), "image_shape": (2160, 2160)}
    assert chosen(draft(*CHAIN, plugins=as_measured, **measured(fast, **plate))) == ["torch"] * len(CHAIN)


# --- What is asked for ------------------------------------------------------------------------------------------


def test_what_a_step_asks_for_goes_before_what_is_cheaper(draft, plugins):
    plan = draft(Step("a", memory="numpy"), Step("b"), plugins=plugins(), **measured(costs(every("ab"))))
    assert chosen(plan) == ["numpy", "card"]
    assert plan.nodes[0].why == "asked for by the step"


@pytest.mark.parametrize("found", [Costs(), costs(every("ab", card=50.0))])
def test_a_device_that_is_asked_for_is_taken_by_every_step_that_has_a_kernel_there(draft, plugins, found):
    plan = draft(
        *steps("ab"), Step("gaussian_blur"), plugins=plugins(),
        config=GlobalPipelineConfig(device="cuda"), **measured(found),
    )  # fmt: skip
    assert chosen(plan) == ["card", "card", "numpy"]
    assert plan.nodes[0].why == "the only one on cuda, which is asked for"


def test_the_cpu_that_is_asked_for_is_numpys_and_no_library_is_asked(draft, plugins):
    plan = draft(
        *steps("ab"), plugins=plugins(), config=GlobalPipelineConfig(device="cpu"), **measured(costs(every("ab")))
    )
    assert chosen(plan) == ["numpy", "numpy"]
    assert Card.asked == []


def test_no_library_is_asked_for_choosing(draft, plugins):
    """Only what is chosen is: the devices pass asks it which device it is."""
    draft(*steps("ab"), plugins=plugins(), **measured(costs(every("ab", card=50.0))))
    assert Card.asked == []


def test_a_function_of_ones_own_stays_where_it_is_declared(draft, plugins):
    @step_function(memory="card", axes="yx", out="yx")
    def on_card(image):
        return image

    given = measured(costs(every("a", numpy=0.2), way=0.1), plugins=plugins())
    # Alone the way there and back does not pay; beside a function that is there it does.
    assert chosen(draft(Step("a"), **given)) == ["numpy"]
    assert chosen(draft(Step(on_card), Step("a"), **given)) == ["card", "card"]


# --- What is said of it -----------------------------------------------------------------------------------------


def test_the_plan_says_what_each_would_take(draft, plugins):
    """One site of a megapixel in one well: 1 s in numpy; on the card 0.1 s, and twice 2 megabytes at 0.01 s."""
    plate = {"wells": ("A01",), "channels": ("DAPI",), "image_shape": (1000, 1000)}
    plan = draft(Step("a"), plugins=plugins(), **measured(costs(every("a"), way=0.01), **plate))
    assert plan.nodes[0].why == ("cheapest of card on cuda:0 0.14 s, numpy 1 s (for the plate, conversions included)")


def test_why_is_no_part_of_a_digest(draft, plugins):
    plans = [
        draft(Step("a"), plugins=plugins(), **measured(found))
        for found in (costs(every("a")), costs(every("a", numpy=7.0)))
    ]
    assert plans[0].nodes[0].why != plans[1].nodes[0].why
    assert plans[0].digest == plans[1].digest
    assert plans[0].content_key == plans[1].content_key


def test_the_kernel_is_a_part_of_it(draft, plugins):
    plans = [draft(Step("a"), plugins=plugins(), **measured(found)) for found in (costs(every("a")), Costs())]
    assert plans[0].content_key != plans[1].content_key


def test_the_only_kernel(draft):
    assert draft(Step("gaussian_blur")).nodes[0].why == "the only kernel"


# --- Libraries that are not there -------------------------------------------------------------------------------


def told(plan):
    return [(problem.parameter, problem.message, problem.hint) for problem in plan.problems]


def test_a_kernel_whose_library_is_not_there_is_not_chosen(draft, plugins):
    manager = plugins(library="no_such_library_here")
    plan = draft(Step("a"), plugins=manager, **measured(costs(every("a"))))
    assert chosen(plan) == ["numpy"]
    assert plan.nodes[0].why == "the only kernel whose library is here"


def test_a_memory_type_that_is_asked_for_and_whose_library_is_not_there_is_a_problem(draft, plugins):
    @step_function(memory="card", axes="yx", out="yx")
    def on_card(image):
        return image

    manager = plugins(library="no_such_library_here")
    problem = (
        "memory",
        "the memory type 'card' cannot be used: its library 'no_such_library_here' is not installed.",
        "Install the library 'no_such_library_here'.",
    )
    assert told(draft(Step("a", memory="card"), plugins=manager)) == [problem]
    assert told(draft(Step(on_card), plugins=manager)) == [problem]


def test_where_no_kernel_can_be_used_it_says_how_to_get_each(draft, plugins):
    manager = plugins(memory_types=("card",), library="no_such_library_here")
    assert told(draft(Step("a"), plugins=manager)) == [
        (
            "memory",
            "its kernels are in card, and that cannot be used here.",
            "For card: Install the library 'no_such_library_here'.",
        )
    ]


@pytest.mark.parametrize("name", ["torch", "cupy"])
def test_a_memory_type_that_is_not_installed_is_a_problem_that_says_what_to_install(draft, name):
    """`cupy` is nearly `numpy`, and is not taken for a slip of the pen."""
    ((parameter, message, hint),) = told(draft(Step("gaussian_blur", memory=name)))
    assert parameter == "memory"
    assert message.startswith(f"no memory type is called {name!r}.")
    # What is there, and what to install, is told once.
    assert "pip install" not in message
    assert f"pip install hcs-{name}." in hint
    assert hint.count("pip install") == 1
    assert hint.endswith("There are kernels in numpy.")


def test_a_memory_type_s_own_words_go_before_the_extras():
    """The one extra of hcs-torch brings gigabytes for CUDA to any Linux machine."""
    from hcs_core.plugins.libraries import how_to_get

    manager = PluginManager()
    manager.discover()
    said = how_to_get(manager.memory_types, "torch")
    assert said.startswith("Install the build of PyTorch that pytorch.org names for this machine")
    assert "pip install 'hcs-torch[cuda]'" in said


def test_the_extras_of_a_distribution_say_how_to_get_its_library():
    from hcs_core.plugins.libraries import how_to_get

    manager = PluginManager()
    manager.discover()
    # As the metadata of the distribution has it.
    assert how_to_get(manager.memory_types, "cupy") == (
        "Install it with pip install 'hcs-cupy[cuda12]' or pip install 'hcs-cupy[cuda13]'."
    )
