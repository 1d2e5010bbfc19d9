"""`nuages run`: an action on a unit, with the output of `juju run`."""

from typing import Any, cast

import click

from nuages.cli.output import as_yaml, format_option, note, print_document
from nuages.cli.session import model_option, open_session
from nuages.cli.tasks import fail_unless_completed, task_document
from nuages.cli.waiting import finish
from nuages.cli.words import from_file, pairs, seconds, unit


@click.command()
@model_option
@format_option("plain", "json", "yaml", default="plain")
@click.option("--params", metavar="FILE", help="A YAML file of parameters.")
@click.option("--string-args", is_flag=True, help="Take every value as text instead of as YAML.")
@click.option("--wait", default="60s", show_default=True, metavar="DURATION", help="How long to wait for the result.")
@click.argument("target", metavar="UNIT")
@click.argument("action")
@click.argument("words", nargs=-1, metavar="[KEY=VALUE ...]")
def command(
    *,
    model: str | None,
    form: str,
    params: str | None,
    string_args: bool,
    wait: str,
    target: str,
    action: str,
    words: tuple[str, ...],
) -> None:
    """Run ACTION on UNIT (APPLICATION/NUMBER or APPLICATION/leader) and print its results."""
    values = _parameters(params, words, string_args)
    session = open_session(model)
    answer = session.post("run", body={"unit": unit(target), "action": action, "params": values})
    if form == "plain":
        note(f"Running operation {answer['change']} with 1 task\n  - {action} on {target}\n")
    change = finish(session, answer, timeout=seconds(wait))
    name, document = task_document(change, target)
    if form == "plain":
        results = {key: value for key, value in document["results"].items() if key != "return-code"}
        for line in document.get("log", ()):
            note(line)
        if results:
            print(as_yaml(results), end="")
    else:
        print_document({name: document}, form)
    fail_unless_completed(document)


def _parameters(path: str | None, words: tuple[str, ...], string_args: bool) -> dict[str, Any]:
    """Return the action's parameters: the file's, then the words', whose dotted keys nest."""
    import yaml

    def parse(text: str, what: str) -> Any:
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise click.UsageError(f"{what} is not YAML: {str(error).splitlines()[0]}") from error

    result: dict[str, Any] = {}
    if path is not None:
        document: Any = parse(from_file("@" + path), path) or {}
        if not isinstance(document, dict):
            raise click.UsageError(f"{path} is not a mapping of parameters")
        result.update(cast("dict[str, Any]", document))
    for key, text in pairs(words).items():
        value = text if string_args else parse(text, f"the value of {key!r}")
        *groups, last = key.split(".")
        place = result
        for group in groups:
            inner = place.setdefault(group, {})
            if not isinstance(inner, dict):
                raise click.UsageError(f"{key!r} is below {group!r}, which has a value of its own")
            place = cast("dict[str, Any]", inner)
        place[last] = value
    return result
