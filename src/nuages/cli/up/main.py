"""`nuages up`: build the project, bring its model to what the project says, ask the page itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from nuages.cli.connection import connect
from nuages.cli.errors import CliError
from nuages.cli.project import free_model_name, project_name
from nuages.cli.root import command_name
from nuages.cli.session import Session, model_option, refuse_broken
from nuages.cli.state import choose_model, has_state_dir, make_cache_dir, refuse_root_elsewhere, state_dir
from nuages.cli.up.alone import alone
from nuages.cli.up.build import INGRESS_APPLICATION, Built, build
from nuages.cli.up.console import Console
from nuages.cli.up.ending import failure, look
from nuages.cli.up.place import charmed, locate, told_as
from nuages.cli.up.plan import Observed, Operation, Project, plan, unanswered
from nuages.cli.up.report import nothing_to_do_lines, port_line, success_lines
from nuages.cli.up.watch import settle
from nuages.engine.api.client import Client, model_path
from nuages.engine.programs import cache_dir
from nuages.engine.sandbox.namespaces import check

PORT = 8000


@click.command()
@model_option
@click.option("--dry-run", is_flag=True, help="Build, then print what would be done as `juju` commands.")
@click.option("--port", type=click.IntRange(1, 65535), help=f"Port of the page; {PORT} or the next free one if unset.")
@click.argument("project_dir", required=False, type=click.Path(path_type=Path))
def command(model: str | None, dry_run: bool, port: int | None, project_dir: Path | None) -> None:
    """Build the project in PROJECT_DIR (or around here) and run it, with its database and ingress."""
    directory = locate(project_dir)
    console = Console()
    try:
        # Without a state folder there is nothing to observe, and a dry run must not make one.
        client = connect() if has_state_dir() else None
        name = None if client is None else existing_model(client, directory, model)
        observed = Observed() if client is None or name is None else _observe(Session(client, name))
        refuse_root_elsewhere(state_dir())
        make_cache_dir(cache_dir())
        if not dry_run and (observed.stopped or not observed.applications):
            check()  # before anything is fetched or made
        source, said = charmed(directory)
        for line in said:
            console.line(line)
        with told_as(source, directory):
            built = build(source, console, observed, port=port)
        if dry_run:
            operations = plan(built.project, observed)
            for operation in operations:
                print(operation.command)
            if not operations:
                console.line("nothing to do: the model is what the project says")
            return
        client = connect()
        with alone(directory, console):
            session = Session(client, _model(client, directory, model))
            _up(session, built, console, directory, port=port, place=str(project_dir or ""))
    finally:
        console.close()


def existing_model(client: Client, directory: Path, model: str | None) -> str | None:
    """Return the name of the project's model (or of the one asked for) if there is one."""
    for entry in client.get("/v1/models"):
        if entry["name"] == model if model else entry.get("project") == str(directory):
            return str(entry["name"])
        if entry["name"] == (model or project_name(directory)):
            refuse_broken(entry)
    return None


def _model(client: Client, directory: Path, model: str | None) -> str:
    name = existing_model(client, directory, model)
    if name is None:
        taken = {str(entry["name"]) for entry in client.get("/v1/models")}
        name = model or free_model_name(project_name(directory), taken)
        client.put(model_path(name), {"project": None if model else str(directory)})
    choose_model(state_dir(), name)
    return name


def _observe(session: Session) -> Observed:
    return Observed.parse(session.get("observed"))


def _up(session: Session, built: Built, console: Console, directory: Path, *, port: int | None, place: str) -> None:
    project = built.project
    observed = _observe(session)
    _refuse_another_port(session, observed, port)
    operations = plan(project, observed)
    resting = not operations and bool(session.get("settled")["settled"])  # else an interrupted `up` goes on
    if observed.applications:
        session.post("retry")  # what failed may have been mended
    changes: list[str] = []
    for operation in operations:
        console.line(f"  {_words(operation)}")
        changes.append(str(session.post(*operation.route, body=dict(operation.body))["change"]))
    trouble = settle(session, console, changes)
    status: dict[str, Any] = session.get("status")
    ours: dict[str, Any] = status.get("nuages") or {}
    url = str(ours.get("url") or "")
    if trouble is not None:
        raise failure(session, project.application, url, directory, trouble)
    if not url:
        raise CliError(
            f"cannot open the page of {project.application}: it is running, but nothing publishes it",
            fix=f"{command_name()} status --relations; it needs an `ingress` endpoint related to traefik-k8s",
        )
    asked = look(session, project.application, url, directory, changed=not resting)
    notes = (*built.notes, *asked, *_unanswered(project, observed))
    # An interrupted `up` may have made ingress, and not come so far as to say where it is.
    fresh = INGRESS_APPLICATION not in observed.applications or (not operations and not resting)
    loud = port_line(port or PORT, url, command_name(), session.client.get("/v1/models")) if fresh else None
    if loud:
        console.line(loud)
    console.close()
    lines = (
        success_lines(project, status, url=url, command=command_name(), place=place, notes=notes)
        if not resting
        else nothing_to_do_lines(project, url=url)
    )
    print("\n".join(lines))


def _refuse_another_port(session: Session, observed: Observed, port: int | None) -> None:
    """The page's port is chosen once, with ingress; raise `CliError` when another one is asked for later."""
    if port is None or INGRESS_APPLICATION not in observed.applications:
        return
    ours: dict[str, Any] = session.get("status").get("nuages") or {}
    url = str(ours.get("url") or "")
    if url and urlsplit(url).port != port:
        raise CliError(
            f"cannot move the page to port {port}: it is {url} since ingress was made",
            fix=f"{command_name()} remove-application {INGRESS_APPLICATION}, then {command_name()} up --port {port}",
            code="port-chosen",
        )


def _unanswered(project: Project, observed: Observed) -> tuple[str, ...]:
    return tuple(
        f"nothing here provides {requirement.interface} for its endpoint {requirement.name} yet"
        for requirement in unanswered(project, observed)
    )


def _words(operation: Operation) -> str:
    return operation.command.removeprefix("juju ").removeprefix("# ")
