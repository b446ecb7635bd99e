"""Chunks, levels, and how much will be written: against arithmetic, and against what hcs-zarr really writes."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hcs_core import FinishedWell, GlobalPipelineConfig, PlaneAddress, Step, ZarrConfig
from hcs_core.compiler.passes.stores import chunk_shape, shard_shape
from hcs_core.compiler.plan import ImageChannel, ImagePlan
from hcs_core.storage.layout import level_shapes

LIMIT = 2**31 - 1
SIDES = st.one_of(st.integers(1, 3000), st.sampled_from([2160, 2048, 1080, 1024, 2161, 4999, 40_000, 60_000, 99_991]))


def image(shape=(64, 48), channels=1, slices=1, times=1, dtype="uint16"):
    return ImagePlan(
        channels=tuple(ImageChannel(name=str(number)) for number in range(channels)),
        z_indexes=tuple(range(1, slices + 1)),
        timepoints=tuple(range(1, times + 1)),
        shape=shape,
        dtype=dtype,
    )


def chunk(strategy, **of_image):
    return chunk_shape(image(**of_image), ZarrConfig(chunk_strategy=strategy))


def test_a_chunk_of_each_strategy():
    given_image = {"shape": (2160, 2160), "channels": 4, "slices": 3, "times": 5}
    assert chunk("plane", **given_image) == (1, 1, 1, 2160, 2160)
    assert chunk("single", **given_image) == (1, 4, 3, 2160, 2160)
    assert chunk("tiled", **given_image) == (1, 1, 1, 720, 720)


@pytest.mark.parametrize(
    ("side", "tile"),
    [
        (2160, 720),
        (2048, 1024),
        (1080, 540),
        (1024, 1024),
        (1025, 1025 // 5 if 1025 // 5 >= 256 else 1025),
        (2161, 2161),
        (64, 64),
        (1, 1),
    ],
)
def test_tiles_divide_the_plane(side, tile):
    assert chunk("tiled", shape=(side, side))[3:] == (tile, tile)


def test_single_takes_what_a_codec_can():
    plane = 20_000 * 20_000 * 2
    assert plane <= LIMIT < 3 * plane
    whole = {"shape": (20_000, 20_000), "slices": 2, "channels": 1}
    assert chunk("single", **whole) == (1, 1, 2, 20_000, 20_000)
    assert chunk("single", **(whole | {"channels": 2})) == (1, 1, 2, 20_000, 20_000)
    assert chunk("single", **(whole | {"slices": 3})) == (1, 1, 1, 20_000, 20_000)


@given(
    st.sampled_from(["plane", "single", "tiled"]), st.tuples(SIDES, SIDES), st.integers(1, 5), st.integers(1, 300),
    st.sampled_from(["uint8", "uint16", "float32"]),
)  # fmt: skip
def test_no_chunk_is_larger_than_a_codec_takes_or_than_the_image(strategy, shape, channels, slices, dtype):
    found = chunk(strategy, shape=shape, channels=channels, slices=slices, times=2, dtype=dtype)
    item = np.dtype(dtype).itemsize
    assert math.prod(found) * item <= LIMIT
    whole = (1, channels, slices, *shape)
    assert all(1 <= side <= most for side, most in zip(found, whole, strict=True))
    plane_fits = math.prod(shape) * item <= LIMIT
    if strategy == "plane" and plane_fits:
        assert found == (1, 1, 1, *shape)
    if strategy == "tiled":
        for side, most in zip(found[3:], shape, strict=True):
            divisors = [size for size in range(256, 1025) if most % size == 0]
            if plane_fits:
                assert side == (max(divisors) if divisors else most) if most > 256 else side == most
    if strategy == "single" and math.prod(whole) * item <= LIMIT:
        assert found == whole


@given(SIDES, SIDES)
def test_levels_are_halved_until_they_are_small(height, width):
    levels = level_shapes((height, width))
    assert levels[0] == (height, width)
    for (y, x), (half_y, half_x) in itertools.pairwise(levels):
        assert max(y, x) > 384
        assert (half_y, half_x) == (math.ceil(y / 2), math.ceil(x / 2))
    assert max(levels[-1]) <= 384


def test_the_levels_of_a_plan(draft):
    layout = draft(image_shape=(1000, 300)).outputs[0].layout.image
    assert layout.level_shapes == ((1000, 300), (500, 150), (250, 75))


def test_what_the_configuration_says_is_in_the_layout(draft):
    zarr = ZarrConfig(
        store_name="mine.zarr",
        compressor="gzip",
        compression_level=7,
        shuffle=False,
        ome_zarr_version="0.4",
        ome_zarr_metadata=False,
        write_plate_metadata=False,
    )
    layout = (
        draft(config=GlobalPipelineConfig(zarr=zarr), plate_format=(16, 24), sites=(1, 2), name="Plate 7")
        .outputs[0]
        .layout
    )
    assert (layout.name, layout.plate_name, layout.plate_format, layout.field_count) == (
        "mine.zarr",
        "Plate 7",
        (16, 24),
        2,
    )
    assert (layout.compression.codec, layout.compression.level, layout.compression.shuffle) == ("gzip", 7, False)
    assert (layout.image_metadata, layout.plate_metadata) == (False, False)
    assert (layout.ome_zarr_version, layout.image.shard) == ("0.4", None)
    assert (layout.image.pixel_size_um, layout.image.dtype) == (0.5, "uint16")
    assert [channel.name for channel in layout.image.channels] == ["DAPI", "GFP"]


@pytest.mark.parametrize(
    ("strategy", "shape", "shard"),
    [
        ("plane", (2160, 2160), (1, 4, 3, 2160, 2160)),
        ("tiled", (2160, 2160), (1, 4, 3, 2160, 2160)),
        ("single", (2160, 2160), (1, 4, 3, 2160, 2160)),
        # A plane that is too large for a codec at once is cut, and the file holds whole pieces.
        ("plane", (40_000, 40_001), (1, 4, 3, 40 * 1024, 40 * 1024)),
    ],
)
def test_a_shard_holds_the_whole_chunks_of_an_image_and_timepoint(strategy, shape, shard):
    one = image(shape=shape, channels=4, slices=3, times=5)
    zarr = ZarrConfig(chunk_strategy=strategy, shards="image")
    assert shard_shape(one, chunk_shape(one, zarr), zarr) == shard
    assert shard_shape(one, chunk_shape(one, zarr), ZarrConfig(chunk_strategy=strategy)) is None


@pytest.mark.parametrize(
    "how", [{}, {"ome_zarr_version": "0.4"}, {"shards": "image"}, {"write_plate_metadata": False}]
)
@pytest.mark.parametrize("strategy", ["plane", "single", "tiled"])
@pytest.mark.parametrize("steps", [(), (Step("max_projection", save=True), Step("composite"))])
def test_bytes_and_files_are_those_that_are_written(draft, manager, tmp_path, strategy, steps, how):
    config = GlobalPipelineConfig(zarr=ZarrConfig(compressor="none", chunk_strategy=strategy, **how))
    plan = draft(
        *steps,
        config=config,
        wells=("A01", "C02", "C03"),
        sites=(1, 2),
        z_indexes=(1, 2),
        timepoints=(1, 2),
        image_shape=(300, 290),
    )
    for output in plan.outputs:
        write(manager, tmp_path, plan, output)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == plan.output_files
    chunks = [path.stat().st_size for path in files if path.name.isdigit()]
    # The index of a shard has 16 bytes for each chunk and 4 of its own.
    indexes = sum(shard_index_bytes(output.layout.image, len(plan.wells) * 2) for output in plan.outputs)
    assert sum(chunks) - indexes == plan.output_bytes


def shard_index_bytes(layout, images):
    if layout.shard is None:
        return 0
    t, c, z, _, _ = layout.shape
    ct, cc, cz, cy, cx = layout.chunk
    tiles = [math.ceil(y / min(y, cy)) * math.ceil(x / min(x, cx)) for y, x in layout.level_shapes]
    return images * sum(t // ct * (4 + 16 * (c // cc) * (z // cz) * tile) for tile in tiles)


def write(manager, folder, plan, output):
    """Write every plane of a plan's output."""
    store = manager.storage_backends.load("zarr")().open(folder, output.layout)
    store.declare({well: plan.sites(well) for well in plan.well_names})
    times, channels, slices, height, width = output.layout.image.shape
    for well in plan.well_names:
        opened = store.open_well(well)
        for site in plan.sites(well):
            for t, c, z in np.ndindex(times, channels, slices):
                opened.write(
                    PlaneAddress(site=site, t=t, c=c, z=z), np.ones((height, width), output.layout.image.dtype)
                )
        store.finish_well(FinishedWell(well=well, sites=plan.sites(well), summary=opened.close()))


def test_planes_that_share_a_chunk_are_held_together(draft):
    def peak(strategy):
        config = GlobalPipelineConfig(zarr=ZarrConfig(chunk_strategy=strategy))
        return draft(config=config, z_indexes=(1, 2, 3)).peak_memory_bytes_per_worker

    plane = 64 * 48 * 2
    # The plane that is read ahead, and the one that is written with its pyramid, twice.
    assert peak("plane") == plane + plane * 7 // 3
    # Six planes (two channels of three slices) with their pyramids, twice, beside the one that comes.
    assert peak("single") == plane + plane * 4 // 3 + 6 * plane * 7 // 3
