"""The cheapest place for every node of a graph: what nodes cost there, what moves between them, what has to start."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np

from hcs_core.compiler.choice.factors import Factor, least
from hcs_core.compiler.place import Place


@attrs.frozen(kw_only=True)
class Option:
    """A place that a node may work in, and the seconds that it takes there."""

    place: Place
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class Handing:
    """Planes that go from a node to others; once to each place in which one of those works that is not its own.

    `move` says the seconds that all of them take from one place to another.
    """

    giver: int
    takers: tuple[int, ...]
    move: Callable[[Place, Place], float]


@attrs.frozen(kw_only=True)
class ChoiceGraph:
    """What is to be chosen.

    Attributes
    ----------
    nodes
        For each node its options, at least one; of two that are equally cheap, the first is taken.
    handings
        What goes from node to node.
    starts
        The seconds that it takes, in all workers, to start the library of a memory type that some node works in.
    """

    nodes: tuple[tuple[Option, ...], ...]
    handings: tuple[Handing, ...]
    starts: Mapping[str, float]

    def seconds(self, chosen: Sequence[Option]) -> float:
        """Return what a choice costs in all."""
        places = [option.place for option in chosen]
        used = {place.memory_type for place in places}
        return (
            sum(option.seconds for option in chosen)
            + sum(self.starts.get(name, 0.0) for name in sorted(used))
            + sum(_moved(handing, places) for handing in self.handings)
        )

    def share(self, index: int, option: Option, chosen: Sequence[Option]) -> float:
        """Return what is spent for one node with an option, where all others work as chosen.

        Its own seconds, the conversions that there would not be without it, and the start of a library that no other
        node works with.
        """
        places = [one.place for one in chosen]
        others = {place.memory_type for at, place in enumerate(places) if at != index}
        places[index] = option.place
        name = option.place.memory_type
        spent = option.seconds + (0.0 if name in others else self.starts.get(name, 0.0))
        for handing in self.handings:
            if index == handing.giver:
                spent += _moved(handing, places)
            elif index in handing.takers:
                without = attrs.evolve(handing, takers=tuple(at for at in handing.takers if at != index))
                spent += _moved(handing, places) - _moved(without, places)
        return spent


def cheapest(graph: ChoiceGraph) -> tuple[Option, ...]:
    """Return an option for each node that makes the whole graph cheapest."""
    best: tuple[float, tuple[Option, ...]] | None = None
    for names in _libraries(graph):
        nodes = [[option for option in node if option.place.memory_type in names] for node in graph.nodes]
        if not all(nodes):
            continue
        chosen = _cheapest_of(graph, nodes)
        seconds = graph.seconds(chosen)
        if best is None or seconds < best[0]:
            best = seconds, chosen
    if best is None:
        raise ValueError("a node has no option")
    return best[1]


def _libraries(graph: ChoiceGraph) -> Iterator[frozenset[str]]:
    """Yield the memory types that may be worked in, the fewest first: for each set, what has to start is known."""
    every = sorted({option.place.memory_type for node in graph.nodes for option in node})
    free = frozenset(name for name in every if not graph.starts.get(name))
    costly = [name for name in every if name not in free]
    for count in range(len(costly) + 1):
        for some in itertools.combinations(costly, count):
            yield free.union(some)


def _cheapest_of(graph: ChoiceGraph, nodes: Sequence[Sequence[Option]]) -> tuple[Option, ...]:
    sizes = [len(node) for node in nodes]
    factors = [Factor((index,), np.array([option.seconds for option in node])) for index, node in enumerate(nodes)]
    for handing in graph.handings:
        factors += _factors(handing, nodes, sizes)
    values = least(sizes, factors, fixable=len(nodes))
    return tuple(node[values[index]] for index, node in enumerate(nodes))


def _factors(handing: Handing, nodes: Sequence[Sequence[Option]], sizes: list[int]) -> Iterator[Factor]:
    """Yield what a handing costs, by two variables at a time.

    For each place that takers may work in there is one more variable: whether the planes are there. It has to be so
    where a taker works there, and costs what the way from the giver's place does.
    """
    givers = nodes[handing.giver]
    takers = [index for index in dict.fromkeys(handing.takers) if index != handing.giver]
    for place in dict.fromkeys(option.place for index in takers for option in nodes[index]):
        costs = np.array([_way(handing, option.place, place) for option in givers])
        if len(takers) == 1:
            here = np.array([float(option.place == place) for option in nodes[takers[0]]])
            yield Factor((handing.giver, takers[0]), costs[:, None] * here[None, :])
            continue
        there = len(sizes)
        sizes.append(2)
        yield Factor((handing.giver, there), costs[:, None] * np.array([0.0, 1.0]))
        for index in takers:
            needed = np.array([[np.inf if option.place == place else 0.0, 0.0] for option in nodes[index]])
            yield Factor((index, there), needed)


def _moved(handing: Handing, places: Sequence[Place]) -> float:
    source = places[handing.giver]
    return sum(_way(handing, source, place) for place in sorted({places[index] for index in handing.takers}))


def _way(handing: Handing, source: Place, destination: Place) -> float:
    return 0.0 if source == destination else handing.move(source, destination)
