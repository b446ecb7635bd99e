"""Pipeline files: what people write, and what is wrong in it, with its line."""

import os
import sys
from types import ModuleType

import pytest

from hcs_core import Pipeline, PipelineError, Selection, Step, step_function


@pytest.fixture
def load(tmp_path):
    def run(text):
        path = tmp_path / "mine.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return Pipeline.load(path)

    return run


@pytest.fixture
def module(monkeypatch):
    """A module with a function of a user's."""
    made = ModuleType("made_up_steps")

    @step_function()
    def sharpen(image, *, amount: float = 1.0):
        return image

    sharpen.__module__, sharpen.__qualname__ = made.__name__, "sharpen"
    made.sharpen, made.number = sharpen, 3
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def test_the_file_of_the_interface(load):
    text = """
hcs: 1
name: nuclei
select: {wells: "B02:G11", channels: [DAPI, GFP]}
missing: error
steps:
  - flat_field: {}
  - max_projection
  - by: channel
    DAPI: [gaussian_blur: {sigma: 1.0}, white_tophat]
    GFP: gaussian_blur
  - positions: {channel: DAPI}
  - stitch
"""
    assert load(text) == Pipeline(
        "nuclei",
        [
            Step("flat_field"),
            Step("max_projection"),
            Step({"DAPI": [("gaussian_blur", {"sigma": 1.0}), "white_tophat"], "GFP": "gaussian_blur"}),
            Step("positions", channel="DAPI"),
            Step("stitch"),
        ],
        select=Selection(wells="B02:G11", channels=("DAPI", "GFP")),
        missing="error",
    )


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("blur", Step("blur")),
        ("blur:", Step("blur")),
        ("blur: {}", Step("blur")),
        ("blur: {sigma: 1.5, listed: [1, 2.5], word: 'yes', flag: yes, none: ~}",
         Step("blur", sigma=1.5, listed=(1, 2.5), word="yes", flag=True, none=None)),
        ("blur: {sigma: 1, name: smooth, save: true, memory: torch, enabled: false}",
         Step("blur", sigma=1, name="smooth", save=True, memory="torch", enabled=False)),
        ("blur: {input: start, save: true, wells: 'A01:A03', device: 'cuda:0'}",
         Step("blur", input="start", save=True, wells="A01:A03", device="cuda:0")),
        ("{by: channel, DAPI: blur, input: p1/mips, save: true, wells: [A01, 2]}",
         Step({"DAPI": "blur"}, input="p1/mips", save=True, wells=("A01", 2))),
        ("{chain: [blur], input: other}", Step(["blur"], input="other")),
        ("start: {name: begin}", Step("start", name="begin")),
        ("[blur, tophat: {radius: 3}]", Step(["blur", ("tophat", {"radius": 3})])),
        ("{chain: [blur, tophat: {radius: 3}], save: true, name: both}",
         Step(["blur", ("tophat", {"radius": 3})], save=True, name="both")),
        ("chain: {radius: 3}", Step("chain", radius=3)),
        ("chain", Step("chain")),
        ("by: {radius: 3}", Step("by", radius=3)),
        ("{by: channel, DAPI: blur, save: true}", Step({"DAPI": "blur"}, save=True)),
        ("{by: channel, branches: {DAPI: blur, save: [a, b]}, save: true}",
         Step({"DAPI": "blur", "save": ["a", "b"]}, save=True)),
        ("{by: channel, 1: blur, NO: blur, on: blur, ~: blur, 1e3: blur}",
         Step(dict.fromkeys(("1", "NO", "on", "~", "1e3"), "blur"))),
        ("{by: channel, '': blur}", None),
    ],
)  # fmt: skip
def test_steps(load, line, step):
    text = f"hcs: 1\nname: p\nsteps:\n- {line}\n"
    if step is None:
        with pytest.raises(PipelineError, match="line 4"):
            load(text)
    else:
        assert load(text) == Pipeline("p", [step])


@pytest.mark.parametrize(
    ("select", "selection"),
    [
        ("{wells: A01}", Selection(wells="A01")),
        ("{wells: 3}", Selection(wells=3)),
        ("{wells: [A01, 2, ~B01]}", None),
        ("{wells: [A01, 2, '~B01']}", Selection(wells=("A01", 2, "~B01"))),
        ("{channels: DAPI}", Selection(channels=("DAPI",))),
        ("{channels: [1, GFP]}", Selection(channels=(1, "GFP"))),
        ("{sites: 2}", Selection(sites=(2,))),
        ("{sites: '1,3-5'}", Selection(sites=(1, 3, 4, 5))),
        ("{sites: 1-3}", Selection(sites=(1, 2, 3))),
        ("{z: 0}", Selection(z=(0,))),
        ("{z: [1, 3], time: [2]}", Selection(z=(1, 3), timepoints=(2,))),
        ("{}", Selection()),
        ("", Selection()),
        ("{wells: ~}", Selection()),
    ],
)
def test_selections(load, select, selection):
    text = f"hcs: 1\nname: p\nselect: {select}\n"
    if selection is None:
        assert load(text).select == Selection(wells=("A01", 2, "~B01"))
    else:
        assert load(text).select == selection


def test_what_is_left_out_is_the_default(load):
    assert load("hcs: 1\n") == Pipeline("mine")
    assert load("hcs: 1\nsteps:\n") == Pipeline("mine")
    assert load("\ufeffhcs: 1\n") == Pipeline("mine")
    assert load("hcs: 1\nname: 2024-01-31\n").name == "2024-01-31"
    assert load("hcs: 1\r\nname: 7\r\n").name == "7"


def test_anchors_and_merges_are_written_out(load):
    text = """
hcs: 1
name: p
steps:
  - blur: &given {sigma: 1.0, mode: a}
  - blur: *given
  - blur: {<<: *given, sigma: 2.0}
  - blur: {<<: [*given, {mode: b, order: 3}]}
"""
    assert load(text) == Pipeline(
        "p",
        [
            Step("blur", sigma=1.0, mode="a"),
            Step("blur", sigma=1.0, mode="a"),
            Step("blur", sigma=2.0, mode="a"),
            Step("blur", sigma=1.0, mode="a", order=3),
        ],
    )


HEAD = "hcs: 1\nname: p\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "a pipeline file must be a mapping with hcs, name, select, missing, steps"),
        ("# only a remark\n", 1, "must be a mapping"),
        ("- blur\n", 1, "must be a mapping"),
        ("name: p\n", 1, "the file must say `hcs: 1`"),
        ("name: p\nhcs: 2\n", 2, "the file must say `hcs: 1`"),
        ("hcs: true\n", 1, "the file must say `hcs: 1`"),
        (HEAD + "stepz:\n\n  - blur\n", 3, "unknown key 'stepz'. Did you mean 'steps'?"),
        (HEAD + "select: {well: A01}\n", 3, "unknown key 'well'. Did you mean 'wells'?"),
        (HEAD + "select:\n  wells: A01\n  chanels: [A]\n", 5, "unknown key 'chanels'. Did you mean 'channels'?"),
        (HEAD + "select: A01\n", 3, "select must be a mapping"),
        (HEAD + "select: {sites: 5-3}\n", 3, "select, sites: '5-3': expected numbers such as 1,3-5"),
        (HEAD + "select: {sites: {1: 2}}\n", 3, "select, sites:"),
        (HEAD + "select: {sites: 0}\n", 3, "select, sites: sites=(0,): expected whole numbers from 1 on"),
        (HEAD + "select: {z: []}\n", 3, "select, z:"),
        (HEAD + "select: {z: 1-99999999}\n", 3, "select, z:"),
        (HEAD + "select: {sites: 1.5}\n", 3, "select, sites: 1.5: expected numbers"),
        (HEAD + "select: {sites: true}\n", 3, "select, sites:"),
        (HEAD + "select: {channels: [NO]}\n", 3, "select, channels: channels=[False]"),
        (HEAD + "select: {wells: {A: 1}}\n", 3, "select, wells:"),
        (HEAD + "select: {wells: 1.5}\n", 3, "select, wells:"),
        (HEAD + "select: {wells: []}\n", 3, "select, wells:"),
        (HEAD + "missing: wait\n", 3, "missing: 'wait': expected error"),
        (HEAD + "missing: [error]\n", 3, "missing: ['error']"),
        ("hcs: 1\nname: [a]\n", 2, "`name` must be a text"),
        ("hcs: 1\nname:\n", 2, "`name` must be a text"),
        (HEAD + "steps: blur\n", 3, "`steps` must be a list"),
        (HEAD + "steps: {blur: {}}\n", 3, "`steps` must be a list"),
        (HEAD + "steps:\n- blur\n- 3\n", 5, "a step is `- operation`"),
        (HEAD + "steps:\n- blur\n- \n", 5, "a step is `- operation`"),
        (HEAD + "steps:\n- blur\n- {blur: {}, tophat: {}}\n", 5, "a step is `- operation`"),
        (HEAD + "steps:\n- blur: 3\n", 4, "a step is `- operation`"),
        (HEAD + "steps:\n- blur: [1]\n", 4, "a step is `- operation`"),
        (HEAD + "steps:\n- []\n", 4, "an empty list"),
        (HEAD + "steps:\n- [blur,\n   3]\n", 5, "a step is `- operation`"),
        (HEAD + "steps:\n- blur: {sigma: {}}\n", 4, "the parameter 'sigma' is {}"),
        (HEAD + "steps:\n- blur: {sigma: .nan}\n", 4, "the parameter 'sigma' is nan"),
        (HEAD + "steps:\n- blur: {sigma: 2024-01-31}\n", 4, "the parameter 'sigma' is"),
        (HEAD + "steps:\n- blur: {sigma: 2024-13-45}\n", 4, "cannot be read as the value that it looks like"),
        (HEAD + "steps:\n- blur: {sigma: 0b_}\n", 4, "'0b_' cannot be read"),
        (HEAD + "steps:\n- blur: {wells: A01}\n", 4, "write save=True with it, or leave wells out"),
        (HEAD + "steps:\n- blur: {wells: [], save: true}\n", 4, "wells=[]: expected names or numbers"),
        (HEAD + "steps:\n- blur: {input: 3}\n", 4, "input=3: expected a step's name, or 'start'"),
        (HEAD + "steps:\n- blur: {device: [cpu]}\n", 4, "device=['cpu']: expected a device"),
        (HEAD + "steps:\n- blur\n- blur: {name: start}\n", 5, "a step cannot be called 'start'"),
        (HEAD + "steps:\n- start\n", 4, "a step cannot be called 'start'"),
        (HEAD + "steps:\n- by: channel\n  group_by: site\n  DAPI: blur\n", 5, "leave group_by out"),
        (HEAD + "steps:\n- chain: [blur]\n  inptu: start\n", 5, "unknown key 'inptu'. Did you mean 'input'?"),
        (HEAD + "steps:\n- blur: {save: 3}\n", 4, "save=3: expected true or false"),
        (HEAD + "steps:\n- blur: {name: a/b}\n", 4, "name='a/b'"),
        (HEAD + "steps:\n- by: sites\n  1: blur\n", 4, "group_by='sites'"),
        (HEAD + "steps:\n- by: channel\n", 4, "an empty dict"),
        (HEAD + "steps:\n- by: channel\n  DAPI:\n", 5, "a step is `- operation`"),
        (HEAD + "steps:\n- by: channel\n  branches: blur\n", 5, "`branches` holds all entries"),
        (HEAD + "steps:\n- by: channel\n  DAPI: blur\n  branches: {GFP: blur}\n", 6, "`branches` holds all entries"),
        (HEAD + "steps:\n- chain: [blur]\n  saev: true\n", 5, "unknown key 'saev'. Did you mean 'save'?"),
        (HEAD + "steps:\n- chain: [blur]\n  sigma: 1\n", 5, "parameters belong to its operations"),
        (HEAD + "steps:\n- [blur: {save: true}]\n", 4, "'save' is one of Step's own words"),
        (HEAD + "name: q\n", 3, "the key 'name' stands here twice"),
        (HEAD + "steps:\n- blur: {sigma: 1,\n    sigma: 2}\n", 5, "the key 'sigma' stands here twice"),
        (HEAD + "? [a, b]\n: c\n", 3, "a key is a list or a mapping"),
        (HEAD + "steps: [blur\n", 4, "this is not YAML"),
        (HEAD + "steps:\n\t- blur\n", 4, "this is not YAML"),
        (HEAD + "name: a\x07b\n", 3, "this is not YAML"),
        (HEAD + "steps:\n- blur: *given\n", 4, "this is not YAML"),
        (HEAD + "---\nhcs: 1\n", 3, "this is not YAML"),
        (HEAD + "steps: !!python/object/apply:os.system [ls]\n", 3, "means nothing here: leave it out"),
        (HEAD + "missing: !!python/name:os.system\n", 3, "this is not YAML"),
        (HEAD + "steps: &all\n- blur: {sigma: *all}\n", 3, "an anchor here holds itself"),
        (HEAD + "steps:\n- blur: {<<: 3}\n", 4, "`<<` takes a mapping"),
        (HEAD + "steps:\n- nowhere_at_all:blur\n", 4, "the function 'nowhere_at_all:blur' cannot be imported"),
        (HEAD + "steps:\n- os:blur\n", 4, "the function 'os:blur' cannot be imported"),
        (HEAD + "steps:\n- ':blur'\n", 4, "the function ':blur' cannot be imported"),
        (HEAD + "steps:\n- 'os:'\n", 4, "the function 'os:' cannot be imported"),
        (HEAD + "steps:\n- blur\n- made_up_steps:number\n", 5, "a step runs 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_with_file_and_line(load, module, text, line, words):
    with pytest.raises(PipelineError) as caught:
        load(text)
    said = str(caught.value)
    assert f"mine.yaml, line {line}: " in said
    assert words in said
    assert "\n" not in said
    assert said.endswith(".")
    assert "Located" not in said


def test_a_file_that_is_not_text(load):
    with pytest.raises(PipelineError, match=r"mine\.yaml cannot be read as UTF-8 text .*save it as UTF-8"):
        load("hcs: 1\nname: Zürich\n".encode("latin-1"))
    with pytest.raises(PipelineError, match=r"mine\.yaml"):
        load(b"\x89PNG\r\n\x1a\n\x00\x00")


def test_files_that_are_none(tmp_path):
    with pytest.raises(PipelineError, match="does not exist: write one with `hcs init`"):
        Pipeline.load(tmp_path / "absent.yaml")
    with pytest.raises(PipelineError, match="cannot be read as UTF-8 text"):
        Pipeline.load(tmp_path)


def test_a_file_that_is_nested_too_deeply(load):
    with pytest.raises(PipelineError, match="nested too deeply"):
        load("hcs: 1\nsteps: " + "[" * 1_200)


def test_many_uses_of_an_anchor_are_read_once(load):
    lines = ["hcs: 1", "name: p", "steps:", "- blur: {a0: &a0 [1, 1]}"]
    lines += [f"- blur: {{a: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 5)]
    with pytest.raises(PipelineError, match="line 5: the parameter 'a' is"):
        load("\n".join(lines))


def test_a_function_of_a_module(load, module, tmp_path):
    pipeline = load(HEAD + "steps:\n- made_up_steps:sharpen: {amount: 2.0}\n- [made_up_steps:sharpen, blur]\n")
    assert pipeline == Pipeline("p", [Step(module.sharpen, amount=2.0), Step([module.sharpen, "blur"])])
    pipeline.save(tmp_path / "again.yaml")
    assert Pipeline.load(tmp_path / "again.yaml") == pipeline


def test_what_a_file_cannot_hold_is_an_error(module, tmp_path, monkeypatch):
    def local(image):
        return image

    class Called:
        def __call__(self, image):
            return image

    replaced = module.sharpen
    monkeypatch.setattr(module, "sharpen", local)
    for function in (local, lambda image: image, Called(), replaced):
        with pytest.raises(PipelineError, match=r"cannot be imported by name.*move it into a module"):
            Pipeline("p", [Step([function, "blur"])]).save(tmp_path / "file.yaml")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(PipelineError, match=r"cannot be written .*give another path"):
        Pipeline("p").save(tmp_path / "absent" / "file.yaml")


def test_a_written_file_has_no_carriage_returns_and_no_aliases(tmp_path):
    step = Step("blur", sizes=[1.0, 2.0], word="two\nlines")
    path = tmp_path / "file.yaml"
    Pipeline("p", [step, step]).save(path)
    text = path.read_bytes().decode()
    assert "\r" not in text
    assert "&" not in text
    assert os.linesep in text or os.linesep != "\n"
    assert Pipeline.load(path) == Pipeline("p", [step, step])
