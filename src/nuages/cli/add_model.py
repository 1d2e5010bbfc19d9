"""`nuages add-model`: an empty model that belongs to no project."""

import click

from nuages.cli.connection import connect
from nuages.cli.errors import CliError
from nuages.cli.output import note
from nuages.cli.project import dns_safe
from nuages.cli.state import choose_model, state_dir
from nuages.engine.api.client import model_path


@click.command()
@click.option("--no-switch", is_flag=True, help="Do not make it the current model.")
@click.argument("name")
def command(no_switch: bool, name: str) -> None:
    """Create the empty model NAME."""
    if name != dns_safe(name):
        raise CliError(
            f"cannot create the model {name!r}: a name has lower case letters, digits and hyphens",
            fix=f"take {dns_safe(name)!r}",
        )
    answer = connect().put(model_path(name), {"project": None})
    if not answer["created"]:
        raise CliError(f"cannot create the model {name!r}: it exists", fix="take another name")
    if not no_switch:
        choose_model(state_dir(), name)
    note(f"Added model {name!r}")
