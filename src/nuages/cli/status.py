"""`nuages status`: Juju's table, and Juju's documents."""

import sys
import time
from typing import Any

import click

from nuages.cli.errors import CliError
from nuages.cli.output import format_option, print_document, until_interrupted
from nuages.cli.root import command_name
from nuages.cli.session import Session, model_option, open_session
from nuages.cli.status_table import status_lines
from nuages.cli.words import seconds

CLEAR = "\x1b[H\x1b[2J"


@click.command()
@model_option
@format_option("tabular", "json", "yaml", default="tabular")
@click.option("--relations", "--integrations", "relations", is_flag=True, help="Show the relations too.")
@click.option("--watch", metavar="DURATION", help="Repeat it, for instance every 2s, until Ctrl-C.")
@click.argument("selectors", nargs=-1)
def command(model: str | None, form: str, relations: bool, watch: str | None, selectors: tuple[str, ...]) -> None:
    """Show the model's applications and units; SELECTORS limit it to those applications or units."""
    session = open_session(model)
    if watch is None:
        _show(session, form, relations, selectors)
        return
    period = max(0.1, seconds(watch))
    with until_interrupted():
        while True:
            if sys.stdout.isatty():
                sys.stdout.write(CLEAR)
            _show(session, form, relations, selectors)
            sys.stdout.flush()
            time.sleep(period)


def _show(session: Session, form: str, relations: bool, selectors: tuple[str, ...]) -> None:
    status: dict[str, Any] = session.get("status")
    if selectors:
        status = select(status, selectors)
    if form == "tabular":
        pairs = [(str(pair[0]), str(pair[1])) for pair in session.get("observed")["relations"]] if relations else None
        print("\n".join(status_lines(status, command=command_name(), pairs=pairs)))
    else:
        print_document(status, form)


def select(status: dict[str, Any], selectors: tuple[str, ...]) -> dict[str, Any]:
    """Return the status of only those applications and units; raises `CliError` for one that is not there."""
    chosen: dict[str, Any] = {}
    applications: dict[str, Any] = status["applications"]
    for selector in selectors:
        name = selector.partition("/")[0]
        application = applications.get(name)
        if application is None or ("/" in selector and selector not in (application.get("units") or {})):
            known = ", ".join(sorted(applications)) or "none"
            raise CliError(f"cannot show {selector}: the model has no such application or unit ({known})")
        if "/" in selector:
            units = {**chosen.get(name, {}).get("units", {}), selector: application["units"][selector]}
            application = {**application, "units": units}
        chosen[name] = application
    return {**status, "applications": chosen}
