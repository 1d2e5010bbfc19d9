"""The loop of a console: lines are read and done until the input ends. Runs in a pod, on the standard library alone."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any


class ConsoleError(Exception):
    """A command was refused, by the console or by the server; the text says why."""


def say(text: str) -> None:
    """Write a line out at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write a line among the errors."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def perform(owner: object, commands: str, words: Sequence[Any]) -> None:
    """Call `owner.do_NAME` with the words after the name; `help` shows `commands`.

    A line of `commands` is a usage, `get KEY [SECONDS]` for example, two spaces or more, and what it does.

    Raises:
        ConsoleError: there is no such command, or it takes fewer or more words.
    """
    name, *rest = words
    usages = {usage.split()[0]: usage for usage in (line.partition("  ")[0] for line in commands.splitlines())}
    if name not in usages:
        raise ConsoleError(f"there is no such command: {', '.join(usages)}")
    needed, all_words = (len(text.split()) - 1 for text in (usages[name].partition("[")[0], usages[name]))
    if len(rest) not in (needed, all_words):
        raise ConsoleError(f"it is: {usages[name]}")
    if name == "help":
        say(commands)
    else:
        getattr(owner, f"do_{name}")(*rest)


def loop(
    do: Callable[[Sequence[str]], None], words: Sequence[str], *, prompt: str, intro: str = "", raw: bool = False
) -> int:
    """Do the one command `words`, else those of standard input; return the last one's exit code.

    `prompt` and `intro` are for people: nothing of them when the input is no terminal. With `raw` every line, also an
    empty one, is one word; `do` ends the loop by EOFError.
    """
    code = 0
    with contextlib.suppress(EOFError):
        if words:
            return _attempt(do, words)
        people = sys.stdin.isatty()
        if people:
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401  # pyright: ignore[reportUnusedImport]  # gives input() its history
            if intro:
                say(intro)
        while True:
            said = _read(prompt if people else "", raw=raw)
            code = _attempt(do, said) if said else code
    return code


def _read(prompt: str, *, raw: bool) -> list[str]:
    """Return the words of the next line, none when it is dropped.

    Raises:
        EOFError: there is none, or it says so.
    """
    try:
        line = input(prompt)
    except KeyboardInterrupt:
        say("")  # what was typed is dropped, as in any shell
        return []
    if raw:
        return [line]
    if line.strip() in ("exit", "quit"):
        raise EOFError
    try:
        return shlex.split(line)
    except ValueError as error:
        complain(f"cannot read the line: {error}")
        return []


def _attempt(do: Callable[[Sequence[str]], None], words: Sequence[str]) -> int:
    try:
        do(words)
    except (ConsoleError, OSError) as error:
        complain(f"cannot {words[0]}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
