"""`nuages refresh`: a new charm or new resources for an application."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish
from nuages.cli.words import pairs, resource_path


@click.command()
@model_option
@click.option("--path", metavar="CHARM", help="The new charm file.")
@click.option("--resource", "resources", multiple=True, metavar="NAME=DIR", help="A new resource (repeatable).")
@click.argument("application")
def command(model: str | None, path: str | None, resources: tuple[str, ...], application: str) -> None:
    """Give APPLICATION a new charm, new resources or both; its pods are replaced one after the other."""
    if path is None and not resources:
        raise click.UsageError("nothing to refresh with: give --path CHARM or --resource NAME=DIR")
    session = open_session(model)
    body = {
        "application": application,
        "charm": None if path is None else resource_path(path),
        "resources": {name: resource_path(value) for name, value in pairs(resources, what="NAME=DIR").items()},
    }
    finish(session, session.post("refresh", body=body))
