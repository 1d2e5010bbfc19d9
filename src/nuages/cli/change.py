"""`nuages change`: one change and its tasks."""

from typing import Any

import click

from nuages.cli.output import format_option, print_document, table
from nuages.cli.session import model_option, open_session


@click.command()
@model_option
@format_option("tabular", "json", "yaml", default="tabular")
@click.argument("number", metavar="ID")
def command(model: str | None, form: str, number: str) -> None:
    """Show the change ID: its tasks, and the log of each that failed."""
    session = open_session(model)
    change: dict[str, Any] = session.get("changes", number)
    if form == "tabular":
        print("\n".join(change_lines(change)))
    else:
        print_document(change, form)


def change_lines(change: dict[str, Any]) -> list[str]:
    """Return a change as lines: what it is, its tasks, their logs."""
    lines = [f"{change['id']}  {change['status']}  {change['summary']}"]
    tasks: list[dict[str, Any]] = change.get("tasks") or []
    if tasks:
        rows = [("Status", "Task"), *((str(task["status"]), str(task["summary"])) for task in tasks)]
        lines += ["", *table(rows)]
    for task in tasks:
        log: list[str] = [str(line) for line in task.get("log") or ()]
        if log:
            lines += ["", f"log of {task['summary']}:", *(f"  {line}" for line in log)]
    error = change.get("error")
    if error:
        lines += ["", f"error: {error['message']}"]
        if error.get("fix"):
            lines.append(f"fix:   {error['fix']}")
    return lines
