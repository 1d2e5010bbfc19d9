"""`nuages update-secret`: a new revision of a secret, or another name or description."""

import click

from nuages.cli.secret_words import CONTENT_HELP, content
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.option("--info", default="", metavar="TEXT", help="What the secret is for.")
@click.option("--name", "new_name", default="", metavar="NAME", help="The new name.")
@click.option("--file", "file", metavar="FILE", help=CONTENT_HELP)
@click.option(
    "--auto-prune/--no-auto-prune", default=None, help="Remove revisions that nobody reads any more, from now on."
)
@click.argument("words", nargs=-1, metavar="ID|NAME [KEY=VALUE ...]")
def command(
    *,
    model: str | None,
    info: str,
    new_name: str,
    file: str | None,
    auto_prune: bool | None,
    words: tuple[str, ...],
) -> None:
    """Change the secret ID (or NAME); other content makes a new revision.

    The content is replaced as a whole. Units that have read the secret are told.
    """
    if not words:
        raise click.UsageError("missing secret URI")
    identifier, *pairs = words
    values = content(pairs, file)
    session = open_session(model)
    body = {"secret": identifier, "content": values, "name": new_name, "info": info, "auto_prune": auto_prune}
    finish(session, session.post("update-secret", body=body))
