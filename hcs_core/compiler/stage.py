"""Stages: the parts of a plan of which each runs to its end before the next, and what they sample."""

from __future__ import annotations

import attrs

from hcs_core.compiler.node_plan import PLATE

REDUCTION = "reduction"
"""The kind of a stage that makes one value of the plate."""

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
