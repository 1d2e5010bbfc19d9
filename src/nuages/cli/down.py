"""`nuages down`: stop a model; with --purge, leave nothing of it."""

from pathlib import Path

import click

from nuages.cli.connection import connect, stop
from nuages.cli.errors import CliError
from nuages.cli.output import note
from nuages.cli.root import command_name
from nuages.cli.session import Session, find_model, model_option
from nuages.cli.state import choose_model, current_model, has_state_dir, state_dir
from nuages.cli.waiting import finish
from nuages.engine.api.client import Client, model_path


@click.command()
@model_option
@click.option("--purge", "remove", is_flag=True, help="Also remove the model's data: database, configuration, all.")
@click.argument("project_dir", required=False, type=click.Path(path_type=Path))
def command(model: str | None, remove: bool, project_dir: Path | None) -> None:
    """Stop the model of the project in PROJECT_DIR (or around here). Its data stays until --purge."""
    directory = state_dir()
    if not has_state_dir():
        raise CliError("cannot stop anything: there is no model", fix=f"{command_name()} up")
    client = connect(directory)
    models = client.get("/v1/models")
    if remove and not models:
        _leave_nothing(client)
        return
    name = find_model(client, model, at=project_dir)
    if remove:
        purge(client, name)
        return
    session = Session(client, name)
    finish(session, session.post("down"))
    again = f" {project_dir}" if project_dir else ""
    note(f"{name} is stopped; its data stays.\n")
    note(f"  start it again     {command_name()} up{again}")
    note(f"  remove its data    {command_name()} down{again} --purge")


def purge(client: Client, model: str) -> None:
    """Remove a model with all its data; with the last one our daemon and state folder go too."""
    client.delete(model_path(model))
    directory = state_dir()
    if current_model(directory) == model:
        choose_model(directory, None)
    note(f"{model} is removed, with its data.")
    if not client.get("/v1/models"):
        _leave_nothing(client)


def _leave_nothing(client: Client) -> None:
    """Stop the daemon and remove the state folder; the cache stays, and we say where."""
    from nuages.engine.programs import cache_dir
    from nuages.engine.sandbox.users import remove

    stop(client)
    directory = state_dir()
    remove(directory)
    note("No model is left: the engine is stopped and its state folder removed.")
    if cache_dir().exists():
        note(f"Downloads and builds stay in {cache_dir()} for the next time.")
