"""Run the migrations, write down how they ended, and wake the charm with a notice.

Arguments: file for the outcome, key of the notice, release, database, attempt, `--`, the command.
The command's output passes through to the service's log; its last lines are kept for the status.
"""

# Here os.path saves importing pathlib, and what is printed is the answer.
# ruff: noqa: PTH105, PTH123, T201

import collections
import http.client
import json
import os
import socket
import subprocess
import sys


class PebbleConnection(http.client.HTTPConnection):
    """HTTP to the Pebble that runs this program."""

    def connect(self) -> None:
        """Open Pebble's socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(os.environ["PEBBLE_SOCKET"])


def run(command: list[str]) -> tuple[int, str]:
    """Run the command; return its exit code and the last line with something in it."""
    lines: collections.deque[str] = collections.deque(maxlen=20)
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        print(error, file=sys.stderr)
        return 127, str(error)
    for line in process.stdout or ():
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        if line.strip():
            lines.append(line.decode("utf-8", "replace").strip())
    return process.wait(), lines[-1] if lines else ""


def write(path: str, outcome: dict[str, object]) -> None:
    """Write the outcome in one piece."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(outcome, file)
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
    code, last = run(sys.argv[7:])
    error = "" if code == 0 else last or f"exit code {code}"
    write(path, {"release": release, "database": database, "attempt": attempt, "code": code, "error": error})
    notify(key)
    sys.exit(0 if code == 0 else 1)


main()
