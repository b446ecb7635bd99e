"""Lanes: the channels of a pipeline on their way, one by one, and the images that those which are alike share."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.compiler.image_plan import ImageChannel, ImagePlan
from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.step_plan import OutputPlan

ZARR = ".zarr"


@attrs.frozen(kw_only=True)
class Lane:
    """A channel on its way: where its planes come from, and the image that it is part of, less all other channels.

    Its `image` has the places along z and t of the image that it was part of: a channel need not fill them all.
    `positions` is the node that found where its sites lie, if a step before did. `known` is false behind a call of
    which nobody knows what it would have made: nothing is said of what follows.
    """

    channel: ImageChannel
    port: Port
    image: ImagePlan
    positions: int | None = None
    known: bool = attrs.field(default=True, eq=False)


def source_lanes(plan: Plan, pipeline: int = 0) -> tuple[Lane, ...]:
    """Return the lanes of what the plate gives to the pipeline at a position, in the order of channels' numbers."""
    own = [plan.sources[index] for index in plan.starts[pipeline]]
    lanes = [
        Lane(channel=channel, port=Port(PLATE, index), image=_alone(image))
        for index, (image, channel) in enumerate(plan.lanes)
        if image in own
    ]
    return tuple(sorted(lanes, key=lambda lane: lane.channel.number))


def lanes_of(image: ImagePlan, node: int, *, known: bool = True, positions: int | None = None) -> tuple[Lane, ...]:
    """Return the lanes of a node's result."""
    return tuple(
        Lane(channel=channel, port=Port(node, index), image=_alone(image), known=known, positions=positions)
        for index, channel in enumerate(image.channels)
    )


def _alone(image: ImagePlan) -> ImagePlan:
    return attrs.evolve(image, channels=())


@attrs.frozen(kw_only=True)
class Group:
    """Lanes that share an image: they differ in nothing but the planes that they have along z and t."""

    image: ImagePlan
    lanes: tuple[Lane, ...]

    @property
    def ports(self) -> tuple[Port, ...]:
        """Where each channel comes from."""
        return tuple(lane.port for lane in self.lanes)

    @property
    def known(self) -> bool:
        """Whether all that was done to its lanes is known."""
        return all(lane.known for lane in self.lanes)


def unknown(lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """Return lanes behind a call that nobody could resolve."""
    return tuple(attrs.evolve(lane, known=False) for lane in lanes)


def groups(lanes: Sequence[Lane]) -> tuple[Group, ...]:
    """Return the lanes put together into images, each where its first lane stands."""
    alike: dict[ImagePlan, list[Lane]] = {}
    for lane in lanes:
        alike.setdefault(attrs.evolve(lane.image, z_indexes=(), timepoints=()), []).append(lane)
    return tuple(
        Group(
            image=attrs.evolve(
                facts,
                channels=tuple(lane.channel for lane in members),
                z_indexes=tuple(sorted({z for lane in members for z in lane.image.z_indexes})),
                timepoints=tuple(sorted({t for lane in members for t in lane.image.timepoints})),
            ),
            lanes=tuple(members),
        )
        for facts, members in alike.items()
    )


def difference(one: ImagePlan, other: ImagePlan) -> str:
    """Return in what two images of a step differ, in words."""
    facts = {
        "z": (one.is_projection, other.is_projection),
        "t": ("t" in one.reduced, "t" in other.reduced),
        "shape": (one.shape, other.shape),
        "dtype": (one.dtype, other.dtype),
        "pixel size": (one.pixel_size_um, other.pixel_size_um),
        "origin": (one.origin, other.origin),
        "mosaic": (one.canvas, other.canvas),
    }
    return " and ".join(name for name, (first, second) in facts.items() if first != second)


def kept_outputs(
    step: str, lanes: Sequence[Lane], names: tuple[str, str], wells: tuple[str, ...] | None = None, pipeline: str = ""
) -> tuple[OutputPlan, ...]:
    """Return the images of a step that are kept, each with a store of its own; `names` are of stores.

    Beside an image that keeps z, what has no place along z goes into the store of projections. Channels that differ
    otherwise get a store whose name says how.
    """
    store, projections = names
    found = groups(lanes)
    keeps_z = any(not group.image.is_projection for group in found)
    outputs: list[OutputPlan] = []
    first: dict[str, ImagePlan] = {}
    for group in sorted(found, key=lambda group: keeps_z and group.image.is_projection):
        base = projections if keeps_z and group.image.is_projection else store
        name = _named_apart(base, group.image, first[base]) if base in first else base
        first.setdefault(base, group.image)
        outputs.append(
            OutputPlan(step=step, store=name, image=group.image, ports=group.ports, wells=wells, pipeline=pipeline)
        )
    return tuple(outputs)


def _named_apart(store: str, image: ImagePlan, first: ImagePlan) -> str:
    """Return a store's name with what tells its image from the one that has the plain name."""
    marks = [
        "x".join(map(str, image.shape)) if image.shape != first.shape else "",
        image.dtype if image.dtype != first.dtype else "",
        "over_time" if "t" in image.reduced and "t" not in first.reduced else "",
        f"{image.pixel_size_um:g}um" if image.pixel_size_um and image.pixel_size_um != first.pixel_size_um else "",
        "y{:g}_x{:g}".format(*image.origin) if image.origin != first.origin else "",
    ]
    said = "_".join(mark for mark in marks if mark) or "other"
    stem, suffix = (store.removesuffix(ZARR), ZARR) if store.endswith(ZARR) else (store, "")
    return f"{stem}_{said}{suffix}"
