"""`nuages remove-unit`: fewer units of an application."""

import click

from nuages.cli.errors import CliError
from nuages.cli.root import command_name
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish
from nuages.cli.words import is_unit


@click.command()
@model_option
@click.option("--num-units", type=click.IntRange(min=1), help="How many; the highest numbers go first.")
@click.option("--no-prompt", is_flag=True, help="Accepted for Juju's sake; nothing is asked.")
@click.option("--force", is_flag=True, help="Pass over hooks that fail.")
@click.option("--destroy-storage", is_flag=True, help="Accepted for Juju's sake; data goes with the application.")
@click.argument("application")
def command(
    *, model: str | None, num_units: int | None, no_prompt: bool, force: bool, destroy_storage: bool, application: str
) -> None:
    """Remove units from APPLICATION."""
    if is_unit(application):
        raise CliError(
            "k8s models do not support removing named units.\nInstead specify an application with --num-units.",
            fix=f"{command_name()} remove-unit {application.partition('/')[0]} --num-units 1",
            code="named-unit",
        )
    if num_units is None:
        raise CliError(
            f"cannot remove units of {application}: say how many",
            fix=f"{command_name()} remove-unit {application} --num-units 1",
        )
    session = open_session(model)
    finish(session, session.post("scale", body={"application": application, "delta": -num_units, "force": force}))
