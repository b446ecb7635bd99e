"""Nodes: one call for some channels of an image, and the ports from which it takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from hcs_core.compiler.artifact_plan import ORDER, MadePlan, TakenPlan
from hcs_core.compiler.canvas import TileFrame
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.plugins.estimate import Estimate
from hcs_core.plugins.parameter import ParameterValue

PLATE = -1
"""The node of a port that is a channel of the plate itself."""


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

    `function` is a user's function, or `None` for a registered operation; `device` is where it runs, by its name or,
    where that is known when a worker starts, by its kind; `asked_device` is where its step wants it to run, `batch`
    how many images (planes, or stacks of a kernel that stacks) its kernel gets at once there, `fallback` what
    computes a call for which that device is too small: a kernel's name, or `cpu` for the same kernel on its memory
    type's CPU; empty: nothing (none of them is part of a digest).
    `needs_bytes` is what it holds at once: its input, its output and its kernel's scratch. `masks` says that its
    kernel is told which planes of a stack are absent; `only` where it works, `None` everywhere. `makes` and `takes`
    are its artifacts; with an empty `out` it makes nothing else. `context` says that it is given its well's context.
    `stitch` is there for what a stitcher does, in place of a kernel. `estimates` are those of its parameters that are
    estimated, for each of its channels alone. `converts` are the memory types, other than its own, from which its
    planes come. `why` says in a sentence why it is this kernel (no part of a digest).
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
    asked_memory_type: str | None = attrs.field(default=None, repr=False)
    asked_device: str | None = attrs.field(default=None, repr=False)
    memory_type: str = ""
    converts: tuple[str, ...] = attrs.field(default=(), repr=False)
    kernel: str = ""
    version: str = ""
    why: str = attrs.field(default="", repr=False)
    device: str = attrs.field(default="", repr=False)
    batch: int = attrs.field(default=1, repr=False)
    fallback: str = attrs.field(default="", repr=False)
    # What the largest of the selected wells needs is no part of what the node is.
    needs_bytes: int = attrs.field(default=0, repr=False)
    function: Callable[..., Any] | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def plane_wise(self) -> bool:
        """Whether it works plane by plane."""
        return self.axes == "yx"

    @property
    def registered_kernel(self) -> str:
        """The name of the registered kernel that computes it; empty where a user's function or a stitcher does."""
        return "" if self.stitch is not None else self.kernel

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
    def sources(self) -> tuple[int, ...]:
        """The nodes that it gets something of: planes, artifacts, positions."""
        ports = [port.node for port in self.inputs if port.node != PLATE]
        makers = [maker for taken in self.takes for maker in taken.makers]
        places = [] if self.stitch is None or self.stitch.positions is None else [self.stitch.positions]
        return tuple(dict.fromkeys([*ports, *makers, *places]))

    @property
    def passes_on(self) -> bool:
        """Whether it makes only artifacts: later nodes get the image that it got."""
        return not self.out

    @property
    def over(self) -> str:
        """The components, letters of `stcz`, that tell its calls apart: what its image has and it does not stack."""
        gone = self.input.reduced + ("s" if self.input.is_mosaic else "")
        return "".join(axis for axis in ORDER if axis not in self.axes and axis not in gone)
