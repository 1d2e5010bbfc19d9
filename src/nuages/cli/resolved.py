"""`nuages resolved`: go on after a failed hook."""

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish
from nuages.cli.words import unit


@click.command()
@model_option
@click.option("--no-retry", is_flag=True, help="Do not run the failed hook again: it counts as run.")
@click.option("--all", "every", is_flag=True, help="All units in error.")
@click.argument("units", nargs=-1)
def command(model: str | None, no_retry: bool, every: bool, units: tuple[str, ...]) -> None:
    """Run the failed hooks of UNITS again now, without waiting for their time."""
    if every and units:
        raise click.UsageError("specifying unit names(s) with --all not supported")
    if not every and not units:
        raise click.UsageError("no unit specified")
    names = [unit(word) for word in units]
    session = open_session(model)
    finish(session, session.post("resolved", body={"units": names, "all": every, "retry": not no_retry}))
