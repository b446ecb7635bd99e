"""What `hcs doctor` says of measured costs, and how `hcs doctor --measure` measures them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import click

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.choice.costs import Costs
from hcs_core.compiler.choice.costs_file import costs_path, costs_text, kept_costs, read_costs
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.measuring.measuring import measured, no_costs_yet, with_cost
from hcs_core.runtime.whole_files import write_whole


@attrs.frozen(kw_only=True)
class CostFindings:
    """The measurements that are kept and count; `faulty` where the file is there and cannot be read."""

    path: Path
    costs: Costs
    faulty: bool = False

    @property
    def words(self) -> str:
        """Return of when and of what they are, in a sentence."""
        costs = self.costs
        notice = f" ({costs.notice})" if costs.notice else ""
        if not costs:
            return f"none{notice}; `hcs doctor --measure` makes them"
        counts = Counter(item.kernel.rpartition("/")[2] for item in costs.kernels)
        of = ", ".join(
            f"{item.memory_type} {item.version} on {', '.join(item.devices)} ({counts[item.memory_type]} times)"
            for item in costs.libraries
        )
        return f"of {costs.measured_at[:10]}: {of}{notice}"

    def to_json(self) -> dict[str, Any]:
        """Return what `hcs doctor --json` prints of them."""
        return {"path": str(self.path), "faulty": self.faulty, "notice": self.costs.notice, **self.costs.to_json()}


def look_at_costs() -> CostFindings:
    """Return the measurements of this machine."""
    path = costs_path()
    kept = kept_costs(path)
    return CostFindings(path=path, costs=read_costs(path), faulty=bool(kept.notice))


def measure_costs(plugins: PluginManager) -> Path:
    """Measure what everything takes on this machine, and keep it; return where.

    What was measured is kept also where it is not come to an end, as by Ctrl-C, and what was not measured again stays
    as it was.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    path = costs_path()
    # Nobody should wait a minute for what cannot be kept.
    write_whole(path.with_name(f"{path.name}.try"), "")
    path.with_name(f"{path.name}.try").unlink()
    found = no_costs_yet()
    try:
        for item in measured(plugins, lambda line: click.echo(line, err=True)):
            found = with_cost(found, item)
    finally:
        before = read_costs(path)
        if found.libraries:
            write_whole(path, costs_text(before.merged(found)))
    return path


def cost_table(costs: Costs) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return a head and rows: what each operation and each conversion takes in each memory type, on each device.

    In milliseconds for a megapixel of uint16, or of the first dtype that was measured.
    """
    places = [(item.memory_type, device) for item in costs.libraries for device in item.devices]
    head = ("ms a megapixel", *(f"{name} {device}" for name, device in places))
    return head, (*_kernel_rows(costs, places), *_route_rows(costs, places))


def _kernel_rows(costs: Costs, places: Iterable[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    times = {(item.kernel, item.device, item.dtype): item.seconds_per_megapixel for item in costs.kernels}
    for operation in dict.fromkeys(item.kernel.rpartition("/")[0] for item in costs.kernels):
        yield operation, *(_ms(times.get((f"{operation}/{name}", device, "uint16"))) for name, device in places)


def _route_rows(costs: Costs, places: Iterable[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Yield the ways from and to the host; a megapixel of uint16 is two megabytes."""
    times = {
        (item.source, item.destination, item.device): 2 * item.seconds_per_megabyte
        for item in costs.routes
        if item.dtype == "uint16"
    }
    if times:
        yield f"from {HOST}", *(_ms(times.get((HOST, name, device))) for name, device in places)
        yield f"to {HOST}", *(_ms(times.get((name, HOST, device))) for name, device in places)


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.3g}"
