"""`hcs doctor`: versions, plugins, memory types, devices, memory, disk and codecs; and what needs doing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import click

from hcs_core.cli.columns import columns_text, terminal_width
from hcs_core.cli.doctor_costs import cost_table, measure_costs
from hcs_core.cli.doctor_findings import Codec, Findings, examine
from hcs_core.cli.memory_type_states import MemoryTypeState
from hcs_core.cli.session import Session, print_json
from hcs_core.compiler.views.words import size_text
from hcs_core.plugins.records import PluginRecord


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--measure", "to_measure", is_flag=True, help="Measure what kernels take here, a minute, and keep it.")
@click.pass_obj
def doctor_command(session: Session, as_json: bool, to_measure: bool) -> int:
    """Look at what is installed, at this machine and at this folder, and say what needs doing.

    With --measure, what kernels and conversions take is measured first, in every array library that is ready, and
    kept for `hcs plan` and `hcs run`, which choose kernels by it. The exit code is 0 where all is well, and 1 where
    something needs doing.
    """
    if to_measure:
        measure_costs(session.plugins)
    findings = examine(session.plugins, Path.cwd())
    if as_json:
        print_json(findings.to_json())
    else:
        click.echo("\n".join([*_lines(findings), *(_measured(findings) if to_measure else ())]))
    return 1 if findings.troubles else 0


def _lines(findings: Findings) -> Iterator[str]:
    yield f"Python:   {findings.python} on {findings.system}"
    width = max(len(record.name) for record in findings.plugins)
    yield from _under("Plugins:", [f"{record.name:<{width}}  {_plugin(record)}" for record in findings.plugins])
    yield from _under("Arrays:", [_memory_type(item) for item in findings.memory_types])
    yield f"Measured: {findings.costs.words}"
    machine = findings.machine
    memory = "memory unknown" if machine.memory_bytes is None else f"{size_text(machine.memory_bytes)} of memory"
    yield f"Machine:  {machine.cores} core(s), {memory}"
    free = "unknown" if machine.free_disk_bytes is None else size_text(machine.free_disk_bytes)
    links = f"no symlinks can be made there ({findings.symlinks})" if findings.symlinks else "symlinks work there"
    yield f"Disk:     {free} free in {findings.folder}; {links}"
    groups = groupby(findings.codecs, key=lambda codec: codec.of)
    yield from _under("Codecs:", [f"{of}: {', '.join(map(_codec, codecs))}" for of, codecs in groups])
    yield ""
    if not findings.troubles:
        yield "All is well."
        return
    yield f"{len(findings.troubles)} thing(s) to do:"
    for number, trouble in enumerate(findings.troubles, start=1):
        yield f"  {number}. {trouble.what}"
        yield f"     {trouble.advice}"


def _under(title: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines or ["none"]):
        yield f"{title if number == 0 else '':<9} {line}"


def _plugin(record: PluginRecord) -> str:
    whose = f"{record.distribution or 'registered by the program'} {record.version or ''}".strip()
    return f"{record.status:<8}  {whose}"


def _measured(findings: Findings) -> Iterator[str]:
    """Yield what was measured, in columns."""
    yield ""
    yield from columns_text(*cost_table(findings.costs.costs), terminal_width())


def _memory_type(item: MemoryTypeState) -> str:
    return f"{item.name}: {item.words}"


def _codec(codec: Codec) -> str:
    return f"{codec.name} not usable" if codec.why_not else codec.name
