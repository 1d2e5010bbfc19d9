"""A client of Redis' protocol inside a pod: commands as words, answers as Python has them."""

from __future__ import annotations

import json
from typing import Any

from tests.services.pod import CommandError, Pod

_PROGRAM = r"""
import json, socket, sys
question = json.load(sys.stdin)
to, source = (question["host"], question["port"]), (question["source"], 0)
with socket.create_connection(to, timeout=10, source_address=source) as connection:
    stream = connection.makefile("rb")
    def read():
        line = stream.readline()[:-2].decode()
        if not line:
            raise EOFError("connection closed")
        kind, rest = line[0], line[1:]
        if kind == "+":
            return rest
        if kind == "-":
            sys.exit(rest)
        if kind == ":":
            return int(rest)
        if kind == "$":
            return None if rest == "-1" else stream.read(int(rest) + 2)[:-2].decode()
        return None if rest == "-1" else [read() for _ in range(int(rest))]
    answers = []
    for words in question["commands"]:
        parts = [word.encode() for word in words]
        text = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        connection.sendall(b"*%d\r\n%s" % (len(parts), text))
        answers.append(read())
print(json.dumps(answers))
"""


class RefusedCommand(Exception):
    """The server's own error."""


def ask(
    pod: Pod,
    *commands: str,
    login: tuple[str, ...] = (),
    port: int = 6379,
    host: str = "127.0.0.1",
    source: str = "",
) -> Any:
    """Return the answer of the last command, asked from the address `source`; each is words between spaces."""
    words = [command.split() for command in commands]
    if login:
        words.insert(0, ["AUTH", *login])
    try:
        answers = pod.python(_PROGRAM, json.dumps({"host": host, "port": port, "source": source, "commands": words}))
    except CommandError as error:
        raise RefusedCommand(str(error).strip()) from None
    return json.loads(answers)[-1]
