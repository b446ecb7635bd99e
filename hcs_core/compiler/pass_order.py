"""The order of the compiler's passes: by `after` and `before`; one that is replaced is left out."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from hcs_core.errors import PluginError, did_you_mean
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.specs import CompilerPassSpec


def ordered_passes(plugins: PluginManager) -> tuple[CompilerPassSpec, ...]:
    """Return the passes in an order that every `after` and `before` agrees with; ties go by name.

    A pass with `replaces` stands where the one that it names stood: it keeps that one's `after` and `before` beside
    its own, and what others say of that one's name holds for it.

    Raises
    ------
    PluginError
        They contradict each other, or one replaces what is not there, or what another one replaces too.
    """
    stands_for = _replacements(plugins)
    in_use = [spec for spec in plugins.compiler_passes if spec.name not in stands_for]
    before: dict[str, set[str]] = {spec.name: set() for spec in in_use}
    for spec in in_use:
        for one in (spec, *_replaced(spec, plugins)):
            before[spec.name].update(name for name in _there(one.after, stands_for, before))
            for name in _there(one.before, stands_for, before):
                before[name].add(spec.name)
    sorter = TopologicalSorter(before)
    try:
        sorter.prepare()
    except CycleError as error:
        raise PluginError(
            f"the compiler passes {' -> '.join(error.args[1])} each want to be before the next: disable the plugin "
            "of one of them."
        ) from error
    ordered: list[CompilerPassSpec] = []
    while sorter.is_active():
        for name in sorted(sorter.get_ready()):
            ordered.append(plugins.compiler_passes.get(name))
            sorter.done(name)
    return tuple(ordered)


def _replacements(plugins: PluginManager) -> dict[str, str]:
    """Return, for each pass that is replaced, which one stands in its place."""
    found: dict[str, str] = {}
    passes = plugins.compiler_passes
    for spec in passes:
        name = spec.replaces
        if not name:
            continue
        owner = passes.owner(spec.name)
        if name not in passes:
            raise PluginError(
                f"the compiler pass {spec.name!r} of {owner} replaces {name!r}, which is no pass."
                f"{did_you_mean(name, passes.names())} There are {', '.join(passes.names())}: {owner.way_out}."
            )
        if name in found:
            raise PluginError(
                f"the compiler pass {name!r} is replaced by {found[name]!r} of {passes.owner(found[name])} and by "
                f"{spec.name!r} of {owner}: disable one of them."
            )
        found[name] = spec.name
    for name in found:
        _refuse_circle(name, found)
    return found


def _refuse_circle(name: str, stands_for: dict[str, str]) -> None:
    seen = [name]
    while seen[-1] in stands_for:
        seen.append(stands_for[seen[-1]])
        if seen[-1] == name:
            raise PluginError(f"the compiler passes {' -> '.join(seen)} replace each other: disable one's plugin.")


def _replaced(spec: CompilerPassSpec, plugins: PluginManager) -> list[CompilerPassSpec]:
    """Return the pass in whose place a pass stands, and the one in whose place that one stood, and so on."""
    found = []
    while spec.replaces:
        spec = plugins.compiler_passes.get(spec.replaces)
        found.append(spec)
    return found


def _there(names: tuple[str, ...], stands_for: dict[str, str], there: dict[str, set[str]]) -> list[str]:
    """Return the passes that names mean; a name that nobody has means nothing."""
    found = []
    for name in names:
        meant = name
        while meant in stands_for:
            meant = stands_for[meant]
        if meant in there:
            found.append(meant)
    return found
