"""`nuages add-unit`: more units of an application."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.option("-n", "--num-units", default=1, show_default=True, type=click.IntRange(min=1), help="How many more.")
@click.argument("application")
def command(model: str | None, num_units: int, application: str) -> None:
    """Add units to APPLICATION."""
    session = open_session(model)
    finish(session, session.post("scale", body={"application": application, "delta": num_units}))
