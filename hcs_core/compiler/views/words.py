"""Parts of a plan in words: images, sizes, parameters, and why a well is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hcs_core.arrays.device_names import has_own_memory
from hcs_core.compiler.device_plan import DevicePlan
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import EstimatePlan, NodePlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.stage import Stage
from hcs_core.compiler.step_plan import StepPlan
from hcs_core.pipeline.step_options import START
from hcs_core.plugins.parameter import GivenImage

NOT_THERE = "not there yet"
"""Why a well is made of which the output knows nothing."""

_STEP = 1024
_WHOLE_NUMBERS_FROM = 100


def reasons(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the wells that a run would make, by why it would."""
    why = dict(plan.redo)
    found: dict[str, list[str]] = {}
    for well in plan.to_do:
        found.setdefault(why.get(well, NOT_THERE), []).append(well)
    return {reason: tuple(wells) for reason, wells in found.items()}


def why_text(plan: Plan) -> str:
    """Return in a few words why wells are made: `not there yet`, or with the number of wells of each reason."""
    found = reasons(plan)
    if not found:
        return "all wells are there"
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{reason}: {len(wells)}" for reason, wells in found.items())


def image_text(image: ImagePlan) -> str:
    """Return an image in a few words: `2 channels (DAPI, GFP), 3 z, 1 t, 256 x 256 uint16`."""
    names = ", ".join(channel.name for channel in image.channels)
    count = len(image.channels)
    slices = "projections" if image.is_projection else f"{len(image.z_indexes)} z"
    size = f"mosaics of up to {by_text(image.shape)}" if image.is_mosaic else by_text(image.shape)
    return f"{count} channel{'s' * (count > 1)} ({names}), {slices}, {len(image.timepoints)} t, {size} {image.dtype}"


def short_image_text(image: ImagePlan) -> str:
    """Return an image in as few words as a table has room for: `DAPI, GFP: 3 z, 256x256 uint16`."""
    names = ", ".join(channel.name for channel in image.channels)
    slices = "projections" if image.is_projection else f"{len(image.z_indexes)} z"
    times = f", {len(image.timepoints)} t" if len(image.timepoints) > 1 else ""
    most = "mosaics to " if image.is_mosaic else ""
    return f"{names}: {slices}{times}, {most}{lengths_text(image.shape)} {image.dtype}"


def lengths_text(numbers: Sequence[int]) -> str:
    """Return lengths as a table has room for: `256x256`."""
    return "x".join(map(str, numbers))


def call_text(node: NodePlan) -> str:
    """Return a call as people write it: `gaussian_blur/numpy(sigma=1.5)`, with where it works if not everywhere."""
    given = ", ".join(f"{key}={value_text(value)}" for key, value in node.parameters)
    name = node.kernel or node.operation
    only = f" where {node.only.component} is {node.only.value}" if node.only is not None else ""
    return (f"{name}({given})" if given else name) + only


def memory_text(node: NodePlan) -> str:
    """Return the memory type and device that a node works in, after those from which its planes are converted."""
    own = node.memory_type or "?"
    if has_own_memory(node.device):
        own += f" ({node.device})"
    return f"{' and '.join(node.converts)} -> {own}" if node.converts else own


def device_text(device: DevicePlan) -> str:
    """Return how many workers use a device, and how much of its memory."""
    free = "" if device.free_bytes is None else f" of {size_text(device.free_bytes)} that are free"
    workers = f"{device.workers} worker{'s' * (device.workers != 1)}"
    return f"{device.device}: {workers}, {size_text(device.bytes_per_worker)} each{free}"


def batch_text(plan: Plan) -> str:
    """Return how many planes kernels get at once on devices; empty where they get one by one."""
    batches = sorted({node.batch for node in plan.nodes if node.batch > 1})
    return f"up to {batches[-1]} planes at once" if batches else ""


def source_text(step: StepPlan) -> str:
    """Return what a step reads: the plate, or the name of a step."""
    return "plate" if step.reads == START else step.reads


def stage_text(stage: Stage) -> str:
    """Return a stage in words; one that is no well's work says what kind it is."""
    return f"{stage.name} (well by well)" if stage.kind == "well" else f"{stage.name} ({stage.kind})"


def estimate_text(plan: Plan, stage: Stage) -> str:
    """Return what a reduction estimates, of how many planes, and whether that is there already."""
    node = plan.nodes[stage.node]
    counts = ", ".join(
        f"{count} of {channel.name}" for count, channel in zip(stage.sampled, node.input.channels, strict=True)
    )
    there = "; is there already" if plan.estimate_key(stage) in plan.estimated else ""
    return f"{stage.parameter} of {node.step}, from {len(stage.samples)} well(s), planes: {counts}{there}"


def well_estimate_text(plan: Plan, index: int, estimate: EstimatePlan) -> str:
    """Return what each well estimates for itself."""
    return f"{estimate.parameter} of {plan.nodes[index].step}, in each well, whose planes are read twice"


def value_text(value: Any) -> str:
    """Return a parameter's value as people write it."""
    if isinstance(value, GivenImage):
        return value.source or "an image"
    if isinstance(value, tuple):
        return f"[{', '.join(map(value_text, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def by_text(numbers: Sequence[int]) -> str:
    """Return lengths as people write them: `256 x 256`."""
    return " x ".join(map(str, numbers))


def size_text(count: int) -> str:
    """Return a number of bytes as people write it: `1.5 GB`."""
    size = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < _STEP:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= _WHOLE_NUMBERS_FROM else f"{size:.1f} {unit}"
        size /= _STEP
    return f"{size:.1f} TB"
