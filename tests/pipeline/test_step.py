"""Steps: every form of a pattern, names, reserved words; pipelines name their steps apart."""

import functools
import pickle
from enum import StrEnum

import numpy as np
import pytest

from hcs_core import Pipeline, PipelineError, Selection, Step, step_function
from hcs_core.pipeline.step import Branch, FunctionCall
from hcs_core.plugins.parameter import RESERVED


@step_function()
def mine(image, *, gain: float = 1.0):
    return image


def call(operation, **parameters):
    return FunctionCall(operation, tuple(sorted(parameters.items())))


@pytest.mark.parametrize(
    ("step", "branches", "name"),
    [
        (Step("blur"), [Branch(None, (call("blur"),))], "blur"),
        (Step("blur", sigma=2, axis="x"), [Branch(None, (call("blur", axis="x", sigma=2),))], "blur"),
        (Step(("blur", {"sigma": 2})), [Branch(None, (call("blur", sigma=2),))], "blur"),
        (Step(("blur", {"sigma": 2}), sigma=3), [Branch(None, (call("blur", sigma=3),))], "blur"),
        (Step(mine, gain=2.0), [Branch(None, (call(mine, gain=2.0),))], "mine"),
        (Step((mine, {})), [Branch(None, (call(mine),))], "mine"),
        (Step(["blur", (mine, {"gain": 1.5})]), [Branch(None, (call("blur"), call(mine, gain=1.5)))], "blur_mine"),
        (Step(["blur", "blur"]), [Branch(None, (call("blur"), call("blur")))], "blur"),
        (
            Step({"DAPI": "blur", 2: ["a", ("b", {"n": 1})]}),
            [Branch("DAPI", (call("blur"),)), Branch("2", (call("a"), call("b", n=1)))],
            "blur_a_b",
        ),
    ],
)
def test_forms(step, branches, name):
    assert step.branches == tuple(branches)
    assert step.name == name
    assert step.group_by == ("channel" if branches[0].key else None)


def test_options():
    step = Step("blur", name="smooth", save=True, memory="torch", enabled=False, sigma=1)
    assert (step.name, step.save, step.memory, step.enabled) == ("smooth", True, "torch", False)
    plain = Step("blur")
    assert (plain.save, plain.memory, plain.enabled) == (False, None, True)


@pytest.mark.parametrize("word", RESERVED)
def test_a_step_s_own_words_are_no_parameters_wherever_they_stand(word):
    for pattern in (("blur", {word: 1}), [("blur", {word: 1})], {"DAPI": ("blur", {word: 1})}):
        with pytest.raises(PipelineError, match=f"'{word}' is one of Step's own words"):
            Step(pattern)


def test_options_of_what_is_taken_and_where_it_is_kept():
    step = Step("blur", input="nuclei/mips", save=True, wells=["A01", 2], device="cuda:1")
    assert (step.input, step.wells, step.device) == ("nuclei/mips", ("A01", 2), "cuda:1")
    plain = Step("blur")
    assert (plain.input, plain.wells, plain.device) == (None, None, None)
    assert Step("blur", save=True, wells=3).wells == 3


def test_wells_without_a_kept_output_are_refused():
    with pytest.raises(PipelineError, match=r"wells='A01' .* keeps none: write save=True with it"):
        Step("blur", wells="A01")


@pytest.mark.parametrize("options", [{"name": "start"}, {}])
def test_the_word_for_the_plate_is_no_step_s_name(options):
    with pytest.raises(PipelineError, match="a step cannot be called 'start'"):
        Step("blur" if options else "start", **options)


def test_a_step_under_another_name_differs_in_nothing_else():
    step = Step({"DAPI": "blur"}, save=True, wells="A01", input="start")
    other = step.renamed("p/blur")
    assert other.name == "p/blur"
    assert other.renamed(step.name) == step
    assert step.renamed(step.name) is step


@pytest.mark.parametrize(
    ("pattern", "options", "words"),
    [
        (3, {}, "a step runs 3: expected an operation's name, a function, or (function, kwargs)"),
        (None, {}, "a step runs None"),
        ("", {}, "'' is no operation's name"),
        ("pkg.mod:blur", {}, "'pkg.mod:blur' is no operation's name"),
        ("a/b", {}, "'a/b' is no operation's name"),
        ("..", {}, "'..' is no operation's name"),
        ("a", {"variable_components": ["well"]}, "'well' cannot be stacked"),
        ("a", {"variable_components": ["site", "site"]}, "names site twice"),
        ("a", {"variable_components": 3}, "variable_components=3: expected a list of site"),
        (("blur", 3), {}, "expected an operation's name"),
        (("a", "b"), {}, "expected an operation's name"),
        ([], {}, "an empty list"),
        ({}, {}, "an empty dict"),
        ([["a"]], {}, "a step runs ['a']"),
        ([{"DAPI": "a"}], {}, "a step runs {'DAPI': 'a'}"),
        ({"DAPI": []}, {}, "an empty list"),
        ({"DAPI": None}, {}, "a step runs None"),
        ({"": "a"}, {}, "has the key ''"),
        ({None: "a"}, {}, "has the key None"),
        ({True: "a"}, {}, "has the key True"),
        ({1: "a", "1": "b"}, {}, "names '1' twice"),
        (["a"], {"sigma": 1}, "parameters belong to a function: write (function, {...}) inside the list"),
        ({"DAPI": "a"}, {"sigma": 1}, "parameters belong to a function: write them inside the dict"),
        ("a", {"sigma": {}}, "the parameter 'sigma' is {}: expected a number, a text"),
        ("a", {"sigma": [1, "b"]}, "the parameter 'sigma' is [1, 'b']"),
        ("a", {"sigma": [[1]]}, "the parameter 'sigma' is [[1]]"),
        ("a", {"sigma": float("nan")}, "the parameter 'sigma' is nan"),
        ("a", {"sigma": 1j}, "the parameter 'sigma' is 1j"),
        (("a", {1: 2}), {}, "a parameter is called 1"),
        ("a", {"name": 3}, "name=3: expected a text without a slash"),
        ("a", {"name": ""}, "name=''"),
        ("a", {"name": "a/b"}, "name='a/b'"),
        ("a", {"name": ".."}, "name='..'"),
        ("a", {"save": "yes"}, "save='yes': expected true or false"),
        ("a", {"save": 1}, "save=1"),
        ("a", {"enabled": None}, "enabled=None: expected true or false"),
        ("a", {"memory": 3}, "memory=3: expected a memory type"),
        ("a", {"memory": ""}, "memory=''"),
        ({"DAPI": "a"}, {"group_by": "sites"}, "group_by='sites'"),
    ],
)
def test_what_is_no_step_is_said_in_a_sentence(pattern, options, words):
    with pytest.raises(PipelineError) as caught:
        Step(pattern, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


class Word(StrEnum):
    TORCH = "torch"


def test_values_are_python_s_own_whatever_library_made_them():
    step = Step(
        "a", n=np.int64(3), x=np.float32(0.5), listed=[np.float64(1), np.uint8(2)], word=Word.TORCH, memory=Word.TORCH
    )
    values = dict(step.branches[0].calls[0].parameters)
    assert values == {"n": 3, "x": 0.5, "listed": (1.0, 2), "word": "torch"}
    assert [type(value) for value in values.values()] == [tuple, int, str, float]
    assert [type(item) for item in values["listed"]] == [float, int]
    assert type(step.memory) is str


def test_a_step_is_a_value():
    one = Step(["a", (mine, {"gain": 1.0})], save=True)
    assert one == Step(["a", (mine, {"gain": 1.0})], save=True)
    assert hash(one) == hash(Step(["a", (mine, {"gain": 1.0})], save=True))
    assert one != Step(["a", (mine, {"gain": 2.0})], save=True)
    assert pickle.loads(pickle.dumps(Step("a", x=[1]))) == Step("a", x=[1])  # noqa: S301 - written in this line
    with pytest.raises(AttributeError):
        one.name = "other"


def test_what_was_passed_may_change_afterwards():
    parameters, chain = {"x": [1]}, ["a"]
    step = Step({"DAPI": [("a", parameters), *chain]})
    parameters["x"].append(2)
    parameters["y"] = 3
    chain.append("b")
    assert step == Step({"DAPI": [("a", {"x": [1]}), "a"]})


def test_a_partial_is_called_as_its_function():
    assert Step(functools.partial(mine, gain=2.0)).name == "mine"


def names(*steps):
    return [step.name for step in Pipeline("p", steps).steps]


def test_steps_of_one_name_are_named_apart():
    assert names(Step("a"), Step("b"), Step("a"), Step("a")) == ["a", "b", "a_2", "a_3"]
    assert names(Step("a"), Step("a_2"), Step("a")) == ["a", "a_2", "a_3"]
    assert names(Step("a"), Step("b", name="a")) == ["a", "a_2"]
    step = Step("a")
    assert names(step, step) == ["a", "a_2"]
    assert step.name == "a"


def test_naming_apart_changes_nothing_else():
    step = Step({"DAPI": "a"}, save=True, memory="torch", enabled=False)
    second = Pipeline("p", [step, step]).steps[1]
    assert second == Step({"DAPI": "a"}, name="a_2", save=True, memory="torch", enabled=False)


def test_a_pipeline_is_a_value():
    one = Pipeline("p", [Step("a")], select=Selection(wells=["A01"]), missing="error")
    assert one == Pipeline("p", (Step("a"),), select=Selection(wells=("A01",)), missing="error")
    assert hash(one) == hash(Pipeline("p", [Step("a")], select=Selection(wells=["A01"]), missing="error"))
    assert one != Pipeline("q", [Step("a")], select=Selection(wells=["A01"]), missing="error")
    assert Pipeline("p").steps == ()
    with pytest.raises(AttributeError):
        one.name = "other"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("p", ["max_projection"]), "has 'max_projection' for a step: write Step('max_projection')"),
        (("p", Step("a")), "for its steps: write a list"),
        (("p", 3), "has 3 for its steps"),
        (([Step("a")],), "write Pipeline("),
        (("",), "is called ''"),
    ],
)
def test_what_is_no_pipeline_is_said_in_a_sentence(arguments, words):
    with pytest.raises(PipelineError) as caught:
        Pipeline(*arguments)
    assert words in str(caught.value)


def test_an_unknown_policy_says_what_there_is():
    with pytest.raises(PipelineError, match=r"missing='wait': expected error, skip-site, skip-well, fill\."):
        Pipeline("p", missing="wait")
