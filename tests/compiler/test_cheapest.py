"""The cheapest choice for a graph is that of trying every one, and large graphs are done in no time."""

from __future__ import annotations

import itertools
import time

from hypothesis import given, strategies as st

from hcs_core.compiler.choice.cheapest import ChoiceGraph, Handing, Option, cheapest
from hcs_core.compiler.place import Place

MEMORY_TYPES = ("numpy", "torch", "jax")
PLACES = tuple(Place(name, "cpu") for name in MEMORY_TYPES)
# Whole numbers: sums in another order are equal, and a difference is one.
SECONDS = st.integers(0, 9)


def brute_force(domains, handings, starts):
    """Return the least cost of all choices, and nothing of how the graph is searched is in it.

    `domains` are the seconds by place of each node; `handings` are (giver, takers, seconds by pair of places).
    """
    least = None
    for places in itertools.product(*domains):
        total = sum(domain[place] for domain, place in zip(domains, places, strict=True))
        total += sum(starts.get(name, 0) for name in {place.memory_type for place in places})
        for giver, takers, moves in handings:
            arrived = set()
            for taker in takers:
                if places[taker] != places[giver] and places[taker] not in arrived:
                    arrived.add(places[taker])
                    total += moves[places[giver], places[taker]]
        least = total if least is None else min(least, total)
    return least


def graph_of(domains, handings, starts):
    return ChoiceGraph(
        nodes=tuple(
            tuple(Option(place=place, seconds=float(cost)) for place, cost in domain.items()) for domain in domains
        ),
        handings=tuple(
            Handing(giver=giver, takers=tuple(takers), move=lambda one, other, moves=moves: float(moves[one, other]))
            for giver, takers, moves in handings
        ),
        starts={name: float(cost) for name, cost in starts.items()},
    )


@st.composite
def problems(draw):
    count = draw(st.integers(1, 7))
    domains = [
        {
            place: draw(SECONDS)
            for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True))
        }
        for _ in range(count)
    ]
    handings = []
    for giver in range(count - 1):
        for _ in range(draw(st.integers(0, 2))):
            takers = draw(st.lists(st.integers(giver + 1, count - 1), min_size=1, max_size=4))
            moves = {pair: draw(SECONDS) for pair in itertools.permutations(PLACES, 2)}
            handings.append((giver, takers, moves))
    starts = {name: draw(SECONDS) for name in MEMORY_TYPES[1:]}
    return domains, handings, starts


@given(problems())
def test_it_is_what_trying_every_choice_finds(problem):
    domains, handings, starts = problem
    graph = graph_of(*problem)
    chosen = cheapest(graph)
    assert graph.seconds(chosen) == brute_force(domains, handings, starts)
    # What it says that a choice costs is what that choice costs, alone.
    alone = [{option.place: domain[option.place]} for option, domain in zip(chosen, domains, strict=True)]
    assert graph.seconds(chosen) == brute_force(alone, handings, starts)


@given(problems())
def test_no_other_option_of_one_node_has_a_smaller_share(problem):
    graph = graph_of(*problem)
    chosen = cheapest(graph)
    for index, options in enumerate(graph.nodes):
        own = graph.share(index, chosen[index], chosen)
        others = [*chosen]
        for option in options:
            others[index] = option
            # A share differs from another as the costs of the whole do.
            difference = graph.seconds(others) - graph.seconds(chosen)
            assert graph.share(index, option, chosen) - own == difference >= 0


def test_of_equals_the_first_is_taken():
    same = tuple(Option(place=place, seconds=1.0) for place in PLACES)
    chosen = cheapest(ChoiceGraph(nodes=(same, same), handings=(), starts={}))
    assert [option.place.memory_type for option in chosen] == ["numpy", "numpy"]


def test_a_plane_that_several_read_is_converted_once():
    numpy, torch, _ = PLACES
    free = tuple(Option(place=place) for place in (numpy, torch))
    torch_only, numpy_only = (Option(place=torch),), (Option(place=numpy),)
    handing = Handing(giver=0, takers=(1, 2, 3), move=lambda _one, _other: 1.0)
    graph = ChoiceGraph(nodes=(numpy_only, torch_only, torch_only, free), handings=(handing,), starts={})
    assert graph.seconds(cheapest(graph)) == 1.0


def test_a_graph_that_no_pipeline_has_is_searched_in_time_and_is_no_worse_than_all_first_options():
    """Forty nodes that hand planes to each other without order: exact search would take for ever."""
    count = 40
    nodes = tuple(
        tuple(Option(place=place, seconds=float((index * 7 + at * 5) % 11)) for at, place in enumerate(PLACES))
        for index in range(count)
    )
    handings = tuple(
        Handing(giver=giver, takers=tuple(range(giver + 1, count)), move=lambda _one, _other: 0.5)
        for giver in range(count - 1)
    )
    graph = ChoiceGraph(nodes=nodes, handings=handings, starts={"torch": 1.0, "jax": 2.0})
    began = time.perf_counter()
    chosen = cheapest(graph)
    assert time.perf_counter() - began < 60
    assert graph.seconds(chosen) <= graph.seconds([options[0] for options in nodes])
