"""`nuages connect`: a console into the server behind an application's endpoint."""

import contextlib
import os
import sys
from typing import NoReturn

import click

from nuages.cli.errors import CliError
from nuages.cli.session import Session, model_option, open_session


@click.command()
@model_option
@click.option(
    "--print",
    "printed",
    is_flag=True,
    help="Print a URL for a tool of this machine; it is good until this command ends.",
)
@click.argument("application", metavar="APPLICATION")
@click.argument("endpoint", metavar="ENDPOINT")
@click.argument("words", nargs=-1, metavar="[-- WORD ...]")
def command(*, model: str | None, printed: bool, application: str, endpoint: str, words: tuple[str, ...]) -> None:
    """Open a console into the server that is related at ENDPOINT, with APPLICATION's credentials.

    The client runs beside the server; words after `--` are for it. With --print the server gets a port of 127.0.0.1,
    which closes when this command ends.
    """
    if printed and words:
        raise click.UsageError("--print runs no client, so there is nobody for " + " ".join(words))
    session = open_session(model)
    if printed:
        _print(session, application, endpoint)
    else:
        _run(session, application, endpoint, words)


def _run(session: Session, application: str, endpoint: str, words: tuple[str, ...]) -> NoReturn:
    """Become the client. Credentials go by the environment, which only its user may read."""
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    body = {"application": application, "endpoint": endpoint, "argv": list(words), "tty": tty}
    answer = session.post("connect", body=body)
    program: list[str] = answer["argv"]
    environment = {"TERM": os.environ.get("TERM", "dumb"), **answer["environment"]}
    sys.stdout.flush()
    try:
        os.execvpe(program[0], program, environment)  # noqa: S606  # the point: the terminal becomes the client's
    except OSError as error:
        raise CliError(f"cannot connect {application} {endpoint}: {program[0]}: {error.strerror}") from error


def _print(session: Session, application: str, endpoint: str) -> None:
    """Print the URL and keep its port open until a signal."""
    lines = session.client.stream(session.path("connect"), application=application, endpoint=endpoint)
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        for document in lines:
            print(document["url"], flush=True)
            if sys.stderr.isatty():
                print("good until Ctrl-C", file=sys.stderr)
        raise CliError(
            f"cannot keep the port of {application} {endpoint} open: the model was stopped, or the daemon ended",
            fix="run the command again when the model runs (nuages up starts it)",
        )
