"""Waiting for a change, with a sign of life and its outcome as an exit code."""

import sys
import time
from typing import Any

from nuages.cli.errors import CliError
from nuages.cli.output import note
from nuages.cli.root import command_name
from nuages.cli.session import Session

QUIET = 2.0


def finish(session: Session, answer: dict[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
    """Wait for the change that a mutation answered with, and return it when it is done.

    Raises `CliError` when it failed, or is not done after `timeout` seconds (None: waits as long as it takes).
    """
    number = str(answer["change"])
    change = session.client.wait(session.model, number, on_progress=_Progress().show, timeout=timeout)
    if not change.get("ready"):
        raise CliError(
            f"timed out waiting for change {number} ({change.get('summary', '')}): it goes on",
            fix=f"{command_name()} change {number}",
            code="timeout",
        )
    error = change.get("error")
    if error:
        raise CliError(
            str(error["message"]), fix=str(error.get("fix") or f"{command_name()} change {number}"), code="change"
        )
    return change


class _Progress:
    """Prints each task that begins, once the change has taken longer than a moment."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._seen: set[str] = set()

    def show(self, change: dict[str, Any]) -> None:
        if time.monotonic() - self._start < QUIET or not sys.stderr.isatty():
            return
        for task in change.get("tasks", ()):
            if task["status"] == "Doing" and task["id"] not in self._seen:
                self._seen.add(task["id"])
                note(f"  {task['summary']}")
