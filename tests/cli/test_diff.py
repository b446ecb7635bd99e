"""`hcs diff`: what changes from one plan to another, told against pipelines whose difference is known."""

from __future__ import annotations

import json
import shutil

import attrs
import numpy as np
import pytest
from click.testing import CliRunner

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Selection, Step, ZarrConfig, step_function
from hcs_core.cli.application import hcs
from hcs_core.compiler.compiling import compile_plan
from hcs_core.compiler.views.difference import plan_difference
from hcs_core.testing.plates import make_plate as made_up

BLUR, PROJECT, COMPOSITE = (
    Step("gaussian_blur", sigma=1.5, save=True),
    Step("max_projection", save=True),
    Step("composite"),
)
STEPS = [BLUR, PROJECT, COMPOSITE]
IMAGES = "images.zarr"


@pytest.fixture
def document(installed):
    def make(*steps, select=None, config=None, name="p", **components):
        plate = made_up(**{"z_indexes": (1, 2), **components})
        plan = compile_plan(Pipeline(name, steps, select=select), plate, config or GlobalPipelineConfig(), installed)
        return json.loads(json.dumps(plan.to_json()))

    return make


def changes(found):
    return [(change.place, change.what, change.before, change.after) for change in found.changes]


def touched(found):
    return {item.store: item.why for item in found.touched}


def test_the_same_is_the_same_on_any_machine_and_whatever_is_there(document):
    config = GlobalPipelineConfig(num_workers=2, memory_limit="1G", use_threading=True)
    found = plan_difference(document(*STEPS), document(*STEPS, config=config))
    assert found.same
    assert found == plan_difference(document(*STEPS), document(*STEPS))


def test_a_parameter_touches_what_comes_after_it_and_nothing_else(document):
    before = document(BLUR, PROJECT, Step("percentile_normalize", high=99.0))
    found = plan_difference(before, document(BLUR, PROJECT, Step("percentile_normalize", high=98.0)))
    assert changes(found) == [("step 'percentile_normalize'", "percentile_normalize: high", "99", "98")]
    assert touched(found) == {IMAGES: ("percentile_normalize",)}
    first = plan_difference(
        before,
        document(Step("gaussian_blur", sigma=2.0, save=True), PROJECT, Step("percentile_normalize", high=99.0)),
    )
    assert changes(first) == [("step 'gaussian_blur'", "gaussian_blur: sigma", "1.5", "2")]
    assert set(touched(first)) == {"gaussian_blur.zarr", "max_projection.zarr", IMAGES}


def test_an_estimate_that_an_output_keeps_is_no_change(document):
    def normalized(high):
        return document(Step("percentile_normalize", limits="plate", high=high))

    before, after = {**normalized(99.0), "estimated": ["the key of a reduction"]}, normalized(98.0)
    assert before["estimated"] != after["estimated"] == []
    assert changes(plan_difference(before, after)) == [
        ("step 'percentile_normalize'", "percentile_normalize: high", "99", "98")
    ]


def test_a_branch_of_one_channel_touches_its_output(document):
    one, two = (Step({"GFP": ("gaussian_blur", {"sigma": sigma})}, save=True) for sigma in (1.0, 2.0))
    found = plan_difference(document(PROJECT, one, COMPOSITE), document(PROJECT, two, COMPOSITE))
    assert touched(found) == {"gaussian_blur.zarr": ("gaussian_blur",), IMAGES: ("gaussian_blur",)}


def test_steps_that_are_added_removed_and_moved(document):
    plain = document(BLUR, PROJECT)
    added = plan_difference(plain, document(BLUR, PROJECT, COMPOSITE))
    assert ("step 'composite'", "added", "", "composite(weights=[])") in changes(added)
    assert touched(added)[IMAGES] == ("composite", "how it is stored")
    assert set(touched(added)) == {IMAGES}
    removed = plan_difference(document(BLUR, PROJECT, COMPOSITE), plain)
    assert ("step 'composite'", "removed", "composite(weights=[])", "") in changes(removed)
    tophat = Step("white_tophat", radius=3)
    moved = plan_difference(document(tophat, PROJECT), document(PROJECT, tophat))
    assert ("plan", "order of steps", "white_tophat, max_projection", "max_projection, white_tophat") in changes(
        moved
    )
    assert IMAGES in touched(moved)


def test_outputs_of_one_of_them_only(document):
    found = plan_difference(document(BLUR, PROJECT), document(Step("gaussian_blur", sigma=1.5), PROJECT))
    assert (found.removed_stores, found.added_stores, found.touched) == (("gaussian_blur.zarr",), (), ())


def test_how_it_is_stored(document):
    other = GlobalPipelineConfig(zarr=ZarrConfig(compressor="lz4", chunk_strategy="single"))
    found = plan_difference(document(COMPOSITE), document(COMPOSITE, config=other))
    said = {what: (before, after) for _, what, before, after in changes(found)}
    assert said["compression codec"] == ("zstd", "lz4")
    assert said["chunk"] == ("[1, 1, 1, 64, 48]", "[1, 1, 2, 64, 48]")
    assert touched(found) == {IMAGES: ("how it is stored",)}


def test_wells_and_the_rest_of_a_selection(document):
    wells = plan_difference(document(COMPOSITE), document(COMPOSITE, select=Selection(wells="A01")))
    assert (wells.removed_wells, wells.added_wells, wells.touched) == (("A02",), (), ())
    slices = plan_difference(document(PROJECT), document(PROJECT, select=Selection(z=(1,))))
    assert (
        "plan",
        "input",
        "DAPI, GFP: z [1, 2], t [1], 64x48 uint16",
        "DAPI, GFP: z [1], t [1], 64x48 uint16",
    ) in changes(slices)
    assert set(touched(slices)) == {"max_projection.zarr", IMAGES}
    sites = plan_difference(
        document(PROJECT, sites=(1, 2)), document(PROJECT, sites=(1, 2), select=Selection(sites=(2,)))
    )
    assert ("well A01", "sites", "[1, 2]", "[2]") in changes(sites)


def test_versions_and_memory_types(document, installed):
    def version(number):
        @step_function(version=number)
        def mine(image):
            return image

        return mine

    found = plan_difference(document(Step(version("1"))), document(Step(version("2"))))
    assert changes(found) == [("step 'mine'", "mine: version", "1", "2")]
    assert touched(found) == {IMAGES: ("mine",)}


def test_an_image_is_told_by_its_content(document):
    one, other = (document(Step("flat_field", profile=np.full((64, 48), value))) for value in (1.0, 2.0))
    ((place, what, _, _),) = changes(plan_difference(one, other))
    assert (place, what) == ("step 'flat_field'", "flat_field: profile")


def test_a_plate_that_has_changed_touches_everything(document):
    found = plan_difference(document(BLUR), document(BLUR, pixel_size_um=0.7))
    assert {"inventory digest", "input"} & {what for _, what, _, _ in changes(found)}
    assert all("the plate" in why for why in touched(found).values())
    assert set(touched(found)) == {"gaussian_blur.zarr", IMAGES}


def test_fields_that_only_one_of_them_has_are_told(document):
    newer = document(BLUR) | {"digest": "0" * 64, "something_new": ["a"]}
    newer["nodes"][0]["another_thing"] = 3
    found = plan_difference(document(BLUR), newer)
    assert changes(found) == [
        ("plan", "something new", "none", "[a]"),
        ("step 'gaussian_blur'", "gaussian_blur: another thing", "none", "3"),
    ]


@attrs.frozen
class Ran:
    """What a call of `hcs diff` has printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments):
    ran = CliRunner().invoke(hcs, ["diff", *map(str, arguments)], standalone_mode=False)
    assert ran.exception is None
    return Ran(ran.return_value, ran.stdout, ran.stderr)


def test_on_the_command_line(make_plate, installed, tmp_path):
    plate = make_plate(wells=("A01",))
    config = GlobalPipelineConfig(num_workers=1)
    outs = []
    for sigma in (1.0, 2.0):
        outs.append(tmp_path / f"out_{sigma:g}")
        orchestrator = PipelineOrchestrator(plate, global_config=config, plugins=installed, output=outs[-1])
        orchestrator.run([Pipeline("p", [Step("gaussian_blur", sigma=sigma), Step("max_projection")])])
    ran = call(*outs)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "gaussian_blur: sigma" in ran.stdout
    assert "images.zarr: gaussian_blur" in ran.stdout
    said = json.loads(call(outs[0], outs[1] / "plan.json", "--json").stdout)
    assert said["same"] is False
    assert said["touched"] == [{"store": "images.zarr", "why": ["gaussian_blur"]}]
    shutil.copy(outs[0] / "plan.json", tmp_path / "copy.json")
    same = call(outs[0], tmp_path / "copy.json")
    assert (same.returncode, same.stdout) == (0, "The plans are the same.\n")
    # A pipeline file is compiled for a plate.
    pipeline = call(outs[0], outs[1] / "pipeline.yaml", "--plate", plate)
    assert pipeline.returncode == 1
    assert "gaussian_blur: sigma" in pipeline.stdout
    assert call(outs[1], outs[1] / "pipeline.yaml", "--plate", plate).returncode == 0


def test_what_is_no_plan_is_trouble_with_a_code_of_its_own(tmp_path):
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "torn.json").write_text('{"digest": ')
    (tmp_path / "p.yaml").write_text("hcs: 1\nname: p\nsteps: []\n")
    for name, words in (
        ("nowhere", "nowhere cannot be read as a plan"),
        ("empty.json", "is no plan"),
        ("torn.json", "cannot be read as a plan"),
        ("p.yaml", "say with --plate for which plate"),
        (".", "plan.json cannot be read as a plan"),
    ):
        ran = call(tmp_path / name, tmp_path / name)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert words in ran.stderr
        assert "Traceback" not in ran.stderr


def test_people_are_shown_lines_that_they_can_read_and_programs_the_whole(document, tmp_path):
    measured = step_function(out="", makes={name * 9: "table" for name in "abcdefgh"})(lambda image: image)
    for name, steps in (("a", [Step(measured, name="m"), PROJECT]), ("b", [PROJECT])):
        (tmp_path / f"{name}.json").write_text(json.dumps(document(*steps)))
    files = [str(tmp_path / f"{name}.json") for name in "ab"]
    text = CliRunner().invoke(hcs, ["diff", *files]).stdout
    assert max(map(len, text.splitlines())) < 200
    assert "..." in text
    whole = json.dumps(json.loads(CliRunner().invoke(hcs, ["diff", *files, "--json"]).stdout))
    assert all(name * 9 in whole for name in "abcdefgh")
