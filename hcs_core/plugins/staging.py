"""Reading what a plugin declares, before anything of it is registered: whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs
import pluggy

from hcs_core.errors import PluginError, did_you_mean, one_line
from hcs_core.plugins import hookspecs
from hcs_core.plugins.registry import Owner
from hcs_core.plugins.specs import KINDS, Kind, Spec

HCS_API = 1
"""The number of the hooks as they are; from 2 on, the one before is accepted too."""

ACCEPTED = tuple(number for number in (HCS_API - 1, HCS_API) if number >= 1)


@attrs.frozen(kw_only=True)
class Staged:
    """A plugin that is in order by itself, and the specs that it declares by the word of their kind."""

    plugin: Any
    owner: Owner
    version: str | None
    specs: Mapping[str, tuple[Spec, ...]]

    def declared(self) -> Iterable[tuple[Kind, Spec]]:
        """Yield every spec with its kind."""
        for kind in KINDS:
            for spec in self.specs.get(kind.word, ()):
                yield kind, spec

    def provides(self) -> dict[str, tuple[str, ...]]:
        """Return the names by kind, for the record."""
        return {word: tuple(spec.name for spec in specs) for word, specs in self.specs.items() if specs}


def stage(plugin: Any, owner: Owner, version: str | None) -> Staged:
    """Check a plugin by itself and read its specs; nothing is registered.

    Raises
    ------
    PluginError
        With what is wrong, whose it is and what to do.
    """
    _check_api(plugin, owner)
    _check_hooks(plugin, owner)
    specs: dict[str, tuple[Spec, ...]] = {}
    for kind in KINDS:
        hook = getattr(plugin, kind.hook, None)
        if hook is not None:
            specs[kind.word] = _read(hook, kind, owner)
    return Staged(plugin=plugin, owner=owner, version=version, specs=MappingProxyType(specs))


def _check_api(plugin: Any, owner: Owner) -> None:
    number = getattr(plugin, "hcs_api", None)
    if number in ACCEPTED:
        return
    accepted = " or ".join(map(str, ACCEPTED))
    if number is None:
        raise PluginError(
            f"{owner} does not say for which hooks it was written: add `hcs_api = {HCS_API}` to its module."
        )
    which = (
        "a newer hcs-engine"
        if isinstance(number, int) and number > HCS_API
        else f"a newer {owner.distribution or 'version of it'}"
    )
    raise PluginError(
        f"{owner} was written for hcs_api = {number!r}; this hcs-engine accepts {accepted}: install {which}."
    )


def _hook_names() -> tuple[str, ...]:
    return tuple(name for name in vars(hookspecs) if name.startswith("hcs_") and name != "hcs_core")


def _check_hooks(plugin: Any, owner: Owner) -> None:
    """Let pluggy check the names and arguments of the hooks, in a manager that is thrown away."""
    scratch = pluggy.PluginManager(hookspecs.PROJECT)
    scratch.add_hookspecs(hookspecs)
    try:
        scratch.register(plugin)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(
            f"{owner} has a hook with wrong arguments ({one_line(error)}): see docs/hooks.md."
        ) from error
    known = _hook_names()
    for name in dir(plugin):
        if not name.startswith("hcs_") or name == "hcs_api" or not callable(getattr(plugin, name)):
            continue
        if name not in known:
            raise PluginError(
                f"{owner} has a hook {name!r}, which does not exist.{did_you_mean(name, known)} See docs/hooks.md."
            )
        if not getattr(getattr(plugin, name), "hcs_core_impl", None):
            raise PluginError(f"{owner} has {name!r} without the mark: write @hookimpl (from hcs_core) above it.")


def _read(hook: Any, kind: Kind, owner: Owner) -> tuple[Spec, ...]:
    try:
        specs = tuple(hook())
    # A plugin's hook may raise anything; it becomes the reason in its record.
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the hook {kind.hook} of {owner} raised {one_line(error)}: report it to its authors, or disable it "
            f"with HCS_DISABLE={owner.plugin}."
        ) from error
    seen: set[str] = set()
    for spec in specs:
        if not isinstance(spec, kind.spec):
            raise PluginError(
                f"the hook {kind.hook} of {owner} yields {type(spec).__name__}; it must yield {kind.spec.__name__}."
            )
        if spec.name in seen:
            raise PluginError(f"{owner} declares the {kind.singular} {spec.name!r} twice: give each its own name.")
        seen.add(spec.name)
    return specs
