"""What became of a plugin: its record, as `hcs plugins` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs


class PluginStatus(StrEnum):
    """What became of a plugin."""

    OK = "ok"
    DISABLED = "disabled"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class PluginRecord:
    """A plugin, whose it is, what it provides, and where it failed why and what to do.

    `provides` maps the word of a kind (`microscopes`) to the names that the plugin declares; `traceback` is
    empty unless something was raised.
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
