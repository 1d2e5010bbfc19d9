"""`nuages remove-application`: an application, its units and its relations."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.option("--no-prompt", is_flag=True, help="Accepted for Juju's sake; nothing is asked.")
@click.option("--destroy-storage", is_flag=True, help="Accepted for Juju's sake; the application's data always goes.")
@click.option("--force", is_flag=True, help="Pass over hooks that fail.")
@click.option("--no-wait", is_flag=True, help="Accepted for Juju's sake; a failed hook is passed over at once.")
@click.argument("applications", nargs=-1, required=True)
def command(
    *,
    model: str | None,
    no_prompt: bool,
    destroy_storage: bool,
    force: bool,
    no_wait: bool,
    applications: tuple[str, ...],
) -> None:
    """Remove APPLICATIONS with their units, relations and data."""
    session = open_session(model)
    for application in applications:
        finish(session, session.post("remove-application", body={"application": application, "force": force}))
