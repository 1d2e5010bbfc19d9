"""nuages diagnose: what is wrong with the application that runs, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nuages.cli.errors import CliError
from nuages.cli.output import format_option, note, print_document
from nuages.cli.project import find_project
from nuages.cli.root import command_name, to_paste
from nuages.cli.session import Session, model_option, open_session

PATIENCE = "10"
"""Seconds to wait for hooks that run: what they change would be seen half done."""


@click.command()
@model_option
@format_option("text", "json", default="text")
@click.argument("application", required=False)
def command(*, model: str | None, form: str, application: str | None) -> int:
    """Ask the running APPLICATION (or the project's own) as a browser would, and explain what is wrong.

    Opens the front page, pages and files that it names, a login and a page that is not there; asks Django about its
    settings; reads what the services print. Changes nothing. The exit code is 1 when something is wrong.
    """
    from nuages.cli.diagnosis import report
    from nuages.cli.diagnosis.gather import Target, observe
    from nuages.cli.diagnosis.traps import explain

    session = open_session(model)
    status: dict[str, Any] = session.get("status")
    ours: dict[str, Any] = status.get("nuages") or {}
    if ours.get("stopped"):
        raise CliError(f"cannot diagnose {session.model}: it does not run", fix=f"{command_name()} up")
    name = chosen(status, application)
    if not session.get("settled", wait=PATIENCE)["settled"]:
        note(f"{session.model} is still at work: look again when it has come to rest")
    status = session.get("status")
    seen = observe(Target(session, name, str(ours.get("url") or ""), project_of(session)), status)
    findings = explain(seen)
    if form == "json":
        print_document(report.document(seen, findings), "json")
    else:
        print(to_paste("\n".join(report.lines(seen, findings))))
    return 1 if findings else 0


def chosen(status: dict[str, Any], application: str | None) -> str:
    """Return the application to diagnose: the one named, else the only one that is not built in.

    Raises `CliError` when there is none of that name, not exactly one, or when it is built in.
    """
    applications: dict[str, dict[str, Any]] = status["applications"]
    known = ", ".join(sorted(applications)) or "none"
    if application is not None:
        if application not in applications:
            raise CliError(
                f"cannot diagnose {application}: there is no such application ({known})", fix="nuages status"
            )
        if applications[application].get("charm-origin") == "built-in":
            raise CliError(
                f"cannot diagnose {application}: it is built in, and no Django application",
                fix=f"{command_name()} status; {command_name()} logs {application}",
            )
        return application
    own = [name for name, entry in applications.items() if entry.get("charm-origin") != "built-in"]
    if len(own) != 1:
        raise CliError(
            f"cannot tell which application you mean: there are {', '.join(own) or 'none of your own'}",
            fix=f"{command_name()} diagnose APPLICATION" if own else f"{command_name()} up",
        )
    return own[0]


def project_of(session: Session) -> Path | None:
    """Return the folder of the project that the model belongs to, else the one around us."""
    for entry in session.client.get("/v1/models"):
        if entry["name"] == session.model and entry.get("project"):
            return Path(entry["project"])
    return find_project(Path.cwd())
