"""The graph of a plan's document: its steps, calls and outputs, and what each port's planes are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

PLATE = -1
"""The node of a port that is a channel of the plate, as in a plan."""

_NO_FACTS = frozenset(
    {"step", "inputs", "input", "output", "device", "needs_bytes", "converts", "why", "batch", "fallback"}
)
"""Of a node: what follows from its place in the graph or from the machine."""

_WHOSE = ("plate", "microscope", "inventory_digest", "missing")


class DocumentGraph:
    """A plan's document as a graph.

    Attributes
    ----------
    steps
        The names of its steps, in order.
    outputs
        The ports of each kept output, by the name of its store.
    plate
        What its planes are those of: the plate, its listing, the sources and the policy for absent planes.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._nodes = document["nodes"]
        self._of_step = {step["name"]: step["nodes"] for step in document["steps"]}
        self._lanes = [(source, channel) for source in document["sources"] for channel in source["channels"]]
        self._whose = [document[key] for key in _WHOSE]
        self._known: dict[int, str] = {}
        self.steps: tuple[str, ...] = tuple(self._of_step)
        self.outputs: dict[str, list[dict[str, int]]] = {}
        # A store may hold the images of sites and their mosaics, which are two outputs.
        for output in document["outputs"]:
            self.outputs.setdefault(output["store"], []).extend(output["ports"])
        self.plate = repr((self._whose, document["sources"]))

    def calls(self, step: str) -> list[dict[str, Any]]:
        """Return the different calls of a step: what each node is told, not what it is told it of."""
        found: list[dict[str, Any]] = []
        for index in self._of_step.get(step, ()):
            facts = self._facts(index)
            if facts not in found:
                found.append(facts)
        return found

    def signature(self, port: Mapping[str, int]) -> str:
        """Return a text that is the same for two ports whose planes are made of the same in the same way."""
        if port["node"] == PLATE:
            source, channel = self._lanes[port["channel"]]
            facts = {key: value for key, value in source.items() if key != "channels"}
            return repr((self._whose, facts, channel))
        return f"{port['channel']} of {self._node_signature(port['node'])}"

    def _node_signature(self, index: int) -> str:
        if index not in self._known:
            node = self._nodes[index]
            made_of = [self.signature(port) for port in node["inputs"]]
            made_of += [self._node_signature(found) for found in _positions(node)]
            parts = (self._facts(index), node["output"], made_of)
            self._known[index] = hashlib.sha256(repr(parts).encode()).hexdigest()
        return self._known[index]

    def upstream(self, store: str) -> tuple[str, ...]:
        """Return the names of the steps that an output is made by, in order."""
        seen: set[int] = set()
        ports = list(self.outputs[store])
        while ports:
            index = ports.pop()["node"]
            if index != PLATE and index not in seen:
                seen.add(index)
                ports += self._nodes[index]["inputs"]
                ports += [{"node": found, "channel": 0} for found in _positions(self._nodes[index])]
        names = {self._nodes[index]["step"] for index in seen}
        return tuple(name for name in self.steps if name in names)

    def _facts(self, index: int) -> dict[str, Any]:
        facts = {key: value for key, value in self._nodes[index].items() if key not in _NO_FACTS}
        if facts.get("stitch"):
            # What found the positions is told by what it is, not by its place in the graph.
            facts["stitch"] = {key: value for key, value in facts["stitch"].items() if key != "positions"}
        return facts


def _positions(node: Mapping[str, Any]) -> list[int]:
    """Return the node that found the positions by which a node stitches, if it does."""
    found = (node.get("stitch") or {}).get("positions")
    return [] if found is None else [found]
