"""A plan as `hcs plan` prints it: for people as text, for programs as JSON."""

from __future__ import annotations

from typing import Any

import attrs

from hcs_core.cli.columns import columns_text, paragraph
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.stage import REDUCTION, Stage
from hcs_core.compiler.step_plan import OutputPlan, StepPlan
from hcs_core.compiler.views.tables import plan_facts, plan_needs, plan_tables
from hcs_core.compiler.views.words import source_text, why_text

_WORD = 10


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return what `hcs plan --json` prints."""
    return {
        "digest": plan.digest,
        "plate": plan.plate,
        "pipeline": plan.pipeline,
        "pipelines": list(plan.pipelines),
        "wells": list(plan.well_names),
        "done": list(plan.done),
        "redo": dict(plan.redo),
        "skipped_wells": list(plan.skipped_wells),
        "stages": [_stage(plan, stage) for stage in plan.stages],
        "steps": [_step(plan, step) for step in plan.steps],
        "problems": [attrs.asdict(problem) for problem in plan.problems],
        "peak_memory_bytes_per_worker": plan.peak_memory_bytes_per_worker,
        "waiting_bytes_per_worker": plan.waiting_bytes_per_worker,
        "workers": plan.workers,
        "devices": [attrs.asdict(device) for device in plan.devices],
        "worker_devices": list(plan.worker_devices),
        "intermediate_backend": plan.intermediate_backend,
        "output_bytes": plan.output_bytes,
        "output_files": plan.output_files,
        "stores": [_store(plan, output) for output in plan.outputs],
        "artifacts": [
            {"name": made.name, "kind": made.kind, "writer": made.writer, "suffix": made.suffix}
            for made in plan.artifacts
        ],
    }


def _step(plan: Plan, step: StepPlan) -> dict[str, Any]:
    nodes = [plan.nodes[index] for index in step.nodes]
    kept = [output.store for output in plan.outputs if output.step == step.name]
    return {
        "name": step.name,
        "pipeline": step.pipeline,
        "kernel": ", ".join(node.kernel or node.operation for node in nodes),
        "memory_type": ", ".join(dict.fromkeys(node.memory_type for node in nodes)),
        "device": ", ".join(dict.fromkeys(node.device for node in nodes)),
        "kernel_why": "; ".join(dict.fromkeys(node.why for node in nodes if node.why)),
        "batch": max((node.batch for node in nodes), default=1),
        "conversions": [
            {"from": source, "to": own}
            for source, own in dict.fromkeys((source, node.memory_type) for node in nodes for source in node.converts)
        ],
        "axes": ", ".join(dict.fromkeys(f"{node.axes}->{node.out}" for node in nodes)),
        "reads": source_text(step),
        "writes": kept or [plan.intermediate_backend],
        "added": bool(plan.asked) and step.name not in plan.asked,
        "wells_to_run": len(plan.to_do),
        "why": why_text(plan),
    }


def _stage(plan: Plan, stage: Stage) -> dict[str, Any]:
    if stage.kind != REDUCTION:
        return {"name": stage.name, "kind": stage.kind, "wells": len(plan.to_do)}
    node = plan.nodes[stage.node]
    return {
        "name": stage.name,
        "kind": stage.kind,
        "step": node.step,
        "function": node.operation,
        "parameter": stage.parameter,
        "wells": len(stage.samples),
        "planes": dict(zip((channel.name for channel in node.input.channels), stage.sampled, strict=True)),
        "is_there": plan.estimate_key(stage) in plan.estimated,
    }


def _store(plan: Plan, output: OutputPlan) -> dict[str, Any]:
    """Return what is said of an output; of mosaics, the largest is told."""
    layout, size, image = output.image_layout, output.size, plan.largest(output.image)
    if layout is not None and image.is_mosaic:
        layout = layout.sized(image.shape)
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
        "shard": list(layout.shard) if layout and layout.shard else None,
        "levels": len(layout.level_shapes) if layout else None,
        "bytes": size.bytes if size else None,
        "files": size.files if size else None,
    }


def plan_text(plan: Plan, output: str, width: int = 0) -> str:
    """Return a plan as `hcs plan` prints it, with a `width` in lines of at most that, where names allow it.

    Of one that cannot run, it is what the plan is for and its steps.
    """
    lines = [_line(word, text, width) for word, text in plan_facts(plan)]
    lines.append(_line("Output", output))
    for table in plan_tables(plan):
        lines += ["", table.title, *columns_text(table.columns, table.rows, width)]
    needs = () if plan.problems else plan_needs(plan)
    return "\n".join([*lines, *([""] if needs else []), *(_line(word, text, width) for word, text in needs)])


def _line(word: str, text: str, width: int = 0) -> str:
    return paragraph(f"{word}:", text, _WORD, width)
