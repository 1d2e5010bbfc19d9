"""`nuages down`: stop a model; with --purge, leave nothing of it."""

import shutil

import click

from nuages.cli.connection import running, stop
from nuages.cli.errors import CliError
from nuages.cli.output import note
from nuages.cli.root import command_name
from nuages.cli.session import Session, find_model, model_option
from nuages.cli.state import choose_model, current_model, state_dir
from nuages.cli.waiting import finish
from nuages.engine.api.client import Client, model_path


@click.command()
@model_option
@click.option("--purge", "remove", is_flag=True, help="Also remove the model's data: database, configuration, all.")
def command(model: str | None, remove: bool) -> None:
    """Stop this project's model. Its data stays until --purge."""
    from nuages.cli.connection import connect

    directory = state_dir()
    if remove and running(directory) is None and not (directory / "daemon.sock").exists() and not directory.exists():
        note("nothing to remove: there is no model")
        return
    client = connect(directory)
    try:
        name = find_model(client, model)
    except CliError:
        if remove and not client.get("/v1/models"):
            _leave_nothing(client)
            return
        raise
    if remove:
        purge(client, name)
        return
    session = Session(client, name)
    finish(session, session.post("down"))
    note(f"{name} is stopped; its data stays.\n")
    note(f"  start it again     {command_name()} up")
    note(f"  remove its data    {command_name()} down --purge")


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

    stop(client)
    directory = state_dir()
    try:
        shutil.rmtree(directory)
    except OSError as error:
        raise CliError(
            f"cannot remove {directory}: {error.strerror or error}", fix=f"rm -r {directory}", code="purge"
        ) from error
    note("It was the last model: the engine is stopped and its state folder removed.")
    if cache_dir().exists():
        note(f"Downloads and builds stay in {cache_dir()} for the next time.")
