"""The parts of artifacts in a well: a function's calls, one by one, and which of them a taker gets."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from hcs_core.compiler.artifact_plan import ORDER, TakenPlan
from hcs_core.compiler.image_plan import ImageChannel
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.order.presence import PlaneKey, Presence, places_of
from hcs_core.compiler.plan import Plan


@attrs.frozen
class Call:
    """One call of a node; along what the node stacks, `channel` and `key` are the first place of its output."""

    node: int
    channel: int
    key: PlaneKey


class Parts:
    """The calls of a plan's nodes in one well."""

    def __init__(self, plan: Plan, presence: Presence) -> None:
        self._plan = plan
        self._presence = presence

    def call(self, index: int, channel: int, key: PlaneKey) -> Call:
        """Return the call of a node that is about a plane of its input or output."""
        node = self._plan.nodes[index]
        return Call(
            index,
            0 if "c" in node.axes else channel,
            PlaneKey(
                self._presence.sites[0] if "s" in node.axes else key.site,
                node.output.timepoints[0] if "t" in node.axes else key.timepoint,
                node.output.z_indexes[0] if "z" in node.axes else key.z_index,
            ),
        )

    def all(self, index: int) -> Iterator[Call]:
        """Yield every call of a node for which there is a plane, in the order of a plate's rows."""
        return self._calls(index, {})

    def taken(self, taken: TakenPlan, by: Call) -> list[Call]:
        """Return the calls whose artifacts a taker gets, in the order of a plate's rows."""
        found: list[Call] = []
        for maker in taken.makers:
            fixed = self._fixed(maker, taken, by)
            if fixed is not None:
                found += self._calls(maker, fixed)
        return self.sorted(found)

    def free(self, taken: TakenPlan, by: Call) -> str:
        """Return the components that only the makers are mapped over: their parts are joined."""
        own = self._plan.nodes[by.node].over
        makers = [self._plan.nodes[maker] for maker in taken.makers]
        return "".join(
            axis
            for axis in ORDER
            if axis not in own and any(axis in maker.over for maker in makers) and not (axis == "c" and taken.shared)
        )

    def sorted(self, calls: Collection[Call]) -> list[Call]:
        """Return calls in the order of a plate's rows: by site, timepoint, channel and z_index."""
        return sorted(calls, key=self._order)

    def channel(self, call: Call) -> ImageChannel | None:
        """Return the channel that a call is about; `None` where it stacks them."""
        node = self._plan.nodes[call.node]
        return node.input.channels[call.channel] if "c" in node.over else None

    def _order(self, call: Call) -> tuple[int, int, bool, int, str, int]:
        channel = self.channel(call) or ImageChannel(name="")
        key = call.key
        return key.site, key.timepoint, channel.number == 0, channel.number, channel.name, key.z_index

    def _fixed(self, maker: int, taken: TakenPlan, by: Call) -> dict[str, int] | None:
        """Return the places along what both are mapped over, or `None` where the maker has nothing for the taker."""
        node, own = self._plan.nodes[maker], self._plan.nodes[by.node]
        at = {"s": by.key.site, "t": by.key.timepoint, "z": by.key.z_index}
        fixed = {axis: at[axis] for axis in "stz" if axis in node.over and axis in own.over}
        if "c" in node.over and "c" in own.over and not taken.shared:
            names = [channel.name for channel in node.input.channels]
            name = own.input.channels[by.channel].name
            if name not in names:
                return None
            fixed["c"] = names.index(name)
        return fixed

    def _calls(self, index: int, fixed: Mapping[str, int]) -> Iterator[Call]:
        node = self._plan.nodes[index]
        every = self._places(node)
        places = [
            every[axis] if axis not in fixed else [place for place in every[axis] if place == fixed[axis]]
            for axis in ORDER
        ]
        for site, timepoint, channel, z_index in itertools.product(*places):
            call = Call(index, channel, PlaneKey(site, timepoint, z_index))
            if self._presence.works(node, call.key) and self._has_planes(node, call):
                yield call

    def _has_planes(self, node: NodePlan, call: Call) -> bool:
        if node.plane_wise:
            return self._presence.has(node.inputs[call.channel], call.key)
        return any(self._presence.block(node, call.channel, call.key).present)

    def _places(self, node: NodePlan) -> dict[str, Sequence[int]]:
        output = node.output
        sites = places_of(node.input, self._presence.sites)["s"]
        return {
            "s": sites[:1] if "s" in node.axes else sites,
            "t": output.timepoints[:1] if "t" in node.axes else output.timepoints,
            "c": (0,) if "c" in node.axes else range(len(node.input.channels)),
            "z": output.z_indexes[:1] if "z" in node.axes else output.z_indexes,
        }
