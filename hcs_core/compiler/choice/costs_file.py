"""Measured costs as they are kept: a JSON file for each kind of machine, in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from hcs_core.compiler.choice.costs import Costs, MeasuredOn
from hcs_core.errors import one_line
from hcs_core.plugins.libraries import library_version

FORMAT = "hcs costs 1"
"""What such a file says that it is."""

_PROCESSORS = Path("/proc/cpuinfo")
_CARDS = Path("/proc/driver/nvidia/gpus")


def costs_path() -> Path:
    """Return where the costs of this machine are kept; home folders may be shared by machines that differ."""
    key = hashlib.sha256(repr(this_hardware()).encode()).hexdigest()[:12]
    return Path(platformdirs.user_cache_path("hcs", appauthor=False)) / f"costs-{key}.json"


def read_costs(path: Path | None = None) -> Costs:
    """Return the costs that are kept and still count; a file that cannot be read gives none, and a notice.

    Parameters
    ----------
    path
        The file; by default that of this machine.
    """
    kept = kept_costs(path)
    versions = {item.library: library_version(item.library) for item in kept.libraries}
    return kept.still_true(this_hardware(), versions) if kept else kept


def kept_costs(path: Path | None = None) -> Costs:
    """Return the costs as they are kept, whatever has changed since."""
    path = path or costs_path()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Costs()
    except (OSError, UnicodeDecodeError) as error:
        return Costs(notice=f"the measurements in {path} cannot be read ({one_line(error)})")
    try:
        return _costs_of(json.loads(text))
    except (ValueError, RecursionError) as error:
        return Costs(notice=f"the measurements in {path} cannot be read ({one_line(error)})")


def _costs_of(document: Any) -> Costs:
    """Return the costs that are in a file's document.

    Raises
    ------
    ValueError
        They are not, or in another form.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"it does not say that its format is {FORMAT!r}")
    return Costs.from_json({key: value for key, value in document.items() if key != "format"})


def costs_text(costs: Costs) -> str:
    """Return costs as the text of their file."""
    return json.dumps({"format": FORMAT, **costs.to_json()}, indent=1) + "\n"


def this_hardware() -> MeasuredOn:
    """Return the processor, the cores and the graphics cards of this machine, as the system lists them."""
    return MeasuredOn(processor=_processor(), cores=os.cpu_count() or 1, cards=_cards())


def _processor() -> str:
    with suppress(OSError), _PROCESSORS.open(encoding="utf-8", errors="replace") as lines:
        # The file has a paragraph for each core, and is written while it is read: the first one is enough.
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
            if not line.strip():
                break
    return platform.processor() or platform.machine()


def _cards() -> tuple[str, ...]:
    """Return the models of NVIDIA's cards, where its driver lists them."""
    found = []
    with suppress(OSError):
        for card in sorted(_CARDS.iterdir()):
            for line in (card / "information").read_text(encoding="utf-8", errors="replace").splitlines():
                name, _, value = line.partition(":")
                if name.strip() == "Model":
                    found.append(value.strip())
    return tuple(found)
