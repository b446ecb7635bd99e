"""A plan as people and as programs read it."""

from __future__ import annotations

from typing import Any

import attrs

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.plan import OutputPlan, Plan, StepPlan
from hcs_core.pipeline.step_options import START
from hcs_core.plate.wells import summary
from hcs_core.plugins.parameter import GivenImage

_STEP = 1024


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return what `hcs plan --json` prints."""
    return {
        "digest": plan.digest,
        "plate": plan.plate,
        "pipeline": plan.pipeline,
        "pipelines": list(plan.pipelines),
        "wells": list(plan.well_names),
        "steps": [_step(plan, step) for step in plan.steps],
        "problems": [attrs.asdict(problem) for problem in plan.problems],
        "peak_memory_bytes_per_worker": plan.peak_memory_bytes_per_worker,
        "workers": plan.workers,
        "output_bytes": plan.output_bytes,
        "output_files": plan.output_files,
        "stores": [_store(plan, output) for output in plan.outputs],
    }


def _step(plan: Plan, step: StepPlan) -> dict[str, Any]:
    nodes = [plan.nodes[index] for index in step.nodes]
    kept = [output.store for output in plan.outputs if output.step == step.name]
    left = [well for well in plan.well_names if well not in plan.done]
    return {
        "name": step.name,
        "pipeline": step.pipeline,
        "kernel": ", ".join(node.kernel or node.operation for node in nodes),
        "memory_type": ", ".join(dict.fromkeys(node.memory_type for node in nodes)),
        "axes": ", ".join(dict.fromkeys(f"{node.axes}->{node.out}" for node in nodes)),
        "reads": _source(step),
        "writes": kept or [plan.intermediate_backend],
        "wells_to_run": len(left),
        "why": "not there yet" if left else "all wells are there",
    }


def _source(step: StepPlan) -> str:
    return "plate" if step.reads == START else step.reads


def _store(plan: Plan, output: OutputPlan) -> dict[str, Any]:
    """Return what is said of an output; of mosaics, the largest is told."""
    layout, image = output.image_layout, plan.largest(output.image)
    levels = layout.sized(image.shape).level_shapes if layout and image.is_mosaic else layout and layout.level_shapes
    return {
        "name": output.store,
        "step": output.step,
        "backend": output.backend,
        "wells": None if output.wells is None else list(plan.wells_of(output)),
        "mosaic": image.is_mosaic,
        "channels": [channel.name for channel in image.channels],
        "shape": list(image.array_shape),
        "dtype": image.dtype,
        "chunk": list(layout.chunk) if layout else None,
        "levels": len(levels) if levels else None,
    }


def plan_text(plan: Plan, output: str) -> str:
    """Return a plan as `hcs plan` prints it."""
    if not plan.sources:
        return ""
    left = [well for well in plan.well_names if well not in plan.done]
    lines = [
        f"Plate:    {plan.plate} ({plan.microscope})",
        f"Pipeline: {plan.pipeline}",
        f"Wells:    {summary(plan.well_names)}" + (f"; {len(plan.done)} already done" if plan.done else ""),
        *(f"Input:    {image_text(source)}" for source in plan.sources),
        *_left_out(plan),
    ]
    width = max((len(step.name) for step in plan.steps), default=0)
    before: StepPlan | None = None
    for number, step in enumerate(plan.steps, start=1):
        nodes = [plan.nodes[index] for index in step.nodes]
        kernels = ", ".join(dict.fromkeys(_kernel(node.kernel or node.operation, node.parameters) for node in nodes))
        unsaid = before.name if before and before.pipeline == step.pipeline else START
        taken = "" if step.reads == unsaid else f" (of {_source(step)})"
        before = step
        images = "; ".join(image_text(plan.largest(image)) for image in step.images)
        lines.append(f"  {number}. {step.name:<{width}}  {kernels}{taken}  ->  {images}")
    for kept in plan.outputs:
        chunk = kept.image_layout.chunk if kept.image_layout else ()
        image = image_text(plan.largest(kept.image))
        lines.append(
            f"Writes:   {output}/{kept.store} ({kept.backend}), {image}, chunks {_by(chunk)}"
            + ("" if kept.wells is None else f", of {summary(plan.wells_of(kept))}")
        )
    lines += [
        (
            f"Needs:    {size_text(plan.peak_memory_bytes_per_worker)} of memory a worker ({plan.workers} at once) "
            f"beside the libraries; up to {size_text(plan.output_bytes)} of disk in {plan.output_files:,} files"
        ),
        f"Runs:     {len(left)} well(s)" if left else "Runs:     nothing, all wells are there",
        f"Digest:   {plan.digest[:16]}",
    ]
    return "\n".join(lines)


def _left_out(plan: Plan) -> list[str]:
    """Return a line on what the policy for missing data leaves out, and one on what channels do not have."""
    lines = []
    if plan.skipped_sites:
        wells = f", and so {len(plan.skipped_wells)} well(s)" if plan.skipped_wells else ""
        lines.append(f"Skipped:  {len(plan.skipped_sites)} site(s) that lack planes{wells} ({plan.missing})")
    ragged = sum(plan.has_gaps(plan.well_shapes[shape]) for _, shape in plan.wells)
    if ragged:
        lines.append(f"Ragged:   {ragged} well(s) have channels with fewer z or timepoints; their places stay empty")
    return lines


def _kernel(name: str, parameters: tuple[tuple[str, Any], ...]) -> str:
    given = ", ".join(f"{key}={_value(value)}" for key, value in parameters)
    return f"{name}({given})" if given else name


def _value(value: Any) -> str:
    return (value.source or "an image") if isinstance(value, GivenImage) else str(value)


def image_text(image: ImagePlan) -> str:
    """Return an image in a few words: `2 channels (DAPI, GFP), 3 z, 1 t, 256 x 256 uint16`."""
    names = ", ".join(channel.name for channel in image.channels)
    count = len(image.channels)
    slices = "projections" if image.is_projection else f"{len(image.z_indexes)} z"
    size = f"mosaics of up to {_by(image.shape)}" if image.is_mosaic else _by(image.shape)
    return f"{count} channel{'s' * (count > 1)} ({names}), {slices}, {len(image.timepoints)} t, {size} {image.dtype}"


def _by(numbers: tuple[int, ...]) -> str:
    return " x ".join(map(str, numbers))


def size_text(count: int) -> str:
    """Return a number of bytes as people write it: `1.5 GB`."""
    size = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < _STEP:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"  # noqa: PLR2004
        size /= _STEP
    return f"{size:.1f} TB"
