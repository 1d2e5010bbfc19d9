"""`nuages config`: an application's options, with the words of `juju config`."""

from typing import Any

import click

from nuages.cli.config_words import change_or_read, print_value
from nuages.cli.errors import CliError
from nuages.cli.nearest import nearest
from nuages.cli.output import format_option, print_document
from nuages.cli.root import command_name
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@format_option("yaml", "json", default="yaml")
@click.option("--reset", multiple=True, metavar="KEY[,KEY]", help="Back to the default.")
@click.argument("application")
@click.argument("words", nargs=-1, metavar="[KEY | KEY=VALUE ...]")
def command(model: str | None, form: str, reset: tuple[str, ...], application: str, words: tuple[str, ...]) -> None:
    """Show, set or reset the options of APPLICATION.

    Without a word every option is shown, with KEY that one's value. KEY=@FILE sets a file's content.
    """
    key, values, resets = change_or_read(words, reset)
    session = open_session(model)
    if values or resets:
        finish(session, session.post("config", application, body={"set": values, "reset": resets}))
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
