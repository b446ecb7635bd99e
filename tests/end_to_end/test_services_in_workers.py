"""The services of a plate in other processes: made anew from a recipe, with the same answers."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from types import SimpleNamespace

import cloudpickle
import pytest

from hcs_core import (
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    RunJob,
    Step,
    StitcherSpec,
    hookimpl,
    step_function,
)
from hcs_core.runtime.services.services_of_plate import services_of

ASK = """
import pickle, sys
from pathlib import Path
from hcs_core import ParsedName

folder = Path(sys.argv[1])
context = pickle.loads((folder / "context").read_bytes())
services = context.orchestrator
assert "hcs_core.orchestrator" not in sys.modules, "the parent's object came along"
workspace = services.workspace_path
file, table = services.generate_positions(well=context.well, input_dir=workspace, positions_dir=folder / "there")
mosaics = services.stitch_images(
    well=context.well, input_dir=workspace, output_dir=folder / "there", positions_file=file
)
answers = {
    "workspace": workspace,
    "patterns": services.microscope_handler.auto_detect_patterns(workspace),
    "parsed": services.microscope_handler.parser.parse_filename("plate_A01_s2_w1.TIF") is not None,
    "stitcher": type(services.get_stitcher()).__name__,
    "positions": table["x_px"].tolist(),
    "sites": context.sites,
    "mosaics": [path.read_bytes() for path in mosaics],
}
(folder / "answers").write_bytes(pickle.dumps(answers))
"""


@step_function(axes="yx")
def same(image):
    return image.copy()


def in_another_process(context, folder):
    folder.mkdir()
    (folder / "context").write_bytes(cloudpickle.dumps(context))
    subprocess.run([sys.executable, "-c", ASK, str(folder)], check=True, capture_output=True, text=True)
    return pickle.loads((folder / "answers").read_bytes())  # noqa: S301 - written by the process above


@pytest.fixture
def orchestrator(make_plate, installed, tmp_path):
    made = PipelineOrchestrator(make_plate(), plugins=installed, output=tmp_path / "out")
    made.initialize()
    return made


def test_a_context_asks_in_another_process_what_the_orchestrator_answers_here(orchestrator, tmp_path):
    contexts = orchestrator.compile_pipelines(Pipeline("p", [Step("max_projection")]))
    assert contexts["A01"].orchestrator is orchestrator.services
    there = in_another_process(contexts["A01"], tmp_path / "worker")
    file, table = orchestrator.generate_positions(
        well="A01", input_dir=orchestrator.plate_path, positions_dir=tmp_path
    )
    mosaics = orchestrator.stitch_images(
        well="A01", input_dir=orchestrator.plate_path, output_dir=tmp_path, positions_file=file
    )
    assert there == {
        "workspace": orchestrator.workspace_path,
        "patterns": orchestrator.microscope_handler.auto_detect_patterns(orchestrator.plate_path),
        "parsed": True,
        "stitcher": "PlainStitcher",
        "positions": table["x_px"].tolist(),
        "sites": (1, 2),
        "mosaics": [path.read_bytes() for path in mosaics],
    }


def test_two_processes_at_once_make_one_workspace(orchestrator, tmp_path):
    context = orchestrator.compile_pipelines(Pipeline("p", [Step("max_projection")]))["A01"]
    found = []
    threads = [
        threading.Thread(target=lambda name=name: found.append(in_another_process(context, tmp_path / name)))
        for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, two = found
    assert one == two
    assert [path.name for path in one["workspace"].parent.iterdir()] == ["plate"]


class Elsewhere:
    """A stitcher that only the program knows."""

    def positions(self, tiles, nominal_yx):
        raise NotImplementedError

    def fuse(self, tiles, positions_yx, shape):
        raise NotImplementedError


def test_what_the_program_registers_is_there_in_the_worker(make_plate, tmp_path, target):
    @hookimpl
    def hcs_stitchers():
        yield StitcherSpec(name="ours", target=target("Elsewhere", Elsewhere))

    plugins = PluginManager()
    plugins.register(SimpleNamespace(hcs_api=1, hcs_stitchers=hcs_stitchers), name="ours")
    plugins.discover()
    made = PipelineOrchestrator(make_plate(), plugins=plugins, output=tmp_path / "out")
    made.initialize()
    (context, *_) = made.compile_pipelines(Pipeline("p", [Step(same)])).values()
    again = cloudpickle.loads(cloudpickle.dumps(context))
    assert again.orchestrator is not context.orchestrator
    assert isinstance(again.orchestrator.get_stitcher("ours"), Elsewhere)
    assert again == context


def test_a_worker_makes_them_from_its_job(orchestrator, installed):
    plan = orchestrator.plan(Pipeline("p", [Step("max_projection")]))
    job = RunJob(
        plan=plan, plate_root=orchestrator.plate_path, output=orchestrator.output, plugins=installed.recipe()
    )
    told: RunJob = cloudpickle.loads(cloudpickle.dumps(job))
    services = services_of(told, PluginManager.from_recipe(told.plugins))
    assert services.plate.digest() == orchestrator.plate.digest()
    assert services.workspace_path == orchestrator.workspace_path
    assert services.microscope_handler.name == "imagexpress"
