"""`nuages logs`: what the workloads print."""

import click

from nuages.cli.log_lines import local_time
from nuages.cli.output import until_interrupted
from nuages.cli.session import model_option, open_session
from nuages.cli.words import is_unit


@click.command()
@model_option
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-n", "--lines", default=30, show_default=True, type=click.IntRange(min=0), help="How many old lines.")
@click.option("--container", metavar="NAME", help="Only this container.")
@click.option("--service", metavar="NAME", help="Only this Pebble service.")
@click.argument("target", required=False, metavar="[APPLICATION | UNIT]")
def command(
    *, model: str | None, follow: bool, lines: int, container: str | None, service: str | None, target: str | None
) -> None:
    """Show what the services of an application, a unit or the whole model print: output and tracebacks."""
    session = open_session(model)
    where = {} if target is None else {"unit" if is_unit(target) else "application": target}
    stream = session.client.stream(
        session.path("logs"),
        lines=lines,
        follow=1 if follow else None,
        container=container,
        service=service,
        **where,
    )
    with until_interrupted():
        for line in stream:
            print(
                f"{local_time(line['time'])} {line['unit']} {line['service']}: {line['message'].rstrip()}", flush=follow
            )
