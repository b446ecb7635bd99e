"""Reading what a plugin declares, before anything of it is registered: whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any

import attrs
import pluggy

from hcs_core.errors import PluginError, did_you_mean, one_line
from hcs_core.plugins import hookspecs
from hcs_core.plugins.kinds import KINDS, Kind, Spec
from hcs_core.plugins.registry import PLUGIN_FAULTS, Owner

HCS_API = 1
"""The number of the hooks as they are; from 2 on, the one before is accepted too."""

ACCEPTED = tuple(number for number in (HCS_API - 1, HCS_API) if number >= 1)

HOOKS = tuple(name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), f"{hookspecs.PROJECT}_spec"))
"""The names of all hooks, in the order of `hookspecs.py`."""


@attrs.frozen(kw_only=True, eq=False)
class Staged:
    """A plugin that is in order by itself: the specs that it declares, by the word of their kind, and its hooks.

    `hooks` are pluggy's, in a manager that holds this plugin alone: whose fault or answer it is stays known, and
    there is nothing to roll back where the plugin is refused later.
    """

    plugin: Any
    owner: Owner
    version: str | None
    specs: Mapping[str, tuple[Spec, ...]]
    hooks: pluggy.HookRelay

    def declared(self) -> Iterable[tuple[Kind, Spec]]:
        """Yield every spec with its kind."""
        for kind in KINDS:
            for spec in self.specs.get(kind.word, ()):
                yield kind, spec

    def provides(self) -> dict[str, tuple[str, ...]]:
        """Return the names by kind, for the record."""
        return {word: tuple(spec.name for spec in specs) for word, specs in self.specs.items() if specs}

    def has(self, hook: str) -> bool:
        """Whether the plugin implements a hook."""
        return bool(getattr(self.hooks, hook).get_hookimpls())


def stage(plugin: Any, owner: Owner, version: str | None) -> Staged:
    """Check a plugin by itself and read its specs; nothing is registered.

    Raises
    ------
    PluginError
        With what is wrong, whose it is and what to do.
    """
    try:
        _check_api(plugin, owner)
        hooks = _validated_hooks(plugin, owner)
        _check_marks(plugin, owner)
    except PluginError:
        raise
    # An object, or a module with `__getattr__`, may raise anything where an attribute of it is looked at.
    except PLUGIN_FAULTS as error:
        raise PluginError(f"{owner} cannot be looked at ({one_line(error)}): {owner.way_out}.") from error
    specs = {kind.word: _read(hooks, kind, owner) for kind in KINDS}
    return Staged(plugin=plugin, owner=owner, version=version, specs=MappingProxyType(specs), hooks=hooks)


def _check_api(plugin: Any, owner: Owner) -> None:
    number = getattr(plugin, "hcs_api", None)
    # `True == 1`, and a plugin that says True does not know what it says.
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if is_number and number in ACCEPTED:
        return
    if number is None:
        raise PluginError(
            f"{owner} does not say for which hooks it was written: add `hcs_api = {HCS_API}` to its module."
        )
    if not is_number:
        raise PluginError(f"{owner} says hcs_api = {number!r}: write a whole number, `hcs_api = {HCS_API}`.")
    which = "a newer hcs-engine" if number > HCS_API else f"a newer {owner.distribution or 'version of it'}"
    accepted = " or ".join(map(str, ACCEPTED))
    raise PluginError(
        f"{owner} was written for hcs_api = {number!r}, and this hcs-engine accepts {accepted}: install {which}."
    )


def _validated_hooks(plugin: Any, owner: Owner) -> pluggy.HookRelay:
    """Let pluggy check the marked functions: their names, their arguments, and that none is a wrapper."""
    alone = pluggy.PluginManager(hookspecs.PROJECT)
    alone.add_hookspecs(hookspecs)
    try:
        alone.register(plugin, name=owner.plugin)
    except pluggy.PluginValidationError as error:
        raise PluginError(
            f"{owner} has a hook with wrong arguments ({one_line(error)}): write it as in docs/hooks.md."
        ) from error
    for caller in alone.get_hookcallers(plugin) or ():
        for implementation in caller.get_hookimpls():
            if not caller.has_spec() and not implementation.optionalhook:
                raise _unknown_hook(caller.name, owner)
            if implementation.wrapper or implementation.hookwrapper:
                raise PluginError(
                    f"{owner} has {caller.name!r} as a wrapper, which nothing here calls: write a plain @hookimpl."
                )
    return alone.hook


def _check_marks(plugin: Any, owner: Owner) -> None:
    """Refuse functions that look like hooks and are not marked: pluggy does not see them."""
    for name in dir(plugin):
        if not name.startswith("hcs_") or not callable(getattr(plugin, name)):
            continue
        if hasattr(getattr(plugin, name), f"{hookspecs.PROJECT}_impl"):
            continue
        if name not in HOOKS:
            raise _unknown_hook(name, owner)
        raise PluginError(f"{owner} has {name!r} without the mark: write @hookimpl (from hcs_core) above it.")


def _unknown_hook(name: str, owner: Owner) -> PluginError:
    return PluginError(
        f"{owner} has a hook {name!r}, which does not exist.{did_you_mean(name, HOOKS)} See docs/hooks.md, and "
        f"{owner.way_out}."
    )


def _read(hooks: pluggy.HookRelay, kind: Kind, owner: Owner) -> tuple[Spec, ...]:
    caller = getattr(hooks, kind.hook)
    try:
        answers = caller()
        specs = tuple(chain.from_iterable(answers))
    except PLUGIN_FAULTS as error:
        raise PluginError(
            f"the hook {kind.hook} of {owner} raised {one_line(error)} (it must yield {kind.spec.__name__}): "
            f"{owner.way_out}."
        ) from error
    # pluggy drops the answer None, which would hide a `return` or `yield` that was forgotten.
    if len(answers) < len(caller.get_hookimpls()):
        raise PluginError(
            f"the hook {kind.hook} of {owner} returns None: let it yield {kind.spec.__name__}, or return ()."
        )
    seen: set[str] = set()
    for spec in specs:
        if not isinstance(spec, kind.spec):
            raise PluginError(
                f"the hook {kind.hook} of {owner} yields {type(spec).__name__}: let it yield {kind.spec.__name__}."
            )
        if spec.name in seen:
            raise PluginError(f"{owner} declares the {kind.singular} {spec.name!r} twice: give each its own name.")
        seen.add(spec.name)
    return specs
