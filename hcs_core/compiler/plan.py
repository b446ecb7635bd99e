"""The plan: a pipeline compiled for a plate. Frozen, picklable, printable, comparable, with a digest.

Images are five-dimensional; an image of the plan stands for the images of all sites. How they are made is a
graph of nodes: a node computes one call for some channels of one image, a port is one channel of a node's result
(or, with node -1, of the plate).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from hcs_core.compiler.artifact_plan import ORDER, ArtifactPlan, MadePlan, TakenPlan
from hcs_core.compiler.canvas import Canvas, TileFrame
from hcs_core.compiler.image_plan import ImageChannel, ImagePlan
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.plugins.estimate import Estimate
from hcs_core.plugins.parameter import ParameterValue
from hcs_core.storage.layout import ImageLayout, StoreLayout
from hcs_core.storage.size import StoreSize

PLATE = -1
"""The node of a port that is a channel of the plate itself."""

REDUCTION = "reduction"
"""The kind of a stage that makes one value of the plate."""


@attrs.frozen(kw_only=True)
class Problem:
    """What is wrong with a pipeline for a plate: where, what was found and expected, and what to write instead.

    `message` says all of it in one sentence, but for what to write, which is `hint`. `found` and `expected` are for
    programs: in few words what there is and what there should be, empty where a message cannot be cut in two so.
    """

    step: str = ""
    function: str = ""
    parameter: str = ""
    message: str
    hint: str = ""
    found: str = ""
    expected: str = ""

    def __str__(self) -> str:
        """One sentence that starts with the place."""
        place = ", ".join(
            f"{word} {name!r}"
            for word, name in (("step", self.step), ("function", self.function), ("parameter", self.parameter))
            if name
        )
        return f"{place + ': ' if place else ''}{self.message}{' ' + self.hint if self.hint else ''}"


@attrs.frozen(kw_only=True)
class WellShape:
    """What wells that are alike share: their sites, and for each the position of its gaps in `Plan.gaps`.

    `canvases` are those of their mosaics, one for each of `Plan.tile_frames`.
    """

    sites: tuple[int, ...]
    gaps: tuple[int, ...]
    canvases: tuple[Canvas, ...] = ()

    def lacking(self, gaps: Mapping[int, int]) -> WellShape:
        """Return the shape in which some sites have other gaps, by their positions in `Plan.gaps`."""
        pairs = zip(self.sites, self.gaps, strict=True)
        return attrs.evolve(self, gaps=tuple(gaps.get(site, gap) for site, gap in pairs))

    def without(self, sites: Collection[int]) -> WellShape:
        """Return the shape less some sites."""
        kept = [(site, gap) for site, gap in zip(self.sites, self.gaps, strict=True) if site not in sites]
        return attrs.evolve(self, sites=tuple(site for site, _ in kept), gaps=tuple(gap for _, gap in kept))

    def frame(self, image: ImagePlan) -> tuple[int, int]:
        """Return the (y, x) of an image in these wells: a mosaic's is that of its canvas."""
        if image.canvas is None:
            return image.shape
        canvas = self.canvases[image.canvas]
        factor = image.scale // canvas.scale
        height, width = canvas.shape
        return height // factor, width // factor


@attrs.frozen
class Port:
    """One channel of a node's result; with node `PLATE`, the plate's channel at that index of `Plan.lanes`."""

    node: int
    channel: int


@attrs.frozen(kw_only=True)
class Only:
    """Where a node works: `component` is `well`, `site`, `z_index` or `timepoint`, `value` one of its values.

    Elsewhere the node gives on what it gets.
    """

    component: str
    value: str | int


@attrs.frozen(kw_only=True)
class EstimatePlan:
    """A parameter of a node that is estimated: how, from the planes of a `well` or of the `plate`, and its kind."""

    how: Estimate
    scope: str
    kind: str = "image"

    @property
    def parameter(self) -> str:
        """The parameter that it fills."""
        return self.how.parameter

    @property
    def is_image(self) -> bool:
        """Whether its value is an image; else it is numbers."""
        return self.kind == "image"


@attrs.frozen(kw_only=True)
class StitchPlan:
    """What a node is told that finds the positions of a well's sites, or fuses their tiles by them.

    Attributes
    ----------
    stitcher
        The name of the stitcher.
    frame
        That of the tiles.
    needs_pixels
        Whether tiles are looked at to find positions.
    positions
        Of a node that fuses: the node that finds the positions; `None` for that one itself.
    """

    stitcher: str
    frame: TileFrame
    needs_pixels: bool = False
    positions: int | None = None


@attrs.frozen(kw_only=True)
class NodePlan:
    """One call for some channels: what it gets, what it gives, and which kernel computes it.

    `function` is a user's function, or `None` for a registered operation; `device` is where it runs, `asked_device`
    where its step wants it to (neither is part of a digest).
    `needs_bytes` is what it holds at once: its input, its output and its kernel's scratch. `masks` says that its
    kernel is told which planes of a stack are absent; `only` where it works, `None` everywhere. `makes` and `takes`
    are its artifacts; with an empty `out` it makes nothing else. `context` says that it is given its well's context.
    `stitch` is there for what a stitcher does, in place of a kernel. `estimates` are those of its parameters that are
    estimated, for each of its channels alone. `converts` are the memory types, other than its own, from which its
    planes come.
    """

    step: str
    operation: str
    axes: str
    out: str
    parameters: tuple[tuple[str, ParameterValue], ...]
    inputs: tuple[Port, ...]
    input: ImagePlan
    output: ImagePlan
    masks: bool = False
    only: Only | None = None
    estimates: tuple[EstimatePlan, ...] = ()
    stitch: StitchPlan | None = None
    makes: tuple[MadePlan, ...] = ()
    takes: tuple[TakenPlan, ...] = ()
    context: bool = False
    asked_memory_type: str | None = None
    asked_device: str | None = attrs.field(default=None, repr=False)
    memory_type: str = ""
    converts: tuple[str, ...] = attrs.field(default=(), repr=False)
    kernel: str = ""
    version: str = ""
    device: str = attrs.field(default="", repr=False)
    # What the largest of the selected wells needs is no part of what the node is.
    needs_bytes: int = attrs.field(default=0, repr=False)
    function: Callable[..., Any] | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def plane_wise(self) -> bool:
        """Whether it works plane by plane."""
        return self.axes == "yx"

    @property
    def told(self) -> dict[str, ParameterValue]:
        """The parameters that are not estimated: what its estimates are told."""
        estimated = {estimate.parameter for estimate in self.estimates}
        return {name: value for name, value in self.parameters if name not in estimated}

    @property
    def places(self) -> bool:
        """Whether it finds positions, once in a well, and makes no image."""
        return self.stitch is not None and self.stitch.positions is None

    @property
    def passes_on(self) -> bool:
        """Whether it makes only artifacts: later nodes get the image that it got."""
        return not self.out

    @property
    def over(self) -> str:
        """The components, letters of `stcz`, that tell its calls apart: what its image has and it does not stack."""
        gone = self.input.reduced + ("s" if self.input.is_mosaic else "")
        return "".join(axis for axis in ORDER if axis not in self.axes and axis not in gone)


@attrs.frozen(kw_only=True)
class StepPlan:
    """One step: its nodes, and the images that it leaves: channels that differ have an image of their own.

    `pipeline` is the one that it is of; where a run has several, `name` is `pipeline/step`, here and wherever a plan
    names a step. `reads` is the name of what it takes: `start`, or a step.
    """

    name: str
    nodes: tuple[int, ...]
    images: tuple[ImagePlan, ...]
    pipeline: str = attrs.field(default="", repr=False)
    reads: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class OutputPlan:
    """An image of a step that is kept: which, in which store and backend.

    `wells` are those of the plate for which it is made, `None` for all; `pipeline` is the one that it is of. `layout`
    and `size`, what it takes at most for all wells of the run, come with the stores pass. The images of sites and the
    mosaics of their wells are two of these, and share a store and its layout.
    """

    step: str
    store: str
    image: ImagePlan
    ports: tuple[Port, ...]
    wells: tuple[str, ...] | None = None
    pipeline: str = attrs.field(default="", repr=False)
    backend: str = ""
    layout: StoreLayout | None = None
    size: StoreSize | None = attrs.field(default=None, repr=False)

    @property
    def image_layout(self) -> ImageLayout | None:
        """Return how the image lies in its store; without rows and columns, where it is a mosaic."""
        if self.layout is None:
            return None
        return self.layout.mosaic if self.image.is_mosaic else self.layout.image


SampledPlane = tuple[int, int, int, int]
"""A plane that a node gets: the index of its channel, its site, timepoint and z_index."""


@attrs.frozen(kw_only=True)
class WellSample:
    """What a reduction samples of a well: its shape, by its position in `Plan.sampled_shapes`, and the planes.

    `planes` is `None` where all are sampled that the node works on.
    """

    well: str
    shape: int
    planes: tuple[SampledPlane, ...] | None = None


@attrs.frozen(kw_only=True)
class Stage:
    """A part of a plan that runs to its end before the next.

    Attributes
    ----------
    name, kind
        `kind` is `well`, or `reduction`: each sampled well gives small arrays, of which one value is made for each
        channel of a node.
    node, parameter
        Of a reduction: whose parameter it fills.
    sampled
        How many planes of each of the node's channels it samples.
    samples
        Which: those of the plate as planned, whatever the well filter.
    """

    name: str
    kind: str
    node: int = PLATE
    parameter: str = ""
    sampled: tuple[int, ...] = ()
    samples: tuple[WellSample, ...] = ()


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

    def ancestors(self, index: int) -> tuple[int, ...]:
        """Return the nodes that a node's planes come through, and what those take, in order, without itself."""
        found: set[int] = set()
        left = [port.node for port in self.nodes[index].inputs]
        while left:
            node = left.pop()
            if node != PLATE and node not in found:
                found.add(node)
                left += [port.node for port in self.nodes[node].inputs]
                left += [maker for taken in self.nodes[node].takes for maker in taken.makers]
                stitch = self.nodes[node].stitch
                left += [] if stitch is None or stitch.positions is None else [stitch.positions]
        return tuple(sorted(found))

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
        from hcs_core.compiler.plan_document import plan_document

        return plan_document(self)

    def _repr_html_(self) -> str:
        """Return the plan as a notebook shows it."""
        from hcs_core.compiler.plan_html import plan_html

        return plan_html(self)

    def with_problems(self, *problems: Problem) -> Plan:
        """Return the plan with further problems."""
        return attrs.evolve(self, problems=(*self.problems, *problems))
