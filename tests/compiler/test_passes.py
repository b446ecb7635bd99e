"""Passes: each alone, in their order, with those of third parties, and what becomes of bad ones."""

import attrs
import pytest

from hcs_core import CompilerPassSpec, GlobalPipelineConfig, Machine, PluginError, Problem, Step
from hcs_core.compiler.pass_order import ordered_passes
from hcs_core.compiler.passes.devices import devices_pass
from hcs_core.compiler.passes.materialization import materialization_pass
from hcs_core.compiler.passes.memory import memory_pass
from hcs_core.compiler.passes.paths import paths_pass
from hcs_core.compiler.passes.stores import stores_pass
from hcs_core.compiler.plan import Plan
from hcs_core.testing.plates import make_plate

PASSES = (paths_pass, stores_pass, materialization_pass, memory_pass, devices_pass)
NAMES = ("paths", "stores", "materialization", "memory", "devices")
CHANGES = {
    paths_pass: {"sources", "starts", "nodes", "steps", "outputs", "gaps", "well_shapes", "wells"},
    stores_pass: {"outputs", "output_bytes", "output_files"},
    materialization_pass: {"outputs", "intermediate_backend", "source_readers", "node_readers"},
    memory_pass: {"nodes", "peak_memory_bytes_per_worker"},
    devices_pass: {"nodes", "workers"},
}
EMPTY = Plan(plate="made_up", microscope="made_up", inventory_digest="", pipeline="made_up")


def fields(plan):
    # `device` is left out of a node's text.
    return {
        field.name: (
            repr(getattr(plan, field.name)),
            [node.device for node in plan.nodes] if field.name == "nodes" else None,
        )
        for field in attrs.fields(Plan)
    }


@pytest.mark.parametrize("number", range(5))
def test_each_pass_adds_its_own_and_leaves_what_it_got_as_it_was(compile_input, number):
    given = compile_input(
        Step("max_projection", save=True), Step({"DAPI": ("gaussian_blur", {"sigma": 1})}), Step("composite"),
        plate=make_plate(z_indexes=(1, 2)), config=GlobalPipelineConfig(use_threading=None, num_workers=2),
    )  # fmt: skip
    plan = EMPTY
    for earlier in PASSES[:number]:
        plan = earlier(plan, given)
    before, inventory = fields(plan), given.plate.digest()
    made = PASSES[number](plan, given)
    assert isinstance(made, Plan)
    assert fields(plan) == before
    assert given.plate.digest() == inventory
    changed = {name for name, value in fields(made).items() if value != before[name]}
    assert changed == CHANGES[PASSES[number]]
    assert fields(PASSES[number](plan, given)) == fields(made)
    assert made.problems == ()


def test_the_five_in_their_order(manager):
    assert tuple(spec.name for spec in ordered_passes(manager)) == NAMES


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [
        (("paths",), (), ("paths", "house", "stores", "materialization", "memory", "devices")),
        ((), ("paths",), ("house", *NAMES)),
        (("devices",), (), (*NAMES, "house")),
        (("memory",), ("devices",), ("paths", "stores", "materialization", "memory", "house", "devices")),
        (("not_installed",), ("not_installed_either", "paths"), ("house", *NAMES)),
    ],
)
def test_a_third_party_s_pass_stands_where_it_asks(make_manager, after, before, expected):
    spec = CompilerPassSpec(name="house", target="nowhere:at_all", after=after, before=before)
    found = tuple(item.name for item in ordered_passes(make_manager(hcs_compiler_passes=[spec])))
    for name in after:
        assert name not in found or found.index(name) < found.index("house")
    for name in before:
        assert name not in found or found.index("house") < found.index(name)
    assert tuple(name for name in found if name != "house") == NAMES
    assert sorted(found) == sorted(expected)


def test_the_order_does_not_depend_on_who_was_first(make_manager):
    specs = [CompilerPassSpec(name=name, target="nowhere:at_all", after=("paths",)) for name in ("b", "a", "c")]
    orders = {
        tuple(item.name for item in ordered_passes(make_manager(hcs_compiler_passes=some)))
        for some in (specs, specs[::-1], [specs[1], specs[2], specs[0]])
    }
    assert len(orders) == 1


@pytest.mark.parametrize(
    "specs",
    [
        [("house", ("devices",), ("paths",))],
        [("one", ("two",), ()), ("two", ("one",), ())],
        [("self", ("self",), ())],
    ],
)
def test_passes_that_contradict_each_other_are_named(make_manager, specs):
    plugins = make_manager(
        hcs_compiler_passes=[
            CompilerPassSpec(name=name, target="nowhere:at_all", after=a, before=b) for name, a, b in specs
        ]
    )
    with pytest.raises(PluginError, match="each want to be before the next: disable the plugin of one") as caught:
        ordered_passes(plugins)
    assert all(name in str(caught.value) for name, _, _ in specs)


def test_a_third_party_s_pass_sees_the_plan_and_may_object(draft, make_manager, target):
    seen = []

    def check(plan, given):
        seen.append((len(plan.nodes), plan.peak_memory_bytes_per_worker, given.pipelines[0].name))
        return plan.with_problems(Problem(step=plan.steps[0].name, message="the house does not blur."))

    spec = CompilerPassSpec(name="house", target=target("check", check), after=("paths",), before=("memory",))
    plan = draft(Step("gaussian_blur", sigma=1), plugins=make_manager(hcs_compiler_passes=[spec]))
    assert seen == [(1, 0, "made_up")]
    assert [str(problem) for problem in plan.problems] == ["step 'gaussian_blur': the house does not blur."]
    # Those after it were run all the same.
    assert plan.peak_memory_bytes_per_worker > 0


def test_a_pass_that_cannot_be_imported(draft, make_manager):
    spec = CompilerPassSpec(name="house", target="no_such_module_here:check")
    with pytest.raises(PluginError, match="the compiler pass 'house' of plugin 'made_up' cannot be used"):
        draft(plugins=make_manager(hcs_compiler_passes=[spec]))


BIG = {"wells": tuple(f"A{n:02d}" for n in range(1, 13)), "image_shape": (4000, 4000), "sites": range(1, 5)}


@pytest.mark.parametrize(
    ("config", "cores", "components", "workers"),
    [
        ({}, 8, {}, 1),
        ({}, 8, BIG, 8),
        ({}, 100, BIG, 12),
        ({}, 1, BIG, 1),
        ({"num_workers": 3}, 8, {"wells": ("A01", "A02", "A03", "A04")}, 3),
        ({"num_workers": 30}, 8, {"wells": ("A01", "A02", "A03", "A04")}, 4),
        ({"use_threading": True}, 2, {}, 2),
        ({"use_threading": False}, 2, {}, 2),
        ({"num_workers": 8, "memory_limit": "300M"}, 8, BIG, 2),
    ],
)
def test_how_many_wells_are_worked_on_at_once(draft, config, cores, components, workers):
    plan = draft(config=GlobalPipelineConfig(**config), machine=Machine(cores=cores), **components)
    assert plan.problems == ()
    assert plan.workers == workers
    assert plan.threads is config.get("use_threading")
    if "memory_limit" in config:
        assert (
            plan.peak_memory_bytes_per_worker * workers
            <= 300 * 2**20
            < plan.peak_memory_bytes_per_worker * (workers + 1)
        )
