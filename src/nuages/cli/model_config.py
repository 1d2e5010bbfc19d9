"""`nuages model-config`: the model's own options."""

from typing import Any

import click

from nuages.cli.config_words import change_or_read, print_value
from nuages.cli.errors import CliError
from nuages.cli.nearest import nearest
from nuages.cli.output import format_option, print_document, table
from nuages.cli.root import command_name
from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@format_option("tabular", "yaml", "json", default="tabular")
@click.option("--reset", multiple=True, metavar="KEY[,KEY]", help="Back to the default.")
@click.argument("words", nargs=-1, metavar="[KEY | KEY=VALUE ...]")
def command(model: str | None, form: str, reset: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Show, set or reset the options of the model."""
    key, values, resets = change_or_read(words, reset)
    session = open_session(model)
    if values or resets:
        finish(session, session.post("model-config", body={"set": values, "reset": resets}))
        return
    document: dict[str, Any] = session.get("model-config")
    if key is not None:
        if key not in document:
            raise CliError(
                f"cannot show model option {key!r}: there is no such option{nearest(key, document)}",
                fix=f"{command_name()} model-config",
            )
        print_value(document[key].get("Value"), "yaml" if form == "tabular" else form)
    elif form == "tabular":
        rows = [("Attribute", "From", "Value")]
        rows += [(name, str(entry["Source"]), str(entry.get("Value", ""))) for name, entry in sorted(document.items())]
        print("\n".join(table(rows)))
    else:
        print_document(document, form)
