"""Passes of third parties, installed as distributions: one adds a step, one refuses a plan by a rule of its own."""

import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hcs_core import CompilerPassSpec, GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginManager, Step
from hcs_core.testing import PassContract

REPOSITORY = next(folder for folder in Path(__file__).parents if (folder / "hcs_core").is_dir())
EXAMPLES = REPOSITORY / "tests" / "example_distributions"
NAMES = ("always_project", "house_rules")


@pytest.fixture(scope="session")
def on_a_path(tmp_path_factory):
    """The distributions on a path: their modules, and what an installer would have written beside them."""
    path = tmp_path_factory.mktemp("examples")
    for name in NAMES:
        project = tomllib.loads((EXAMPLES / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for module in (EXAMPLES / name).glob("*.py"):
            (path / module.name).write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
        info = path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0.3.0\n")
        (info / "entry_points.txt").write_text(f"[hcs_core]\n{name} = hcs_{name}\n")
    return path


@pytest.fixture
def importable(on_a_path, monkeypatch):
    """Let this process import them for the length of a test."""
    monkeypatch.syspath_prepend(on_a_path)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("hcs_always_project", "hcs_house_rules")):
            del sys.modules[name]


@pytest.fixture
def with_examples(importable):
    manager = PluginManager(strict=True)
    manager.discover()
    return manager


@pytest.mark.usefixtures("importable")
class TestExamples(PassContract):
    """Both keep the contract of a pass."""

    passes = (
        CompilerPassSpec(name="always_project", target="hcs_always_project_pass:always_project", before=("paths",)),
        CompilerPassSpec(name="house_rules", target="hcs_house_rules_pass:house_rules", after=("paths",)),
    )


def orchestrated(plate, plugins, output, **config):
    found = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(num_workers=1, **config), plugins=plugins, output=output
    )
    found.initialize()
    return found


def test_the_added_step_is_planned_and_run_and_the_pipeline_is_as_it_was(with_examples, make_plate, tmp_path):
    plate = make_plate()
    pipeline = Pipeline("blurred", [Step("gaussian_blur", sigma=1.0)])
    asked = repr(pipeline)
    orchestrator = orchestrated(plate, with_examples, tmp_path / "out")
    plan = orchestrator.plan(pipeline)
    assert [step.name for step in plan.steps] == ["gaussian_blur", "always_project"]
    assert (plan.asked, plan.rewritten) == (("gaussian_blur",), ())
    assert [output.image.is_projection for output in plan.outputs] == [True]
    assert "always_project (added)" in plan._repr_html_()
    result = orchestrator.run([pipeline])
    assert result.status == "ok"
    # What was asked for is what is kept, and the same as if the projection had been asked for by hand.
    assert [step.name for step in Pipeline.load(result.output / "pipeline.yaml").steps] == ["gaussian_blur"]
    by_hand = Pipeline("blurred", [Step("gaussian_blur", sigma=1.0), Step("max_projection", name="always_project")])
    plain = PluginManager(disabled=NAMES)
    plain.discover()
    other = orchestrated(plate, plain, tmp_path / "other").run([by_hand])
    assert pixels(result.output) == pixels(other.output)
    assert repr(pipeline) == asked


def pixels(output):
    files = (output / "images.zarr").rglob("*")
    return {str(path.relative_to(output)): path.read_bytes() for path in files if path.is_file()}


def test_a_pipeline_that_projects_itself_is_left_alone(with_examples, make_plate, tmp_path):
    plan = orchestrated(make_plate(), with_examples, tmp_path / "out").plan([Step("max_projection")])
    assert [step.name for step in plan.steps] == ["max_projection"]


def test_the_rule_refuses_with_all_other_problems(with_examples, make_plate, tmp_path):
    steps = [Step("percentile_normalize", name="pretty"), Step("gaussian_blur", sigma=-1.0)]
    plan = orchestrated(make_plate(), with_examples, tmp_path / "out").plan(steps, draft=True)
    assert [(problem.step, problem.function) for problem in plan.problems] == [
        ("gaussian_blur", "gaussian_blur"),
        ("pretty", "percentile_normalize"),
    ]
    assert plan.problems[1].hint == "Leave it out, and set the contrast in the viewer."


def test_both_work_in_worker_processes_and_on_the_command_line(on_a_path, make_plate, tmp_path):
    file = tmp_path / "pipeline.yaml"
    file.write_text("hcs: 1\nname: blurred\nsteps:\n  - gaussian_blur: {sigma: 1.0}\n")
    said = hcs(sys.executable, "run", make_plate(), file, "-o", tmp_path / "out", "--processes", path=on_a_path)
    assert json.loads(said)["status"] == "ok"
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert [step["name"] for step in plan["steps"]] == ["gaussian_blur", "always_project"]


@pytest.mark.environments
def test_as_wheels_in_an_environment_of_their_own(make_environment, install_by_name, make_plate, tmp_path):
    environment = make_environment("example_passes")
    install_by_name(environment, "hcs-engine[standard]")
    environment.install(*(EXAMPLES / name for name in NAMES))
    file = tmp_path / "pipeline.yaml"
    file.write_text("hcs: 1\nname: blurred\nsteps:\n  - gaussian_blur: {sigma: 1.0}\n")
    said = hcs(environment.python, "plan", make_plate(), file, "-o", tmp_path / "out")
    steps = json.loads(said)["steps"]
    assert [(step["name"], step["added"]) for step in steps] == [("gaussian_blur", False), ("always_project", True)]


def hcs(python, command, plate, pipeline, *arguments, path=None):
    """Run `hcs` with JSON as a process of its own; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run(
        [str(python), "-m", "hcs_core", command, plate, pipeline, "--json", *arguments],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_they_declare_is_what_the_contract_was_asked_of(importable):
    declared = {
        spec.name: spec for name in NAMES for spec in importlib.import_module(f"hcs_{name}").hcs_compiler_passes()
    }
    for spec in TestExamples.passes:
        assert (declared[spec.name].target, declared[spec.name].before, declared[spec.name].after) == (
            spec.target, spec.before, spec.after,
        )  # fmt: skip
