"""The schema of the pipeline file says of a file what the loader and the compiler say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given, settings, strategies as st
from jsonschema import Draft202012Validator

from hcs_core import HcsError, KernelSpec, Parameter, Pipeline, PluginManager, Selection, Signature, Step, hookimpl
from hcs_core.compiler.compiling import draft_plan
from hcs_core.pipeline.config import GlobalPipelineConfig
from hcs_core.pipeline.file_schema import pipeline_schema
from hcs_core.pipeline.names import AXIS_OF, COMPONENTS, MissingData
from hcs_core.pipeline.pipeline_file import dump_pipeline
from hcs_core.pipeline.yaml_source import read_yaml
from hcs_core.testing.plates import make_plate

REPOSITORY = Path(__file__).resolve().parents[2]
PARAMETERS = (
    Parameter(name="count", kind="int", default=3, minimum=1, maximum=9),
    Parameter(name="sigma", kind="float", default=1.0, above=0.0, unit="px", description="how wide."),
    Parameter(name="limit", kind="float"),
    Parameter(name="flag", kind="bool", default=False),
    Parameter(name="mode", kind="str", default="a", choices=("a", "b")),
    Parameter(name="word", kind="str", default=""),
    Parameter(name="many", kind="floats", default=(1.0, 2.0), minimum=0.0),
    Parameter(name="profile", kind="image"),
)
MUST = (Parameter(name="factor", kind="float", required=True, minimum=0.5),)


def manager():
    """A manager with two operations: one has every kind of parameter, the other one that must be given."""
    made = {"every": PARAMETERS, "must": MUST, "plain": ()}
    specs = [
        KernelSpec(
            operation=name,
            memory_type="numpy",
            target="made_up:kernel",
            signature=Signature(axes="yx", out="yx", parameters=parameters),
            summary=name,
        )
        for name, parameters in made.items()
    ]
    plugins = PluginManager()
    plugins.register(SimpleNamespace(hcs_api=1, hcs_kernels=hookimpl(lambda: iter(specs))), "made_up")
    return plugins


PLUGINS = manager()
VALIDATOR = Draft202012Validator(pipeline_schema(PLUGINS))


def plain(path):
    return read_yaml(path, ValueError).plain()


def test_the_schema_is_one_of_its_draft(installed):
    for plugins in (PLUGINS, PluginManager(), installed):
        schema = pipeline_schema(plugins)
        Draft202012Validator.check_schema(schema)
        assert json.loads(json.dumps(schema, allow_nan=False)) == schema
        assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.floats(-3, 12).filter(lambda number: not number.is_integer()),
    st.sampled_from(["", "a", "b", "c", "1"]),
    st.lists(st.one_of(st.integers(-1, 3), st.floats(0.1, 0.9)), max_size=3),
)


@settings(max_examples=300)
@given(st.sampled_from([*PARAMETERS, *MUST]), VALUES)
def test_a_value_passes_where_its_parameter_takes_it(parameter, value):
    operation = "must" if parameter in MUST else "every"
    document = {"hcs": 1, "steps": [{operation: {parameter.name: value}}]}
    taken = parameter.problem(tuple(value) if isinstance(value, list) else value) is None
    assert VALIDATOR.is_valid(document) == taken


def values_of(parameter):
    """Values that a parameter takes, from what its declaration says."""
    return {
        "int": st.integers(1, 9),
        "float": st.floats(0.5, 1e6),
        "bool": st.booleans(),
        "str": st.sampled_from(parameter.choices or ("", "a b", "NO", "1")),
        "floats": st.lists(st.floats(0, 10), max_size=3),
        "image": st.sampled_from(["profile.tif", "a/b.npy"]),
    }[parameter.kind]


CALLS = st.one_of(
    st.just("plain"),
    st.just("every"),
    st.tuples(
        st.just("every"), st.fixed_dictionaries({}, optional={item.name: values_of(item) for item in PARAMETERS})
    ),
    st.tuples(st.just("must"), st.fixed_dictionaries({"factor": st.floats(0.5, 9)})),
)
PATTERNS = st.one_of(
    CALLS,
    st.lists(CALLS, min_size=1, max_size=3),
    st.dictionaries(
        st.sampled_from(["DAPI", "1", "save", "by", "branches", "NO", "wells", "group_by", "x"]),
        st.one_of(CALLS, st.lists(CALLS, min_size=1, max_size=2)),
        min_size=1,
        max_size=3,
    ),
)
FILTERS = st.one_of(st.integers(1, 5), st.sampled_from(["A01", "~B02", "row:A,col:2"]), st.just(("A01", 2)))
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["mine", "a b", "chain", "by"]),
        "input": st.sampled_from(["start", "mine", "other/mine"]),
        "save": st.just(True),
        "device": st.sampled_from(["cpu", "cuda:0"]),
        "enabled": st.booleans(),
        "group_by": st.sampled_from(COMPONENTS),
        "variable_components": st.lists(st.sampled_from(list(AXIS_OF)), unique=True),
    },
)


@st.composite
def steps(draw):
    options = draw(OPTIONS)
    if options.get("save") and draw(st.booleans()):
        options["wells"] = draw(FILTERS)
    return Step(draw(PATTERNS), **options)


PIPELINES = st.builds(
    Pipeline,
    st.sampled_from(["p", "7", "NO", "a: b"]),
    st.lists(steps(), max_size=4),
    select=st.builds(
        Selection,
        wells=st.none() | FILTERS,
        channels=st.none() | st.lists(st.sampled_from(["DAPI", 1, "NO"]), min_size=1, max_size=2),
        sites=st.none() | st.lists(st.integers(1, 99), min_size=1, max_size=3),
        z=st.none() | st.just((0,)) | st.lists(st.integers(1, 99), min_size=1, max_size=3),
        timepoints=st.none() | st.lists(st.integers(1, 99), min_size=1, max_size=3),
    ),
    missing=st.none() | st.sampled_from(MissingData),
)


@settings(max_examples=150)
@given(PIPELINES)
def test_every_file_that_is_written_passes(pipeline):
    document = yaml.safe_load(dump_pipeline(pipeline))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    "line",
    [
        "every", "every:", "{every: {}}", "package.module:function", "{package.module:function: {anything: [1]}}",
        "[plain, every: {count: 2}]", "{chain: [plain], save: true, wells: 3}", "{by: channel, DAPI: plain}",
        "{by: well, A01: [plain], name: mine}", "{by: channel, branches: {save: plain}, save: true}",
        "{every: {wells: ~}}", "{every: {variable_components: channel}}", "{must: {factor: 1, input: start}}",
    ],
)  # fmt: skip
def test_forms_that_the_loader_takes_pass(tmp_path, line):
    path = tmp_path / "p.yaml"
    path.write_text(
        f"hcs: 1\nselect: {{sites: '1,3-5', z: 0, wells: [A01, 2]}}\nsteps:\n- {line}\n", encoding="utf-8"
    )
    if ":function" not in line:
        assert len(Pipeline.load(path).steps) == 1
    assert [error.message for error in VALIDATOR.iter_errors(plain(path))] == []


WRONG = [
    "hcs: 2",
    "name: p",
    "hcs: 1\nstepz: []",
    "hcs: 1\nselect: {well: A01}",
    "hcs: 1\nselect: {sites: 0}",
    "hcs: 1\nselect: {sites: 5..7}",
    "hcs: 1\nselect: {z: []}",
    "hcs: 1\nselect: {wells: 1.5}",
    "hcs: 1\nselect: {channels: [false]}",
    "hcs: 1\nmissing: wait",
    "hcs: 1\nname: ''",
    "hcs: 1\nname: [a]",
    "hcs: 1\nsteps: plain",
    "hcs: 1\nsteps: [3]",
    "hcs: 1\nsteps: [~]",
    "hcs: 1\nsteps: [plane]",
    "hcs: 1\nsteps: [must]",
    "hcs: 1\nsteps: [must: {}]",
    "hcs: 1\nsteps: [{plain: {}, every: {}}]",
    "hcs: 1\nsteps: [plain: 3]",
    "hcs: 1\nsteps: [every: {cuont: 2}]",
    "hcs: 1\nsteps: [every: {count: 10}]",
    "hcs: 1\nsteps: [every: {sigma: 0}]",
    "hcs: 1\nsteps: [every: {mode: c}]",
    "hcs: 1\nsteps: [every: {name: a/b}]",
    "hcs: 1\nsteps: [every: {name: start}]",
    "hcs: 1\nsteps: [every: {save: 3}]",
    "hcs: 1\nsteps: [every: {wells: A01}]",
    "hcs: 1\nsteps: [every: {wells: A01, save: false}]",
    "hcs: 1\nsteps: [every: {input: ''}]",
    "hcs: 1\nsteps: [every: {memory: no_such_type}]",
    "hcs: 1\nsteps: [every: {variable_components: [well]}]",
    "hcs: 1\nsteps: [[]]",
    "hcs: 1\nsteps: [[plain: {save: true}]]",
    "hcs: 1\nsteps: [{chain: [plain], sigma: 1}]",
    "hcs: 1\nsteps: [{by: channel}]",
    "hcs: 1\nsteps: [{by: channel, save: true}]",
    "hcs: 1\nsteps: [{by: channels, DAPI: plain}]",
    "hcs: 1\nsteps: [{by: channel, DAPI: ~}]",
    "hcs: 1\nsteps: [{by: channel, DAPI: plain, group_by: site}]",
    "hcs: 1\nsteps: [{by: channel, DAPI: plain, branches: {GFP: plain}}]",
    "hcs: 1\nsteps: [{by: channel, branches: {}}]",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_fails_there_and_here(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    assert not VALIDATOR.is_valid(plain(path))
    # A file that fails is really wrong: the loader refuses it, or the compiler does.
    try:
        pipeline = Pipeline.load(path)
    except HcsError as error:
        assert "p.yaml, line" in str(error)  # noqa: PT017 - which of the two refuses is not the point
    else:
        plan = draft_plan(pipeline, make_plate(), GlobalPipelineConfig(), PLUGINS)
        about = {name for problem in plan.problems for name in (problem.step, problem.parameter) if name}
        assert about & {"plane", "factor", "cuont", "count", "sigma", "mode", "memory"}


def test_the_files_that_the_project_shows_pass(installed, tmp_path, monkeypatch):
    validator = Draft202012Validator(pipeline_schema(installed))
    shown = []
    for page in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))):
        blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        shown += [block for block in blocks if re.search(r"^hcs: 1", block, flags=re.MULTILINE)]
    assert len(shown) >= 2
    from hcs_core.cli.init_command import init_command

    monkeypatch.chdir(tmp_path)
    init_command.callback("begun")
    shown.append((tmp_path / "begun.yaml").read_text(encoding="utf-8"))
    for text in shown:
        path = tmp_path / "shown.yaml"
        path.write_text(text, encoding="utf-8")
        assert [error.message for error in validator.iter_errors(plain(path))] == []
