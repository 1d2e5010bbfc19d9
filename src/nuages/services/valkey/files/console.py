"""A console into the server, run in its pod: sends commands, prints answers. The login comes by the environment.

Arguments: port, then a command and its words; without them commands are read line by line.
Protocol: https://valkey.io/topics/protocol/ (RESP 2).
"""

# `repl` is beside it in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from repl import ConsoleError, loop, say


class Refusal(str):
    """An error that the server answers."""

    __slots__ = ()


class Console:
    """A connection, logged in."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.answers = self.connection.makefile("rb")
        self.connection.settimeout(None)
        if password := os.environ.get("VALKEY_PASSWORD"):
            self.do(["AUTH", os.environ["VALKEY_USER"], password], show=False)

    def do(self, words: Sequence[str], *, show: bool = True) -> None:
        """Send a command and print its answer."""
        encoded = [word.encode(errors="surrogateescape") for word in words]
        head = f"*{len(encoded)}\r\n".encode()
        self.connection.sendall(head + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
        answer = self.read()
        if isinstance(answer, Refusal):
            raise ConsoleError(answer)
        if show:
            for line in shown(answer):
                say(line)

    def read(self) -> Any:
        """Return the next answer."""
        line = self.answers.readline()
        if not line:
            raise OSError("the server has closed the connection")
        kind, rest = line[:1], line[1:-2].decode(errors="surrogateescape")
        if kind == b"-":
            return Refusal(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self.answers.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == "-1" else [self.read() for _ in range(int(rest))]
        return rest


def shown(answer: Any, margin: str = "") -> Iterator[str]:
    """Yield the lines that show an answer."""
    if isinstance(answer, list):
        if not answer:
            yield f"{margin}(empty)"
        width = len(str(len(answer)))
        for number, item in enumerate(answer, 1):
            first, *rest = list(shown(item)) or [""]
            yield f"{margin}{number:>{width}}) {first}"
            yield from (f"{margin}{' ' * (width + 2)}{line}" for line in rest)
    elif answer is None:
        yield f"{margin}(nil)"
    else:
        text = answer.decode(errors="backslashreplace") if isinstance(answer, bytes) else str(answer)
        yield from (f"{margin}{line}" for line in (text.splitlines() or [""]))


def main() -> int:
    """Do the command of the arguments, or those of standard input."""
    try:
        console = Console(int(sys.argv[1]))
    except (ConsoleError, OSError) as error:
        sys.exit(f"cannot log in: {error}")
    return loop(console.do, sys.argv[2:], prompt="valkey> ")


if __name__ == "__main__":
    sys.exit(main())
