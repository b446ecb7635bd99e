"""`hcs plugins`: what is installed, one plugin's details, and what is wrong with it."""

from __future__ import annotations

import click

from hcs_core.cli.session import Session, print_json
from hcs_core.errors import UnknownNameError, did_you_mean
from hcs_core.plugins.records import PluginRecord


@click.group(name="plugins", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def plugins_command(ctx: click.Context, as_json: bool) -> None:
    """List the installed plugins, or show one."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


@plugins_command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def list_command(session: Session, as_json: bool) -> None:
    """List the installed plugins."""
    _list(session, as_json)


@plugins_command.command(name="show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-v", "--verbose", is_flag=True, help="With the traceback of what failed.")
@click.pass_obj
def show_command(session: Session, name: str, as_json: bool, verbose: bool) -> None:
    """Show one plugin: whose it is, what it declares, and whether its targets can be imported."""
    found = [record for record in session.plugins.records() if record.name == name]
    if not found:
        names = [record.name for record in session.plugins.records()]
        raise UnknownNameError(
            f"no plugin is called {name!r}.{did_you_mean(name, names)} There are {', '.join(names)}."
        )
    if all(record.status == "ok" for record in found):
        session.plugins.check(name)
        found = [record for record in session.plugins.records() if record.name == name]
    if as_json:
        print_json([record.to_json() for record in found] if len(found) > 1 else found[0].to_json())
        return
    for record in found:
        _show(session, record, verbose)


def _list(session: Session, as_json: bool) -> None:
    records = session.plugins.records()
    if as_json:
        print_json([record.to_json() for record in records])
        return
    width = max(len(record.name) for record in records)
    for record in records:
        whose = f"{record.distribution or 'registered by the program'} {record.version or ''}".strip()
        click.echo(f"{record.name:<{width}}  {record.status:<8}  {whose:<24}  {_provides(record)}")
        if record.error:
            click.echo(f"{'':<{width}}  {record.error}")
    if not session.plugins.microscopes:
        click.echo("\nNo microscope is installed: pip install 'hcs-engine[standard]' brings the usual plugins.")


def _provides(record: PluginRecord) -> str:
    return "; ".join(f"{word.replace('_', ' ')}: {', '.join(names)}" for word, names in record.provides.items())


def _show(session: Session, record: PluginRecord, verbose: bool) -> None:
    click.echo(
        f"{record.name}: {record.status}, of {record.distribution or 'the program'} {record.version or ''}".rstrip()
    )
    for kind, registry in session.plugins.registries():
        for spec in registry:
            if registry.owner(spec.name).plugin == record.name:
                click.echo(f"  {kind.singular} {spec.name}: {getattr(spec, 'summary', '') or spec.target}")
    if record.error:
        click.echo(f"  {record.error}")
    if verbose and record.traceback:
        click.echo(record.traceback)
