"""`nuages attach-resource`: another rock for an application."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish
from nuages.cli.words import pairs, resource_path


@click.command()
@model_option
@click.argument("application")
@click.argument("resource", metavar="NAME=DIR")
def command(model: str | None, application: str, resource: str) -> None:
    """Give APPLICATION another resource: DIR is the folder of a local rock.

    Its pods are replaced one after the other; their charm runs upgrade-charm.
    """
    session = open_session(model)
    resources = {name: resource_path(path) for name, path in pairs([resource], what="NAME=DIR").items()}
    finish(session, session.post("refresh", body={"application": application, "charm": None, "resources": resources}))
