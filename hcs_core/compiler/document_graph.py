"""The graph of a plan's document: its steps, calls and outputs, and what each port's planes are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

PLATE = -1
"""The node of a port that is a channel of the plate, as in a plan."""

_NO_FACTS = frozenset({"step", "inputs", "input", "output", "device", "needs_bytes", "converts"})
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
        self.outputs: dict[str, list[dict[str, int]]] = {
            output["store"]: output["ports"] for output in document["outputs"]
        }
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
            parts = (self._facts(index), node["output"], [self.signature(port) for port in node["inputs"]])
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
        names = {self._nodes[index]["step"] for index in seen}
        return tuple(name for name in self.steps if name in names)

    def _facts(self, index: int) -> dict[str, Any]:
        return {key: value for key, value in self._nodes[index].items() if key not in _NO_FACTS}
