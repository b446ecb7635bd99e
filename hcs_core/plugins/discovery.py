"""Finding installed plugins: the entry points of the group `hcs_core`, each loaded alone by stevedore."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import attrs
from stevedore.named import NamedExtensionManager

from hcs_core.errors import PluginError, one_line
from hcs_core.plugins.registry import PLUGIN_FAULTS, Owner

if TYPE_CHECKING:
    _NamedManager = NamedExtensionManager[Any]
else:
    # Generic for type checkers alone: older releases of stevedore cannot be subscripted.
    _NamedManager = NamedExtensionManager

GROUP = "hcs_core"


@attrs.frozen(kw_only=True)
class Installed:
    """An entry point that was found, and what it was installed by. Nothing of it is imported yet."""

    owner: Owner
    version: str | None
    entry_point: importlib.metadata.EntryPoint


class _LoadFault(Exception):  # noqa: N818 - it carries a fault out of stevedore, nobody catches it by name
    """What a plugin raised on import; stevedore lets an AssertionError or a SystemExit through otherwise."""

    def __init__(self, fault: BaseException) -> None:
        super().__init__(str(fault))
        self.fault = fault


class _OneByOne(_NamedManager):
    """Loads one entry point, the one that it is given.

    stevedore's own entry points come from a cache that can be stale, and have lost their distribution; this
    lists those that `importlib.metadata` found.
    """

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self.fault: BaseException | None = None
        super().__init__(
            namespace=GROUP,
            names=[installed.entry_point.name],
            on_load_failure_callback=self._note,
            on_missing_entrypoints_callback=None,
        )

    def list_entry_points(self) -> list[importlib.metadata.EntryPoint]:
        return [self._installed.entry_point]

    def _load_one_plugin(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._load_one_plugin(*args, **kwargs)
        except PLUGIN_FAULTS as fault:
            raise _LoadFault(fault) from fault

    def _note(self, _manager: Any, _entry_point: Any, error: BaseException) -> None:
        self.fault = error.fault if isinstance(error, _LoadFault) else error


def field(distribution: importlib.metadata.Distribution, name: str) -> str | None:
    """Return a field of a distribution's metadata; `None` where an installation that was cut off left none.

    `Distribution.name` and `version` are not asked: where the distribution importlib-metadata is imported, they are
    its own, and raise a KeyError.
    """
    metadata = distribution.metadata
    return metadata[name] if name in metadata else None  # noqa: SIM401 - PackageMetadata promises no get()


def installed_plugins() -> tuple[Installed, ...]:
    """Return what is installed, sorted by name and distribution; nothing is imported."""
    found = []
    for entry_point in importlib.metadata.entry_points(group=GROUP):
        distribution = entry_point.dist
        whose = (field(distribution, "Name") if distribution else None) or "an unnamed distribution"
        version = field(distribution, "Version") if distribution else None
        owner = Owner(plugin=entry_point.name, distribution=whose)
        found.append(Installed(owner=owner, version=version, entry_point=entry_point))
    return tuple(sorted(found, key=lambda item: (item.owner.plugin, item.owner.distribution or "")))


def load(installed: Installed) -> object:
    """Import one plugin and return it.

    Raises
    ------
    PluginError
        It raised, or exited, on import; the cause is what it raised.
    """
    manager = _OneByOne(installed)
    if manager.fault is not None:
        what = "exits" if isinstance(manager.fault, SystemExit) else "fails"
        raise PluginError(
            f"{installed.owner} {what} when it is imported ({one_line(manager.fault)}): install what it needs, "
            f"{installed.owner.way_out}."
        ) from manager.fault
    return manager.extensions[0].plugin
