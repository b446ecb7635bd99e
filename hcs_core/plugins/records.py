"""What became of each plugin: its record, as `hcs plugins` shows it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from hcs_core.errors import PluginError, UnknownNameError, did_you_mean
from hcs_core.plugins.registry import CORE, Owner


class PluginStatus(StrEnum):
    """What became of a plugin."""

    OK = "ok"
    DISABLED = "disabled"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class PluginRecord:
    """A plugin, whose it is, what it provides, and where it failed why and what to do.

    `provides` maps the word of a kind (`microscopes`) to the names that are registered; it is empty for a
    plugin that was refused, and stays where a registered one failed later. `traceback` is empty unless
    something was raised.
    """

    name: str
    distribution: str | None = None
    version: str | None = None
    status: PluginStatus = PluginStatus.OK
    provides: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    error: str | None = None
    traceback: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the record as `hcs plugins --json` prints it."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "status": str(self.status),
            "provides": {word: list(names) for word, names in self.provides.items()},
            "error": self.error,
        }


class RecordBook:
    """Every plugin's record, one for each (plugin, distribution)."""

    def __init__(self) -> None:
        self._records: dict[Owner, PluginRecord] = {}

    def __contains__(self, owner: Owner) -> bool:
        """Whether there is a record already."""
        return owner in self._records

    def __getitem__(self, owner: Owner) -> PluginRecord:
        """Return the record of a plugin that has one."""
        return self._records[owner]

    def listed(self) -> tuple[PluginRecord, ...]:
        """Return every record: the core's first, then by name and distribution."""
        return tuple(
            sorted(
                self._records.values(),
                key=lambda item: (item.name != CORE, item.name, item.distribution or ""),
            )
        )

    def why_not(self, name: str) -> tuple[str, ...]:
        """Return why a plugin is not registered, a sentence for each distribution that brings one of that name.

        Raises
        ------
        UnknownNameError
            No plugin has that name.
        """
        records = [item for item in self.listed() if item.name == name]
        if not records:
            known = sorted({item.name for item in self.listed()})
            raise UnknownNameError(
                f"no plugin is called {name!r}.{did_you_mean(name, known)} Installed: {', '.join(known)}."
            )
        return tuple(item.error or f"plugin {name!r} is disabled: nothing of it is imported." for item in records)

    def out_of_use(self) -> tuple[PluginRecord, ...]:
        """Return the records of what is installed and provides nothing, because it is disabled or was refused."""
        return tuple(item for item in self.listed() if item.status is not PluginStatus.OK and not item.provides)

    def note(
        self,
        owner: Owner,
        version: str | None,
        *,
        status: PluginStatus = PluginStatus.OK,
        provides: Mapping[str, tuple[str, ...]] | None = None,
    ) -> PluginRecord:
        """Write the record of a plugin that is registered, or disabled."""
        record = PluginRecord(
            name=owner.plugin,
            distribution=owner.distribution,
            version=version,
            status=status,
            provides=provides or {},
        )
        self._records[owner] = record
        return record

    def fail(self, owner: Owner, version: str | None, error: PluginError) -> None:
        """Write the record of a plugin that is refused."""
        self.note(owner, version)
        self.fault(owner, error)

    def fault(self, owner: Owner, error: PluginError) -> None:
        """Mark a plugin as failed; of several faults the first stays, as later ones often follow from it."""
        record = self._records[owner]
        if record.status is not PluginStatus.FAILED:
            self._records[owner] = attrs.evolve(
                record, status=PluginStatus.FAILED, error=str(error), traceback=_traceback_of(error)
            )


def _traceback_of(error: PluginError) -> str:
    return "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else ""
