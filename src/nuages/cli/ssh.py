"""`nuages ssh`: a shell or a command in a unit's container."""

import os
import sys
from typing import NoReturn

import click

from nuages.cli.errors import CliError
from nuages.cli.session import model_option, open_session
from nuages.cli.words import unit


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@model_option
@click.option("--container", metavar="NAME", help="A workload container; without it, the charm's own.")
@click.option("--no-host-key-checks", is_flag=True, help="Accepted for Juju's sake; there are no host keys.")
@click.argument("target", metavar="UNIT")
@click.argument("words", nargs=-1, metavar="[COMMAND ...]")
def command(
    model: str | None, container: str | None, no_host_key_checks: bool, target: str, words: tuple[str, ...]
) -> NoReturn:
    """Open a shell in UNIT, or run COMMAND there; one word alone is a line for the shell."""
    session = open_session(model)
    words = words[1:] if words[:1] == ("--",) else words
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    argv = list(words) if len(words) > 1 else ["/bin/sh", *(["-c", words[0]] if words else [])]
    body = {"unit": unit(target), "container": container, "argv": argv, "tty": tty}
    program: list[str] = session.post("enter", body=body)["argv"]
    sys.stdout.flush()
    try:
        os.execvp(program[0], program)  # noqa: S606  # the point: the terminal becomes the container's, no shell
    except OSError as error:
        raise CliError(f"cannot enter {target}: {program[0]}: {error.strerror}") from error
