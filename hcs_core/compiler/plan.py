"""The plan: pipelines compiled for a plate. Frozen, picklable, printable, comparable, with a digest.

Images are five-dimensional; an image of the plan stands for the images of all sites. How they are made is a
graph of nodes: a node computes one call for some channels of one image, a port is one channel of a node's result
(or, with node -1, of the plate).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import attrs

from hcs_core.compiler.artifact_plan import ArtifactPlan
from hcs_core.compiler.canvas import TileFrame
from hcs_core.compiler.device_plan import DevicePlan
from hcs_core.compiler.image_plan import ImageChannel, ImagePlan
from hcs_core.compiler.node_plan import PLATE, EstimatePlan, NodePlan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.stage import REDUCTION, Stage
from hcs_core.compiler.step_plan import OutputPlan, StepPlan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.plugins.artifact import ArtifactKind


@attrs.frozen(kw_only=True)
class Plan:
    """One pipeline or several, compiled for a plate.

    Attributes
    ----------
    plate, microscope, inventory_digest
        What it was compiled for. Planes are not in it: a worker gets its well's with the task.
    pipeline, pipelines, definition
        The pipelines' names, as one text and each; `definition` is a digest of what they say, wells apart.
    asked, rewritten
        The names of the enabled steps as they were given, and the pipelines that a pass before `paths` put in place
        of those that were given: none in a plan that has come through all passes (see `CompileInput.pipelines_of`).
    sources, starts
        The images that the plate gives: what was acquired, and projections of channels that have nothing else. For
        each pipeline, the positions of its own; those that are equal are one.
    nodes, steps, outputs, stages
        How images are made, step by step, and what is kept.
    sampled_shapes
        The different shapes of the wells that reductions sample.
    artifacts
        What functions make beside images; all of them are written.
    gaps, well_shapes, wells
        The planes that a site lacks, (index in `lanes`, timepoint, z_index), the different shapes that wells have,
        and each well with the position of its shape.
    tile_frames
        What is stitched: for each, a well has a canvas.
    missing, skipped_wells, skipped_sites, filled_sites
        What is done where planes are absent, what was left out for it, and which sites are made without them.
    intermediate_backend, source_readers, node_readers
        What holds planes between nodes, and which nodes read each channel of the sources and of every node: after
        the last of them a plane is dropped.
    workers, threads
        How many wells are worked on at once, and whether by threads; `threads` is `None` where it is chosen.
    devices, worker_devices
        The devices other than the CPU that are used; and for each worker the one that it is bound to when it starts,
        where a node names no device but its kind, empty where none does. Without such a device there are none.
    peak_memory_bytes_per_worker, waiting_bytes_per_worker
        What a worker will need at most, beside the imports, and how much of that are planes that wait between nodes.
    output_bytes, output_files
        What it will write at most, before compression.
    done, redo
        The wells that are whole in the output, and those that were and have to be made again, each with why.
    estimated
        The keys of the reductions whose results the output keeps.
    problems
        What is wrong; a plan with problems is never run.
    """

    plate: str
    microscope: str
    inventory_digest: str
    pipeline: str
    pipelines: tuple[str, ...] = ()
    definition: str = attrs.field(default="", repr=False)
    asked: tuple[str, ...] = ()
    rewritten: tuple[Pipeline, ...] = attrs.field(default=(), eq=False, repr=False)
    sources: tuple[ImagePlan, ...] = ()
    starts: tuple[tuple[int, ...], ...] = ()
    nodes: tuple[NodePlan, ...] = ()
    steps: tuple[StepPlan, ...] = ()
    outputs: tuple[OutputPlan, ...] = ()
    artifacts: tuple[ArtifactPlan, ...] = ()
    stages: tuple[Stage, ...] = (Stage(name="wells", kind="well"),)
    sampled_shapes: tuple[WellShape, ...] = ()
    gaps: tuple[tuple[tuple[int, int, int], ...], ...] = ()
    well_shapes: tuple[WellShape, ...] = ()
    wells: tuple[tuple[str, int], ...] = ()
    tile_frames: tuple[TileFrame, ...] = ()
    missing: str = "error"
    skipped_wells: tuple[str, ...] = ()
    skipped_sites: tuple[tuple[str, int], ...] = ()
    filled_sites: tuple[tuple[str, int], ...] = ()
    intermediate_backend: str = ""
    source_readers: tuple[tuple[int, ...], ...] = ()
    node_readers: tuple[tuple[tuple[int, ...], ...], ...] = ()
    executor: str = "local"
    workers: int = 1
    threads: bool | None = None
    devices: tuple[DevicePlan, ...] = ()
    worker_devices: tuple[str, ...] = ()
    peak_memory_bytes_per_worker: int = 0
    waiting_bytes_per_worker: int = 0
    output_bytes: int = 0
    output_files: int = 0
    done: tuple[str, ...] = ()
    estimated: tuple[str, ...] = ()
    redo: tuple[tuple[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def well_names(self) -> tuple[str, ...]:
        """The wells, in their order on the plate."""
        return tuple(well for well, _ in self.wells)

    def sites(self, well: str) -> tuple[int, ...]:
        """Return the sites of a well that are worked on."""
        return self.well_shapes[dict(self.wells)[well]].sites

    @property
    def stitches(self) -> bool:
        """Whether it looks at where sites lie."""
        return any(node.stitch is not None for node in self.nodes)

    @property
    def measures(self) -> bool:
        """Whether its wells leave more than images: tables, JSON, or the positions of their sites."""
        return any(artifact.kind != ArtifactKind.IMAGE for artifact in self.artifacts) or any(
            node.places for node in self.nodes
        )

    @property
    def samples_mosaics(self) -> bool:
        """Whether something is estimated of the plate from what was stitched."""
        return any(self.nodes[stage.node].input.is_mosaic for stage in self.reductions)

    def largest(self, image: ImagePlan) -> ImagePlan:
        """Return an image with the largest shape that it has in a well: that of a mosaic depends on the well."""
        if not image.is_mosaic:
            return image
        # A well of which nobody knows where its sites lie is not stitched.
        frames = [shape.frame(image) for shape in self.well_shapes if shape.canvases]
        return attrs.evolve(image, shape=max(frames, key=lambda frame: frame[0] * frame[1], default=(0, 0)))

    def kept_in(self, well: str) -> tuple[int, ...]:
        """Return the positions of the outputs that are made for a well."""
        return tuple(
            index for index, output in enumerate(self.outputs) if output.wells is None or well in output.wells
        )

    def stores_of(self, well: str) -> tuple[str, ...]:
        """Return the stores that a well belongs to: two outputs may share one."""
        return tuple(dict.fromkeys(self.outputs[index].store for index in self.kept_in(well)))

    def wells_of(self, output: OutputPlan) -> tuple[str, ...]:
        """Return the wells of the run for which an output is made."""
        if output.wells is None:
            return self.well_names
        kept = set(output.wells)
        return tuple(well for well in self.well_names if well in kept)

    def has_gaps(self, shape: WellShape) -> bool:
        """Whether some site of a well's shape lacks a plane."""
        return any(self.gaps[index] for index in shape.gaps)

    @property
    def lanes(self) -> tuple[tuple[ImagePlan, ImageChannel], ...]:
        """Every channel that the plate gives, with its source; a port of node `PLATE` names one of them."""
        return tuple((image, channel) for image in self.sources for channel in image.channels)

    @property
    def content_key(self) -> str:
        """A digest of what makes an output what it is: not of the wells, the machine or what exists."""
        parts = (
            self.plate, self.microscope, self.sources, self.nodes, self.steps, self.outputs,
            tuple((stage.name, stage.kind) for stage in self.stages), self.missing,
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def digest(self) -> str:
        """A digest of the plan, without paths, the machine and what exists: equal plans have equal digests."""
        parts = (
            self.content_key, self.inventory_digest, self.pipeline, self.gaps, self.well_shapes, self.wells,
            self.skipped_wells, self.skipped_sites, self.filled_sites, self.stages, self.sampled_shapes,
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def reductions(self) -> tuple[Stage, ...]:
        """The stages that come before the wells', in order."""
        return tuple(stage for stage in self.stages if stage.kind == REDUCTION)

    def estimate_of(self, node: int, parameter: str) -> EstimatePlan:
        """Return how a node's parameter is estimated; asking of one that is not is a mistake."""
        return next(estimate for estimate in self.nodes[node].estimates if estimate.parameter == parameter)

    def estimates_of(self, scope: str) -> tuple[tuple[int, EstimatePlan], ...]:
        """Return the estimates of a scope, each with its node's index, in the order in which they can be made."""
        return tuple(
            (index, estimate)
            for index, node in enumerate(self.nodes)
            for estimate in node.estimates
            if estimate.scope == scope
        )

    def upstream(self, nodes: Iterable[int]) -> frozenset[int]:
        """Return nodes, and all that they get something of."""
        found: set[int] = set()
        left = [index for index in nodes if index != PLATE]
        while left:
            index = left.pop()
            if index not in found:
                found.add(index)
                left.extend(self.nodes[index].sources)
        return frozenset(found)

    def ancestors(self, index: int) -> tuple[int, ...]:
        """Return the nodes that a node's planes come through, and what those take, in order, without itself."""
        return tuple(sorted(self.upstream(port.node for port in self.nodes[index].inputs)))

    def estimate_key(self, stage: Stage) -> str:
        """A digest of what makes a reduction's result: how it is estimated, of what plate; not of what it samples."""
        nodes = tuple(self.nodes[index] for index in (*self.ancestors(stage.node), stage.node))
        parts = (self.plate, self.microscope, self.sources, self.missing, nodes, stage.parameter)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def to_do(self) -> tuple[str, ...]:
        """The wells that a run would make: those that are not whole in the output."""
        done = set(self.done)
        return tuple(well for well in self.well_names if well not in done)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data, as `plan.json` holds it; nothing in it names a folder."""
        from hcs_core.compiler.views.document import plan_document

        return plan_document(self)

    def _repr_html_(self) -> str:
        """Return the plan as a notebook shows it."""
        from hcs_core.compiler.views.html import plan_html

        return plan_html(self)

    def with_problems(self, *problems: Problem) -> Plan:
        """Return the plan with further problems."""
        return attrs.evolve(self, problems=(*self.problems, *problems))
