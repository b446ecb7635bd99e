"""Print, as JSON, what a PluginManager of this interpreter makes of what is installed.

`report_plugins.py [--strict] [--check] [reader ...]`: the records after discovery; then the readers are loaded and an
event is told, and the records are listed again. `--check` imports every target of every plugin too. As the command
line does, this passes HCS_DISABLE on.
"""

from __future__ import annotations

import json
import os
import sys

from hcs_core import PluginError, PluginManager, UnknownNameError
from hcs_core.plugins.events import RunStarted


def main() -> None:
    """Print the report."""
    arguments = sys.argv[1:]
    disabled = [name for name in os.environ.get("HCS_DISABLE", "").split(",") if name]
    manager = PluginManager(disabled=disabled, strict="--strict" in arguments)
    report: dict[str, object] = {}
    try:
        manager.discover()
    except PluginError as error:
        report["raised"] = str(error)
    report["found"] = [record.to_json() for record in manager.records()]
    report["loads"] = {name: load(manager, name) for name in arguments if not name.startswith("--")}
    if "--check" in arguments:
        report["checks"] = {record.name: manager.check(record.name) for record in manager.records()}
    manager.emit(RunStarted(plate="p", wells=1, cached=0, workers=1, output="o"))
    report["used"] = [record.to_json() for record in manager.records()]
    sys.stdout.write(json.dumps(report))


def load(manager: PluginManager, reader: str) -> str:
    """Return `loaded`, or the error of a reader that cannot be."""
    try:
        manager.readers.load(reader)
    except (PluginError, UnknownNameError) as error:
        return str(error)
    return "loaded"


if __name__ == "__main__":
    main()
