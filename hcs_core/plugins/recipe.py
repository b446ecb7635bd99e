"""How another process makes a plugin manager like this one."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen(kw_only=True, eq=False)
class PluginRecipe:
    """What was disabled, what the program registered that declares something, and whether to discover the rest.

    Listeners are left out: events are told where the run is driven from.
    """

    disabled: tuple[str, ...]
    program: tuple[tuple[str, Any], ...]
    discover: bool
