"""What `hcs plan` says: of wells what is there and why others are made, of steps and stores what they are."""

from __future__ import annotations

import json

import attrs
import pytest

from hcs_core import (
    GlobalPipelineConfig,
    KernelSpec,
    MemoryTypeSpec,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    Step,
    hookimpl,
)
from hcs_core.cli.plan_text import plan_document, plan_text
from hcs_core.compiler.stage import Stage
from hcs_core.plugins.signature import Signature
from hcs_core.testing.plates import make_plate as made_up

STEPS = [Step("gaussian_blur", sigma=1.0, save=True), Step("max_projection")]


def orchestrated(plate, plugins, output):
    found = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(num_workers=1), plugins=plugins, output=output
    )
    found.initialize()
    return found


def rows(text, title):
    """The rows of a table, each as the texts of its cells."""
    lines = text.split(f"\n{title}\n")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip().split("  ") if cell.strip()] for line in lines]


def test_wells_are_told_by_what_is_there_and_why_the_others_are_made(make_plate, installed, tmp_path):
    plate = make_plate(wells=("A01", "A02", "A03", "B01"))
    pipeline = Pipeline("p", STEPS)
    orchestrator = orchestrated(plate, installed, tmp_path / "out")
    first = orchestrator.plan(pipeline)
    assert rows(plan_text(first, "out"), "Wells") == [["4", "A01, A02, A03, B01", "to do", "not there yet"]]
    orchestrator.run([pipeline], well_filter=["A01", "A02", "A03"])
    # One well's results are taken away, and of another one a file of the plate comes back under another name.
    lost = PipelineOrchestrator(plate, plugins=installed, output=tmp_path / "out")
    from hcs_core.runtime.output_stores import open_stores

    open_stores(first, tmp_path / "out", installed)["images.zarr"].discard_well("A02")
    changed = next(path for path in plate.rglob("*A03*w1*") if path.suffix.lower() in {".tif", ".tiff"})
    changed.rename(changed.with_name(changed.stem + changed.suffix.swapcase()))
    lost.initialize()
    plan = lost.plan(pipeline)
    assert plan.done == ("A01",)
    assert plan.to_do == ("A02", "A03", "B01")
    assert dict(plan.redo) == {"A02": "its results are gone", "A03": "its planes on the plate have changed"}
    assert rows(plan_text(plan, "out"), "Wells") == [
        ["1", "A01", "done", "whole in the output"],
        ["1", "A02", "to do", "its results are gone"],
        ["1", "A03", "to do", "its planes on the plate have changed"],
        ["1", "B01", "to do", "not there yet"],
    ]
    document = plan_document(plan)
    assert (document["done"], document["redo"]) == (["A01"], dict(plan.redo))
    for step in document["steps"]:
        assert step["wells_to_run"] == 3
        assert step["why"] == ("its results are gone: 1; its planes on the plate have changed: 1; not there yet: 1")
    assert plan.digest == attrs.evolve(plan, done=(), redo=()).digest
    done = orchestrated(plate, installed, tmp_path / "whole")
    done.run([pipeline])
    again = done.plan(pipeline)
    assert (again.to_do, again.redo) == ((), ())
    assert {step["why"] for step in plan_document(again)["steps"]} == {"all wells are there"}
    assert "Runs:     nothing, all wells are there" in plan_text(again, "out")


def test_steps_and_stores(make_plate, installed, tmp_path):
    plan = orchestrated(make_plate(), installed, tmp_path / "out").plan(Pipeline("p", STEPS))
    text = plan_text(plan, "out")
    blur, projection = rows(text, "Steps")
    assert blur == [
        "1. gaussian_blur", "gaussian_blur/numpy(sigma=1)", "numpy", "yx->yx", "DAPI, GFP: 2 z, 64x96 uint16",
        "gaussian_blur.zarr",
    ]  # fmt: skip
    assert projection[-1] == "images.zarr"
    assert [row[0] for row in rows(text, "Stores")] == ["gaussian_blur.zarr", "images.zarr"]
    assert "1x2x2x64x96" in rows(text, "Stores")[0]
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert not (tmp_path / "out").exists()


def test_why_kernels_are_numpy_s_is_one_line_and_any_other_choice_a_table(make_plate, installed, tmp_path):
    orchestrator = orchestrated(make_plate(), installed, tmp_path / "out")
    plan = orchestrator.plan(Pipeline("p", STEPS))
    text = plan_text(plan, "out")
    assert "\nKernels\n" not in text
    assert [line for line in text.splitlines() if line.startswith("Kernels:")] == [
        "Kernels:  numpy on cpu: no measurements"
    ]
    assert {step["kernel_why"] for step in plan_document(plan)["steps"]} == {"no measurements: numpy"}
    moved = attrs.evolve(plan.nodes[0], memory_type="card", device="cuda:0", why="cheapest")
    text = plan_text(attrs.evolve(plan, nodes=(moved, *plan.nodes[1:])), "out")
    assert "\nKernels:" not in text
    assert rows(text, "Kernels") == [
        ["gaussian_blur/numpy", "cuda:0", "cheapest"],
        ["max_projection/numpy", "cpu", "no measurements: numpy"],
    ]


@pytest.fixture
def with_another_library():
    """A kernel that has no numpy form: planes have to be converted for it."""
    manager = PluginManager()
    signatures = {"glow": Signature(axes="yx", out="yx"), "glow_through": Signature(axes="zyx", out="yx")}

    class Mlx:
        hcs_api = 1

        @staticmethod
        @hookimpl
        def hcs_memory_types():
            yield MemoryTypeSpec(
                name="mlx", target="hcs_core.testing.fakes.memory_type:FakeMemoryType", library="json"
            )

        @staticmethod
        @hookimpl
        def hcs_kernels():
            for name, signature in signatures.items():
                yield KernelSpec(operation=name, memory_type="mlx", target="nowhere:glow", signature=signature)

    manager.register(Mlx, "mlx")
    manager.discover()
    return manager


def test_conversions_are_where_planes_change_their_library(with_another_library):
    from hcs_core.compiler.compiling import compile_plan

    steps = [
        Step("gaussian_blur", sigma=1.0),
        Step("glow"),
        Step("glow", name="again"),
        Step("glow_through"),
        Step("composite"),
    ]
    plan = compile_plan(Pipeline("p", steps), made_up(z_indexes=(1, 2)), GlobalPipelineConfig(), with_another_library)
    assert [node.converts for node in plan.nodes] == [(), ("numpy",), (), (), ("mlx",)]
    assert [step["conversions"] for step in plan_document(plan)["steps"]] == [
        [], [{"from": "numpy", "to": "mlx"}], [], [], [{"from": "mlx", "to": "numpy"}],
    ]  # fmt: skip
    text = plan_text(plan, "out")
    assert "numpy -> mlx" in text
    assert "mlx -> numpy" in text


def test_stages_beside_the_wells_are_told(make_plate, installed, tmp_path):
    plan = orchestrated(make_plate(), installed, tmp_path / "out").plan(Pipeline("p", STEPS))
    assert "Stages:" not in plan_text(plan, "out")
    staged = attrs.evolve(plan, stages=(Stage(name="profile", kind="plate"), *plan.stages))
    assert "Stages:   profile (plate), then wells (well by well)" in plan_text(staged, "out")
    assert json.loads(json.dumps(plan_document(staged)))["stages"][0]["name"] == "profile"


def test_what_is_left_out_is_told_with_the_policy(installed):
    from hcs_core import PlaneState
    from hcs_core.compiler.compiling import compile_plan

    states = {("A02", 1, 1, 1, 1): PlaneState.MISSING}
    plan = compile_plan(
        Pipeline("p", STEPS, missing="skip-well"), made_up(states=states), GlobalPipelineConfig(), installed
    )
    assert rows(plan_text(plan, "out"), "Wells")[-1] == ["1", "A02", "skipped", "lacks planes (missing: skip-well)"]
