"""Estimates of the plate, run: what they come to, that they are kept and reused, and what goes wrong with them."""

from __future__ import annotations

import csv
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import tifffile
from PIL import Image

from hcs_core import (
    Estimate,
    Estimated,
    ExecutorSpec,
    GlobalPipelineConfig,
    KernelSpec,
    Made,
    Parameter,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    RunError,
    Signature,
    Step,
    Table,
    hookimpl,
    step_function,
)
from hcs_core.runtime.running import RunOptions
from hcs_core.runtime.workers.local_executor import LocalExecutor
from hcs_numpy.illumination import flat_field
from hcs_synthetic import Fault, SyntheticPlate, make_plate as write_plate

DARK = 100.0
FLAT = Step("flat_field", dark=DARK)
LIMITS = Step("percentile_normalize", limits="plate")
WELLS = tuple(f"{row}{column:02d}" for row in "ABCD" for column in range(1, 7))
HERE = GlobalPipelineConfig(num_workers=1)


@pytest.fixture(scope="module")
def shaded(tmp_path_factory):
    """A plate of 216 fields, few cells in each, with shading of 30 percent; and its folder."""
    facts = {"image_shape": (64, 64), "pixel_size_um": 3.0, "shading": 0.3, "cells_per_field": 3}
    plate = SyntheticPlate(wells=WELLS, grid=(3, 3), channels=("DAPI",), **facts)
    return plate, write_plate(tmp_path_factory.mktemp("shaded"), plate)


@pytest.fixture(scope="module")
def small(make_plate):
    """A plate of two wells with two fields each."""
    return make_plate(z_count=1)


@pytest.fixture
def run(tmp_path):
    """Run steps on a plate; results go into a folder of the test's own."""

    def call(plate, *steps, out="out", config=HERE, wells=None, plugins=None, **options):
        orchestrator = PipelineOrchestrator(plate, global_config=config, output=tmp_path / out, plugins=plugins)
        return orchestrator.run([Pipeline("stages", steps)], wells, RunOptions(**options))

    return call


def planes(folder, channel, well=""):
    """Read every plane of a channel (0: of the only one), or of one of its wells, by the names of the files."""
    found = sorted(folder.rglob(f"*_{well}*_w{channel}.TIF" if channel else f"*_{well}*.TIF"))
    assert found
    return [tifffile.imread(path) for path in found]


def statuses(result):
    return {well: record.status for well, record in result.wells.items()}


def profile(result, channel):
    return np.load(result.output / "results" / result.estimates[channel].file)


# --- What they come to ------------------------------------------------------------------------------------------


def test_shading_of_30_percent_comes_under_one(shaded, run):
    plate, folder = shaded
    result = run(folder, FLAT, wells=["A01"])
    assert [(row.channel, row.estimate.planes) for row in result.estimates] == [("DAPI", 216)]
    for channel, row in enumerate(result.estimates, start=1):
        light = plate.illumination(channel)
        assert 1 - light.min() / light.max() == pytest.approx(0.3, abs=1e-4)
        estimated = profile(result, channel - 1)
        assert estimated.mean() == pytest.approx(1.0, abs=1e-5)
        for brightness in (800, 20000):
            field = np.rint(brightness * light + plate.camera_offset).astype(np.uint16)
            even = flat_field(field, profile=estimated, dark=DARK).astype(np.float64)
            assert np.abs(even / even.mean() - 1).max() < 0.01
        assert row.estimate.notes["dark_assumed"] is False


def test_the_well_is_computed_with_the_profile_that_is_shown(shaded, run, read_image):
    _, folder = shaded
    result = run(folder, FLAT, wells=["B03"])
    made = read_image(result.output / "images.zarr", "B03", 2)
    (raw,) = planes(folder, 0, "B03_s2")
    np.testing.assert_array_equal(made[0, 0, 0], flat_field(raw, profile=profile(result, 0), dark=DARK))


def test_limits_of_the_plate_are_percentiles_of_all_its_pixels(small, run):
    result = run(small, LIMITS, wells=["A01"])
    for channel, row in enumerate(result.estimates, start=1):
        wanted = np.percentile(np.stack(planes(small, channel)).astype(np.float64), [1, 99])
        assert row.estimate.given.numbers == pytest.approx(wanted, rel=1e-12)
        assert (row.estimate.notes["low_level"], row.estimate.notes["high_level"]) == pytest.approx(tuple(wanted))


def test_limits_of_a_well_are_percentiles_of_its_pixels(small, run, read_image):
    result = run(small, Step("percentile_normalize", limits="well", low=2.0, high=98.0))
    assert result.status == "ok"
    for well in ("A01", "B03"):
        for channel in (1, 2):
            raw = np.stack(planes(small, channel, well)).astype(np.float64)
            low, high = np.percentile(raw, [2, 98])
            wanted = np.rint((raw - low).clip(0, high - low) / (high - low) * 65535)
            for site in (1, 2):
                made = read_image(result.output / "images.zarr", well, site)[0, channel - 1, 0]
                np.testing.assert_array_equal(made, wanted[site - 1])


def test_a_stage_sees_what_the_stages_and_steps_before_it_make(shaded, run):
    _, folder = shaded
    result = run(folder, FLAT, Step("percentile_normalize", limits="plate", high=90.0), wells=["A01"])
    (levels,) = [row.estimate.given.numbers for row in result.estimates if row.parameter == "levels"]
    even = [flat_field(plane, profile=profile(result, 0), dark=DARK) for plane in planes(folder, 0)]
    assert levels == pytest.approx(np.percentile(np.stack(even), [1, 90]), rel=1e-12)


def test_a_stage_sees_projections(make_plate, run):
    folder = make_plate(z_count=3)
    result = run(folder, Step("max_projection"), LIMITS)
    flat = [np.stack(planes(folder, 1, f"{well}_s{site}")).max(axis=0) for well in ("A01", "B03") for site in (1, 2)]
    assert result.estimates[0].estimate.planes == 4
    assert result.estimates[0].estimate.given.numbers == pytest.approx(np.percentile(np.stack(flat), [1, 99]))


@pytest.mark.parametrize("threads", [True, False], ids=["threads", "processes"])
def test_workers_of_any_kind_make_the_same(small, run, read_image, threads):
    steps = (LIMITS, Step("percentile_normalize", limits="well", name="again"))
    here = run(small, *steps, out="here")
    there = run(small, *steps, out="there", config=GlobalPipelineConfig(num_workers=2, use_threading=threads))
    assert [row.estimate.given for row in there.estimates] == [row.estimate.given for row in here.estimates]
    for well in ("A01", "B03"):
        one, other = (read_image(result.output / "images.zarr", well, 1) for result in (here, there))
        np.testing.assert_array_equal(one, other)


# --- Kept, reused, made anew ------------------------------------------------------------------------------------


def test_a_filtered_run_and_a_run_of_all_take_the_same_estimate(small, run):
    first = run(small, LIMITS, wells=["B03"])
    then = run(small, LIMITS)
    assert [row.anew for row in first.estimates] == [True, True]
    assert [row.anew for row in then.estimates] == [False, False]
    assert [row.estimate for row in then.estimates] == [row.estimate for row in first.estimates]
    assert statuses(then) == {"A01": "ok", "B03": "cached"}
    alone = run(small, LIMITS, out="alone")
    assert [row.estimate.given for row in alone.estimates] == [row.estimate.given for row in first.estimates]


def test_an_estimate_that_comes_out_the_same_makes_nothing_again(small, run):
    run(small, LIMITS)
    again = run(small, LIMITS, reestimate=True)
    assert [row.anew for row in again.estimates] == [True, True]
    assert statuses(again) == {"A01": "cached", "B03": "cached"}


def brighten(folder):
    """Replace every image by one of twice the brightness, under its name."""
    for path in folder.glob("TimePoint_1/*.TIF"):
        with tifffile.TiffFile(path) as file:
            pixels, text = file.pages[0].asarray(), file.pages[0].description
        tifffile.imwrite(path, (pixels // 2 + 7000).astype(np.uint16), description=text, metadata=None)


def test_wells_made_with_another_estimate_are_made_again(make_plate, run):
    folder = make_plate(z_count=1)
    before = run(folder, LIMITS)
    brighten(folder)
    kept = run(folder, LIMITS)
    assert statuses(kept) == {"A01": "cached", "B03": "cached"}
    assert [row.estimate for row in kept.estimates] == [row.estimate for row in before.estimates]
    # The first run with the new estimate is cut short: the next one makes what is left.
    part = run(folder, LIMITS, wells=["A01"], reestimate=True)
    assert statuses(part) == {"A01": "ok"}
    assert part.estimates[0].estimate.given.numbers != before.estimates[0].estimate.given.numbers
    rest = run(folder, LIMITS)
    assert statuses(rest) == {"A01": "cached", "B03": "ok"}
    assert statuses(run(folder, LIMITS, reestimate=True)) == {"A01": "cached", "B03": "cached"}


def test_an_estimate_that_is_lost_is_made_once_more(small, run):
    result = run(small, LIMITS, wells=["A01"])
    for path in (result.output / ".hcs" / "estimates").iterdir():
        path.write_text("torn")
    again = run(small, LIMITS)
    assert statuses(again) == {"A01": "cached", "B03": "ok"}
    assert [row.estimate.given for row in again.estimates] == [row.estimate.given for row in result.estimates]


def test_a_run_that_is_stopped_while_it_estimates_makes_no_well(small, run):
    stop = threading.Event()
    stop.set()
    assert (run(small, LIMITS, stop=stop).status, run(small, LIMITS).status) == ("interrupted", "ok")


def test_the_command_line_says_what_is_estimated_and_forgets_it_when_asked(small, hcs, write_pipeline, tmp_path):
    pipeline, out = write_pipeline("  - percentile_normalize: {limits: plate}\n"), tmp_path / "out"
    assert "levels of percentile_normalize, from 2 well(s), planes: 4 of DAPI, 4 of GFP\n" in (
        hcs("plan", small, pipeline, "-o", out).out
    )
    ran = hcs("run", small, pipeline, "-o", out)
    assert "estimated levels of DAPI from 4 planes" in ran.out
    assert "is there already" in hcs("plan", small, pipeline, "-o", out).out
    document = hcs("plan", small, pipeline, "-o", out, "--json").document
    assert [(stage["kind"], stage.get("is_there")) for stage in document["stages"]] == [
        ("reduction", True),
        ("well", None),
    ]
    assert "estimated" not in hcs("run", small, pipeline, "-o", out).out.replace("what was estimated", "")
    assert "estimated levels" in hcs("run", small, pipeline, "-o", out, "--reestimate").out
    (out / "results" / "estimates" / "mine.txt").write_text("mine")
    assert "estimated levels" in hcs("run", small, pipeline, "-o", out, "--fresh").out
    assert (out / "results" / "estimates" / "mine.txt").read_text() == "mine"


# --- What people see --------------------------------------------------------------------------------------------


def test_the_table_the_profile_and_the_picture(shaded, run):
    _, folder = shaded
    result = run(folder, Step("flat_field"), wells=["A01"])
    results = result.output / "results"
    with (results / "estimates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["channel"], row["planes"], row["dark"], row["dark_assumed"]) for row in rows] == [
        ("DAPI", "216", "0.0", "True"),
    ]
    for row in rows:
        light = np.load(results / row["file"])
        assert light.shape == (64, 64)
        np.testing.assert_array_equal(tifffile.imread((results / row["file"]).with_suffix(".tif")), light)
        with Image.open(results / row["picture"]) as picture:
            assert picture.width > picture.height > 100


def test_without_a_writer_of_pictures_it_is_said(small, run):
    plugins = PluginManager(disabled=("report",))
    plugins.discover()
    result = run(small, LIMITS, plugins=plugins)
    assert result.status == "ok"
    assert {row.why_no_picture for row in result.estimates} == {
        "no writer is called 'estimate_picture': pip install hcs-report"
    }
    assert "pip install hcs-report" in (result.output / "results" / "estimates.csv").read_text()


# --- What goes wrong --------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_left_out_of_the_sample_and_told(tmp_path, run):
    fault = Fault(kind="truncated", wells="B02", sites=2, channels=1)
    plate = SyntheticPlate(wells=("A01", "B02"), grid=(1, 3), image_shape=(32, 32), faults=(fault,))
    folder = write_plate(tmp_path / "plates", plate)
    result = run(folder, LIMITS, wells=["A01"])
    assert result.status == "ok"
    (row, _) = result.estimates
    assert row.estimate.planes == 5
    assert [name.split("/")[-1] for name in row.estimate.unreadable] == ["synthetic_B02_s2_w1.TIF"]
    whole = [plane for well in ("A01_s", "B02_s1", "B02_s3") for plane in planes(folder, 1, well)]
    assert row.estimate.given.numbers == pytest.approx(np.percentile(np.concatenate(whole), [1, 99]))


def test_too_few_planes_that_can_be_read_end_the_run(tmp_path, run):
    fault = Fault(kind="empty", wells="A01", sites=(1, 2))
    plate = SyntheticPlate(wells=("A01", "B02"), grid=(3, 3), image_shape=(32, 32), faults=(fault,))
    folder = write_plate(tmp_path / "plates", plate)
    assert run(folder, FLAT, out="enough", wells=["B02"]).estimates[0].estimate.planes == 16
    broken = folder / "TimePoint_1" / "synthetic_B02_s5_w1.TIF"
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(RunError, match="has 15 that can be used; at least 16 are needed"):
        run(folder, FLAT, wells=["B02"])
    assert not (tmp_path / "out" / "images.zarr").exists()


def darkest(plane, *, whose):
    return np.array([plane.min()], np.int64)


def smaller(one, other):
    return np.minimum(one, other)


def least(collected, shape, *, whose):
    return Estimated(value=(float(collected[0][0]),))


def raises(plane, *, whose):
    raise ZeroDivisionError("no light")


def takes_away(image, *, whose="plate", offset=None):
    return (image - image.dtype.type(offset[0])).astype(image.dtype)


@pytest.fixture
def with_operation(target):
    """Register an operation of somebody else's, whose offset is estimated."""

    def make(collect=darkest, scope="whose", **more):
        whose = Parameter(name="whose", kind="str", default="plate", choices=("well", "plate"), description="scope")
        offset = Parameter(name="offset", kind="floats", description="what is taken away")
        estimate = Estimate(
            parameter="offset",
            collect=target("collect", collect),
            merge=target("merge", smaller),
            reduce=target("reduce", least),
            scope=scope,
            **more,
        )
        spec = KernelSpec(
            operation="take_away",
            memory_type="numpy",
            target=target("take_away", takes_away),
            signature=Signature(axes="yx", out="yx", parameters=(whose, offset), estimates=(estimate,)),
        )
        plugins = PluginManager()
        plugins.register(SimpleNamespace(hcs_api=1, hcs_kernels=hookimpl(lambda: iter((spec,)))), "theirs")
        plugins.discover()
        return plugins

    return make


@pytest.mark.parametrize("whose", ["well", "plate"])
def test_an_operation_of_another_plugin_estimates_too(small, run, read_image, with_operation, whose):
    result = run(small, Step("take_away", whose=whose), plugins=with_operation())
    for well in ("A01", "B03"):
        raw = np.stack(planes(small, 2, well))
        away = (raw if whose == "well" else np.stack(planes(small, 2))).min()
        made = read_image(result.output / "images.zarr", well, 2)[0, 1, 0]
        np.testing.assert_array_equal(made, raw[1] - away)


def test_a_function_that_raises_ends_the_run_and_is_named(small, run, with_operation):
    with pytest.raises(RunError, match=r"step 'take_away', function 'take_away', site 1: .*raised ZeroDivisionError"):
        run(small, Step("take_away"), plugins=with_operation(collect=raises))


def test_too_few_planes_of_a_well_fail_the_well(small, run, with_operation):
    result = run(small, Step("take_away", whose="well"), plugins=with_operation(fewest=3))
    assert statuses(result) == {"A01": "failed", "B03": "failed"}
    assert "offset cannot be estimated from 2 planes of the channel 'DAPI'" in result.wells["A01"].fault.error


def test_a_function_that_returns_too_much_is_refused(small, run, with_operation):
    with pytest.raises(RunError, match="returned 8 bytes, and an array of at most 4 bytes was expected"):
        run(small, Step("take_away"), plugins=with_operation(collected_bytes=4))


# --- Sessions ---------------------------------------------------------------------------------------------------


class Watched:
    """The local executor, with a note of what it was asked for."""

    asked: ClassVar[list[tuple[int, list[int]]]] = []

    @contextmanager
    def open(self, job, plugins, workers):
        stages = []
        self.asked.append((workers, stages))
        with LocalExecutor().open(job, plugins, workers) as session:

            def run(tasks, on_record, stop):
                stages.append(len(tasks))
                session.run(tasks, on_record, stop)

            yield SimpleNamespace(run=run)


def test_one_session_serves_all_stages_with_no_more_workers_than_tasks(small, run, target):
    spec = ExecutorSpec(name="watched", target=target("Watched", Watched))
    plugins = PluginManager()
    plugins.register(SimpleNamespace(hcs_api=1, hcs_executors=hookimpl(lambda: iter((spec,)))), "watching")
    plugins.discover()
    config = GlobalPipelineConfig(num_workers=8, use_threading=True, executor="watched")
    Watched.asked.clear()
    run(small, LIMITS, plugins=plugins, config=config)
    assert Watched.asked == [(2, [2, 2])]
    # Nothing has to be estimated once more, and one well is left.
    run(small, LIMITS, plugins=plugins, config=config, wells=["A01"], out="part")
    assert Watched.asked[1:] == [(2, [2, 1])]
    run(small, LIMITS, plugins=plugins, config=config, out="part")
    assert Watched.asked[2:] == [(1, [1])]


# --- Beside artifacts -------------------------------------------------------------------------------------------


@step_function(makes=(Made(name="spots", kind="table"),), version="1")
def measured(image):
    return image, Table({"brightest": [int(image.max())]})


def test_what_a_step_measures_is_measured_once_though_its_planes_are_sampled(small, run):
    result = run(small, Step(measured), LIMITS, Step("percentile_normalize", limits="well", name="again"))
    assert result.status == "ok"
    assert len(result.tables["spots"]) == 8
    assert sorted(result.tables["spots"]["brightest"]) == sorted(
        int(plane.max()) for channel in (1, 2) for plane in planes(small, channel)
    )
    assert not list((result.output / ".hcs").glob("sample-*"))


def test_planes_that_the_policy_fills_are_no_part_of_what_is_estimated(tmp_path, run):
    faults = (
        Fault(kind="missing", wells="A01", sites=2, channels=1),
        Fault(kind="empty", wells="B02", sites=1, channels=1),
    )
    plate = SyntheticPlate(wells=("A01", "B02"), grid=(1, 3), image_shape=(32, 32), faults=faults)
    folder = write_plate(tmp_path / "plates", plate)
    config = GlobalPipelineConfig(num_workers=1, missing="fill")
    result = run(folder, LIMITS, Step("percentile_normalize", limits="well", name="again"), config=config)
    assert result.status == "ok"
    assert [row.estimate.planes for row in result.estimates] == [4, 5]
    left = [plane for name in ("A01_s1", "A01_s3", "B02_s2", "B02_s3") for plane in planes(folder, 1, name)]
    assert result.estimates[0].estimate.given.numbers == pytest.approx(np.percentile(np.stack(left), [1, 99]))


@step_function(axes="yx", context=True)
def not_in_b03(image, *, context):
    if context.well == "B03":
        raise ValueError("this well is cursed")
    return image.copy()


def test_a_well_of_which_nothing_can_be_computed_is_left_out_and_told(run, small, tmp_path):
    result = run(small, Step(not_in_b03), LIMITS)
    assert statuses(result) == {"A01": "ok", "B03": "failed"}
    whole = run(small, LIMITS, out="whole")
    for row, other in zip(result.estimates, whole.estimates, strict=True):
        (told,) = row.estimate.failed
        assert "B03" in told
        assert "cursed" in told
        assert (row.estimate.planes, other.estimate.planes) == (2, 4)
        assert other.estimate.failed == ()
    with (tmp_path / "out" / "results" / "estimates.csv").open(encoding="utf-8") as file:
        assert [row["failed"] for row in csv.DictReader(file)] == ["1", "1"]
