"""A plan is a thing: plain data, small, the same in every process, and made without touching what it is made of."""

import copy
import json
import os
import pickle
import shutil
import subprocess
import sys

import attrs
import numpy as np
import pytest
from hypothesis import given as property_of, settings, strategies as st

from hcs_core import GlobalPipelineConfig, Pipeline, PluginManager, Selection, Step, ZarrConfig, step_function
from hcs_core.compiler.compiling import draft_plan
from hcs_core.testing.plates import make_plate

STEPS = (
    Step("gaussian_blur", sigma=1.5, save=True),
    Step("max_projection"),
    Step({"DAPI": [("white_tophat", {"radius": 3}), "percentile_normalize"]}),
    Step("composite"),
)
COMPONENTS = {"z_indexes": (1, 2), "sites": (1, 2)}
WELLS_1536 = tuple(f"{row}{column:02d}" for row in [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "AA", "AB", "AC", "AD", "AE", "AF"]
                   for column in range(1, 49))  # fmt: skip


def test_it_is_plain_data_that_comes_back_from_json_as_it_was(draft):
    flat = np.ones((64, 48))
    plan = draft(*STEPS[:3], Step("flat_field", profile=flat), **COMPONENTS)
    assert plan.problems == ()
    document = plan.to_json()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["digest"] == plan.digest
    assert [node["operation"] for node in document["nodes"]][:2] == ["gaussian_blur", "max_projection"]
    assert dict(document["nodes"][0]["parameters"]) == {"sigma": 1.5}
    given = dict(document["nodes"][-1]["parameters"])["profile"]
    assert set(given) == {"digest", "source"}
    assert {key for key in document if key not in {field.name for field in attrs.fields(type(plan))}} == {"digest"}


def test_no_folder_is_in_it(draft):
    text = json.dumps(draft(*STEPS, root="/somewhere/of/mine", **COMPONENTS).to_json())
    assert "/somewhere" not in text


def test_a_function_of_one_s_own_is_told_by_name_and_version(draft):
    @step_function(version="7")
    def mine(image):
        return image

    (node,) = draft(Step(mine)).to_json()["nodes"]
    assert (node["operation"], node["version"]) == ("mine", "7")
    assert "function" not in node


def test_it_takes_under_200_bytes_a_well_and_holds_no_inventory(draft):
    assert len(WELLS_1536) == len(set(WELLS_1536)) == 1536
    plan = draft(*STEPS, wells=WELLS_1536, channels=("DAPI", "GFP", "Cy5"), z_indexes=(1, 2, 3), sites=(1, 2))
    pickled = pickle.dumps(plan)
    assert len(pickled) / 1536 < 200
    assert b"made_up.tif" not in pickled
    assert b"A01_s1_w1" not in pickled
    # All of it, spread over the wells of a plate on which no two are alike.
    without = [(well, 1, 1 + number % 3, 1, 1) for number, well in enumerate(WELLS_1536[::2])]
    ragged = draft(*STEPS[:2], wells=WELLS_1536, channels=("DAPI", "GFP", "Cy5"), sites=(1, 2), without=without)
    assert len(pickle.dumps(ragged)) / 1536 < 200


def test_a_notebook_shows_it_with_nothing_unescaped(draft):
    plan = draft(*STEPS, name="<b>plate</b>", channels=("DAPI", "<i>"), **COMPONENTS)
    html = plan._repr_html_()
    assert "<b>plate" not in html
    assert "&lt;b&gt;plate" in html
    for words in ("gaussian_blur/numpy(sigma=1.5)", "images.zarr", "not there yet", "Needs"):
        assert words in html
    wrong = draft(Step("gausian_blur"))
    assert "no operation is called &#x27;gausian_blur&#x27;" in wrong._repr_html_()


PROGRAM = """
import sys
from hcs_core import Pipeline, PipelineOrchestrator, Selection, Step, step_function

@step_function()
def own(image, *, gain: float = 2.0):
    names = {"alpha", "beta", "gamma"}
    return image if "alpha" in names else image * gain

dapi = {"DAPI": ("white_tophat", {"radius": 3})}
steps = [Step("gaussian_blur", sigma=1.5, save=True), Step(own), Step(dapi), Step("max_projection")]
orchestrator = PipelineOrchestrator(sys.argv[1])
orchestrator.initialize()
plan = orchestrator.plan(Pipeline("p", steps))
print(plan.digest, plan.content_key)
"""


def test_one_digest_in_every_process_folder_and_hash_seed_and_wherever_the_plate_lies(make_plate, tmp_path):
    here = make_plate()
    there = tmp_path / "moved" / here.name
    shutil.copytree(here, there)
    said = set()
    for seed, plate, folder in (("0", here, tmp_path), ("4711", there, tmp_path / "moved")):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(plate)],
            capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
    assert len(said) == 1


FLAT = np.linspace(0.5, 1.5, 64 * 48).reshape(64, 48)
CALLS = st.sampled_from([
    "max_projection", "composite", "percentile_normalize", "nonsense", ("gaussian_blur", {"sigma": 1.5}),
    ("gaussian_blur", {"sigma": -1}), ("white_tophat", {"radius": 3}), ("composite", {"weights": [0.5, 0.5]}),
    ("flat_field", {"profile": FLAT}),
])  # fmt: skip
CHAINS = st.lists(CALLS, min_size=1, max_size=3)
BRANCHES = st.dictionaries(
    st.sampled_from(["DAPI", "GFP", "1", "2", "A01", "nobody"]), CHAINS, min_size=1, max_size=2
)
STEP = st.builds(
    lambda pattern, options: Step(pattern, **options),
    st.one_of(CALLS, CHAINS, BRANCHES),
    st.fixed_dictionaries(
        {},
        optional={
            "save": st.booleans(),
            "enabled": st.booleans(),
            "group_by": st.sampled_from(["channel", "well", "site", "z_index"]),
            "memory": st.sampled_from(["numpy", "torch"]),
            "variable_components": st.sampled_from([["timepoint"], ["channel"], ["z_index"]]),
        },
    ),
)
SELECT = st.builds(
    Selection,
    wells=st.sampled_from([None, "A01", "H12", ["A01", "A02"], 1]),
    channels=st.sampled_from([None, ["DAPI"], ["nobody"]]),
    z=st.sampled_from([None, [1], [9]]),
)
CONFIG = st.builds(
    lambda zarr, limit: GlobalPipelineConfig(zarr=zarr, memory_limit=limit),
    st.builds(ZarrConfig, chunk_strategy=st.sampled_from(["plane", "single", "tiled"])),
    st.sampled_from([None, "1K", "1G"]),
)


@pytest.fixture(scope="module")
def everything():
    manager = PluginManager()
    manager.discover()
    return manager


def seen(pipeline, plate, config, plugins):
    """All that can be seen of what a plan is made of, down to the pixels of given images."""
    images = [
        value.pixels.tobytes()
        for step in pipeline.steps
        for call in step.calls
        for _, value in call.parameters
        if hasattr(value, "pixels")
    ]
    columns = {
        name: getattr(plate.planes, name).tobytes() for name in ("well", "site", "channel", "z_index", "state")
    }
    records = [(record.to_json(), record.status) for record in plugins.records()]
    return repr(pipeline), images, plate.digest(), columns, plate.root, repr(config), records


@settings(max_examples=80)
@property_of(steps=st.lists(STEP, max_size=4), select=SELECT, config=CONFIG)
def test_the_user_s_objects_are_never_changed(everything, steps, select, config):
    pipeline = Pipeline("any", steps, select=select)
    plate = make_plate(z_indexes=(1, 2))
    before, as_it_was = seen(pipeline, plate, config, everything), copy.deepcopy((pipeline, config))
    plan = draft_plan(pipeline, plate, config, everything)
    assert seen(pipeline, plate, config, everything) == before
    assert (pipeline, config) == as_it_was
    # The same again, and a plan that is data whatever is wrong with it.
    again = draft_plan(pipeline, plate, config, everything)
    assert (again, again.digest) == (plan, plan.digest)
    assert pickle.loads(pickle.dumps(plan)) == plan  # noqa: S301 - written in this line
    json.dumps(plan.to_json())
    assert plan._repr_html_().startswith("<div")
