"""`nuages remove-secret`: a secret, or one of its revisions."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.option("--revision", type=click.IntRange(min=1), help="Only this revision.")
@click.argument("identifier", metavar="ID|NAME")
def command(model: str | None, revision: int | None, identifier: str) -> None:
    """Remove the secret ID (or NAME) with all its revisions."""
    session = open_session(model)
    finish(session, session.post("remove-secret", body={"secret": identifier, "revision": revision}))
