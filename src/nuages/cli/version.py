"""`nuages version`: our version, in the shapes of `juju version`."""

import click

from nuages import __version__
from nuages.cli.output import format_option, print_document


@click.command()
@format_option("smart", "json", "yaml", default="smart")
@click.option("--all", "everything", is_flag=True, help="Every part of the version.")
def command(form: str, everything: bool) -> None:
    """Show the version of nuages."""
    if form == "smart" and not everything:
        print(__version__)
        return
    from nuages.cli.connection import running

    client = running()
    daemon = None if client is None else client.get("/v1/version")
    document = {"version": __version__, "git-commit": "", "compiler": "python", "daemon": daemon}
    print_document(document, "yaml" if form == "smart" else form)
