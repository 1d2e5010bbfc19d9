"""`nuages trust`: give a charm access to the cloud's credentials, where there is a cloud."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.option("--remove", is_flag=True, help="Trust it no longer.")
@click.option("--scope", type=click.Choice(["cluster"]), help="Accepted for Juju's sake.")
@click.argument("application")
def command(model: str | None, remove: bool, scope: str | None, application: str) -> None:
    """Trust APPLICATION. There is no cloud here: the charm sees no more than before, and runs config-changed."""
    session = open_session(model)
    finish(session, session.post("trust", body={"application": application, "trust": not remove}))
