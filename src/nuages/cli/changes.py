"""`nuages changes`: what was done to the model."""

from typing import Any

import click

from nuages.cli.log_lines import local_time
from nuages.cli.output import format_option, print_document, table
from nuages.cli.session import model_option, open_session


@click.command()
@model_option
@format_option("tabular", "json", "yaml", default="tabular")
def command(model: str | None, form: str) -> None:
    """List the changes of the model, oldest first."""
    session = open_session(model)
    changes: list[dict[str, Any]] = session.get("changes")
    if form != "tabular":
        print_document(changes, form)
        return
    rows = [("ID", "Status", "Spawn", "Ready", "Summary")]
    for change in changes:
        ready = change.get("ready-time")
        rows.append(
            (
                str(change["id"]),
                str(change["status"]),
                local_time(str(change["spawn-time"])),
                local_time(str(ready)) if ready else "-",
                str(change["summary"]),
            )
        )
    print("\n".join(table(rows)))
