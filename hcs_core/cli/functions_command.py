"""`hcs functions`: the operations, their parameters and axes, and the memory types that have them."""

from __future__ import annotations

from typing import Any

import click

from hcs_core.arrays.memory_type import HOST
from hcs_core.cli.columns import columns_text, terminal_width
from hcs_core.cli.memory_type_states import READY, memory_type_states
from hcs_core.cli.session import Session, print_json
from hcs_core.compiler.choice.costs_file import read_costs
from hcs_core.errors import UnknownNameError, did_you_mean
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.signature import Signature
from hcs_core.plugins.stitching_signatures import OUT_AXES, SUMMARIES, stitching_signatures


@click.command(name="functions")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def functions_command(session: Session, name: str | None, as_json: bool) -> None:
    """List the operations that a pipeline can name, or show one."""
    rows = _rows(session.plugins, devices_wanted=as_json or name is not None)
    if name is not None:
        names = [row["name"] for row in rows]
        if name not in names:
            there = (
                f"There are {', '.join(names)}."
                if names
                else "None is installed: pip install 'hcs-engine[standard]'."
            )
            raise UnknownNameError(f"no operation is called {name!r}.{did_you_mean(name, names)} {there}")
        rows = [row for row in rows if row["name"] == name]
    if as_json:
        print_json(rows)
    elif name is not None:
        _show(rows[0])
    elif not rows:
        click.echo("No operation is installed: pip install 'hcs-engine[standard]' brings the usual ones.")
    else:
        _table(rows)


def _rows(plugins: PluginManager, *, devices_wanted: bool) -> list[dict[str, Any]]:
    operations: dict[str, dict[str, Any]] = {}
    states = memory_type_states(plugins, read_costs(), devices_wanted=devices_wanted)
    for spec in plugins.kernels:
        signature: Signature = spec.signature
        row = operations.setdefault(
            spec.operation,
            {
                "name": spec.operation,
                "axes": signature.axes,
                "out": signature.out,
                "summary": spec.summary,
                "parameters": [_parameter(item) for item in signature.parameters],
                "tolerance": str(signature.tolerance),
                "makes": {made.name: str(made.kind) for made in signature.makes},
                "takes": {taken.keyword: str(taken.kind) for taken in signature.takes},
                "memory_types": {},
                "kernels": [],
            },
        )
        state = states[spec.memory_type]
        row["memory_types"][spec.memory_type] = state.state
        row["kernels"].append(
            {
                "kernel": spec.name,
                "version": spec.version,
                "state": state.state,
                "devices": list(state.devices),
                "get": state.get,
            }
        )
    return [*operations.values(), *_stitching(plugins)]


def _stitching(plugins: PluginManager) -> list[dict[str, Any]]:
    """Return the steps that are no kernels', and what each installed stitcher takes in them."""
    return [
        {
            "name": name,
            "axes": signature.axes,
            "out": OUT_AXES[name],
            "summary": SUMMARIES[name],
            "parameters": [_parameter(item) for item in signature.parameters],
            "tolerance": "",
            "makes": {},
            "takes": {},
            "memory_types": {HOST: READY},
            "kernels": [],
        }
        for name, signature in stitching_signatures(plugins).items()
    ]


def _parameter(item: Parameter) -> dict[str, Any]:
    return {
        "name": item.name,
        "type": item.kind,
        "required": item.required,
        "default": list(item.default) if isinstance(item.default, tuple) else item.default,
        "expected": item.expected(),
        "unit": item.unit,
        "description": item.description,
    }


def _signature(row: dict[str, Any]) -> str:
    given = [item["name"] if item["required"] else f"{item['name']}={item['default']}" for item in row["parameters"]]
    return f"{row['name']}({', '.join(given)})"


def _table(rows: list[dict[str, Any]]) -> None:
    """Print a row for each operation, with the memory types in which it can be used, and below what is not there."""
    columns = ("operation", "axes", "ready in", "what it does")
    texts = [(_signature(row), f"{row['axes']} -> {row['out']}", _ready(row) or "-", row["summary"]) for row in rows]
    click.echo("\n".join(columns_text(columns, texts, terminal_width())))
    click.echo("\n`hcs functions NAME` shows one with its parameters.")
    states = {name: state for row in rows for name, state in row["memory_types"].items() if state != READY}
    if states:
        absent = ", ".join(f"{name} ({state})" for name, state in sorted(states.items()))
        click.echo(f"Not ready here: {absent}. `hcs doctor` says what to do.")


def _ready(row: dict[str, Any]) -> str:
    return ", ".join(name for name, state in row["memory_types"].items() if state == READY)


def _show(row: dict[str, Any]) -> None:
    click.echo(f"{_signature(row)}: {row['summary']}")
    click.echo(f"  axes: {row['axes']} -> {row['out'] or 'its image passes on'}")
    for word in ("makes", "takes"):
        if row[word]:
            click.echo(f"  {word}: {', '.join(f'{name} ({kind})' for name, kind in row[word].items())}")
    for item in row["parameters"]:
        default = "required" if item["required"] else f"default {item['default']}"
        default = "optional" if item["default"] is None and not item["required"] else default
        unit = f", in {item['unit']}" if item["unit"] else ""
        click.echo(f"  {item['name']}: {item['expected']}{unit}, {default}. {item['description']}")
    if row["tolerance"]:
        click.echo(f"  its kernels in all memory types agree {row['tolerance']}")
    for kernel in row["kernels"]:
        where = f" on {', '.join(kernel['devices'])}" if kernel["devices"] else ""
        get = f". {kernel['get']}" if kernel["get"] else ""
        click.echo(f"  {kernel['kernel']}: {kernel['state']}{where}{get}")
    click.echo(f"\nIn a pipeline file:  - {row['name']}{_as_written(row)}")


def _as_written(row: dict[str, Any]) -> str:
    """Return the parameters of a line for a pipeline file: those that have to be given, and numbers."""
    given = {
        item["name"]: "..." if item["required"] else item["default"]
        for item in row["parameters"]
        if item["required"] or type(item["default"]) in (int, float)
    }
    return f": {{{', '.join(f'{key}: {value}' for key, value in given.items())}}}" if given else ""
