"""A pipeline with a mistake of every kind: each is told, with all that is known of it, and nothing is made."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import attrs
import pytest

from hcs_core import CompileError, GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, step_function


@step_function(memory="mlx")
def on_another_library(image):
    return image


@step_function(dtypes=("uint8",))
def only_bytes(image):
    return image


@step_function()
def scale(image, *, factor: float):
    return image * factor


@step_function(out="", makes={"nuclei": "table"})
def find_nuclei(image):
    return {"area": [1.0]}


@step_function(out="", takes={"nuclei": "table"}, makes={"count": "json"})
def count_nuclei(image, *, nuclei):
    return len(nuclei)


@attrs.frozen(kw_only=True)
class Mistake:
    """A step with one mistake, and what has to be said of it; empty fields are not looked at.

    `then` are steps right after it, without which it would be another mistake.
    """

    step: Step
    then: tuple[Step, ...] = ()
    function: str = ""
    parameter: str = ""
    found: str
    expected: str
    hint: str


MISTAKES = {
    "unknown function": Mistake(
        step=Step("gausian_blur", name="first", sigma=1.0),
        function="gausian_blur",
        found="gausian_blur",
        expected="gaussian_blur",
        hint="hcs functions",
    ),
    "missing parameter": Mistake(
        step=Step(scale, name="second"),
        function="scale",
        parameter="factor",
        found="nothing",
        expected="a number",
        hint="scale: {factor: ...}`",
    ),
    "wrong type": Mistake(
        step=Step("white_tophat", name="third", radius="wide"),
        function="white_tophat",
        parameter="radius",
        found="'wide'",
        expected="a whole number",
        hint="default (25)",
    ),
    "out of range": Mistake(
        step=Step("percentile_normalize", name="fourth", low=-3.0),
        function="percentile_normalize",
        parameter="low",
        found="-3.0",
        expected="a number at least 0",
        hint="its default",
    ),
    "memory type that nobody converts": Mistake(
        step=Step(on_another_library, name="fifth"),
        function="on_another_library",
        parameter="memory",
        found="mlx",
        expected="numpy",
        hint="declare the function for one that is there",
    ),
    "a kernel in a memory type that is not installed": Mistake(
        step=Step("gaussian_blur", name="tenth", memory="mlx"),
        function="gaussian_blur",
        parameter="memory",
        found="mlx",
        expected="numpy",
        hint="pip install hcs-mlx",
    ),
    "a device that is not there": Mistake(
        step=Step("gaussian_blur", name="eleventh", device="abacus:7"),
        function="gaussian_blur",
        parameter="device",
        found="abacus:7",
        expected="numpy has cpu",
        hint="numpy has cpu",
    ),
    "axes that do not fit": Mistake(
        step=Step({"DAPI": "composite"}, name="sixth"),
        function="composite",
        found="one channel",
        expected="all channels together (cyx)",
        hint="a step of its own",
    ),
    "a key that is no channel": Mistake(
        step=Step({"DAPY": ("gaussian_blur", {"sigma": 1.0})}, name="seventh"),
        found="DAPY",
        expected="DAPI, GFP",
        hint="There are DAPI, GFP",
    ),
    "an artifact of a later step": Mistake(
        step=Step(count_nuclei, name="eighth"),
        then=(Step(find_nuclei, name="ninth"),),
        function="count_nuclei",
        parameter="nuclei",
        found="nuclei",
        expected="what an earlier step makes",
        hint="ninth",
    ),
    "one place for two": Mistake(
        step=Step(("gaussian_blur", {"sigma": 1.0}), name="images", save=True),
        found="images.zarr",
        expected="a name that no other output has",
        hint="another `name`",
    ),
}
TOO_SMALL = "1K"
WRONG_DTYPE = Mistake(
    step=Step(only_bytes, name="twelfth"),
    function="only_bytes",
    found="uint16",
    expected="uint8",
    hint="a step before it",
)
"""Told alone: after another mistake nobody knows what a step's image is."""


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate()


def problems_of(plate, installed, output, steps, **config):
    orchestrator = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(**config), plugins=installed, output=output
    )
    orchestrator.initialize()
    pipeline = Pipeline("mistaken", steps)
    plan = orchestrator.plan(pipeline, draft=True)
    with pytest.raises(CompileError) as caught:
        orchestrator.compile_pipelines(pipeline)
    return plan.problems, str(caught.value)


def check(problem, mistake):
    assert (problem.step, problem.function, problem.parameter) == (
        mistake.step.name, mistake.function, mistake.parameter,
    )  # fmt: skip
    assert problem.found == mistake.found
    assert mistake.expected in problem.expected
    assert mistake.hint in problem.hint


@pytest.mark.parametrize("name", MISTAKES)
def test_each_alone(plate, installed, tmp_path, name):
    mistake = MISTAKES[name]
    (problem,), said = problems_of(plate, installed, tmp_path / "out", [mistake.step, *mistake.then])
    check(problem, mistake)
    assert "1 problem.\n" in said


def test_a_dtype_that_a_function_does_not_take(plate, installed, tmp_path):
    (problem,), _ = problems_of(plate, installed, tmp_path / "out", [Step("max_projection"), WRONG_DTYPE.step])
    check(problem, WRONG_DTYPE)


@pytest.mark.parametrize("turned", [False, True])
def test_all_at_once_in_any_order_and_nothing_is_made(plate, installed, digest_of, tmp_path, turned):
    before = digest_of(plate)
    listed = list(MISTAKES.values())[:: -1 if turned else 1]
    problems, said = problems_of(
        plate,
        installed,
        tmp_path / "out",
        [step for mistake in listed for step in (mistake.step, *mistake.then)],
        memory_limit=TOO_SMALL,
    )
    assert len(problems) == len(listed) + 1
    found = {problem.step: problem for problem in problems if problem.parameter != "memory_limit"}
    for mistake in listed:
        check(found[mistake.step.name], mistake)
    (limit,) = [problem for problem in problems if problem.parameter == "memory_limit"]
    assert limit.found == "1024 bytes"
    assert limit.expected.startswith("at least ")
    lines = said.splitlines()
    assert lines[0] == f"'mistaken' cannot run on 'plate': {len(problems)} problems."
    assert lines[1:] == [f"  - {problem}" for problem in problems]
    assert list(tmp_path.iterdir()) == []
    assert digest_of(plate) == before
    assert sorted(path.name for path in plate.parent.iterdir()) == [plate.name]


def test_the_command_line_tells_them_too_and_makes_nothing(plate, tmp_path):
    file = tmp_path / "pipeline.yaml"
    file.write_text(
        "hcs: 1\nname: mistaken\nsteps:\n"
        "  - gausian_blur: {sigma: 1.0, name: first}\n"
        "  - gaussian_blur: {sigma: -1, name: second}\n"
        "  - white_tophat: {radius: wide, name: third}\n"
        "  - max_projection: {name: images, save: true}\n"
    )
    command = [sys.executable, "-m", "hcs_core"]
    given = [str(plate), str(file), "-o", str(tmp_path / "out"), "--memory", TOO_SMALL]
    said = {}
    for word in ("plan", "run"):
        done = subprocess.run([*command, word, *given], capture_output=True, text=True, check=False, env=os.environ)
        assert done.returncode == 1
        said[word] = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    assert said["plan"] == said["run"]
    assert len(said["plan"]) == 5
    done = subprocess.run([*command, "plan", *given, "--json"], capture_output=True, text=True, check=False)
    problems = json.loads(done.stdout)["problems"]
    assert {"step", "function", "parameter", "message", "hint", "found", "expected"} == set(problems[0])
    assert [problem["step"] for problem in problems][:3] == ["first", "second", "third"]
    assert not (tmp_path / "out").exists()


def test_what_a_mistake_leaves_unknown_is_not_complained_of(plate, installed, tmp_path):
    # Had the first step been spelt as it should be, the second one could do its work.
    steps = [Step({"DAPI": "max_projektion", "GFP": "max_projection"}), Step("composite")]
    (problem,), _ = problems_of(plate, installed, tmp_path / "out", steps)
    assert problem.found == "max_projektion"
    steps = [Step({"DAPY": "max_projection", "GFP": "max_projection"}, name="projected"), Step("composite")]
    (problem,), _ = problems_of(plate, installed, tmp_path / "out", steps)
    assert problem.found == "DAPY"


def test_what_is_known_in_spite_of_it_is(plate, installed, tmp_path):
    # The parameter is wrong, and what the step would leave is known all the same.
    steps = [Step({"GFP": "max_projection"}, name="half"), Step("gaussian_blur", sigma=-1.0), Step("composite")]
    problems, _ = problems_of(plate, installed, tmp_path / "out", steps)
    assert [problem.step for problem in problems] == ["gaussian_blur", "composite"]
