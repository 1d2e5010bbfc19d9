"""`nuages remove-relation`: break a relation."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.argument("first", metavar="APP[:ENDPOINT]")
@click.argument("second", metavar="APP[:ENDPOINT]")
def command(model: str | None, first: str, second: str) -> None:
    """Break the relation of two applications; what the provider stores stays with it."""
    session = open_session(model)
    finish(session, session.post("remove-relation", body={"endpoints": [first, second]}))
