"""`nuages config`: an application's options, with the words of `juju config`."""

import sys
from collections.abc import Iterable
from typing import Any

import click

from nuages.cli.config_words import change_or_read, print_value
from nuages.cli.errors import CliError
from nuages.cli.nearest import nearest
from nuages.cli.output import format_option, note, print_document
from nuages.cli.root import command_name
from nuages.cli.session import Session, model_option, open_session
from nuages.cli.waiting import finish
from nuages.cli.words import from_file


@click.command()
@model_option
@format_option("yaml", "json", default="yaml")
@click.option("--reset", multiple=True, metavar="KEY[,KEY]", help="Back to the default.")
@click.option("--file", "path", metavar="FILE", help="Set what a YAML file says (- reads it from stdin).")
@click.argument("application")
@click.argument("words", nargs=-1, metavar="[KEY | KEY=VALUE ...]")
def command(
    *,
    model: str | None,
    form: str,
    reset: tuple[str, ...],
    path: str | None,
    application: str,
    words: tuple[str, ...],
) -> None:
    """Show, set or reset the options of APPLICATION.

    Without a word every option is shown, with KEY that one's value. KEY=@FILE sets a file's content.

    A file for --file has `APPLICATION:` with lines `KEY: VALUE` below, or is what this command prints. Words on the
    command line come before it.
    """
    key, values, resets = change_or_read(words, reset)
    if path is not None and key is not None:
        raise click.UsageError(f"{key!r} is not KEY=VALUE, and --file changes options")
    session = open_session(model)
    if path is not None:
        values, resets = _with_file(session, application, path, values, resets)
    if values or resets or path is not None:
        finish(session, session.post("config", application, body={"set": values, "reset": resets}))
        for line in _unknown_secrets(session, values.values()):
            note(line)
        return
    document: dict[str, Any] = session.get("config", application)
    if key is None:
        print_document(document, form)
        return
    settings: dict[str, Any] = document["settings"]
    if key not in settings:
        raise CliError(
            f"cannot show option {key!r} of {application}: there is no such option{nearest(key, settings)}",
            fix=f"{command_name()} config {application}",
        )
    print_value(settings[key].get("value"), form)


def _with_file(
    session: Session, application: str, path: str, values: dict[str, str], resets: list[str]
) -> tuple[dict[str, str], list[str]]:
    """Return what to set and to reset: the file's, except where the command line says otherwise."""
    from nuages.cli.config_file import settings  # not for a question: it imports a YAML parser

    text = sys.stdin.read() if path == "-" else from_file(f"@{path}")
    known: dict[str, Any] = session.get("config", application)["settings"]
    own, own_resets = settings(text, "standard input" if path == "-" else path, application, known)
    said = {*values, *resets}
    return (
        {**{name: value for name, value in own.items() if name not in said}, **values},
        [*(name for name in own_resets if name not in said), *resets],
    )


def _unknown_secrets(session: Session, values: Iterable[str]) -> list[str]:
    """Return a line for each URI of a secret that is not there: Juju takes it, and the charm can only wait for it.

    A secret's name is no URI, though `grant-secret` takes both.
    """
    given = [value for value in values if value.startswith("secret:")]
    if not given:
        return []
    secrets: dict[str, Any] = session.get("secrets")
    named = {str(entry["name"]): number for number, entry in secrets.items() if entry.get("name")}
    lines: list[str] = []
    for uri in given:
        number = uri.removeprefix("secret:").rpartition("/")[2]
        if number in secrets:
            continue
        hint = (
            f"the URI of {number!r} is secret:{named[number]}" if number in named else f"see {command_name()} secrets"
        )
        lines.append(f"there is no secret with the ID {number!r}; {hint}")
    return lines
