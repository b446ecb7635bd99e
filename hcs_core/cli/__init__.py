"""The `hcs` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the `hcs` command; its version is told before anything is imported for the rest."""
    if sys.argv[1:] == ["--version"]:
        from hcs_core import __version__

        sys.stdout.write(f"hcs {__version__}\n")
        return
    from hcs_core.cli.application import run

    run()
