"""`nuages show-action`: what an action does and takes, in the form of `juju show-action`."""

from typing import Any

import click

from nuages.cli.errors import CliError
from nuages.cli.nearest import nearest
from nuages.cli.output import as_yaml
from nuages.cli.root import command_name
from nuages.cli.session import model_option, open_session


@click.command()
@model_option
@click.argument("application")
@click.argument("action")
def command(model: str | None, application: str, action: str) -> None:
    """Show what ACTION of APPLICATION does, and which parameters it takes."""
    session = open_session(model)
    actions: dict[str, dict[str, Any]] = session.get("actions", application)
    if action not in actions:
        raise CliError(
            f'cannot show the action: unknown action "{action}"{nearest(action, actions)}',
            fix=f"{command_name()} actions {application}",
            code="unknown-action",
        )
    schema = actions[action]
    print(f"{schema['description'].rstrip()}\n\nArguments\n{as_yaml(arguments(schema))}")


def arguments(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what Juju shows of each parameter, and beyond that which ones are required."""
    required: list[str] = schema.get("required") or []
    found: dict[str, dict[str, Any]] = {}
    for name, parameter in schema["properties"].items():
        shown = {"type": parameter.get("type"), "description": parameter.get("description")}
        if parameter.get("default") is not None:
            shown["default"] = parameter["default"]
        if name in required:
            shown["required"] = True
        found[name] = shown
    return found
