"""Planes that wait between steps, in memory and on disk: the same results, and nothing that stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    PipelineOrchestrator,
    Step,
    StorageError,
    VFSConfig,
    compile_plan,
    open_plate,
    step_function,
)
from hcs_core.runtime.well.intermediates import WAITING, Intermediates

BACKENDS = ("memory", "disk", "zarr")


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(z_count=3, timepoint_count=2)


def settings(backend, **others):
    return GlobalPipelineConfig(vfs=VFSConfig(intermediate_backend=backend), **others)


def run(plate, installed, output, backend, *steps, missing="error"):
    pipeline = Pipeline("waits", list(steps), missing=missing)
    orchestrator = PipelineOrchestrator(plate, global_config=settings(backend), plugins=installed, output=output)
    return orchestrator.run([pipeline])


def pixels_of(output):
    """Every array of every store of an output, by its path, read by zarr."""
    found = {}
    for store in sorted(output.glob("*.zarr")):
        for document in sorted(store.rglob("zarr.json")):
            array = zarr.open(document.parent, mode="r")
            if isinstance(array, zarr.Array):
                found[str(document.parent.relative_to(output))] = np.asarray(array[:])
    return found


def waiting(output):
    return output / ".hcs" / WAITING


@step_function(axes="zyx", out="zyx", version="1")
def sharpen_along(stack):
    """Each plane less half of the mean of the stack: all planes come out at once, and wait for their readers."""
    return np.clip(stack - stack.mean(axis=0) / 2, 0, 65535).astype(stack.dtype)


@step_function(axes="yx", out="yx", version="1")
def watch(image, *, output: str = "", seen: str = ""):
    """Note the files in which planes wait at this moment."""
    names = [str(path) for path in Path(output, ".hcs", WAITING).rglob("*") if path.is_file()]
    with Path(seen).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)
    return image


# All planes of a stack come out at once, and are then asked for one by one.
PIPELINES = {
    "a stack": (sharpen_along, {}),
    "a dict of chains": ({"DAPI": [("gaussian_blur", {"sigma": 1.0}), sharpen_along], "2": sharpen_along}, {}),
    "a dict by site": ({"1": sharpen_along, "2": [sharpen_along, sharpen_along]}, {"group_by": "site"}),
    "channels in place of z": (sharpen_along, {"variable_components": ["channel"]}),
    "sites in place of z": (sharpen_along, {"variable_components": ["site"]}),
    "timepoints in place of z": (sharpen_along, {"variable_components": ["timepoint"]}),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_results_are_the_same_wherever_planes_wait(plate, installed, tmp_path, name):
    function, options = PIPELINES[name]
    results = {}
    for backend in BACKENDS:
        output, seen = tmp_path / backend, tmp_path / f"{backend}.txt"
        steps = (Step(function, name="stacks", **options), Step(watch, output=str(output), seen=str(seen)))
        result = run(plate, installed, output, backend, *steps, Step("max_projection"))
        assert result.status == "ok", [record.fault for record in result.failed]
        assert not waiting(output).exists()
        suffixes = {Path(line).suffix for line in seen.read_text().splitlines()}
        # A chunk of zarr is a file without a suffix, beside the documents.
        assert suffixes == {"memory": set(), "disk": {".json", ".tif"}, "zarr": {".json", ""}}[backend]
        results[backend] = pixels_of(output)
    for backend in ("disk", "zarr"):
        assert results[backend].keys() == results["memory"].keys() != set()
        for path, pixels in results["memory"].items():
            np.testing.assert_array_equal(results[backend][path], pixels, err_msg=f"{backend}: {path}")


@pytest.mark.parametrize("backend", ["disk", "zarr"])
def test_a_plane_is_gone_from_disk_after_its_last_reader(plate, installed, tmp_path, backend):
    """Of a stack of three, at most the three planes of one channel wait, and none does when the last is read."""
    counts = tmp_path / "counts"

    @step_function(axes="yx", out="yx", version="1")
    def count(image):
        files = [path for path in waiting(tmp_path / "out").rglob("*") if path.is_file() and is_plane(path)]
        with counts.open("a") as file:
            file.write(f"{len(files)}\n")
        return image

    result = run(plate, installed, tmp_path / "out", backend, Step(sharpen_along), Step(count))
    assert result.status == "ok"
    found = list(map(int, counts.read_text().split()))
    # Two wells, sites, channels and timepoints, three slices: the one that was asked for goes on, and two wait.
    assert found == [2, 1, 0] * 16


def is_plane(path):
    return path.suffix == ".tif" or path.name.isdigit()


@pytest.mark.parametrize("backend", ["disk", "zarr"])
def test_a_well_that_fails_leaves_no_planes(plate, installed, tmp_path, backend):
    @step_function(axes="yx", out="yx", version="1")
    def fail(image):
        assert any(path.is_file() for path in waiting(tmp_path / "out").rglob("*"))
        raise ValueError("on purpose")

    result = run(plate, installed, tmp_path / "out", backend, Step(sharpen_along), Step(fail))
    assert [record.fault.error for record in result.failed] == [
        "step 'fail', function 'fail', site 1: it raised ValueError: on purpose."
    ] * 2
    assert not waiting(tmp_path / "out").exists()


@pytest.mark.parametrize("backend", ["disk", "zarr"])
def test_a_well_that_is_made_again_without_a_site(make_plate, installed, tmp_path, backend):
    """A file that turns out to be unreadable: the planes of the first attempt are no part of the second."""
    plate = make_plate(wells=("A01",), z_count=2)
    broken = plate / "TimePoint_1" / "ZStep_2" / "plate_A01_s2_w2.TIF"
    broken.write_bytes(broken.read_bytes()[:1000])
    results = {}
    for name in ("memory", backend):
        result = run(plate, installed, tmp_path / name, name, Step(sharpen_along), missing="skip-site")
        assert result.wells["A01"].sites == (1,)
        results[name] = pixels_of(tmp_path / name)
        assert not waiting(tmp_path / name).exists()
    for path, pixels in results["memory"].items():
        np.testing.assert_array_equal(results[backend][path], pixels)


@pytest.mark.parametrize("backend", ["disk", "zarr"])
def test_what_an_earlier_run_left_is_removed(plate, installed, tmp_path, backend):
    """As after a kill: planes of a well that is made again, and of one that nobody makes any more."""
    output = tmp_path / "out"
    pipeline = Pipeline("waits", [Step(sharpen_along)])
    plan = compile_plan(pipeline, open_plate(plate, plugins=installed), settings(backend), installed)
    for well in ("A01", "H12"):
        left = Intermediates(plan, installed, output, well, plan.well_shapes[0])
        port = plan.nodes[0].inputs[0]
        left.put(port, plane_key(plan), np.zeros(plan.sources[0].shape, plan.sources[0].dtype))
    assert any(path.is_file() for path in waiting(output).rglob("*"))
    result = run(plate, installed, output, backend, Step(sharpen_along))
    assert result.status == "ok"
    assert not waiting(output).exists()
    assert run(plate, installed, tmp_path / "fresh", "memory", Step(sharpen_along)).status == "ok"
    for path, pixels in pixels_of(tmp_path / "fresh").items():
        np.testing.assert_array_equal(pixels_of(output)[path], pixels)


def plane_key(plan):
    from hcs_core.compiler.order.presence import PlaneKey

    image = plan.sources[0]
    return PlaneKey(1, image.timepoints[0], image.z_indexes[0])


@pytest.mark.parametrize("backend", ["disk", "zarr"])
def test_what_cannot_be_removed_is_said(plate, installed, tmp_path, backend, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    waiting(tmp_path / "out").mkdir(parents=True)
    monkeypatch.setattr("hcs_core.runtime.well.intermediates.shutil.rmtree", refuse)
    with pytest.raises(StorageError) as caught:
        run(plate, installed, tmp_path / "out", backend, Step(sharpen_along))
    assert str(caught.value) == (
        f"{waiting(tmp_path / 'out')} cannot be removed (Permission denied): it held planes between steps and is of "
        "no use any more; see to permissions there, or remove it by hand."
    )


@pytest.mark.parametrize("threads", [True, False])
def test_wells_side_by_side_do_not_share_planes(plate, installed, tmp_path, threads):
    results = {}
    for backend, workers in (("memory", 1), ("disk", 2)):
        config = settings(backend, num_workers=workers, use_threading=threads)
        orchestrator = PipelineOrchestrator(plate, global_config=config, plugins=installed, output=tmp_path / backend)
        result = orchestrator.run([Pipeline("waits", [Step("gaussian_blur", sigma=1.0), Step(sharpen_copy())])])
        assert result.status == "ok", [record.fault for record in result.failed]
        results[backend] = pixels_of(tmp_path / backend)
    for path, pixels in results["memory"].items():
        np.testing.assert_array_equal(results["disk"][path], pixels)


def sharpen_copy():
    """A function that travels to workers by its content: they cannot import this file."""

    @step_function(axes="zyx", out="zyx", version="1")
    def sharpen(stack):
        return np.clip(stack - stack.mean(axis=0) / 2, 0, 65535).astype(stack.dtype)

    return sharpen


def test_a_rerun_with_another_backend_makes_nothing_again(plate, installed, tmp_path):
    """Where planes wait is no part of what a result is."""
    assert run(plate, installed, tmp_path / "out", "memory", Step("max_projection")).status == "ok"
    again = run(plate, installed, tmp_path / "out", "zarr", Step("max_projection"))
    assert {record.status for record in again.wells.values()} == {"cached"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_plan_says_where_planes_wait(plate, hcs, write_pipeline, tmp_path, backend):
    config = tmp_path / "config.yaml"
    config.write_text(f"vfs: {{intermediate_backend: {backend}}}\n", encoding="utf-8")
    arguments = ("plan", plate, write_pipeline("  - max_projection\n"), "-o", tmp_path / "out", "--config", config)
    (line,) = [line for line in hcs(*arguments).out.splitlines() if line.startswith("Between:")]
    where = (
        "memory" if backend == "memory" else f"{backend}, below .hcs/waiting of the output, until their last reader"
    )
    assert line == f"Between:  planes that have to wait do so in {where}"
    assert hcs(*arguments, "--json").document["intermediate_backend"] == backend
    assert not (tmp_path / "out").exists()
