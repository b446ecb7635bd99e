"""The plan: a pipeline compiled for a plate. Frozen, picklable, printable, comparable, with a digest.

Images are five-dimensional; an image of the plan stands for the images of all sites. How they are made is a
graph of nodes: a node computes one call for some channels, a port is one channel of a node's result (or, with
node -1, of the plate).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import attrs

from hcs_core.plugins.signature import ParameterValue
from hcs_core.storage.layout import StoreLayout

PLATE = -1
"""The node of a port that is a channel of the plate itself."""


@attrs.frozen(kw_only=True)
class Problem:
    """What is wrong with a pipeline for a plate: where, what was found and expected, and what to write instead."""

    step: str = ""
    function: str = ""
    parameter: str = ""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """One sentence that starts with the place."""
        place = ", ".join(
            f"{word} {name!r}"
            for word, name in (("step", self.step), ("function", self.function), ("parameter", self.parameter))
            if name
        )
        return f"{place + ': ' if place else ''}{self.message}{' ' + self.hint if self.hint else ''}"


@attrs.frozen(kw_only=True)
class ImageChannel:
    """A channel of an image of the plan: its name, the plate's number of it (0: derived), its display colour."""

    name: str
    number: int = 0
    colour: str = "FFFFFF"


@attrs.frozen(kw_only=True)
class ImagePlan:
    """What the images of all sites share: channels, z_indexes, timepoints, shape (y, x), dtype, spacings.

    Along z and t, an image's index is the number less the lowest; gaps are kept.
    """

    channels: tuple[ImageChannel, ...]
    z_indexes: tuple[int, ...]
    timepoints: tuple[int, ...]
    shape: tuple[int, int]
    dtype: str
    pixel_size_um: float | None = None
    z_step_um: float | None = None
    time_step_s: float | None = None

    @property
    def array_shape(self) -> tuple[int, int, int, int, int]:
        """(t, c, z, y, x)."""
        times = self.timepoints[-1] - self.timepoints[0] + 1
        slices = self.z_indexes[-1] - self.z_indexes[0] + 1
        return (times, len(self.channels), slices, *self.shape)

    @property
    def planes(self) -> int:
        """How many planes an image has."""
        return len(self.timepoints) * len(self.channels) * len(self.z_indexes)

    def axis_sizes(self, sites: int) -> dict[str, int]:
        """Return the planes along s, t, c and z of a well with so many sites; gaps in t and z are not counted."""
        return {"s": sites, "t": len(self.timepoints), "c": len(self.channels), "z": len(self.z_indexes)}


@attrs.frozen
class Port:
    """One channel of a node's result; with node `PLATE`, the plate's channel at that index of the source."""

    node: int
    channel: int


@attrs.frozen(kw_only=True)
class NodePlan:
    """One call for some channels: what it gets, what it gives, and which kernel computes it.

    `function` is a user's function, or `None` for a registered operation; `device` is where it runs.
    `needs_bytes` is what it holds at once: its input, its output and its kernel's scratch.
    """

    step: str
    operation: str
    axes: str
    out: str
    parameters: tuple[tuple[str, ParameterValue], ...]
    inputs: tuple[Port, ...]
    input: ImagePlan
    output: ImagePlan
    asked_memory_type: str | None = None
    memory_type: str = ""
    kernel: str = ""
    version: str = ""
    device: str = attrs.field(default="", repr=False)
    needs_bytes: int = 0
    function: Callable[..., Any] | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def plane_wise(self) -> bool:
        """Whether it works plane by plane."""
        return self.axes == "yx"


@attrs.frozen(kw_only=True)
class StepPlan:
    """One step: its nodes, and the image that it leaves, channel by channel."""

    name: str
    nodes: tuple[int, ...]
    image: ImagePlan
    ports: tuple[Port, ...]


@attrs.frozen(kw_only=True)
class OutputPlan:
    """A step's output that is kept: which, in which store and backend; `layout` comes with the stores pass."""

    step: str
    store: str
    image: ImagePlan
    ports: tuple[Port, ...]
    backend: str = ""
    layout: StoreLayout | None = None


@attrs.frozen(kw_only=True)
class Stage:
    """A part of a plan that runs to its end before the next: `kind` is `well`."""

    name: str
    kind: str


@attrs.frozen(kw_only=True)
class Plan:
    """A pipeline compiled for a plate.

    Attributes
    ----------
    plate, microscope, inventory_digest
        What it was compiled for. Planes are not in it: a worker gets its well's with the task.
    pipeline
        The pipeline's name.
    source
        The image that the plate gives.
    nodes, steps, outputs, stages
        How images are made, step by step, and what is kept.
    well_shapes, wells
        The different lists of sites that wells have, and each well with the position of its list.
    intermediate_backend, source_readers, node_readers
        What holds planes between nodes, and how many nodes read each channel of the source and of every node:
        after the last of them a plane is dropped.
    workers, threads
        How many wells are worked on at once, and whether by threads; `threads` is `None` where it is chosen.
    peak_memory_bytes_per_worker, output_bytes, output_files
        What it will need at most, beside the imports, and write.
    done
        The wells that are whole in the output.
    problems
        What is wrong; a plan with problems is never run.
    """

    plate: str
    microscope: str
    inventory_digest: str
    pipeline: str
    source: ImagePlan | None = None
    nodes: tuple[NodePlan, ...] = ()
    steps: tuple[StepPlan, ...] = ()
    outputs: tuple[OutputPlan, ...] = ()
    stages: tuple[Stage, ...] = (Stage(name="wells", kind="well"),)
    well_shapes: tuple[tuple[int, ...], ...] = ()
    wells: tuple[tuple[str, int], ...] = ()
    missing: str = "error"
    intermediate_backend: str = ""
    source_readers: tuple[int, ...] = ()
    node_readers: tuple[tuple[int, ...], ...] = ()
    executor: str = "local"
    workers: int = 1
    threads: bool | None = None
    peak_memory_bytes_per_worker: int = 0
    output_bytes: int = 0
    output_files: int = 0
    done: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def well_names(self) -> tuple[str, ...]:
        """The wells, in their order on the plate."""
        return tuple(well for well, _ in self.wells)

    def sites(self, well: str) -> tuple[int, ...]:
        """Return the sites of a well that are worked on."""
        return self.well_shapes[dict(self.wells)[well]]

    @property
    def content_key(self) -> str:
        """A digest of what makes an output what it is: not of the wells, the machine or what exists."""
        parts = (
            self.plate, self.microscope, self.source, self.nodes, self.steps, self.outputs, self.stages, self.missing,
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def digest(self) -> str:
        """A digest of the plan, without paths, the machine and what exists: equal plans have equal digests."""
        parts = (self.content_key, self.inventory_digest, self.pipeline, self.well_shapes, self.wells)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def with_problems(self, *problems: Problem) -> Plan:
        """Return the plan with further problems."""
        return attrs.evolve(self, problems=(*self.problems, *problems))
