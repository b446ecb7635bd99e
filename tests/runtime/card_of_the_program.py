"""A plugin of a made-up card: a memory type with devices, and operations that have kernels there and in numpy.

Workers import it by name. Each kernel is written once, as a function of numpy's values.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import numpy as np

from hcs_core import (
    CompilerPassSpec,
    KernelSpec,
    MemoryTypeSpec,
    MissingPolicy,
    Parameter,
    Signature,
    hookimpl,
)
from hcs_core.testing import FakeDeviceMemory


class Card(FakeDeviceMemory):
    """A card that computes in nothing as narrow as uint16, and cannot say how much of its memory is free."""

    widened: ClassVar = {"uint16": "int32"}

    def free_bytes(self, device):
        """Return nothing: so plans find room, and runs find out."""
        return


def lift(values, *, by=7):
    """Each value more by some levels, up to those of 16 bits."""
    return np.clip(values.astype(np.int64) + by, 0, 65535).astype(values.dtype)


def turn(values):
    """Each value as far from the upper end as it was from the lower."""
    return (65535 - values.astype(np.int64)).astype(values.dtype)


def shade(values, *, profile):
    """Each value less the profile's, which is one of whole numbers."""
    return np.clip(values.astype(np.int64) - profile.astype(np.int64), 0, 65535).astype(values.dtype)


def flatten(values):
    """The largest value of each pixel along z."""
    return values.max(axis=-3)


def ramp(values):
    """Each plane of a stack more by its place."""
    return np.clip(values.astype(np.int64) + np.arange(len(values))[:, None, None], 0, 65535).astype(values.dtype)


def blend(values, *, present=None):
    """The whole mean of the channels that are there."""
    there = values if present is None else values[present]
    return (there.astype(np.int64).sum(axis=0) // len(there)).astype(values.dtype)


PLANE = Signature(axes="yx", out="yx")
SIGNATURES = {
    "lift": Signature(axes="yx", out="yx", parameters=(Parameter(name="by", kind="int", default=7),)),
    "turn": PLANE,
    "shade": Signature(axes="yx", out="yx", parameters=(Parameter(name="profile", kind="image", required=True),)),
    "flatten": Signature(axes="zyx", out="yx"),
    "ramp": Signature(axes="zyx", out="zyx"),
    "blend": Signature(axes="cyx", out="yx", out_channel="blend", missing=MissingPolicy.MASK),
}
BATCHING = frozenset({"lift", "shade", "flatten"})
SEEN = []
"""The shapes of what kernels of the card got, in this process."""


def on_card(function):
    """The kernel of the card."""

    def kernel(image, **parameters):
        SEEN.append((function.__name__, image.shape))
        arrays = {name: value for name, value in parameters.items() if isinstance(value, type(image))}
        others = {name: value for name, value in parameters.items() if name not in arrays}
        return image.map(
            lambda values, *given: function(values, **dict(zip(arrays, given, strict=True)), **others),
            *arrays.values(),
        )

    return kernel


for name in SIGNATURES:
    globals()[f"{name}_on_card"] = on_card(globals()[name])

BATCH = [1]
"""How many images a batching kernel gets at once."""


def in_batches(plan, given):
    """Return the plan with that batch for every kernel on a device that takes one."""
    nodes = (
        attrs.evolve(node, batch=BATCH[0])
        if node.operation in BATCHING and node.memory_type == "card" and node.device != "cpu"
        else node
        for node in plan.nodes
    )
    return attrs.evolve(plan, nodes=tuple(nodes))


class Plugin:
    """Declares the card, its operations, and a pass that says how large batches are."""

    hcs_api = 1

    @hookimpl
    def hcs_memory_types(self):
        """Declare the card."""
        yield MemoryTypeSpec(name="card", target="card_of_the_program:Card", library="numpy")

    @hookimpl
    def hcs_kernels(self):
        """Declare each operation twice."""
        for name, signature in SIGNATURES.items():
            yield KernelSpec(
                operation=name, memory_type="numpy", target=f"card_of_the_program:{name}", signature=signature
            )
            yield KernelSpec(
                operation=name,
                memory_type="card",
                target=f"card_of_the_program:{name}_on_card",
                signature=signature,
                batches=name in BATCHING,
            )

    @hookimpl
    def hcs_compiler_passes(self):
        """Declare the pass."""
        yield CompilerPassSpec(name="in_batches", target="card_of_the_program:in_batches", after=("devices",))
