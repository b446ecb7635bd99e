"""The command group: its plugins, its subcommands, and how errors and exit codes come out."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from hcs_core.cli.session import Session
from hcs_core.errors import HcsError, did_you_mean
from hcs_core.plugins.manager import PluginManager

INTERRUPTED = 130


class _Commands(click.Group):
    """The subcommands that plugins declare, the core's own among them, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_session(ctx).plugins.commands.names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        commands = _session(ctx).plugins.commands
        if cmd_name not in commands:
            return None
        loaded: click.Command = commands.load(cmd_name)
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(spec.name, spec.summary) for spec in _session(ctx).plugins.commands])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(
                f"no command is called {args[0]!r}.{hint} `hcs --help` lists them.", ctx
            ) from error


def _session(ctx: click.Context) -> Session:
    """Return what the commands share; plugins are found once, when the first command is looked up."""
    root = ctx.find_root()
    if not isinstance(root.obj, Session):
        disabled = tuple(name.strip() for name in os.environ.get("HCS_DISABLE", "").split(",") if name.strip())
        plugins = PluginManager(disabled=disabled)
        plugins.discover()
        root.obj = Session(plugins=plugins)
    return root.obj


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hcs-engine", prog_name="hcs", message="%(prog)s %(version)s")
@click.pass_context
def hcs(ctx: click.Context) -> None:
    """Process high-content-screening plates: any microscope in, a standard OME-Zarr plate out.

    Start with `hcs demo`, then `hcs inspect PLATE`, `hcs init` and `hcs run PLATE PIPELINE`.
    """
    _session(ctx)


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; an error is one sentence on stderr."""
    verbose = any(argument in {"-v", "--verbose"} for argument in (arguments or sys.argv[1:]))
    try:
        code: Any = hcs.main(args=arguments, prog_name="hcs", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: run the same command again to go on.", err=True)
        sys.exit(INTERRUPTED)
    except HcsError as error:
        if verbose:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output is gone (`hcs ... | head`): nobody is left to tell.
        sys.stdout = None
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
