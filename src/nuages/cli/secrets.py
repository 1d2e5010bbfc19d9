"""`nuages secrets`: what secrets there are, never what is in them."""

import time
from calendar import timegm
from typing import Any

import click

from nuages.cli.output import format_option, print_document, table
from nuages.cli.session import model_option, open_session

MINUTE, HOUR, DAY = 60, 3600, 86400


@click.command()
@model_option
@format_option("tabular", "json", "yaml", default="tabular")
@click.option("--owner", metavar="TAG", help="Only those of application-NAME or unit-NAME-NUMBER.")
@click.option("--revisions", is_flag=True, help="Also each revision, in json and yaml.")
def command(model: str | None, form: str, owner: str | None, revisions: bool) -> None:
    """List the secrets of the model: yours and the charms'."""
    session = open_session(model)
    secrets: dict[str, Any] = session.get("secrets", owner=owner, revisions="1" if revisions else None)
    if form == "tabular":
        print("\n".join(secret_lines(secrets, time.time())))
    else:
        print_document(secrets, form)


def secret_lines(secrets: dict[str, Any], now: float) -> list[str]:
    """Return the lines of Juju's table of secrets."""
    rows = [("ID", "Name", "Owner", "Rotation", "Revision", "Last updated")]
    for number, secret in secrets.items():
        name, rotation = str(secret.get("name") or "-"), str(secret.get("rotation") or "")
        row = (number, name, str(secret["owner"]), rotation, str(secret["revision"]), age(secret["updated"], now))
        rows.append(row)
    return table(rows, right=frozenset({4}))


def age(when: str, now: float) -> str:
    """Return how long ago a time in UTC was, in Juju's words; the date when it is more than a day."""
    then = timegm(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ"))
    seconds = int(now - then)
    if seconds >= DAY:
        return time.strftime("%Y-%m-%d", time.gmtime(then))
    for length, unit in ((HOUR, "hour"), (MINUTE, "minute"), (1, "second")):
        count = seconds // length
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
