"""`nuages show-secret`: one secret; what is in it only with --reveal."""

from typing import Any

import click

from nuages.cli.output import format_option, print_document
from nuages.cli.session import model_option, open_session


@click.command()
@model_option
@format_option("yaml", "json", default="yaml")
@click.option("--reveal", is_flag=True, help="Show the values too.")
@click.option("--revisions", is_flag=True, help="Also each revision, without values.")
@click.option("-r", "--revision", type=click.IntRange(min=1), help="This revision instead of the latest.")
@click.argument("identifier", metavar="ID|NAME")
def command(
    *, model: str | None, form: str, reveal: bool, revisions: bool, revision: int | None, identifier: str
) -> None:
    """Show the secret ID (or NAME)."""
    if revisions and reveal:
        raise click.UsageError("specify either --revisions or --reveal but not both")
    if revisions and revision is not None:
        raise click.UsageError("specify either --revisions or --revision but not both")
    session = open_session(model)
    query = {"reveal": "1" if reveal else None, "revisions": "1" if revisions else None, "revision": revision}
    shown: dict[str, dict[str, Any]] = session.get("secrets", identifier, **query)
    if form == "yaml":
        # Juju's two forms differ here: JSON has the values one level deeper
        shown = {
            number: {key: value["Data"] if key == "content" else value for key, value in secret.items()}
            for number, secret in shown.items()
        }
    print_document(shown, form)
