"""What nearly every command starts with: a daemon and the model it is about."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from nuages.cli.connection import connect
from nuages.cli.errors import CliError
from nuages.cli.project import find_project
from nuages.cli.root import command_name
from nuages.cli.state import current_model, has_state_dir, state_dir
from nuages.engine.api.client import ANSWER_TIMEOUT, Client, QueryValue, model_path

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Session:
    """A daemon and a model of it."""

    client: Client
    model: str

    def path(self, *parts: str) -> str:
        """Return the API path of something of the model."""
        return model_path(self.model, *parts)

    def get(self, *parts: str, **query: QueryValue) -> Any:
        """Return a document of the model's."""
        return self.client.get(self.path(*parts), timeout=ANSWER_TIMEOUT, **query)

    def post(self, *parts: str, body: dict[str, Any] | None = None) -> Any:
        """Ask for a mutation of the model."""
        return self.client.post(self.path(*parts), body)


def model_option(function: F) -> F:
    """Add `-m/--model` to a command."""

    def or_roots(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
        return value or context.find_root().params.get("model")

    return click.option(
        "-m", "--model", "model", metavar="MODEL", callback=or_roots, help="Model to work in (also JUJU_MODEL)."
    )(function)


def open_session(model: str | None) -> Session:
    """Return the session of `-m`, else of JUJU_MODEL, else of the project around us, else of the model last chosen."""
    directory = state_dir()
    if not has_state_dir():
        # Asking must not start a daemon, which would leave files.
        choose([], model)
    client = connect(directory)
    return Session(client, find_model(client, model))


def find_model(client: Client, model: str | None, *, at: Path | None = None) -> str:
    """Return the name of the model a command is about, as `choose` does, of those that the daemon has."""
    return choose(client.get("/v1/models"), model, at=at)


def choose(models: list[dict[str, Any]], model: str | None, *, at: Path | None = None) -> str:
    """Return the name of the model a command is about; `at` is a project that was named instead of the one around us.

    Raises `CliError` when there is none, or none of that name.
    """
    wanted = model or (os.environ.get("JUJU_MODEL") if at is None else None) or None
    names = [str(entry["name"]) for entry in models]
    if wanted is not None:
        wanted = wanted.rpartition(":")[2].rpartition("/")[2]
        if wanted in names:
            return wanted
        raise CliError(f"cannot find the model {wanted!r}: {_list(names)}", fix=f"{command_name()} models")
    project = find_project(at or Path.cwd())
    if project is not None:
        for entry in models:
            if entry.get("project") == str(project):
                return str(entry["name"])
        for entry in models:
            refuse_broken(entry)
        raise CliError(f"cannot find a model of the project {project}: it was not run yet", fix=f"{command_name()} up")
    # A Django project without a charm has nothing that marks it, but may have been run all the same.
    folder = (at or Path.cwd()).resolve()
    for entry in models:
        if entry.get("project") in [str(above) for above in (folder, *folder.parents)]:
            return str(entry["name"])
    chosen = current_model(state_dir())
    if chosen in names:
        return str(chosen)
    if len(names) == 1:
        return names[0]
    raise CliError(
        f"cannot tell which model you mean: you are in no project, and {_list(names)}",
        fix=f"{command_name()} switch MODEL, or add -m MODEL" if names else f"{command_name()} up PROJECT_DIR",
    )


def refuse_broken(entry: dict[str, Any]) -> None:
    """Raise `CliError` for a model that the daemon cannot open: nobody knows whose project it is."""
    if entry.get("error"):
        reason = str(entry["error"]).removeprefix("cannot open the model: ")
        raise CliError(
            f"cannot open the model {entry['name']}: {reason}",
            fix=f"remove it with its data: {command_name()} down -m {entry['name']} --purge",
            code="broken-model",
        )


def _list(names: list[str]) -> str:
    return f"there are {', '.join(names)}" if names else "there is no model yet"
