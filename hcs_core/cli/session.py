"""What the commands of one `hcs` call share."""

from __future__ import annotations

import json
from typing import Any

import attrs
import click

from hcs_core.plugins.manager import PluginManager


@attrs.define
class Session:
    """The plugins of this call; a plugin's command finds them as `click.get_current_context().obj.plugins`."""

    plugins: PluginManager


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, indent=1, ensure_ascii=False))
