"""What `hcs run` says: what it estimates meanwhile, and at the end what it made and where that lies."""

from __future__ import annotations

import csv
import sys

import pytest

from hcs_core import Estimating, PluginManager, hookimpl

MODULE = """
from hcs_core import step_function


@step_function(axes="yx", out="", makes={"light": "table", "facts": "json", "copy": "image"})
def measure(image):
    return {"most": [int(image.max())]}, {"mean": float(image.mean())}, image
"""


@pytest.fixture
def pipeline(write_pipeline, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = write_pipeline(
        "  - max_projection\n"
        "  - operations_of_a_run_that_says:measure\n"
        "  - percentile_normalize: {limits: plate, save: true}\n"
        "  - stitch\n"
    )
    (path.parent / "operations_of_a_run_that_says.py").write_text(MODULE)
    yield path
    sys.modules.pop("operations_of_a_run_that_says", None)


def test_a_run_says_what_it_made_and_every_place_is_there(make_plate, pipeline, tmp_path, hcs):
    out = tmp_path / "out"
    done = hcs("run", make_plate(), pipeline, "-o", out, "--workers", "1")
    assert done.code == 0, done.err
    head, *lines = done.out.splitlines()
    assert head.startswith("plate: 2 of 2 wells done in ")
    assert head.endswith(f", in {out}")
    said = dict(line.split(maxsplit=1) for line in lines)
    assert set(said) == {
        "percentile_normalize.zarr", "images.zarr", "results/light.csv", "results/facts.json", "results/copy",
        "results/positions.csv", "results/estimates.csv", "results/wells.csv",
    }  # fmt: skip
    assert all((out / place).exists() for place in said)
    assert said["images.zarr"] == "images of the sites and mosaics of the wells"
    assert said["percentile_normalize.zarr"] == "images of the sites"
    with (out / "results" / "light.csv").open(newline="") as file:
        assert said["results/light.csv"] == f"table of {len(list(csv.DictReader(file)))} rows"
    # Two wells of two sites: as many projections of each channel.
    assert said["results/estimates.csv"] == (
        "estimated levels of percentile_normalize: DAPI from 4 planes, GFP from 4 planes"
    )
    assert done.err.splitlines() == [
        "plate: estimating levels of percentile_normalize from 2 wells", "1 of 2 wells", "2 of 2 wells"
    ]  # fmt: skip
    again = hcs("run", make_plate(), pipeline, "-o", out, "-q")
    assert (again.out, again.err) == ("", "")


@pytest.mark.parametrize(("given", "assumed"), [("{}", True), ("{dark: 0}", False)])
def test_what_an_estimate_had_to_assume_is_said_once(given, assumed, make_plate, write_pipeline, tmp_path, hcs):
    plate = make_plate(wells=("A01", "B03"), grid=(2, 2))
    pipeline = write_pipeline(f"  - flat_field: {given}\n")
    done = hcs("run", plate, pipeline, "-o", tmp_path / "out", "--workers", "1")
    assert done.code == 0, done.err
    assert done.out.count("flat_field: dark was not given, and 0 was assumed") == assumed


def test_listeners_hear_how_far_an_estimate_is(make_plate, tmp_path):
    from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step

    class Heard:
        hcs_api = 1
        events: list[Estimating] = []  # noqa: RUF012 - the test's own

        @hookimpl
        def hcs_event(self, event):
            if isinstance(event, Estimating):
                self.events.append(event)

    heard, plugins = Heard(), PluginManager()
    plugins.register(heard, "heard")
    plugins.discover()
    config = GlobalPipelineConfig(num_workers=1)
    orchestrator = PipelineOrchestrator(make_plate(), global_config=config, plugins=plugins, output=tmp_path / "out")
    pipeline = Pipeline("p", [Step("percentile_normalize", limits="plate")])
    orchestrator.run([pipeline])
    assert [(event.step, event.parameter, event.wells, event.sampled) for event in heard.events] == [
        ("percentile_normalize", "levels", 2, sampled) for sampled in (0, 1, 2)
    ]
    orchestrator.run([pipeline])
    assert len(heard.events) == 3
