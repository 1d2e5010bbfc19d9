"""`nuages debug-log`: what charms and engine log, in the form of `juju debug-log`."""

import sys

import click

from nuages.cli.log_lines import local_time
from nuages.cli.output import until_interrupted
from nuages.cli.session import model_option, open_session

LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR")
EVERYTHING = 1_000_000


@click.command()
@model_option
@click.option("--replay", is_flag=True, help="From the beginning.")
@click.option("--tail/--no-tail", "tail", default=None, help="Go on with what comes; the default on a terminal.")
@click.option("-f", "follow_", is_flag=True, hidden=True, help="No option, as in Juju: --tail follows.")
@click.option("-n", "--lines", default=10, show_default=True, type=click.IntRange(min=0), help="How many old lines.")
@click.option("--limit", type=click.IntRange(min=0), help="Only the newest so many lines, then leave (0: all).")
@click.option("-i", "--include", multiple=True, metavar="UNIT", help="Only this unit or application (repeatable).")
@click.option("-l", "--level", default=None, type=click.Choice(LEVELS, case_sensitive=False), help="Not below this.")
def command(
    *,
    model: str | None,
    replay: bool,
    tail: bool | None,
    lines: int,
    limit: int | None,
    include: tuple[str, ...],
    level: str | None,
    follow_: bool,
) -> None:
    """Show what the charms and the engine log."""
    if follow_:
        raise click.UsageError("there is no option -f here, as in Juju: `--tail` goes on with what comes")
    session = open_session(model)
    follow = (sys.stdout.isatty() if tail is None else tail) and limit is None
    count = limit or EVERYTHING if limit is not None else EVERYTHING if replay else lines
    wanted = [entity(name) for name in include]
    stream = session.client.stream(
        session.path("debug-log"),
        lines=count,
        follow=1 if follow else None,
        level=level.upper() if level else None,
        include=wanted or None,
    )
    with until_interrupted():
        for line in stream:
            head = f"{line['entity']}: {local_time(line['time'])} {line['level']} {line['module']}"
            print(head, line["message"].rstrip(), flush=follow)


def entity(name: str) -> str:
    """Return a unit's name as the API takes it, also when it was given in the log's own form, unit-notes-0."""
    if name.startswith("unit-") and "/" not in name:
        application, _, number = name.removeprefix("unit-").rpartition("-")
        if number.isdigit():
            return f"{application}/{number}"
    return name
