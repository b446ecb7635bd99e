"""A plan as tables for people: facts, steps, stores and wells, as texts that a terminal or a notebook lays out."""

from __future__ import annotations

import attrs

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.step_plan import OutputPlan, StepPlan
from hcs_core.compiler.views.words import (
    batch_text,
    call_text,
    device_text,
    estimate_text,
    image_text,
    lengths_text,
    memory_text,
    reasons,
    short_image_text,
    size_text,
    source_text,
    stage_text,
    well_estimate_text,
)
from hcs_core.pipeline.names import Backend
from hcs_core.pipeline.step_options import START
from hcs_core.plate.wells import summary
from hcs_core.plugins.estimate import WELL


@attrs.frozen(kw_only=True)
class PlanTable:
    """A table of texts: what it is of, its columns, its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def plan_facts(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return what a plan is for and what it starts from, as pairs of a word and a text."""
    return (
        ("Plate", f"{plan.plate} ({plan.microscope})"),
        ("Pipeline", plan.pipeline),
        *(("Input", image_text(source)) for source in plan.sources),
        *_left_out(plan),
        *_stages(plan),
        *(("Estimate", estimate_text(plan, stage)) for stage in plan.reductions),
        *(("Estimate", well_estimate_text(plan, *found)) for found in plan.estimates_of(WELL)),
    )


def plan_needs(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return what a plan needs and what is left to do, as pairs of a word and a text."""
    waiting = plan.waiting_bytes_per_worker
    held = f", {size_text(waiting)} of it planes that wait" if waiting else ""
    left = plan.to_do
    peak, workers = size_text(plan.peak_memory_bytes_per_worker), plan.workers
    batches = batch_text(plan)
    kernels = _all_why(plan)
    made = ", ".join(f"{artifact.name} ({artifact.kind}, {artifact.writer})" for artifact in plan.artifacts)
    return (
        *((("Makes", made),) if made else ()),
        *((("Kernels", kernels),) if kernels else ()),
        ("Needs", f"{peak} of memory a worker ({workers} at once) beside the libraries{held}"),
        *(("Device", device_text(device)) for device in plan.devices),
        *((("Batches", batches),) if batches else ()),
        ("Between", _between(plan)),
        ("Disk", f"at most {size_text(plan.output_bytes)} in {plan.output_files:,} files"),
        ("Runs", f"{len(left)} well(s)" if left else "nothing, all wells are there"),
        ("Digest", plan.digest[:16]),
    )


def plan_tables(plan: Plan) -> tuple[PlanTable, ...]:
    """Return the tables of steps, kernels, stores and wells; of a plan that cannot run, that of steps alone."""
    tables = [_steps_table(plan)]
    if not plan.problems:
        tables += [_kernels_table(plan), _stores_table(plan), _wells_table(plan)]
    return tuple(table for table in tables if table.rows)


def _between(plan: Plan) -> str:
    """Return where planes wait that several nodes read, or that come out of a stack at once."""
    if plan.intermediate_backend == Backend.MEMORY:
        return "planes that have to wait do so in memory"
    place = f"{plan.intermediate_backend}, below .hcs/waiting of the output"
    return f"planes that have to wait do so in {place}, until their last reader"


def _stages(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return the stages, where there is more than the wells' own."""
    if all(stage.kind == "well" for stage in plan.stages):
        return ()
    return (("Stages", ", then ".join(map(stage_text, plan.stages))),)


def _left_out(plan: Plan) -> list[tuple[str, str]]:
    """Return what the policy for missing data leaves out, and what channels do not have."""
    lines = []
    if plan.skipped_sites:
        wells = f", and so {len(plan.skipped_wells)} well(s)" if plan.skipped_wells else ""
        lines.append(("Skipped", f"{len(plan.skipped_sites)} site(s) that lack planes{wells} ({plan.missing})"))
    if plan.filled_sites:
        lines.append(("Filled", f"{len(plan.filled_sites)} site(s) that lack planes; their places stay empty, as 0"))
    ragged = sum(plan.has_gaps(plan.well_shapes[shape]) for _, shape in plan.wells)
    if ragged:
        text = f"{ragged} well(s) have channels with fewer z or timepoints; their places stay empty"
        lines.append(("Ragged", text))
    return lines


def _steps_table(plan: Plan) -> PlanTable:
    rows: list[tuple[str, ...]] = []
    for number, step in enumerate(plan.steps, start=1):
        rows.extend(_step_rows(plan, number, step))
    columns = ("step", "reads", "runs", "memory", "axes", "gives", "kept in")
    return PlanTable(title="Steps", columns=columns, rows=tuple(rows))


def _step_rows(plan: Plan, number: int, step: StepPlan) -> list[tuple[str, ...]]:
    """Return a row for each different call of a step; what it gives and where it is kept stands in the last."""
    nodes = [plan.nodes[index] for index in step.nodes]
    calls = list(dict.fromkeys((call_text(n), memory_text(n), f"{n.axes}->{n.out}") for n in nodes))
    stores = dict.fromkeys(output.store for output in plan.outputs if output.step == step.name)
    added = "" if step.name in plan.asked or not plan.asked else " (added)"
    missing = "not known" if plan.problems else "nothing"
    rows: list[tuple[str, ...]] = [("", "", *call, "", "") for call in calls] or [("", "", missing, *[""] * 4)]
    rows[0] = (f"{number}. {step.name}{added}", _read(plan, number, step), *rows[0][2:])
    images = "; ".join(short_image_text(plan.largest(image)) for image in step.images)
    rows[-1] = (*rows[-1][:5], images, ", ".join(stores) or "-")
    return rows


def _read(plan: Plan, number: int, step: StepPlan) -> str:
    """Return what a step reads, where that is not the step before it, or the plate at the beginning of a pipeline."""
    before = plan.steps[number - 2] if number > 1 else None
    unsaid = before.name if before is not None and before.pipeline == step.pipeline else START
    return "" if step.reads in {unsaid, ""} else source_text(step)


def _kernels_table(plan: Plan) -> PlanTable:
    """Return a row for each kernel on a device: where it works and why it is that one; none where all is numpy's."""
    nodes = [] if _all_on_host(plan) else plan.nodes
    rows = [(n.kernel or n.operation, n.device, n.why) for n in nodes if n.stitch is None]
    return PlanTable(title="Kernels", columns=("kernel", "device", "why"), rows=tuple(dict.fromkeys(rows)))


def _all_on_host(plan: Plan) -> bool:
    return all((node.memory_type, node.device) == (HOST, CPU) for node in plan.nodes)


def _all_why(plan: Plan) -> str:
    """Return why all kernels are numpy's, where they are; the columns of a table would all say that."""
    whys = dict.fromkeys(node.why.removesuffix(f": {HOST}") for node in plan.nodes if node.kernel and node.why)
    return f"{HOST} on {CPU}: {'; '.join(whys)}" if whys and _all_on_host(plan) else ""


def _stores_table(plan: Plan) -> PlanTable:
    columns = ("store", "wells", "backend", "channels", "tczyx", "dtype", "chunks", "levels", "at most", "files")
    return PlanTable(title="Stores", columns=columns, rows=tuple(_store_row(plan, output) for output in plan.outputs))


def _store_row(plan: Plan, output: OutputPlan) -> tuple[str, ...]:
    layout, size, image = output.image_layout, output.size, plan.largest(output.image)
    laid_out = ("", "")
    if layout is not None:
        sized = layout.sized(image.shape) if image.is_mosaic else layout
        shard = f" in shards of {lengths_text(sized.shard)}" if sized.shard else ""
        laid_out = (lengths_text(sized.chunk) + shard, str(len(sized.level_shapes)))
    return (
        output.store,
        "" if output.wells is None else summary(plan.wells_of(output)),
        output.backend,
        ", ".join(channel.name for channel in image.channels),
        ("mosaics to " if image.is_mosaic else "") + lengths_text(image.array_shape),
        image.dtype,
        *laid_out,
        size_text(size.bytes) if size else "",
        f"{size.files:,}" if size else "",
    )


def _wells_table(plan: Plan) -> PlanTable:
    """Return a row for the wells of each state: done, to do and why, left out."""
    rows = [(str(len(wells)), summary(wells), "to do", why) for why, wells in reasons(plan).items()]
    if plan.done:
        rows.insert(0, (str(len(plan.done)), summary(plan.done), "done", "whole in the output"))
    if plan.skipped_wells:
        why = f"lacks planes (missing: {plan.missing})"
        rows.append((str(len(plan.skipped_wells)), summary(plan.skipped_wells), "skipped", why))
    return PlanTable(title="Wells", columns=("number", "wells", "state", "why"), rows=tuple(rows))
