"""The stores pass: declares each array with shape, chunks and dtype, so that it exists before any worker starts."""

from __future__ import annotations

import math

import attrs
import numpy as np

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.step_plan import OutputPlan
from hcs_core.pipeline.config import ZarrConfig
from hcs_core.pipeline.names import ZarrChunkStrategy, ZarrShards
from hcs_core.plugins.manager import PluginManager
from hcs_core.storage.layout import ChannelLayout, Compression, ImageLayout, StoreLayout, level_shapes
from hcs_core.storage.size import SizeFunction, StoreSize, plain_size

LARGEST_CHUNK = 2**31 - 1
"""Bytes that a codec takes at once: blosc's limit."""

TILE = 1024
"""The longest side of a chunk under the strategy `tiled`."""

_SMALLEST_TILE = 256

MOSAIC_CHUNK = (1, 1, 1, TILE, TILE)
"""(t, c, z, y, x) of a chunk of a mosaic, whatever the strategy: a plane of it may have any size."""


def stores_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with the layout of every kept output, and how much it will write."""
    if not plan.sources or not plan.wells:
        return plan
    sites = max(len(shape.sites) for shape in plan.well_shapes)
    layouts = {name: _store(name, plan, given, sites) for name in dict.fromkeys(kept.store for kept in plan.outputs)}
    outputs = tuple(attrs.evolve(output, layout=layouts[output.store]) for output in plan.outputs)
    size_of = size_function(str(given.config.vfs.materialization_backend), given.plugins)
    plan = with_sizes(attrs.evolve(plan, outputs=outputs), size_of)
    output_bytes = plan.output_bytes
    free = given.machine.free_disk_bytes
    if free is not None and output_bytes > free and given.config.zarr.compressor == "none":
        return plan.with_problems(
            Problem(
                message=f"the results need {output_bytes:,} bytes, and {free:,} are free where they go.",
                hint="Choose another output folder, fewer wells, or a compressor.",
                found=f"{free} bytes",
                expected=f"at least {output_bytes} bytes",
            )
        )
    return plan


def with_sizes(plan: Plan, size_of: SizeFunction) -> Plan:
    """Return a plan whose stores are laid out with how large they become, for the wells that it has."""
    outputs = tuple(
        attrs.evolve(output, size=_size(plan, output, output.layout, size_of))
        for output in plan.outputs
        if output.layout is not None
    )
    sizes = [output.size for output in outputs if output.size is not None]
    return attrs.evolve(
        plan,
        outputs=outputs,
        output_bytes=sum(size.bytes for size in sizes),
        output_files=sum(size.files for size in sizes),
    )


def _size(plan: Plan, output: OutputPlan, layout: StoreLayout, size_of: SizeFunction) -> StoreSize:
    """Return what an output takes; mosaics in the store of their sites' images, what they add to it."""
    shapes = {well: plan.well_shapes[shape] for well, shape in plan.wells}
    wells = plan.wells_of(output)
    sites = {well: shapes[well].sites if layout.image else () for well in wells}
    none = StoreSize(bytes=0, files=0)
    own = size_of(attrs.evolve(layout, mosaic=None), sites, {}) if layout.image else none
    if not output.image.is_mosaic:
        return own
    whole = size_of(layout, sites, {well: shapes[well].frame(output.image) for well in wells})
    return StoreSize(bytes=whole.bytes - own.bytes, files=whole.files - own.files)


def size_function(backend: str, plugins: PluginManager) -> SizeFunction:
    """Return what says how large a store becomes: the backend's own, or the count of planes."""
    backends = plugins.storage_backends
    target = backends.get(backend).size if backend in backends else ""
    if not target:
        return plain_size
    found: SizeFunction = backends.load_target(backend, target)
    return found


def _store(name: str, plan: Plan, given: CompileInput, sites: int) -> StoreLayout:
    """Return the layout of a store: of the images of up to so many sites in a well, of its mosaic, or of both."""
    zarr = given.config.zarr
    kept = [output.image for output in plan.outputs if output.store == name]
    image = next((_image(image, zarr) for image in kept if not image.is_mosaic), None)
    mosaic = next((_image(image, zarr) for image in kept if image.is_mosaic), None)
    return StoreLayout(
        name=name,
        plate_name=given.plate.name,
        plate_format=given.plate.plate_format,
        image=image,
        mosaic=mosaic,
        compression=Compression(codec=str(zarr.compressor), level=zarr.compression_level, shuffle=zarr.shuffle),
        field_count=(sites if image else 0) + (1 if mosaic else 0),
        image_metadata=zarr.ome_zarr_metadata,
        plate_metadata=zarr.write_plate_metadata,
        ome_zarr_version=str(zarr.ome_zarr_version),
    )


def _image(image: ImagePlan, zarr: ZarrConfig) -> ImageLayout:
    chunk = MOSAIC_CHUNK if image.is_mosaic else chunk_shape(image, zarr)
    shard = shard_shape(image, chunk, zarr)
    if image.is_mosaic and shard is not None:
        # How many chunks it has along y and x, each well says.
        shard = (*shard[:3], TILE, TILE)
    return ImageLayout(
        shape=image.array_shape,
        dtype=image.dtype,
        channels=tuple(ChannelLayout(name=item.name, colour=item.colour) for item in image.channels),
        pixel_size_um=image.pixel_size_um,
        z_step_um=image.z_step_um,
        time_step_s=image.time_step_s,
        level_shapes=() if image.is_mosaic else level_shapes(image.shape),
        chunk=chunk,
        shard=shard,
    )


def chunk_shape(image: ImagePlan, zarr: ZarrConfig) -> tuple[int, int, int, int, int]:
    """Return (t, c, z, y, x) of a chunk under a strategy, never larger than a codec takes."""
    _, channels, slices, height, width = image.array_shape
    plane = (1, 1, 1, height, width)
    wanted: tuple[tuple[int, int, int, int, int], ...] = (plane,)
    if zarr.chunk_strategy == ZarrChunkStrategy.TILED:
        wanted = ((1, 1, 1, _tile(height), _tile(width)),)
    elif zarr.chunk_strategy == ZarrChunkStrategy.SINGLE:
        wanted = ((1, channels, slices, height, width), (1, 1, slices, height, width), plane)
    for chunk in wanted:
        if math.prod(chunk) * np.dtype(image.dtype).itemsize <= LARGEST_CHUNK:
            return chunk
    return (1, 1, 1, min(height, TILE), min(width, TILE))


def shard_shape(
    image: ImagePlan, chunk: tuple[int, int, int, int, int], zarr: ZarrConfig
) -> tuple[int, int, int, int, int] | None:
    """Return (t, c, z, y, x) of what shares a file, in whole chunks; `None` where each chunk is a file.

    A timepoint is a file of its own, so that a long series does not become one file that nobody can copy.
    """
    if zarr.shards == ZarrShards.NONE:
        return None
    _, channels, slices, height, width = image.array_shape
    t, c, z, y, x = chunk
    return t, _whole(channels, c), _whole(slices, z), _whole(height, y), _whole(width, x)


def _whole(length: int, chunk: int) -> int:
    """Return the length of as many whole chunks as cover a length."""
    return -(-length // chunk) * chunk


def _tile(length: int) -> int:
    """Return the largest divisor of a side up to `TILE`; the side itself where all divisors are small."""
    best = max(size for size in range(1, min(length, TILE) + 1) if length % size == 0)
    return best if best >= min(_SMALLEST_TILE, length) else length
