"""Run the migrations, write down how they ended, and wake the charm with a notice.

Arguments: file for the outcome, key of the notice, release, database, attempt, `--`, the command.
The command's output passes through to the service's log; its end is kept for the status. While it runs, a file beside
that for the outcome says since when, and what is being applied; a notice each minute brings it into the charm's status.
"""

# Here os.path saves importing pathlib, and what is printed is the answer.
# ruff: noqa: PTH105, PTH118, PTH120, PTH123, T201

import functools
import http.client
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable

PROGRESS = "migrating.json"
APPLYING = re.compile(rb"Applying ([\w.]+)\.\.\.")
MINUTE = 60.0
KEPT = 32768
"""Bytes of output: more than a traceback."""


class PebbleConnection(http.client.HTTPConnection):
    """HTTP to the Pebble that runs this program."""

    def connect(self) -> None:
        """Open Pebble's socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(os.environ["PEBBLE_SOCKET"])


def run(command: list[str], progress: str, every_minute: Callable[[], None]) -> tuple[int, str]:
    """Run the command; return its exit code and the end of what it said.

    Django writes the name of a migration before it applies it and the rest of the line afterwards, so that what is
    being applied is known from half a line.
    """
    started, applying, said = time.time(), b"", b""
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        print(error, file=sys.stderr)
        return 127, str(error)
    write(progress, {"started": started, "applying": ""})
    output, minute = process.stdout.fileno() if process.stdout else -1, time.monotonic() + MINUTE
    while True:
        if not select.select([output], [], [], max(minute - time.monotonic(), 0))[0]:
            minute += MINUTE
            every_minute()
            continue
        piece = os.read(output, 65536)
        if not piece:
            break
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        said = (said + piece)[-KEPT:]
        names = APPLYING.findall(said)
        if names and names[-1] != applying:
            applying = names[-1]
            write(progress, {"started": started, "applying": applying.decode("utf-8", "replace")})
    return process.wait(), said.decode("utf-8", "replace")


def write(path: str, content: dict[str, object]) -> None:
    """Write a file in one piece."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(path + ".new", path)


def notify(key: str) -> None:
    """Send the notice; without it the charm finds the outcome at its next event."""
    body = json.dumps({"action": "add", "type": "custom", "key": key, "repeat-after": "0s"})
    try:
        connection = PebbleConnection("localhost")
        connection.request("POST", "/v1/notices", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    except (OSError, KeyError, http.client.HTTPException) as error:
        print("cannot notify the charm:", error, file=sys.stderr)


def main() -> None:
    """Run, write, notify."""
    path, key, release, database, attempt = sys.argv[1:6]
    code, said = run(sys.argv[7:], os.path.join(os.path.dirname(path), PROGRESS), functools.partial(notify, key))
    error = "" if code == 0 else said.strip("\n") or f"exit code {code}"
    write(path, {"release": release, "database": database, "attempt": attempt, "code": code, "error": error})
    notify(key)
    sys.exit(0 if code == 0 else 1)


main()
