"""Compiling is pure: the same input gives the same plan, whatever the machine, the process and the folder."""

import pickle
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from hcs_core import (
    Backend,
    Existing,
    GlobalPipelineConfig,
    Machine,
    MaterializationBackend,
    PathPlanningConfig,
    Pipeline,
    Selection,
    Step,
    VFSConfig,
    ZarrConfig,
    compile_plan,
    step_function,
)
from hcs_core.testing.plates import make_plate

STEPS = (Step("max_projection", save=True), Step({"DAPI": ("gaussian_blur", {"sigma": 1.5})}), Step("composite"))
COMPONENTS = {"z_indexes": (1, 2), "sites": (1, 2), "name": "Plate 7"}


@step_function()
def scale(image, *, gain: float = 2.0):
    return image


def test_twice_the_same(draft):
    one, other = draft(*STEPS, Step(scale), **COMPONENTS), draft(*STEPS, Step(scale), **COMPONENTS)
    assert one == other
    assert (one.digest, one.content_key) == (other.digest, other.content_key)
    assert one.problems == ()


PROGRAM = """
import hcs_memory.plugin, hcs_numpy.plugin, hcs_zarr.plugin
from hcs_core import GlobalPipelineConfig, Machine, Pipeline, PluginManager, Step, compile_plan
from hcs_core.testing.plates import make_plate
manager = PluginManager()
for module in (hcs_zarr.plugin, hcs_numpy.plugin, hcs_memory.plugin):
    manager.register(module)
steps = (Step("max_projection", save=True), Step({"DAPI": ("gaussian_blur", {"sigma": 1.5})}), Step("composite"))
plate = make_plate(z_indexes=(1, 2), sites=(1, 2), name="Plate 7", root="elsewhere")
config = GlobalPipelineConfig(num_workers=7)
plan = compile_plan(Pipeline("made_up", steps), plate, config, manager, Machine(cores=64))
print(plan.digest, plan.content_key)
"""


def test_another_process_folder_machine_and_order_of_plugins(draft, tmp_path):
    plan = draft(*STEPS, **COMPONENTS)
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said.stdout.split() == [plan.digest, plan.content_key]


@pytest.mark.parametrize(
    "change",
    [
        {"machine": Machine(cores=64, memory_bytes=2**40, free_disk_bytes=5)},
        {"existing": Existing(content_key="x", wells=frozenset({"A01"}))},
        {"root": Path("/elsewhere")},
        {"detected_by": "another reason"},
        {"config": GlobalPipelineConfig(num_workers=9, use_threading=True, memory_limit="1T")},
        {"config": GlobalPipelineConfig(path_planning=PathPlanningConfig(global_output_folder="/there"))},
        {
            "config": GlobalPipelineConfig(
                vfs=VFSConfig(
                    intermediate_backend=Backend.MEMORY, materialization_backend=MaterializationBackend.ZARR
                )
            )
        },
        {
            "config": GlobalPipelineConfig(
                vfs=VFSConfig(intermediate_backend="memory", materialization_backend="zarr")
            )
        },
    ],
)
def test_what_is_no_content_is_not_in_the_digest(draft, change):
    assert draft(*STEPS, **(COMPONENTS | change)).digest == draft(*STEPS, **COMPONENTS).digest


def test_what_is_content_is_in_the_digest(draft):
    @step_function(version="1")
    def first(image):
        return image

    @step_function(version="2")
    def second(image):
        return image

    first.__name__ = second.__name__ = "same"
    blur = Step("gaussian_blur", sigma=1.5)
    plans = [
        draft(blur),
        draft(Step("gaussian_blur", sigma=1.6)),
        draft(Step("gaussian_blur", sigma=1.5, name="other")),
        draft(Step("gaussian_blur", sigma=1.5, save=True)),
        draft(blur, blur),
        draft(),
        draft(Step(first)),
        draft(Step(second)),
        draft(blur, select=Selection(channels=("DAPI",))),
        draft(blur, name="Plate 8"),
        draft(blur, dtype="uint8"),
        draft(blur, pixel_size_um=0.6),
        draft(blur, config=GlobalPipelineConfig(zarr=ZarrConfig(compressor="lz4"))),
        draft(blur, config=GlobalPipelineConfig(zarr=ZarrConfig(store_name="other.zarr"))),
        draft(blur, config=GlobalPipelineConfig(zarr=ZarrConfig(chunk_strategy="single")), z_indexes=(1, 2)),
    ]
    assert all(plan.problems == () for plan in plans)
    assert len({plan.content_key for plan in plans}) == len(plans)
    assert len({plan.digest for plan in plans}) == len(plans)


def test_wells_are_in_the_digest_and_not_in_what_makes_an_output_what_it_is(draft):
    whole, part = draft(*STEPS, **COMPONENTS), draft(*STEPS, select=Selection(wells="A01"), **COMPONENTS)
    assert whole.digest != part.digest
    assert whole.content_key == part.content_key


def test_what_exists_already_is_noted_only_where_it_is_the_same_content(draft):
    plan = draft(*STEPS, **COMPONENTS)
    same = Existing(content_key=plan.content_key, wells=frozenset({"A02", "H12"}))
    assert draft(*STEPS, existing=same, **COMPONENTS).done == ("A02",)
    assert draft(existing=same, **COMPONENTS).done == ()


def test_arguments_are_as_they_were(manager):
    pipeline, plate, config = Pipeline("p", STEPS), make_plate(**COMPONENTS), GlobalPipelineConfig()
    before = (
        repr(pipeline),
        plate.digest(),
        plate.positions,
        repr(config),
        [record.status for record in manager.records()],
    )
    compile_plan(pipeline, plate, config, manager)
    after = (
        repr(pipeline),
        plate.digest(),
        plate.positions,
        repr(config),
        [record.status for record in manager.records()],
    )
    assert after == before


def test_a_plan_travels_and_stays_what_it_is(draft):
    plan = draft(*STEPS, **COMPONENTS)
    copy = pickle.loads(pickle.dumps(plan))  # noqa: S301 - written in this line
    assert copy == plan
    assert copy.digest == plan.digest
    with pytest.raises(AttributeError):
        plan.workers = 3
    assert attrs.evolve(plan, workers=9).digest == plan.digest


def test_a_plan_grows_by_little_with_alike_wells(draft):
    def size(count):
        wells = tuple(f"{row}{column:02d}" for row in "ABCDEFGHIJKLMNOP" for column in range(1, 25))[:count]
        plan = draft(*STEPS, **(COMPONENTS | {"wells": wells}))
        assert [shape.sites for shape in plan.well_shapes] == [(1, 2)]
        return len(pickle.dumps(plan))

    assert (size(384) - size(24)) / 360 < 50
