"""`nuages grant-secret`: applications may read a secret."""

import click

from nuages.cli.output import note
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.argument("words", nargs=-1, metavar="ID|NAME APPLICATION[,APPLICATION ...]")
def command(model: str | None, words: tuple[str, ...]) -> None:
    """Let applications read the secret ID (or NAME).

    No hook follows, as with Juju: a charm that waits for the secret sees it at its next hook.
    """
    if len(words) < 2:
        raise click.UsageError("missing secret URI or application name")
    if len(words) > 2:
        raise click.UsageError("unrecognized words: applications are given as one, with commas")
    names = [name for name in words[1].split(",") if name]
    session = open_session(model)
    finish(session, session.post("grant-secret", body={"secret": words[0], "applications": names}))
    note(f"{' and '.join(names)} may read it, and will at the next hook: within minutes, or when an option is changed")
