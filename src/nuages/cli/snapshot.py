"""`nuages snapshot`: keep the whole of a model, and go back to it."""

import time
from typing import Any

import click

from nuages.cli.output import format_option, note, print_document, table
from nuages.cli.root import command_name
from nuages.cli.session import Session, model_option, open_session
from nuages.engine.names import is_name

PATIENCE = 3600.0
"""Seconds that copying may take."""
MEGABYTE = 1_000_000


def _name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no name at all; which there are, and which may be new, the daemon knows."""
    if value is not None and not is_name(value):
        raise click.BadParameter(
            f"{value!r}: a snapshot's name is made of lower case letters, digits and single dashes"
        )
    return value


@click.group()
def command() -> None:
    """Keep data, secrets and configuration of a whole model, and go back to them."""


@command.command()
@model_option
@click.argument("name", required=False, callback=_name)
def create(model: str | None, name: str | None) -> None:
    """Stop the model for a moment, copy all of it, and start it again. Without NAME, the time is its name."""
    session = open_session(model)
    name = name or time.strftime("%Y-%m-%d-%H%M%S")
    made = session.client.put(session.path("snapshots", name), timeout=PATIENCE)
    _settle(session)
    note(f"{session.model} is kept as {made['name']} ({_size(made)}).\n")
    note(f"  go back to it    {command_name()} snapshot restore {made['name']}")


@command.command("list")
@model_option
@format_option("tabular", "json", "yaml", default="tabular")
def list_(model: str | None, form: str) -> None:
    """List the model's snapshots, the oldest first."""
    found: list[dict[str, Any]] = open_session(model).get("snapshots")
    if form != "tabular":
        print_document({"snapshots": found}, form)
        return
    if not found:
        print("There is no snapshot yet.")
        return
    rows = [("Snapshot", "Created", "Size", "Applications")]
    for each in found:
        created = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each["created"]))
        rows.append((each["name"], created, _size(each), ", ".join(sorted(each["applications"]))))
    print("\n".join(table(rows)))


@command.command()
@model_option
@click.argument("name", callback=_name)
def restore(model: str | None, name: str) -> None:
    """Put the model back to the snapshot NAME. What it was is kept as the snapshot `before-restore`."""
    session = open_session(model)
    session.client.post(session.path("snapshots", name, "restore"), timeout=PATIENCE)
    _settle(session)
    note(f"{session.model} is back to {name}.\n")
    note(f"  undo it    {command_name()} snapshot restore before-restore")


@command.command()
@model_option
@click.argument("name", callback=_name)
def remove(model: str | None, name: str) -> None:
    """Remove the snapshot NAME."""
    session = open_session(model)
    session.client.delete(session.path("snapshots", name))
    note(f"{name} is removed.")


def _settle(session: Session) -> None:
    """Wait until the model is up again; what goes wrong in it is for `status` to say."""
    session.client.get(session.path("settled"), timeout=PATIENCE, wait="300")


def _size(snapshot: dict[str, Any]) -> str:
    return f"{snapshot['size'] / MEGABYTE:.1f} MB"
