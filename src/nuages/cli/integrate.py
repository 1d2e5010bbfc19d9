"""`nuages integrate`: relate two applications."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.argument("first", metavar="APP[:ENDPOINT]")
@click.argument("second", metavar="APP[:ENDPOINT]")
def command(model: str | None, first: str, second: str) -> None:
    """Relate two applications; an endpoint is needed only where several would do."""
    session = open_session(model)
    finish(session, session.post("integrate", body={"endpoints": [first, second]}))
