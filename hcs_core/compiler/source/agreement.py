"""What the pipelines of one run have to agree in: they work on the same wells and sites, each under its own name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.source.selected import Chosen
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.plate.wells import summary

_APART = "Give all the same, or run them apart, each into an output folder of its own."
_NO_NAME = frozenset("/\\\0")


def disagreements(given: CompileInput, parts: Sequence[Chosen]) -> Iterator[Problem]:
    """Yield what keeps pipelines from being run together; `parts` is what each selects of the plate."""
    if len(given.pipelines) == 1:
        return
    yield from _names(given.pipelines)
    first, *others = given.pipelines
    for pipeline, part in zip(others, parts[1:], strict=True):
        if part.wells != parts[0].wells:
            yield _differ("wells", (first, summary(parts[0].wells)), (pipeline, summary(part.wells)))
        if part.sites != parts[0].sites:
            yield _differ("sites", (first, _listed(parts[0].sites)), (pipeline, _listed(part.sites)))
        one, other = (str(each.missing or given.config.missing) for each in (first, pipeline))
        if one != other:
            yield _differ("missing", (first, one), (pipeline, other))


def _differ(word: str, one: tuple[Pipeline, str], other: tuple[Pipeline, str]) -> Problem:
    return Problem(
        parameter=word,
        message=f"the pipelines of one run have the same {word}: {one[0].name!r} says {one[1]}, and "
        f"{other[0].name!r} {other[1]}.",
        hint=f"{_APART} `--{word}` stands in place of what they say.",
    )


def _names(pipelines: Sequence[Pipeline]) -> Iterator[Problem]:
    names = [pipeline.name for pipeline in pipelines]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Problem(
                message=f"{names.count(name)} pipelines are called {name!r}, which names what each leaves.",
                hint="Give each a `name` of its own.",
            )
        if name in {".", ".."} or _NO_NAME.intersection(name):
            yield Problem(
                message=f"the pipeline {name!r} cannot name a folder for its results.",
                hint="Give it a `name` without a slash.",
            )


def _listed(sites: Sequence[int]) -> str:
    return ", ".join(map(str, sites))
