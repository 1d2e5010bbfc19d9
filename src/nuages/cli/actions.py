"""`nuages actions`: the actions of an application, in the forms of `juju actions`."""

from typing import Any

import click

from nuages.cli.output import format_option, note, print_document, table
from nuages.cli.session import model_option, open_session


@click.command()
@model_option
@format_option("default", "tabular", "yaml", "json", default="default")
@click.option("--schema", is_flag=True, help="Also the parameters: types, defaults, which are required.")
@click.argument("application")
def command(model: str | None, form: str, schema: bool, application: str) -> None:
    """List the actions of APPLICATION, a charm's or a built-in one's."""
    if schema and form == "tabular":
        raise click.UsageError("a schema is no table: add --format yaml or json, or leave --format out")
    session = open_session(model)
    actions: dict[str, dict[str, Any]] = session.get("actions", application)
    descriptions = {name: str(action["description"]) for name, action in actions.items()}
    if schema:
        print_document(actions, "json" if form == "json" else "yaml")
    elif form in {"yaml", "json"}:
        print_document(descriptions, form)
    elif not actions:
        note(f"No actions defined for {application}.")
    else:
        print("\n".join(action_lines(descriptions)))


def action_lines(descriptions: dict[str, str]) -> list[str]:
    """Return the lines of Juju's table of actions; a description's further lines are below its first."""
    rows = [("Action", "Description")]
    for name, description in descriptions.items():
        first, *rest = description.strip().splitlines() or [""]
        rows += [(name, first), *(("", line) for line in rest)]
    return table(rows)
