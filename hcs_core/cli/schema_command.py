"""`hcs schema`: the JSON Schema of the pipeline file, for editors and other programs."""

from __future__ import annotations

import click

from hcs_core.cli.session import Session, print_json
from hcs_core.pipeline.file_schema import pipeline_schema


@click.command(name="schema")
@click.pass_obj
def schema_command(session: Session) -> None:
    """Print the JSON Schema (draft 2020-12) of the pipeline file, with the operations that are installed."""
    print_json(pipeline_schema(session.plugins))
