"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import CommandSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_commands() -> Iterable[CommandSpec]:
    """Declare `hcs demo`."""
    yield CommandSpec(
        name="demo",
        target="hcs_synthetic.demo:command",
        summary="Make a small plate, process it, and say where everything is.",
    )
