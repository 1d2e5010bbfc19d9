"""`nuages version`: our version, in the shapes of `juju version`."""

import click

from nuages import __version__
from nuages.cli.output import format_option, print_document
from nuages.machine import architecture


@click.command()
@format_option("smart", "json", "yaml", default="smart")
@click.option("--all", "everything", is_flag=True, help="Every part of the version.")
def command(form: str, everything: bool) -> None:
    """Show the version of nuages; with --all also that of the Juju whose rules it follows, as "version"."""
    if form == "smart" and not everything:
        print(__version__)
        return
    from nuages.cli.connection import running
    from nuages.engine.hooks.environment import JUJU_VERSION

    client = running()
    daemon = None if client is None else client.get("/v1/version")
    machine = architecture()
    document = {
        # programs that drive Juju ask this to know what they may ask for
        "version": f"{JUJU_VERSION}-genericlinux-{machine}",
        "git-commit": "",
        "compiler": "python",
        "nuages": __version__,
        "daemon": daemon,
    }
    print_document(document, "yaml" if form == "smart" else form)
