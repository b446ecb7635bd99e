"""The files and bytes that a plan counts are those that a run leaves, whatever the backend writes."""

import pytest

from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    Step,
    StorageBackendSpec,
    VFSConfig,
    ZarrConfig,
    hookimpl,
)
from hcs_core.compiler.compiling import draft_plan
from hcs_core.testing.plates import make_plate as made_up

LARGEST_HEADER = 4096
STEPS = [Step("gaussian_blur", sigma=1.0, save=True), Step("max_projection")]
BACKENDS = {
    "zarr 0.5": ({"compressor": "none"}, "zarr"),
    "zarr 0.4": ({"compressor": "none", "ome_zarr_version": "0.4"}, "zarr"),
    "shards": ({"compressor": "none", "shards": "image"}, "zarr"),
    "tiles": ({"compressor": "none", "chunk_strategy": "tiled"}, "zarr"),
    "disk": ({"compressor": "none"}, "disk"),
}


@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_planned_is_what_is_there(make_plate, installed, tmp_path, name):
    zarr, backend = BACKENDS[name]
    config = GlobalPipelineConfig(
        num_workers=1, zarr=ZarrConfig(**zarr), vfs=VFSConfig(materialization_backend=backend)
    )
    plate = make_plate(image_shape=(400, 300), wells=("A01", "B03", "B04"))
    result = PipelineOrchestrator(plate, global_config=config, plugins=installed, output=tmp_path / "out").run(
        [Pipeline("p", STEPS)]
    )
    assert result.status == "ok"
    for output in result.plan.outputs:
        files = [path for path in (result.output / output.store).rglob("*") if path.is_file()]
        assert len(files) == output.size.files
        pixels = sum(path.stat().st_size for path in files if path.suffix != ".json" and path.name[0] != ".")
        # Beside pixels a file holds its own header at most: that of a TIFF, the index of a shard.
        assert output.size.bytes <= pixels <= output.size.bytes + LARGEST_HEADER * len(files)
    assert result.plan.output_files == sum(output.size.files for output in result.plan.outputs)
    assert result.plan.output_bytes == sum(output.size.bytes for output in result.plan.outputs)


def test_of_a_backend_that_says_nothing_planes_are_counted(installed):
    manager = PluginManager()
    backend = StorageBackendSpec(name="mine", target="nowhere:Mine")

    class Mine:
        hcs_api = 1

        @staticmethod
        @hookimpl
        def hcs_storage_backends():
            yield backend

    manager.register(Mine, "mine")
    manager.discover()
    config = GlobalPipelineConfig(vfs=VFSConfig(materialization_backend="mine"))
    plan = draft_plan(Pipeline("p", STEPS), made_up(z_indexes=(1, 2), sites=(1, 2)), config, manager)
    assert plan.problems == ()
    planes = {output.store: output.size.files for output in plan.outputs}
    # Two wells of two sites and two channels, with two slices and without.
    assert planes == {"gaussian_blur": 16, "images": 8}
    assert plan.output_bytes == 24 * 64 * 48 * 2


def test_a_size_that_cannot_be_imported_names_its_plugin(installed):
    from hcs_core import PluginError

    manager = PluginManager()
    backend = StorageBackendSpec(name="mine", target="nowhere:Mine", size="no_such_module:size")

    class Mine:
        hcs_api = 1

        @staticmethod
        @hookimpl
        def hcs_storage_backends():
            yield backend

    manager.register(Mine, "mine")
    assert any("no_such_module" in fault for fault in manager.check("mine"))
    config = GlobalPipelineConfig(vfs=VFSConfig(materialization_backend="mine"))
    with pytest.raises(PluginError, match="the storage backend 'mine' of plugin 'mine' cannot be used"):
        draft_plan(Pipeline("p"), made_up(), config, manager)
