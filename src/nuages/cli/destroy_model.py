"""`nuages destroy-model`: a model and all its data, gone."""

import click

from nuages.cli.connection import connect
from nuages.cli.down import purge
from nuages.cli.session import find_model


@click.command()
@click.option("--no-prompt", is_flag=True, help="Do not ask.")
@click.option("--destroy-storage", is_flag=True, help="Accepted for Juju's sake; the data always goes.")
@click.option("--force", is_flag=True, help="Accepted for Juju's sake; nothing can hold it up.")
@click.argument("name")
def command(no_prompt: bool, destroy_storage: bool, force: bool, name: str) -> None:
    """Stop the model NAME and remove everything of it."""
    client = connect()
    model = find_model(client, name)
    if not no_prompt:
        click.confirm(f"Remove the model {model} and all its data?", abort=True)
    purge(client, model)
