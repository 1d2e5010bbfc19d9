"""`nuages add-secret`: a secret of yours, for charms that you grant it to."""

import click

from nuages.cli.secret_words import CONTENT_HELP, content
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.option("--info", default="", metavar="TEXT", help="What the secret is for.")
@click.option("--file", "file", metavar="FILE", help=CONTENT_HELP)
@click.argument("words", nargs=-1, metavar="NAME [KEY=VALUE ...]")
def command(model: str | None, info: str, file: str | None, words: tuple[str, ...]) -> None:
    """Add the secret NAME and print its URI, which an option of type secret takes.

    KEY#file=PATH reads a value from a file, KEY#base64=TEXT decodes it; PATH - is standard input. Files keep values out
    of the shell's history and the process list.
    """
    if not words:
        raise click.UsageError("secret name needs to be supplied as the first argument")
    name, *pairs = words
    values = content(pairs, file)
    if not values:
        raise click.UsageError("missing secret value or filename")
    session = open_session(model)
    answer = session.post("add-secret", body={"name": name, "content": values, "info": info})
    finish(session, answer)
    print(answer["uri"])
