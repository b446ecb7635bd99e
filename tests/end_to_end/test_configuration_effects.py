"""Every field of every configuration class has an effect: one test each, that fails when the effect is gone.

Small plates are run, and what they left is read by zarr, tifffile and listings of files alone.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import attrs
import numpy as np
import pyarrow.parquet
import pytest
import tifffile
import zarr
from zarr.codecs import BloscCodec, GzipCodec

from hcs_core import (
    CompileError,
    DetectionError,
    ExecutorSpec,
    GlobalPipelineConfig,
    KernelSpec,
    MemoryTypeSpec,
    MicroscopeSpec,
    PathPlanningConfig,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    Signature,
    Step,
    VFSConfig,
    WritersConfig,
    WriterSpec,
    ZarrConfig,
    hookimpl,
    step_function,
)
from hcs_core.pipeline.config_file import load_config
from hcs_core.runtime.workers.local_executor import LocalExecutor
from hcs_core.testing import FakeDeviceMemory

CLASSES = (GlobalPipelineConfig, PathPlanningConfig, VFSConfig, WritersConfig, ZarrConfig)
PATIENCE_S = 30.0
EFFECTS = {}


def effect_of(cls, *fields):
    """Mark the test of some fields' effect."""

    def mark(test):
        for field in fields:
            EFFECTS.setdefault((cls, field), []).append(test.__name__)
        return test

    return mark


def every_field():
    return {(cls, field.name) for cls in CLASSES for field in attrs.fields(cls)}


def test_every_field_has_a_test_of_its_effect():
    assert set(EFFECTS) == every_field()


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate()


@pytest.fixture
def run(plate, installed, tmp_path):
    """Run steps with a configuration; return the result, whose status is `ok`."""

    def make(*steps, plugins=installed, on=plate, output=tmp_path / "out", **fields):
        orchestrator = PipelineOrchestrator(
            on, global_config=GlobalPipelineConfig(**fields), plugins=plugins, output=output
        )
        result = orchestrator.run([Pipeline("effects", list(steps))])
        assert result.status == "ok", [record.fault for record in result.failed]
        return result

    return make


def first(output, level=0, store="images.zarr"):
    """The first image of the first well, as zarr opens it."""
    return zarr.open_array(output / store / "A" / "01" / "0" / str(level), mode="r")


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def program(**hooks):
    """A plugin of the program, from the specs that each hook yields, and what is installed."""
    plugins = PluginManager()
    named = {hook: hookimpl(lambda specs=specs: iter(specs)) for hook, specs in hooks.items()}
    plugins.register(SimpleNamespace(hcs_api=1, **named), "program")
    plugins.discover()
    return plugins


# --- How wells are run ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def four_wells(make_plate):
    return make_plate(wells=("A01", "A02", "A03", "A04"), grid=(1, 1), z_count=1, channels=("DAPI",))


@pytest.fixture
def meeting(tmp_path):
    """Return a maker of a step that waits until so many have met, and what they were: process and thread."""
    folder = tmp_path / "met"
    folder.mkdir()

    def make(count):
        @step_function(axes="yx", out="yx", version="1")
        def meet(image):
            (folder / f"{os.getpid()} {threading.current_thread().name}").touch()
            deadline = time.monotonic() + PATIENCE_S
            while len(list(folder.iterdir())) < count and time.monotonic() < deadline:
                time.sleep(0.01)
            return image

        return Step(meet)

    def met():
        return [(int(pid), thread) for pid, thread in (path.name.split(" ", 1) for path in folder.iterdir())]

    return SimpleNamespace(step=make, met=met)


@effect_of(GlobalPipelineConfig, "num_workers")
def test_so_many_wells_are_worked_on_at_once(run, four_wells, meeting):
    result = run(meeting.step(3), on=four_wells, num_workers=3, use_threading=False)
    processes = {pid for pid, _ in meeting.met()}
    assert len(processes) == len(meeting.met()) == 3
    assert os.getpid() not in processes
    assert result.plan.workers == 3


@effect_of(GlobalPipelineConfig, "use_threading")
def test_threads_processes_or_the_calling_process(run, four_wells, meeting, tmp_path):
    run(meeting.step(1), on=four_wells, output=tmp_path / "chosen", num_workers=1)
    assert meeting.met() == [(os.getpid(), threading.current_thread().name)]
    run(meeting.step(3), on=four_wells, output=tmp_path / "threads", num_workers=2, use_threading=True)
    others = [met for met in meeting.met() if met != (os.getpid(), threading.current_thread().name)]
    assert len(others) == 2
    assert all(pid == os.getpid() and thread.startswith("hcs-well") for pid, thread in others)
    run(meeting.step(4), on=four_wells, output=tmp_path / "processes", num_workers=1, use_threading=False)
    assert len({pid for pid, _ in meeting.met()} - {os.getpid()}) == 1


@effect_of(GlobalPipelineConfig, "memory_limit")
def test_workers_are_fewer_where_the_memory_has_no_room_for_them(run, four_wells, meeting, tmp_path):
    needed = run(on=four_wells, output=tmp_path / "unlimited").plan.peak_memory_bytes_per_worker
    with pytest.raises(CompileError, match=rf"'memory_limit': one worker needs {needed:,} bytes"):
        run(on=four_wells, output=tmp_path / "refused", memory_limit=needed - 1)
    assert not (tmp_path / "refused").exists()
    # Room for one worker and a half, in the plan that the step makes no larger.
    result = run(meeting.step(1), on=four_wells, num_workers=2, memory_limit=needed * 3 // 2)
    assert result.plan.peak_memory_bytes_per_worker <= needed * 3 // 2 < 2 * result.plan.peak_memory_bytes_per_worker
    assert meeting.met() == [(os.getpid(), threading.current_thread().name)]


@effect_of(GlobalPipelineConfig, "executor")
def test_the_executor_that_is_named_runs_the_wells(run, target, tmp_path):
    handed_out = []

    class Noting(LocalExecutor):
        @contextmanager
        def open(self, job, plugins, workers):
            with super().open(job, plugins, workers) as session:

                def run(tasks, on_record, stop):
                    handed_out.extend(task.well for task in tasks)
                    session.run(tasks, on_record, stop)

                yield SimpleNamespace(run=run)

    plugins = program(hcs_executors=[ExecutorSpec(name="noting", target=target("Noting", Noting))])
    run(plugins=plugins, output=tmp_path / "local")
    assert handed_out == []
    run(plugins=plugins, executor="noting")
    assert handed_out == ["A01", "B03"]


class Card(FakeDeviceMemory):
    """A made-up card with two devices."""

    there = ("gpu:0", "gpu:1")


class SmallCard(FakeDeviceMemory):
    """One with room for a few bytes only, and a CPU."""

    there = ("gpu:0", "cpu")
    memory: ClassVar = {"gpu:0": 100}

    def free_bytes(self, device):
        return None  # It does not know, and nothing is refused before it runs.


def number_of_device(image):
    """The number of the device that the image lies on, at each pixel; of the CPU, 9."""
    number = 9 if image.device == "cpu" else int(image.device[-1])
    return image.map(lambda values: np.full_like(values, number))


@pytest.fixture
def with_card(target):
    """Return a maker of a manager with an operation that tells a device, in a memory type."""

    def make(memory):
        kernel = KernelSpec(
            operation="number_of_device",
            memory_type="card",
            target=target("kernel", number_of_device),
            signature=Signature(axes="yx", out="yx"),
        )
        card = MemoryTypeSpec(name="card", target=target("Card", memory), library="json")
        return program(hcs_memory_types=[card], hcs_kernels=[kernel])

    return make


@effect_of(GlobalPipelineConfig, "device")
@pytest.mark.parametrize(
    ("wanted", "of_step", "number"),
    [(None, None, 0), ("gpu", None, 0), ("gpu:1", None, 1), ("gpu:0", "gpu:1", 1), ("gpu:1", "gpu:0", 0)],
)
def test_kernels_get_their_images_on_the_device(run, with_card, tmp_path, wanted, of_step, number):
    """A step's own goes before the configuration's."""
    plugins = with_card(Card)
    run(Step("number_of_device", device=of_step), plugins=plugins, device=wanted, num_workers=1)
    assert set(np.unique(first(tmp_path / "out")[:])) == {number}
    document = json.loads((tmp_path / "out" / "run.json").read_text())
    assert [kernel["device"] for kernel in document["kernels"]] == [f"gpu:{number}"]


@effect_of(GlobalPipelineConfig, "device_fallback")
def test_what_is_too_large_for_a_device_is_computed_on_the_cpu_or_fails(plate, run, with_card, tmp_path):
    plugins = with_card(SmallCard)
    run(Step("number_of_device"), plugins=plugins, num_workers=1)
    assert set(np.unique(first(tmp_path / "out")[:])) == {9}
    config = GlobalPipelineConfig(device_fallback=False, num_workers=1)
    orchestrator = PipelineOrchestrator(plate, global_config=config, plugins=plugins, output=tmp_path / "refused")
    result = orchestrator.run([Pipeline("effects", [Step("number_of_device")])])
    assert all("gpu:0 has too little memory for it" in record.fault.error for record in result.failed)
    assert len(result.failed) == 2


@effect_of(GlobalPipelineConfig, "missing")
def test_what_is_done_where_a_plane_is_absent(run, make_plate, tmp_path):
    plate = make_plate()
    (plate / "TimePoint_1" / "ZStep_1" / "plate_A01_s2_w1.TIF").unlink()
    with pytest.raises(CompileError, match="A01 site 2 channel 1 z 1"):
        run(on=plate)
    run(on=plate, output=tmp_path / "sites", missing="skip-site")
    assert sorted(path.name for path in (tmp_path / "sites" / "images.zarr" / "A" / "01").glob("[0-9]")) == ["0"]
    run(on=plate, output=tmp_path / "filled", missing="fill")
    image = zarr.open_array(tmp_path / "filled" / "images.zarr" / "A" / "01" / "1" / "0", mode="r")[0]
    assert [[bool(plane.any()) for plane in channel] for channel in image] == [[False, True], [True, True]]
    run(on=plate, output=tmp_path / "wells", missing="skip-well")
    assert [path.name for path in sorted((tmp_path / "wells" / "images.zarr").glob("[A-Z]"))] == ["B"]


@effect_of(GlobalPipelineConfig, "microscope")
def test_the_microscope_that_is_named_lists_the_plate(run, target, tmp_path):
    from hcs_imagexpress.handler import ImageXpressHandler

    class Other(ImageXpressHandler):
        def build_inventory(self, root):
            return attrs.evolve(super().build_inventory(root), microscope="other")

    spec = MicroscopeSpec(name="other", target=target("Other", Other), markers=("*.HTD",))
    plugins = program(hcs_microscopes=[spec])
    with pytest.raises(DetectionError, match="looks like a plate of several microscopes"):
        run(plugins=plugins)
    for name in ("imagexpress", "other"):
        run(plugins=plugins, output=tmp_path / name, microscope=name)
        assert json.loads((tmp_path / name / "run.json").read_text())["microscope"] == name


# --- Where results go -------------------------------------------------------------------------------------------


@effect_of(PathPlanningConfig, "output_dir_suffix")
@effect_of(GlobalPipelineConfig, "path_planning")
def test_the_output_lies_beside_the_plate_with_a_suffix(run, make_plate):
    plate = make_plate()
    run(on=plate, output=None)
    run(on=plate, output=None, path_planning=PathPlanningConfig(output_dir_suffix=" done"))
    assert sorted(path.name for path in plate.parent.iterdir()) == ["plate", "plate done", "plate_outputs"]
    assert first(plate.parent / "plate done").shape == (1, 2, 2, 64, 96)


@effect_of(PathPlanningConfig, "global_output_folder")
def test_the_output_lies_in_a_folder_of_outputs(run, plate, tmp_path):
    run(output=None, path_planning=PathPlanningConfig(global_output_folder=tmp_path / "all"))
    assert first(tmp_path / "all" / "plate_outputs").shape == (1, 2, 2, 64, 96)
    assert [path.name for path in plate.parent.iterdir()] == ["plate"]


@effect_of(PathPlanningConfig, "materialization_results_path")
@pytest.mark.parametrize("is_absolute", [True, False])
def test_tables_lie_where_they_are_asked_for(run, tmp_path, is_absolute):
    path = tmp_path / "tables" if is_absolute else Path("tables") / "all"
    run(path_planning=PathPlanningConfig(materialization_results_path=path))
    assert {"wells.csv", "planes.csv"} <= {file.name for file in (tmp_path / "out" / path).iterdir()}
    assert not (tmp_path / "out" / "results").exists()


# --- What holds them --------------------------------------------------------------------------------------------


@effect_of(VFSConfig, "intermediate_backend")
@effect_of(GlobalPipelineConfig, "vfs")
@pytest.mark.parametrize(("backend", "found"), [("memory", set()), ("disk", {".tif"}), ("zarr", {""})])
def test_planes_wait_in_the_backend(run, tmp_path, backend, found):
    """While a step works on the planes of a stack one by one, the others are files of that backend, or none."""
    suffixes = set()

    @step_function(axes="zyx", out="zyx", version="1")
    def stack(image):
        return image

    @step_function(axes="yx", out="yx", version="1")
    def look(image):
        suffixes.update(path.suffix for path in (tmp_path / "out" / ".hcs").rglob("*") if path.is_file())
        return image

    run(Step(stack), Step(look), num_workers=1, vfs=VFSConfig(intermediate_backend=backend))
    # The journal, and the documents of stores.
    assert suffixes - {".jsonl", ".json"} == found


@effect_of(VFSConfig, "materialization_backend")
def test_results_are_kept_by_the_backend(run, plate, tmp_path):
    run(output=tmp_path / "zarr")
    run(output=tmp_path / "disk", vfs=VFSConfig(materialization_backend="disk"))
    original = tifffile.imread(plate / "TimePoint_1" / "ZStep_2" / "plate_B03_s2_w1.TIF")
    (kept,) = (tmp_path / "disk").rglob("B03_s002_w01_z002_t001.ome.tif")
    np.testing.assert_array_equal(tifffile.imread(kept), original)
    image = zarr.open_array(tmp_path / "zarr" / "images.zarr" / "B" / "03" / "1" / "0", mode="r")
    np.testing.assert_array_equal(image[0, 0, 1], original)
    assert not list((tmp_path / "disk").rglob("zarr.json"))
    assert not list((tmp_path / "zarr").rglob("*.tif"))


# --- How OME-Zarr is written ------------------------------------------------------------------------------------


@effect_of(ZarrConfig, "store_name")
@effect_of(GlobalPipelineConfig, "zarr")
def test_the_store_has_the_name(run, tmp_path):
    run(zarr=ZarrConfig(store_name="plate 7.zarr"))
    assert [path.name for path in (tmp_path / "out").glob("*.zarr")] == ["plate 7.zarr"]
    assert first(tmp_path / "out", store="plate 7.zarr").shape == (1, 2, 2, 64, 96)


@effect_of(ZarrConfig, "compressor")
@pytest.mark.parametrize("compressor", ["none", "lz4", "zstd", "gzip"])
def test_chunks_are_packed_by_the_compressor(run, plate, tmp_path, compressor):
    run(zarr=ZarrConfig(compressor=compressor))
    image = first(tmp_path / "out")
    kinds = {"none": [], "lz4": [BloscCodec], "zstd": [BloscCodec], "gzip": [GzipCodec]}
    assert [type(codec) for codec in image.compressors] == kinds[compressor]
    if kinds[compressor] == [BloscCodec]:
        assert image.compressors[0].cname.value == compressor
    original = tifffile.imread(plate / "TimePoint_1" / "ZStep_1" / "plate_A01_s1_w1.TIF")
    np.testing.assert_array_equal(image[0, 0, 0], original)
    # gzip says so in the file's first bytes (RFC 1952), an array that is not packed is the pixels.
    (chunk,) = (tmp_path / "out").rglob("A/01/0/0/c/0/0/0/0/0")
    content = chunk.read_bytes()
    assert (content == original.astype("<u2").tobytes()) == (compressor == "none")
    assert (content[:2] == b"\x1f\x8b") == (compressor == "gzip")


@effect_of(ZarrConfig, "compression_level")
@pytest.mark.parametrize("compressor", ["zstd", "gzip"])
def test_chunks_are_packed_harder(run, tmp_path, compressor):
    sizes = {}
    for level in (1, 9):
        output = tmp_path / str(level)
        run(output=output, zarr=ZarrConfig(compressor=compressor, compression_level=level))
        (codec,) = first(output).compressors
        assert (codec.clevel if compressor == "zstd" else codec.level) == level
        sizes[level] = sum(path.stat().st_size for path in output.rglob("c/*/*/*/*/*"))
    assert sizes[9] < sizes[1]


@effect_of(ZarrConfig, "shuffle")
def test_bytes_are_shuffled_before_they_are_packed(run, tmp_path):
    flags = {}
    for shuffle in (True, False):
        output = tmp_path / str(shuffle)
        run(output=output, zarr=ZarrConfig(shuffle=shuffle))
        assert first(output).compressors[0].shuffle.value == ("shuffle" if shuffle else "noshuffle")
        # Bit 0 of byte 2 of blosc's header.
        flags[shuffle] = {path.read_bytes()[2] & 1 for path in output.rglob("c/*/*/*/*/*")}
    assert flags == {True: {1}, False: {0}}


@pytest.fixture(scope="module")
def large_plate(make_plate):
    """Planes whose sides are longer than the largest tile, of one well."""
    return make_plate(wells=("A01",), grid=(1, 1), image_shape=(1200, 1536), cells_per_field=1.0)


@effect_of(ZarrConfig, "chunk_strategy")
@pytest.mark.parametrize(
    ("strategy", "chunk", "files"),
    [
        ("plane", (1, 1, 1, 1200, 1536), 4),
        ("single", (1, 2, 2, 1200, 1536), 1),
        # The largest divisors up to 1024.
        ("tiled", (1, 1, 1, 600, 768), 16),
    ],
)
def test_how_large_a_chunk_is(run, large_plate, tmp_path, strategy, chunk, files):
    run(on=large_plate, zarr=ZarrConfig(chunk_strategy=strategy))
    image = first(tmp_path / "out")
    assert image.chunks == chunk
    assert len(list((tmp_path / "out").rglob("A/01/0/0/c/*/*/*/*/*"))) == files
    original = tifffile.imread(large_plate / "TimePoint_1" / "ZStep_2" / "plate_A01_w2.TIF")
    np.testing.assert_array_equal(image[0, 1, 1], original)


@effect_of(ZarrConfig, "shards")
def test_the_chunks_of_an_image_share_a_file(run, plate, tmp_path):
    run(zarr=ZarrConfig(shards="image"))
    image = first(tmp_path / "out")
    assert (image.chunks, image.shards) == ((1, 1, 1, 64, 96), (1, 2, 2, 64, 96))
    assert len(list((tmp_path / "out").rglob("A/01/0/0/c/*/*/*/*/*"))) == 1
    original = tifffile.imread(plate / "TimePoint_1" / "ZStep_2" / "plate_A01_s1_w2.TIF")
    np.testing.assert_array_equal(image[0, 1, 1], original)


@effect_of(ZarrConfig, "ome_zarr_version")
@pytest.mark.parametrize(("version", "zarr_format"), [("0.5", 3), ("0.4", 2)])
def test_the_version_of_ome_zarr(run, tmp_path, version, zarr_format):
    run(zarr=ZarrConfig(ome_zarr_version=version))
    group = zarr.open_group(tmp_path / "out" / "images.zarr", mode="r")
    assert group.metadata.zarr_format == first(tmp_path / "out").metadata.zarr_format == zarr_format
    plate = group.attrs["ome"] if version == "0.5" else group.attrs["plate"]
    assert plate["version"] == version


@effect_of(ZarrConfig, "ome_zarr_metadata")
@pytest.mark.parametrize("wanted", [True, False])
def test_images_have_display_metadata(run, tmp_path, wanted):
    run(zarr=ZarrConfig(ome_zarr_metadata=wanted))
    image = zarr.open_group(tmp_path / "out" / "images.zarr" / "A" / "01" / "0", mode="r").attrs["ome"]
    assert ("omero" in image) == wanted
    assert "multiscales" in image


@effect_of(ZarrConfig, "write_plate_metadata")
@pytest.mark.parametrize("wanted", [True, False])
def test_wells_and_plate_have_metadata(run, tmp_path, wanted):
    run(zarr=ZarrConfig(write_plate_metadata=wanted))
    for path, key in (("", "plate"), ("A/01", "well")):
        group = zarr.open_group(tmp_path / "out" / "images.zarr" / path, mode="r")
        assert (key in group.attrs.get("ome", {})) == wanted
    assert first(tmp_path / "out").shape == (1, 2, 2, 64, 96)


# --- How artifacts are written ----------------------------------------------------------------------------------


@step_function(axes="yx", out="", makes={"counts": "table", "facts": "json", "mask": "image"})
def measured(image):
    return {"pixels": [image.size]}, {"dtype": str(image.dtype)}, image > 0


@effect_of(GlobalPipelineConfig, "writers")
@effect_of(WritersConfig, "table", "image")
def test_another_writer_of_tables_and_images(run, tmp_path):
    run(Step(measured), writers=WritersConfig(table="parquet", image="tiff"))
    results = tmp_path / "out" / "results"
    assert pyarrow.parquet.read_table(results / "counts.parquet")["pixels"].to_pylist() == [64 * 96] * 16
    assert not (results / "counts.csv").exists()
    (mask, *_) = sorted((results / "mask").rglob("*.tif"))
    assert tifffile.imread(mask).shape == (64, 96)


def write_upper(document, path):
    """A writer of JSON that a program brings: in capitals."""
    path.write_text(json.dumps(document).upper(), encoding="utf-8")


@effect_of(WritersConfig, "json")
def test_another_writer_of_json(run, tmp_path):
    spec = WriterSpec(name="capitals", kind="json", suffix=".caps", target=f"{__name__}:write_upper")
    run(Step(measured), plugins=program(hcs_writers=[spec]), writers=WritersConfig(json="capitals"))
    assert "UINT16" in (tmp_path / "out" / "results" / "facts.caps").read_text(encoding="utf-8")


# --- The same as a file -----------------------------------------------------------------------------------------

TABLES = Path("t")
SUFFIX_A = PathPlanningConfig(output_dir_suffix="_a")
WRITTEN = [
    (GlobalPipelineConfig, "num_workers", "num_workers: 3", 3),
    (GlobalPipelineConfig, "path_planning", "path_planning: {output_dir_suffix: _a}", SUFFIX_A),
    (GlobalPipelineConfig, "vfs", "vfs: {intermediate_backend: disk}", VFSConfig(intermediate_backend="disk")),
    (GlobalPipelineConfig, "zarr", "zarr: {shuffle: false}", ZarrConfig(shuffle=False)),
    (GlobalPipelineConfig, "writers", "writers: {json: mine}", WritersConfig(json="mine")),
    (GlobalPipelineConfig, "microscope", "microscope: imagexpress", "imagexpress"),
    (GlobalPipelineConfig, "use_threading", "use_threading: false", False),
    (GlobalPipelineConfig, "device", "device: cuda:1", "cuda:1"),
    (GlobalPipelineConfig, "device_fallback", "device_fallback: false", False),
    (GlobalPipelineConfig, "memory_limit", "memory_limit: 2G", 2**31),
    (GlobalPipelineConfig, "executor", "executor: dask", "dask"),
    (GlobalPipelineConfig, "missing", "missing: skip-well", "skip-well"),
    (PathPlanningConfig, "output_dir_suffix", "path_planning: {output_dir_suffix: _done}", "_done"),
    (PathPlanningConfig, "global_output_folder", "path_planning: {global_output_folder: all/out}", Path("all/out")),
    (PathPlanningConfig, "materialization_results_path", "path_planning: {materialization_results_path: t}", TABLES),
    (VFSConfig, "intermediate_backend", "vfs: {intermediate_backend: zarr}", "zarr"),
    (VFSConfig, "materialization_backend", "vfs: {materialization_backend: disk}", "disk"),
    (WritersConfig, "table", "writers: {table: parquet}", "parquet"),
    (WritersConfig, "json", "writers: {json: mine}", "mine"),
    (WritersConfig, "image", "writers: {image: tiff}", "tiff"),
    (ZarrConfig, "store_name", "zarr: {store_name: a.zarr}", "a.zarr"),
    (ZarrConfig, "compressor", "zarr: {compressor: gzip}", "gzip"),
    (ZarrConfig, "compression_level", "zarr: {compression_level: 7}", 7),
    (ZarrConfig, "shuffle", "zarr: {shuffle: false}", False),
    (ZarrConfig, "chunk_strategy", "zarr: {chunk_strategy: tiled}", "tiled"),
    (ZarrConfig, "shards", "zarr: {shards: image}", "image"),
    (ZarrConfig, "ome_zarr_version", "zarr: {ome_zarr_version: 0.4}", "0.4"),
    (ZarrConfig, "ome_zarr_metadata", "zarr: {ome_zarr_metadata: false}", False),
    (ZarrConfig, "write_plate_metadata", "zarr: {write_plate_metadata: false}", False),
]  # fmt: skip
PARTS = {
    GlobalPipelineConfig: None, PathPlanningConfig: "path_planning", VFSConfig: "vfs", WritersConfig: "writers",
    ZarrConfig: "zarr",
}  # fmt: skip


def test_every_field_is_written_in_a_file_of_these_tests():
    assert {(cls, field) for cls, field, _, _ in WRITTEN} == every_field()


@pytest.mark.parametrize(("cls", "field", "text", "value"), WRITTEN)
def test_a_file_says_what_python_says(tmp_path, cls, field, text, value):
    path = tmp_path / "config.yaml"
    path.write_text(f"{text}\n", encoding="utf-8")
    made = cls(**{field: value})
    part = PARTS[cls]
    assert load_config(path) == (made if part is None else GlobalPipelineConfig(**{part: made}))
    assert getattr(made, field) != getattr(cls(), field)


def test_a_file_has_the_effect_through_the_command_line(plate, hcs, write_pipeline, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "path_planning: {materialization_results_path: tables}\nzarr: {store_name: a.zarr, compressor: none}\n",
        encoding="utf-8",
    )
    ran = hcs("run", plate, write_pipeline(), "-o", tmp_path / "out", "--config", path)
    assert ran.code == 0, ran.err
    assert first(tmp_path / "out", store="a.zarr").compressors == ()
    assert (tmp_path / "out" / "tables" / "wells.csv").is_file()
