"""`nuages models`: the models of this user."""

from typing import Any

import click

from nuages.cli.connection import connect
from nuages.cli.output import format_option, print_document, table
from nuages.cli.state import current_model, has_state_dir, state_dir


@click.command()
@format_option("tabular", "json", "yaml", default="tabular")
def command(form: str) -> None:
    """List the models; the one that commands outside of a project use has a star."""
    # Listing nothing must not start a daemon, which would leave files.
    models: list[dict[str, Any]] = connect().get("/v1/models") if has_state_dir() else []
    current = current_model(state_dir())
    if form != "tabular":
        listed = [{**entry, "short-name": entry["name"], "model-uuid": entry["uuid"]} for entry in models]
        print_document({"models": listed, "current-model": current}, form)
        return
    if not models:
        print("There is no model yet.")
        return
    rows = [("Model", "Status", "Project")]
    for entry in models:
        name = str(entry["name"]) + ("*" if entry["name"] == current else "")
        rows.append((name, "running" if entry["running"] else "stopped", str(entry.get("project") or "-")))
    print("\n".join(table(rows)))
