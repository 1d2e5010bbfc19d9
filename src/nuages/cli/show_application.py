"""`nuages show-application`: what applications are, in the shapes of `juju show-application`."""

from typing import Any

import click

from nuages.cli.output import format_option, print_document
from nuages.cli.session import model_option, open_session


@click.command()
@model_option
@format_option("yaml", "json", default="yaml")
@click.argument("applications", nargs=-1, required=True)
def command(model: str | None, form: str, applications: tuple[str, ...]) -> None:
    """Show what APPLICATIONS are: charm, base, life, endpoints."""
    session = open_session(model)
    shown: dict[str, Any] = {}
    for application in applications:
        shown |= session.get("applications", application)
    print_document(shown, form)
