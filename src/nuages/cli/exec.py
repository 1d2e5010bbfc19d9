"""`nuages exec`: a command as a unit's charm would run it, with its hook tools."""

import shlex
import sys

import click

from nuages.cli.output import format_option, print_document
from nuages.cli.root import command_name
from nuages.cli.session import model_option, open_session
from nuages.cli.tasks import fail_unless_completed, task_document
from nuages.cli.waiting import finish
from nuages.cli.words import is_unit, seconds, unit


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@model_option
@format_option("plain", "json", "yaml", default="plain")
@click.option("-u", "--unit", "target", metavar="UNIT", help="The unit: APPLICATION/NUMBER.")
@click.option("--wait", default="5m", show_default=True, metavar="DURATION", help="How long to wait for the result.")
@click.argument("words", nargs=-1, required=True, metavar="COMMAND [ARGUMENT ...]")
def command(model: str | None, form: str, target: str | None, wait: str, words: tuple[str, ...]) -> None:
    """Run COMMAND in the charm container of a unit; one word alone is a line for the shell."""
    if target is None:
        raise click.UsageError(f"Missing option '-u' / '--unit'.{_meant(words)}")
    session = open_session(model)
    argv = ["/bin/sh", "-c", words[0]] if len(words) == 1 else list(words)
    answer = session.post("exec", body={"unit": unit(target), "argv": argv})
    change = finish(session, answer, timeout=seconds(wait))
    name, document = task_document(change, target)
    if form == "plain":
        sys.stdout.write(document["results"].get("stdout", ""))
        sys.stdout.flush()
        sys.stderr.write(document["results"].get("stderr", ""))
    else:
        print_document({name: document}, form)
    fail_unless_completed(document)


def _meant(words: tuple[str, ...]) -> str:
    """Return the command with the unit in its place, where it was given as `ssh` takes it."""
    rest = words[2:] if words[1:2] == ("--",) else words[1:]
    if not rest or not is_unit(words[0]):
        return ""
    return f" Did you mean `{command_name()} exec --unit {words[0]} -- {shlex.join(rest)}`?"
