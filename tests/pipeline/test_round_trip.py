"""A pipeline comes back from its file as it was: whatever it is made of."""

import tempfile
from pathlib import Path

import attrs
import yaml
from hypothesis import given, settings, strategies as st

from hcs_core import Pipeline, Selection, Step
from hcs_core.pipeline.names import AXIS_OF, COMPONENTS, MissingData
from hcs_core.pipeline.pipeline_file import dump_pipeline
from hcs_core.pipeline.step_options import START
from hcs_core.plugins.parameter import RESERVED

ANY = ("L", "M", "N", "P", "S", "Z", "C")
ODD = [
    "\x85",
    "\u2028 a",
    "\r\n",
    "\ufeff",
    "a: b",
    "# a",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    '"',
    "'",
    "by",
    "branches",
    "chain",
    "yes",
    "NO",
    "null",
    "~",
    "1",
    "01",
    "1e3",
    "1.5",
    "2024-01-31",
    "<<",
    "=",
    "-",
    "?",
    "a b",
    " a",
]
TEXTS = st.one_of(st.text(st.characters(categories=ANY), min_size=1, max_size=12), st.sampled_from(ODD))
OPERATIONS = st.one_of(st.sampled_from(["blur", "tophat", *ODD, *RESERVED]), TEXTS).filter(
    lambda text: not set(text) & set(":/\\\0") and text not in {".", "..", START}
)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False))
VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.just(""), st.lists(NUMBERS, max_size=3))
PARAMETERS = st.dictionaries(TEXTS.filter(lambda name: name not in RESERVED), VALUES, max_size=3)
CALLS = st.one_of(OPERATIONS, st.tuples(OPERATIONS, PARAMETERS))
CHAINS = st.lists(CALLS, min_size=1, max_size=3)
KEYS = st.one_of(TEXTS, st.sampled_from(RESERVED), st.integers(0, 99).map(str))
PATTERNS = st.one_of(CALLS, CHAINS, st.dictionaries(KEYS, st.one_of(CALLS, CHAINS), min_size=1, max_size=3))
NAMES = TEXTS.filter(lambda name: not set(name) & set("/\\\0") and name not in {".", "..", START})
WELLS = st.one_of(TEXTS, st.integers())
FILTERS = st.none() | WELLS | st.lists(WELLS, min_size=1, max_size=3)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "input": st.none() | TEXTS | st.just(START),
        "save": st.booleans(),
        "wells": FILTERS,
        "memory": TEXTS,
        "device": TEXTS,
        "enabled": st.booleans(),
        "group_by": st.sampled_from(COMPONENTS),
        "variable_components": st.lists(st.sampled_from(list(AXIS_OF)), unique=True),
    },
)


def step_of(pattern, options):
    """A step of these options, as far as they go together."""
    kept = options if options.get("save") else {name: value for name, value in options.items() if name != "wells"}
    return Step(pattern, **kept)


STEPS = st.builds(step_of, PATTERNS, OPTIONS)
COUNTS = st.lists(st.integers(1, 1_000_000), min_size=1, max_size=3)
SELECTIONS = st.builds(
    Selection,
    wells=FILTERS,
    channels=st.none() | st.lists(WELLS, min_size=1, max_size=3),
    sites=st.none() | COUNTS,
    z=st.none() | COUNTS | st.just([0]),
    timepoints=st.none() | COUNTS,
)
PIPELINES = st.builds(
    Pipeline, TEXTS, st.lists(STEPS, max_size=4), select=SELECTIONS, missing=st.none() | st.sampled_from(MissingData)
)


def again(pipeline):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        pipeline.save(path)
        return Pipeline.load(path)


def types_of(pipeline):
    """The types of all parameters: 1, 1.0 and True are equal, and are not the same."""
    return [
        [
            (type(value), [type(item) for item in value] if isinstance(value, tuple) else None)
            for _, value in call.parameters
        ]
        for step in pipeline.steps
        for branch in step.branches
        for call in branch.calls
    ]


@settings(max_examples=120)
@given(PIPELINES)
def test_what_is_loaded_is_what_was_saved(pipeline):
    found = again(pipeline)
    assert found == pipeline
    assert types_of(found) == types_of(pipeline)
    assert dump_pipeline(found) == dump_pipeline(pipeline)


@given(PIPELINES)
def test_a_file_says_nothing_that_is_the_default(pipeline):
    content = yaml.safe_load(dump_pipeline(pipeline))
    assert set(content) <= {"hcs", "name", "select", "missing", "steps"}
    assert ("missing" in content) == (pipeline.missing is not None)
    said = {field for field, value in attrs.asdict(pipeline.select).items() if value is not None}
    assert len(content.get("select", {})) == len(said)


def test_names_that_a_pipeline_gave_come_back():
    pipeline = Pipeline("p", [Step("a"), Step("a"), Step("a", name="a_2"), Step({"x": "a"}), Step(["a", "a"])])
    assert [step.name for step in again(pipeline).steps] == [step.name for step in pipeline.steps]
    assert len({step.name for step in pipeline.steps}) == 5
