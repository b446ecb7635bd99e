"""What changes from one plan to another, and which outputs that touches.

Plans are documents here, as `plan.json` has them.

An output is touched where anything upstream of it differs: the signature of a node covers its own facts and those of
all nodes before it, back to the plate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from hcs_core.compiler.views.document_graph import DocumentGraph
from hcs_core.compiler.views.words import value_text

_NO_CONTENT = frozenset({
    "digest", "asked", "definition", "pipelines", "problems", "done", "redo", "estimated", "executor", "workers",
    "threads", "output_bytes", "output_files", "peak_memory_bytes_per_worker", "waiting_bytes_per_worker",
    "intermediate_backend", "source_readers", "node_readers", "devices", "worker_devices",
})  # fmt: skip
"""What a plan says of machine, output folder and itself: two plans that differ in nothing else are the same."""

_NO_CALL_CONTENT = frozenset({"parameters", "batch", "fallback"})
"""What is told of a call otherwise, or follows from what devices there are and what is free on them."""

_TOLD_APART = frozenset({"sources", "nodes", "steps", "outputs", "wells", "well_shapes", "gaps"})
_MOST_NAMED = 24
_STORE_FACTS = ("step", "backend", "layout")


@attrs.frozen(kw_only=True)
class Change:
    """One thing that differs: where, what of it, and how it was and is; what was not there is empty."""

    place: str
    what: str
    before: str = ""
    after: str = ""


@attrs.frozen(kw_only=True)
class TouchedOutput:
    """An output that would hold something else, and why: names of changed steps, or words such as `its layout`."""

    store: str
    why: tuple[str, ...]


@attrs.frozen(kw_only=True)
class PlanDifference:
    """All that differs between two plans.

    `same` is whether their digests are equal; what only the machine or the output folder says is no difference.
    `touched` are the outputs of both plans that would not be the same; `added_stores`, `removed_stores`,
    `added_wells` and `removed_wells` are those of one plan only.
    """

    same: bool
    changes: tuple[Change, ...] = ()
    touched: tuple[TouchedOutput, ...] = ()
    added_stores: tuple[str, ...] = ()
    removed_stores: tuple[str, ...] = ()
    added_wells: tuple[str, ...] = ()
    removed_wells: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what `hcs diff --json` prints."""
        return attrs.asdict(self)


def plan_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> PlanDifference:
    """Return what changes from one plan's document to another's."""
    if before["digest"] == after["digest"]:
        return PlanDifference(same=True)
    one, other = DocumentGraph(before), DocumentGraph(after)
    changes = (*_plan_changes(before, after), *_step_changes(one, other), *_store_changes(before, after))
    olds, news = _stores(before), _stores(after)
    wells, new_wells = _wells(before), _wells(after)
    return PlanDifference(
        same=False,
        changes=(*changes, *_well_changes(before, after)),
        touched=tuple(_touched(one, other, {change.place for change in changes})),
        added_stores=tuple(name for name in news if name not in olds),
        removed_stores=tuple(name for name in olds if name not in news),
        added_wells=tuple(well for well in new_wells if well not in wells),
        removed_wells=tuple(well for well in wells if well not in new_wells),
    )


def step_place(name: str) -> str:
    """Return how the place of a step is written."""
    return f"step {name!r}"


def _plan_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what differs of the plan as a whole, also in fields that nobody here knows."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old == new or key in _NO_CONTENT or key in _TOLD_APART:
            continue
        yield Change(place="plan", what=key.replace("_", " "), before=_text(old), after=_text(new))
    if before["gaps"] != after["gaps"]:
        yield Change(place="plan", what="planes that sites lack")
    if before["sources"] != after["sources"]:
        old, new = ("; ".join(map(_image, document["sources"])) for document in (before, after))
        yield Change(place="plan", what="input", before=old, after=new)


def _step_changes(one: DocumentGraph, other: DocumentGraph) -> Iterator[Change]:
    for name in dict.fromkeys((*one.steps, *other.steps)):
        place = step_place(name)
        if name not in one.steps or name not in other.steps:
            calls = ", ".join(_call(call) for call in (*one.calls(name), *other.calls(name)))
            if name in one.steps:
                yield Change(place=place, what="removed", before=calls or "nothing")
            else:
                yield Change(place=place, what="added", after=calls or "nothing")
            continue
        yield from _call_changes(place, one.calls(name), other.calls(name))
    kept = [name for name in one.steps if name in other.steps]
    moved = [name for name in other.steps if name in one.steps]
    if kept != moved:
        yield Change(place="plan", what="order of steps", before=", ".join(kept), after=", ".join(moved))


def _call_changes(place: str, olds: list[dict[str, Any]], news: list[dict[str, Any]]) -> Iterator[Change]:
    for old, new in zip(olds, news, strict=False):
        name = new["operation"]
        for key in dict.fromkeys((*old, *new)):
            if key in _NO_CALL_CONTENT or old.get(key) == new.get(key):
                continue
            yield Change(
                place=place,
                what=f"{name}: {key.replace('_', ' ')}",
                before=_text(old.get(key)),
                after=_text(new.get(key)),
            )
        given, then = dict(old["parameters"]), dict(new["parameters"])
        for key in dict.fromkeys((*given, *then)):
            if given.get(key) != then.get(key):
                values = (_text(values[key]) if key in values else "" for values in (given, then))
                yield Change(place=place, what=f"{name}: {key}", before=next(values), after=next(values))
    for call in olds[len(news) :]:
        yield Change(place=place, what="call removed", before=_call(call))
    for call in news[len(olds) :]:
        yield Change(place=place, what="call added", after=_call(call))


def _stores(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {output["store"]: output for output in document["outputs"]}


def _store_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    olds, news = _stores(before), _stores(after)
    for name, old in olds.items():
        if name not in news:
            continue
        facts = (_flat({key: output.get(key) for key in _STORE_FACTS}) for output in (old, news[name]))
        was, now = next(facts), next(facts)
        for key in dict.fromkeys((*was, *now)):
            if was.get(key) != now.get(key):
                what = key.removeprefix("layout ").removeprefix("image ")
                yield Change(
                    place=f"store {name!r}", what=what, before=_text(was.get(key)), after=_text(now.get(key))
                )


def _wells(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sites of each well."""
    shapes = document["well_shapes"]
    return {well: shapes[shape]["sites"] for well, shape in document["wells"]}


def _well_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    olds, news = _wells(before), _wells(after)
    others = [well for well, sites in olds.items() if well in news and news[well] != sites]
    for well in others:
        yield Change(place=f"well {well}", what="sites", before=_text(olds[well]), after=_text(news[well]))


def _touched(one: DocumentGraph, other: DocumentGraph, changed: set[str]) -> Iterator[TouchedOutput]:
    """Yield the outputs of both plans that would hold something else, each with why."""
    for store, ports in one.outputs.items():
        if store not in other.outputs:
            continue
        why: list[str] = []
        if [one.signature(port) for port in ports] != [other.signature(port) for port in other.outputs[store]]:
            upstream = dict.fromkeys((*one.upstream(store), *other.upstream(store)))
            why += [name for name in upstream if step_place(name) in changed]
            why += ["the plate"] if one.plate != other.plate else []
            why = why or ["other steps before it"]
        if f"store {store!r}" in changed:
            why.append("how it is stored")
        if why:
            yield TouchedOutput(store=store, why=tuple(why))


def _image(image: Mapping[str, Any]) -> str:
    names = ", ".join(channel["name"] for channel in image["channels"])
    y, x = image["shape"]
    return f"{names}: z {_text(image['z_indexes'])}, t {_text(image['timepoints'])}, {y}x{x} {image['dtype']}"


def _call(call: Mapping[str, Any]) -> str:
    given = ", ".join(f"{key}={_text(value)}" for key, value in call["parameters"])
    return f"{call['operation']}({given})" if given else str(call["operation"])


def _flat(facts: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested facts as one mapping, the names of the outer ones before those of the inner."""
    found: dict[str, Any] = {}
    for key, value in facts.items():
        name = f"{before}{key.replace('_', ' ')}"
        found |= _flat(value, f"{name} ") if isinstance(value, Mapping) else {name: value}
    return found


def _text(value: Any) -> str:
    """Return a value in a few words; a digest by its beginning."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        if len(value) > _MOST_NAMED:
            return f"{len(value)} of them"
        return f"[{', '.join(map(_text, value))}]"
    text = value_text(value)
    return text[:12] if len(text) == 64 else text  # noqa: PLR2004 - a sha256 in hexadecimal
