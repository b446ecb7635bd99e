"""`PassContract`: what every compiler pass has to pass."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import attrs
import pytest

from hcs_core.arrays.step_function import step_function
from hcs_core.compiler.compiling import CompileInput, CompilerPass
from hcs_core.compiler.machine import Existing, Machine
from hcs_core.compiler.pass_order import ordered_passes
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.errors import PluginError, one_line
from hcs_core.pipeline.config import GlobalPipelineConfig
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Step
from hcs_core.plugins.hookspecs import hookimpl
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.specs import CompilerPassSpec, StorageBackendSpec
from hcs_core.testing.contracts.targets import imported
from hcs_core.testing.plates import make_plate

_WHOSE = ("plate", "microscope", "inventory_digest", "pipeline", "missing")
"""What a plan was begun with; no pass changes it."""

_BACKEND = "hcs_core.testing.fakes.storage_backend:FakeBackend"


@step_function(axes="yx", version="1")
def _same(image: Any) -> Any:
    return image.copy()


class PassContract:
    """What every compiler pass has to pass: a pure function from plan to plan, whose complaints are problems.

    Each test runs for each of `passes`, on the plan as it is where the pass stands among the core's own.

    Attributes
    ----------
    passes
        What the plugin declares.

    Notes
    -----
    Override the fixture `given` where a pass looks at more than a small plate, a pipeline of a function, and the
    names of backends.

    Examples
    --------
    ::

        class TestPasses(PassContract):
            passes = tuple(plugin.hcs_compiler_passes())
    """

    passes: ClassVar[Sequence[CompilerPassSpec]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each pass."""
        if "one" in metafunc.fixturenames:
            metafunc.parametrize("one", self.passes, ids=lambda spec: spec.name)

    @pytest.fixture
    def plugins(self) -> PluginManager:
        """The core, the passes, and names for what a plan asks for: two backends."""
        manager = PluginManager()
        known = set(manager.compiler_passes.names())
        new = [spec for spec in self.passes if spec.name not in known]
        backends = [
            StorageBackendSpec(name="zarr", target=_BACKEND),
            StorageBackendSpec(name="memory", target=_BACKEND, durable=False),
        ]
        manager.register(
            SimpleNamespace(
                hcs_api=1,
                hcs_compiler_passes=hookimpl(lambda: iter(new)),
                hcs_storage_backends=hookimpl(lambda: iter(backends)),
            ),
            "under_contract",
        )
        return manager

    @pytest.fixture
    def given(self, plugins: PluginManager) -> CompileInput:
        """What the passes look at."""
        return CompileInput(
            pipelines=(Pipeline("made_up", (Step(_same, save=True), Step(_same, name="again"))),),
            plate=make_plate(sites=(1, 2), z_indexes=(1, 2)),
            config=GlobalPipelineConfig(num_workers=2),
            plugins=plugins,
            machine=Machine(cores=3),
            existing=Existing(),
        )

    @pytest.fixture
    def hopeless(self, given: CompileInput) -> CompileInput:
        """What the passes look at where nothing is right: an unknown operation, a plate of which nothing is known."""
        return attrs.evolve(
            given,
            pipelines=(Pipeline("made_up", (Step("no_such_operation"),)),),
            plate=make_plate(image_shape=None, dtype=None, pixel_size_um=None),
        )

    def test_it_has_a_place_among_the_passes(self, one: CompilerPassSpec, plugins: PluginManager) -> None:
        """`after` and `before` contradict nobody's."""
        try:
            names = [spec.name for spec in ordered_passes(plugins)]
        except PluginError as error:
            pytest.fail(f"the passes have an order: {error} Change `after` or `before`.", pytrace=False)
        assert one.name in names, f"the pass {one.name} is declared: it is not among {', '.join(names)}."

    def test_it_returns_a_plan(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """Also where it has nothing to say."""
        made = imported(one.target)(_plan_before(one, given), given)
        assert isinstance(made, Plan), (
            f"a pass returns a Plan: {one.name} returned {type(made).__name__}; return the plan that it got where it "
            "has nothing to say."
        )

    def test_it_leaves_what_it_got_as_it_was(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """The plan, the plate, the pipeline, the configuration, the plugins."""
        plan = _plan_before(one, given)
        before = _seen(plan, given)
        _run(one, plan, given)
        after = _seen(plan, given)
        changed = [name for name, value in before.items() if after[name] != value]
        assert not changed, (
            f"a pass changes nothing that it got: {one.name} changes {', '.join(changed)}; return another plan, made "
            "with attrs.evolve."
        )

    def test_the_same_input_gives_the_same_plan(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """Whenever it is asked."""
        plan = _plan_before(one, given)
        first, second = _run(one, plan, given), _run(one, plan, given)
        assert first == second, (
            f"the same input gives the same plan: {one.name} gives another one the second time; read no clock, no "
            "environment, no folder: what the machine offers is in given.machine."
        )

    def test_the_machine_is_not_in_the_digest(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """A plan is the same plan on a laptop and on a cluster, and wherever the plate lies."""
        elsewhere = attrs.evolve(
            given,
            machine=Machine(cores=64, memory_bytes=2**40, free_disk_bytes=2**50),
            plate=attrs.evolve(given.plate, root=Path("elsewhere")),
        )
        here, there = (_run(one, _plan_before(one, item), item).digest for item in (given, elsewhere))
        assert here == there, (
            f"a plan's digest leaves out the machine and where the plate lies: {one.name} lets them into a field "
            "that is in Plan.content_key."
        )

    def test_problems_are_only_added(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """All problems are told at once: none is dropped, changed or moved."""
        said = (Problem(step="first", message="an earlier one."), Problem(message="another one."))
        plan = _plan_before(one, given).with_problems(*said)
        earlier = plan.problems
        made = _run(one, plan, given)
        assert made.problems[: len(earlier)] == earlier, (
            f"problems are only added: of {len(earlier)} earlier ones {one.name} leaves {list(made.problems)}; use "
            "plan.with_problems."
        )

    def test_it_keeps_what_a_plan_was_begun_with(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """Whose plan it is, is not a pass's to say."""
        plan = _plan_before(one, given)
        made = _run(one, plan, given)
        changed = [name for name in _WHOSE if getattr(made, name) != getattr(plan, name)]
        assert not changed, f"a pass keeps what a plan was begun with: {one.name} changes {', '.join(changed)}."

    def test_it_takes_an_empty_plan(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """An earlier pass may have found nothing to plan."""
        _takes(one, _begun(given), given, "a plan in which nothing is planned yet")

    def test_it_takes_a_plan_with_problems(self, one: CompilerPassSpec, hopeless: CompileInput) -> None:
        """All problems are told at once: every pass runs, whatever those before it found."""
        _takes(one, _plan_before(one, hopeless), hopeless, "a plan with problems")

    def test_its_plan_travels(self, one: CompilerPassSpec, given: CompileInput) -> None:
        """A plan goes to workers by pickle."""
        made = _run(one, _plan_before(one, given), given)
        try:
            copy = pickle.loads(pickle.dumps(made))  # noqa: S301 - written in this line
        # Whatever pickle says is what this is about.
        except Exception as error:  # noqa: BLE001
            pytest.fail(f"a plan travels to workers by pickle: after {one.name} {one_line(error)}.", pytrace=False)
        assert copy == made, f"a plan is the same after its travel: what {one.name} put into it is not equal there."


def _begun(given: CompileInput) -> Plan:
    """Return the plan that the first pass gets."""
    return Plan(
        plate=given.plate.name,
        microscope=given.plate.microscope,
        inventory_digest=given.plate.digest(),
        pipeline=" + ".join(pipeline.name for pipeline in given.pipelines),
        pipelines=tuple(pipeline.name for pipeline in given.pipelines),
    )


def _plan_before(one: CompilerPassSpec, given: CompileInput) -> Plan:
    """Return the plan that a pass gets from those before it."""
    plan = _begun(given)
    try:
        order = ordered_passes(given.plugins)
    except PluginError as error:
        pytest.skip(f"the passes have no order ({error}): see test_it_has_a_place_among_the_passes")
    for spec in order:
        if spec.name == one.name:
            break
        plan = imported(spec.target)(plan, given)
    return plan


def _run(one: CompilerPassSpec, plan: Plan, given: CompileInput) -> Plan:
    run: CompilerPass = imported(one.target)
    made = run(plan, given)
    if not isinstance(made, Plan):
        pytest.skip(f"{one.name} returns no Plan: see test_it_returns_a_plan")
    return made


def _takes(one: CompilerPassSpec, plan: Plan, given: CompileInput, what: str) -> None:
    try:
        _run(one, plan, given)
    # Whatever a pass raises is what this is about.
    except Exception as error:  # noqa: BLE001
        pytest.fail(
            f"a pass takes {what}, since all problems are told at once: {one.name} raises {one_line(error)}; return "
            "the plan as it is where there is nothing to work on.",
            pytrace=False,
        )


def _seen(plan: Plan, given: CompileInput) -> dict[str, Any]:
    """Return what can be seen of all that a pass gets."""
    plate = given.plate
    return {
        "the plan": (repr(plan), [node.device for node in plan.nodes]),
        "the plate": (plate.digest(), repr(plate.positions), plate.root, plate.differences),
        "the pipelines": repr(given.pipelines),
        "the configuration": repr(given.config),
        "the machine": repr(given.machine),
        "what exists": repr(given.existing),
        "the plugins": [(record.to_json(), record.status) for record in given.plugins.records()],
    }
