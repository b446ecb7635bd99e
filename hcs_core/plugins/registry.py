"""What is registered, by name: one `Registry` for each kind.

`Registry.load` is the only place that imports plugin code after registration.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import attrs

from hcs_core.errors import HcsError, PluginError, UnknownNameError, did_you_mean, one_line
from hcs_core.plugins.kinds import Kind, Spec

S = TypeVar("S", bound=Spec)

CORE = "core"
"""The name of the plugin that the core itself is."""

PLUGIN_FAULTS: tuple[type[BaseException], ...] = (Exception, SystemExit)
"""What a plugin's code may raise that becomes a record: anything but Ctrl-C, SystemExit too."""


@attrs.frozen(kw_only=True)
class Owner:
    """Whose a spec is: the plugin and, where it was installed, its distribution."""

    plugin: str
    distribution: str | None = None

    def __str__(self) -> str:
        """`plugin 'zarr' of hcs-zarr`."""
        return f"plugin {self.plugin!r}" + (f" of {self.distribution}" if self.distribution else "")

    @property
    def way_out(self) -> str:
        """What a user can do about it where it is faulty: the end of an error's sentence."""
        if self.distribution is None:
            return "mend it where the program registers it"
        if self.plugin == CORE:
            return f"reinstall {self.distribution}"
        return f"reinstall or update {self.distribution}, or disable it with HCS_DISABLE={self.plugin}"


class Registry(Generic[S]):
    """The specs of one kind by name.

    Parameters
    ----------
    kind
        What is registered here.
    on_fault
        Told of a target that cannot be imported: its owner and the error, before the error is raised.
    absent
        Says more about a name that is not here: which plugin would bring it, and why it does not.
    """

    def __init__(
        self,
        kind: Kind,
        on_fault: Callable[[Owner, PluginError], None],
        absent: Callable[[Kind, str], str],
    ) -> None:
        self.kind = kind
        self._on_fault = on_fault
        self._absent = absent
        self._entries: dict[str, tuple[S, Owner]] = {}

    def __iter__(self) -> Iterator[S]:
        """Yield the specs, sorted by name."""
        return (self._entries[name][0] for name in self.names())

    def __contains__(self, name: object) -> bool:
        """Whether the name is registered."""
        return name in self._entries

    def __len__(self) -> int:
        """How many are registered."""
        return len(self._entries)

    def names(self) -> tuple[str, ...]:
        """Return the registered names, sorted."""
        return tuple(sorted(self._entries))

    def add(self, spec: S, owner: Owner) -> None:
        """Add one spec; the name must be free (`PluginManager` asks first)."""
        if spec.name in self._entries:
            raise PluginError(
                f"the {self.kind.singular} {spec.name!r} of {owner} is already declared by "
                f"{self.owner(spec.name)}: disable or rename one of them."
            )
        self._entries[spec.name] = (spec, owner)

    def owner(self, name: str) -> Owner:
        """Return whose the name is.

        Raises
        ------
        UnknownNameError
            The name is not registered.
        """
        self.get(name)
        return self._entries[name][1]

    def get(self, name: str) -> S:
        """Return the spec of that name.

        Raises
        ------
        UnknownNameError
            With the nearest name, what is installed, and what to install.
        """
        if name in self._entries:
            return self._entries[name][0]
        there = f"Installed: {', '.join(self.names()) or 'none'}."
        raise UnknownNameError(
            f"{self.unknown(name, there)} Install the plugin that brings it (the usual ones: "
            "pip install 'hcs-engine[standard]'); `hcs plugins` lists what is installed and what failed."
        )

    def unknown(self, name: str, there: str = "") -> str:
        """Return that a name is not there, the nearest one, what is there (as the caller says), what is unused."""
        nearest = did_you_mean(name, self._entries)
        between = f" {there}" if there else ""
        return f"no {self.kind.singular} is called {name!r}.{nearest}{between}{self._absent(self.kind, name)}"

    def load(self, name: str) -> Any:
        """Import the target of a name and return it; the fault of a target is noted in its plugin's record.

        Raises
        ------
        UnknownNameError
            The name is not registered.
        PluginError
            The target cannot be imported.
        """
        return self.load_target(name, self.get(name).target)

    def load_target(self, name: str, target: str) -> Any:
        """Import a target of the spec of that name: `target`, or another that it carries (`layout_writer`, `codecs`).

        Raises
        ------
        UnknownNameError
            The name is not registered.
        PluginError
            The target cannot be imported; another call tries again.
        """
        module_name, _, attribute = target.partition(":")
        owner = self.owner(name)
        try:
            found: Any = importlib.import_module(module_name)
            for part in attribute.split("."):
                found = getattr(found, part)
        except PLUGIN_FAULTS as cause:
            error = PluginError(
                f"the {self.kind.singular} {name!r} of {owner} cannot be used: its target {target!r} does not "
                f"import ({one_line(cause)}): {owner.way_out}."
            )
            error.__cause__ = cause
            self._on_fault(owner, error)
            raise error from cause
        return found

    def make(self, name: str) -> Any:
        """Return a new object of the class that is a name's target; classes of plugins are made without arguments.

        Raises
        ------
        UnknownNameError
            The name is not registered.
        PluginError
            The class cannot be imported, or raises.
        """
        made = self.load(name)
        try:
            return made()
        except HcsError:
            raise
        except PLUGIN_FAULTS as cause:
            raise self._faulty(name, "when it is made", cause) from cause

    @contextmanager
    def calling(self, name: str, method: str) -> Iterator[None]:
        """Turn what a plugin's method raises into an error that says whose it is, as long as the block lasts.

        The errors of hcs_core, and those of the operating system, are no faults of the plugin and go through.

        Raises
        ------
        PluginError
            Something else was raised.
        """
        try:
            yield
        except (HcsError, OSError):
            raise
        except PLUGIN_FAULTS as cause:
            raise self._faulty(name, f"in {method}", cause) from cause

    def _faulty(self, name: str, where: str, cause: BaseException) -> PluginError:
        owner = self.owner(name)
        error = PluginError(
            f"the {self.kind.singular} {name!r} of {owner} raises {one_line(cause)} {where}: {owner.way_out}."
        )
        error.__cause__ = cause
        self._on_fault(owner, error)
        return error
