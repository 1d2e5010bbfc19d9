"""`nuages switch`: the model for commands outside of a project."""

from pathlib import Path

import click

from nuages.cli.connection import connect
from nuages.cli.errors import CliError
from nuages.cli.output import note
from nuages.cli.project import find_project
from nuages.cli.root import command_name
from nuages.cli.session import find_model
from nuages.cli.state import choose_model, current_model, state_dir


@click.command()
@click.argument("name", required=False, metavar="[MODEL]")
def command(name: str | None) -> None:
    """Choose MODEL for commands outside of a project, or print the one chosen."""
    if name is None:
        current = current_model(state_dir())
        if current is None:
            raise CliError("cannot tell the current model: none was chosen", fix=f"{command_name()} switch MODEL")
        print(current)
        return
    choose_model(state_dir(), find_model(connect(), name))
    project = find_project(Path.cwd())
    if project is not None:
        note(f"here, in {project}, the project's own model goes before it: type -m {name}")
