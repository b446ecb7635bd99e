"""A pass in another one's place: where it stands, what it must do, and what becomes of two that want one place."""

import attrs
import pytest

from hcs_core import CompilerPassSpec, GlobalPipelineConfig, Machine, Pipeline, PluginError, Step
from hcs_core.compiler.pass_order import ordered_passes
from hcs_core.compiler.passes.devices import devices_pass
from hcs_core.testing.plates import make_plate

NAMES = ("paths", "stores", "materialization", "memory", "devices")


def spec(name, replaces="", after=(), before=(), target="nowhere:at_all"):
    return CompilerPassSpec(name=name, target=target, after=after, before=before, replaces=replaces)


def order(make_manager, *specs):
    return tuple(item.name for item in ordered_passes(make_manager(hcs_compiler_passes=specs)))


@pytest.mark.parametrize("place", range(5))
def test_it_stands_where_the_other_one_stood(make_manager, place):
    found = order(make_manager, spec("ours", replaces=NAMES[place]))
    assert found == (*NAMES[:place], "ours", *NAMES[place + 1 :])


def test_what_others_say_of_the_name_holds_for_it(make_manager):
    found = order(make_manager, spec("ours", replaces="memory"), spec("late", after=("memory",), before=("devices",)))
    assert found == ("paths", "stores", "materialization", "ours", "late", "devices")
    assert order(make_manager, spec("ours", replaces="memory", after=("house",)), spec("house")) in {
        ("house", *NAMES[:3], "ours", "devices"),
        (*NAMES[:3], "house", "ours", "devices"),
    }


def test_one_that_replaces_one_that_replaces(make_manager):
    found = order(make_manager, spec("ours", replaces="memory"), spec("theirs", replaces="ours"))
    assert found == ("paths", "stores", "materialization", "theirs", "devices")


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        (
            [spec("ours", replaces="memry")],
            ("'ours' of plugin 'made_up'", "replaces 'memry', which is no pass", "'memory'?"),
        ),
        ([spec("a", replaces="memory"), spec("b", replaces="memory")], ("'memory' is replaced by 'a'", "and by 'b'")),
        ([spec("a", replaces="b"), spec("b", replaces="a")], ("replace each other", "a -> b")),
    ],
)
def test_what_cannot_be_is_refused_with_its_names(make_manager, specs, words):
    with pytest.raises(PluginError) as caught:
        order(make_manager, *specs)
    assert all(word in str(caught.value) for word in words)


def test_a_pass_cannot_stand_in_its_own_place():
    with pytest.raises(ValueError, match="its own name"):
        spec("memory", replaces="memory")


def test_the_one_in_place_is_run_and_the_other_is_not(draft, make_manager, target):
    def one_well_at_a_time(plan, given):
        return attrs.evolve(devices_pass(plan, given), workers=1, executor="local")

    place = target("one_well_at_a_time", one_well_at_a_time)
    plugins = make_manager(hcs_compiler_passes=[spec("careful", replaces="devices", target=place)])
    config = GlobalPipelineConfig(num_workers=2)
    asked = {"plate": make_plate(), "config": config, "machine": Machine(cores=4)}
    plain, careful = draft(Step("composite"), **asked), draft(Step("composite"), plugins=plugins, **asked)
    assert (plain.workers, careful.workers) == (2, 1)
    assert careful.digest == plain.digest
    assert [node.device for node in careful.nodes] == ["cpu"]


def test_one_that_leaves_its_work_undone_is_not_helped_by_the_other(draft, make_manager, target):
    # A replacement that leaves its work undone: what was planned before it is there all the same.
    place = target("idle", lambda plan, *_: plan)
    plugins = make_manager(hcs_compiler_passes=[spec("idle", replaces="devices", target=place)])
    plan = draft(Step("composite"), plugins=plugins)
    assert [node.device for node in plan.nodes] == [""]
    assert plan.peak_memory_bytes_per_worker > 0


def test_other_pipelines_than_were_given_are_refused_with_the_pass(draft, make_manager, target):
    place = target("swap", lambda plan, *_: attrs.evolve(plan, rewritten=(Pipeline("another"),)))
    plugins = make_manager(hcs_compiler_passes=[spec("swap", before=("paths",), target=place)])
    with pytest.raises(PluginError, match="'swap' of plugin 'made_up' puts other pipelines in place than made_up"):
        draft(Step("composite"), plugins=plugins)


def test_what_one_pass_added_the_next_one_sees(draft, make_manager, target):
    def adding(name):
        def add(plan, given):
            longer = (
                attrs.evolve(one, steps=(*one.steps, Step("composite", name=f"{name}_{len(one.steps)}")))
                for one in given.pipelines_of(plan)
            )
            return attrs.evolve(plan, rewritten=tuple(longer))

        return add

    passes = [
        spec("first", before=("second",), target=target("first", adding("first"))),
        spec("second", before=("paths",), target=target("second", adding("second"))),
    ]
    plan = draft(Step("composite"), plugins=make_manager(hcs_compiler_passes=passes))
    assert plan.problems == ()
    assert [step.name for step in plan.steps] == ["composite", "first_1", "second_2"]
    assert plan.asked == ("composite",)
