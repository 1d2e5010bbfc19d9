"""`nuages deploy`: a charm file or a built-in application."""

from pathlib import Path

import click

from nuages.cli.output import note
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish
from nuages.cli.words import from_file, pairs, resource_path


@click.command()
@model_option
@click.option("-n", "--num-units", default=1, show_default=True, type=click.IntRange(min=0), help="How many units.")
@click.option("--config", "options", multiple=True, metavar="KEY=VALUE", help="Set an option (repeatable).")
@click.option(
    "--resource", "resources", multiple=True, metavar="NAME=DIR", help="A resource: the folder of a local rock."
)
@click.option("--channel", default="", metavar="CHANNEL", help="Accepted for Juju's sake; there is one of each.")
@click.option("--trust", is_flag=True, help="Trust the charm.")
@click.argument("charm")
@click.argument("application", required=False)
def command(
    *,
    model: str | None,
    num_units: int,
    options: tuple[str, ...],
    resources: tuple[str, ...],
    channel: str,
    trust: bool,
    charm: str,
    application: str | None,
) -> None:
    """Deploy CHARM as APPLICATION.

    CHARM is a file (written with a / or ./) or the name of a built-in application, such as postgresql-k8s.
    """
    session = open_session(model)
    local = charm.startswith((".", "/"))
    body = {
        "charm": resource_path(charm) if local else charm,
        "application": application or "",
        "resources": {name: resource_path(path) for name, path in pairs(resources, what="NAME=DIR").items()},
        "config": {key: from_file(value) for key, value in pairs(options).items()},
        "num_units": num_units,
        "trust": trust,
    }
    answer = session.post("deploy", body=body)
    name = answer.get("application") or application or Path(charm).name
    note(f'Deploying "{name}" from {"local charm" if local else "built-in application"} "{charm}"')
    if channel:
        note(f"the channel {channel} is passed over: there is one {Path(charm).name} here")
    finish(session, answer)
