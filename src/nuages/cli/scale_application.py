"""`nuages scale-application`: how many units an application has."""

import click

from nuages.cli.output import note
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command(context_settings={"ignore_unknown_options": True})
@model_option
@click.argument("application")
@click.argument("scale", type=int)
def command(model: str | None, application: str, scale: int) -> None:
    """Give APPLICATION as many units as SCALE says; the highest numbers go first."""
    if scale < 0:
        raise click.UsageError("scale must be a positive integer")
    session = open_session(model)
    finish(session, session.post("scale", body={"application": application, "units": scale}))
    note(f"{application} scaled to {scale} units")
