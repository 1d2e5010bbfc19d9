"""The command group: finds the command, shows errors the way every command shows them."""

import contextlib
import errno
import importlib
import os
import re
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import click

from nuages import __version__
from nuages.cli.commands import ALIASES, COMMANDS, INSTEAD
from nuages.cli.output import INTERRUPTED
from nuages.errors import NuagesError

_SECRET = re.compile(r"key|token|secret|pass|credential", re.IGNORECASE)


class Commands(click.Group):
    """Loads a command's module when it is called, and names the nearest for one that does not exist."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return [entry.name for entry in COMMANDS if not entry.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name or alias, importing its module."""
        name = ALIASES.get(cmd_name, cmd_name)
        for entry in COMMANDS:
            if entry.name == name:
                command = importlib.import_module(entry.module).command
                assert isinstance(command, click.Command)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of `args`; an unknown one is an error that names the nearest."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            raise click.UsageError(f"there is no command {name!r}; {_nearest(name)}", ctx)
        return name, command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by group, from the table alone."""
        for group in dict.fromkeys(entry.group for entry in COMMANDS):
            rows = [(entry.name, entry.help) for entry in COMMANDS if entry.group == group and not entry.hidden]
            with formatter.section(group):
                formatter.write_dl(rows)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("-m", "--model", metavar="MODEL", help="Model to work in; commands take it too.")
@click.version_option(__version__, message="%(version)s")
def root(debug: bool, model: str | None) -> None:
    """Run a charmed Django project on this machine, with Juju's words."""


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911  # one return for each way a command can end
    """Run one command line and return its exit code: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    arguments, debug = _take_debug(arguments)
    arguments = arguments or ["--help"]  # as `juju` alone does
    try:
        result: Any = root.main(args=list(arguments), prog_name=command_name(), standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return 2
    except click.UsageError as error:
        if debug:
            raise
        return _usage(error)
    except click.ClickException as error:
        _show(f"cannot go on: {error.format_message()}", "")
        return error.exit_code
    except NuagesError as error:
        if debug:
            raise
        _show(str(error), error.fix)
        return 1
    except BrokenPipeError:
        # The reader of our output left, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort):
        line = " ".join([command_name(), shlex.join(_without_secrets(arguments))])
        print(f"\ninterrupted: what is done stays done; `{line}` continues from here", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f" for {error.filename}" if error.filename else ", perhaps where the output goes"
            _show(f"cannot go on: a disk is full{where}", "make space (`df` shows where), and repeat the command")
            return 1
        _show(
            f"cannot go on: {type(error).__name__}: {error}",
            "this is a fault of nuages; repeat it with --debug for the traceback",
        )
        return 1


def _without_secrets(arguments: Sequence[str]) -> list[str]:
    """Return the words without the values of a secret, for a line that may end in a log.

    That is all that `add-secret` and `update-secret` are given, and elsewhere (`config`, `run`) what is named like one.
    """
    every = bool({"add-secret", "update-secret"} & set(arguments))
    words: list[str] = []
    for word in arguments:
        name, sign, _ = word.partition("=")
        hidden = sign and not word.startswith("-") and (every or _SECRET.search(name))
        words.append(f"{name}=…" if hidden else word)
    return words


def command_name() -> str:
    """Return how the user called us, for lines to paste: `nuages`, or what the wrapper in a clone says."""
    return os.environ.get("NUAGES_COMMAND") or "nuages"


def _take_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Take `--debug` from anywhere that is ours: not after `--`, nor from what `exec` and `ssh` hand on."""
    words = list(arguments)
    end = len(words)
    for position, word in enumerate(words):
        if word in {"--", "exec", "ssh"}:
            end = position
            break
    kept = [word for position, word in enumerate(words) if position >= end or word != "--debug"]
    return kept, len(kept) != len(words)


def _usage(error: click.UsageError) -> int:
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    words = error.ctx.command_path if error.ctx else command_name()
    _show(f"cannot understand the command: {message}", f"{words} --help")
    return 2


def _show(message: str, fix: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(f"error: {to_paste(message)}", file=sys.stderr)
        if fix:
            first, *rest = to_paste(fix).splitlines()
            margin = "" if "<<" in fix else "       "  # a shell finds the end of a here-document only at the margin
            print(f"fix:   {first}", *(margin + line for line in rest), sep="\n", file=sys.stderr)


def to_paste(text: str) -> str:
    """Let the commands named in other rooms' texts be typed as the user types them, `./nuages up` in a clone."""
    if command_name() == "nuages":
        return text
    names = "|".join(entry.name for entry in COMMANDS)
    return re.sub(rf"(?<![\w/.-])nuages (?=(?:{names})\b)", f"{command_name()} ", text)


def _nearest(name: str) -> str:
    import difflib

    if name in INSTEAD:
        return f"juju has it, and here {INSTEAD[name]}"
    known = [*(entry.name for entry in COMMANDS), *ALIASES]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else "see the list"
