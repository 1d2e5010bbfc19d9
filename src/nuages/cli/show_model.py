"""`nuages show-model`: what a model is, in the shapes of `juju show-model`."""

from typing import Any

import click

from nuages.cli.connection import connect
from nuages.cli.output import format_option, print_document
from nuages.cli.session import find_model, model_option
from nuages.engine.api.client import model_path


@click.command()
@model_option
@format_option("yaml", "json", default="yaml")
@click.argument("name", required=False, metavar="[MODEL]")
def command(model: str | None, form: str, name: str | None) -> None:
    """Show MODEL, or the one that commands here are about."""
    client = connect()
    found = find_model(client, name or model)
    status: dict[str, Any] = client.get(model_path(found, "status"))
    of_model, ours = status["model"], status["nuages"]
    document = {
        "name": found,
        "short-name": found,
        "model-uuid": ours["uuid"],
        "model-type": of_model["type"],
        "controller-uuid": ours["uuid"],
        "controller-name": of_model["controller"],
        "is-controller": False,
        "cloud": of_model["cloud"],
        "life": "alive",
        "status": of_model["model-status"],
        "agent-version": of_model["version"],
    }
    print_document({found: document}, form)
