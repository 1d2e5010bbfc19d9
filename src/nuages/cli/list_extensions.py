"""nuages list-extensions: the extensions and the bases that each has."""

import json

import click

from nuages.cli.output import format_option, table
from nuages.contract.bases import BASES, EXTENSION


@click.command()
@format_option("table", "json", default="table")
def command(form: str) -> None:
    """List the extensions and the bases they support."""
    stable = [base.name for base in BASES if not base.experimental]
    experimental = [base.name for base in BASES if base.experimental]
    if form == "json":
        print(json.dumps([{"name": EXTENSION, "bases": stable, "experimental_bases": experimental}]))
        return
    rows = [
        ("Extension name", "Supported bases", "Experimental bases"),
        (EXTENSION, ", ".join(stable), ", ".join(experimental)),
    ]
    print("\n".join(table(rows)))
