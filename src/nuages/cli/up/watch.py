"""Waiting until the model has settled: what runs is shown, what cannot go on is told instead of waited for."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nuages.cli.log_lines import seconds
from nuages.cli.root import command_name
from nuages.cli.session import Session
from nuages.cli.up.console import Console

OVERALL = 900.0
STANDSTILL = 90.0
ERROR_PATIENCE = 12.0
BLOCKED_PATIENCE = 2.0
LOG_LINES = 20


@dataclass(frozen=True)
class UnitState:
    """A unit's workload status and whether its agent has anything to do."""

    unit: str
    workload: str
    message: str
    agent: str

    @property
    def text(self) -> str:
        """The status as one line."""
        return f"{self.unit} is {self.workload}" + (f": {self.message}" if self.message else "")


@dataclass(frozen=True)
class Trouble:
    """Why the model does not become what it should, and the end of the log that tells more."""

    reason: str
    state: UnitState | None
    log: tuple[str, ...] = ()
    fix: str = ""


def unit_states(status: dict[str, Any]) -> list[UnitState]:
    """Return the state of every unit of a status document."""
    found: list[UnitState] = []
    for _, application in sorted(status["applications"].items()):
        units: dict[str, dict[str, Any]] = application.get("units") or {}
        for name, unit in sorted(units.items()):
            workload, agent = unit.get("workload-status", {}), unit.get("juju-status", {})
            found.append(
                UnitState(
                    name,
                    str(workload.get("current", "unknown")),
                    str(workload.get("message") or agent.get("message") or ""),
                    str(agent.get("current", "")),
                )
            )
    return found


def settle(session: Session, console: Console, changes: Sequence[str]) -> Trouble | None:
    """Wait until every unit is active and idle and return None, or the trouble that will not mend itself.

    A failed hook is given one more try (Juju's agent repeats it too); a blocked unit waits for a person; a failed
    change that we asked for (one of `changes`) waits for nobody.
    """
    began = moved = time.monotonic()
    since: dict[str, float] = {}
    before: list[UnitState] = []
    shown = _Tasks(session, console)
    while True:
        settled = bool(session.get("settled", wait="1")["settled"])
        states = unit_states(session.get("status"))
        now = time.monotonic()
        if states != before or shown.update():
            before, moved = states, now
        if settled and all(state.workload in {"active", "unknown"} for state in states):
            shown.close()
            return None
        for state in states:
            stuck = state.workload == "error" or (settled and state.workload == "blocked")
            if not stuck:
                since.pop(state.unit, None)
                continue
            start = since.setdefault(state.unit, now)
            if now - start > (ERROR_PATIENCE if state.workload == "error" else BLOCKED_PATIENCE):
                shown.close()
                return Trouble(state.text, state, tail(session, state))
        failed = shown.failed(changes)
        if failed is None:
            since.pop("", None)
        elif now - since.setdefault("", now) > ERROR_PATIENCE:
            shown.close()
            return failed
        if now - moved > STANDSTILL or now - began > OVERALL:
            shown.close()
            late = next((state for state in states if state.workload not in {"active", "unknown"}), None)
            what = late.text if late else "its units do not come to rest"
            return Trouble(f"{what} (nothing moved for {now - moved:.0f} s)", late, tail(session, late) if late else ())
        if settled:
            time.sleep(0.2)


STARTED = time.time()
"""When this command began: what was logged before tells of another `up`."""


def tail(session: Session, state: UnitState) -> tuple[str, ...]:
    """Return the end of what the unit's charm logged since this command began.

    Without DEBUG: what a person's own `exec` printed is logged there, and tells nothing of the trouble.
    """
    stream = session.client.stream(session.path("debug-log"), lines=LOG_LINES, level="INFO", include=state.unit)
    return tuple(f"{line['level']} {line['message'].rstrip()}" for line in stream if _new(line))


def output(session: Session, application: str) -> tuple[str, ...]:
    """Return the end of what the application's services printed since this command began."""
    stream = session.client.stream(session.path("logs"), lines=LOG_LINES, application=application)
    return tuple(f"{line['service']}: {line['message'].rstrip()}" for line in stream if _new(line))


def _new(line: dict[str, Any]) -> bool:
    return seconds(line["time"]) >= int(STARTED)  # Pebble's times are read to the second


class _Tasks:
    """Shows the tasks of unfinished changes while they run."""

    def __init__(self, session: Session, console: Console) -> None:
        self._session = session
        self._console = console
        self._running: dict[str, str] = {}

    def update(self) -> bool:
        """Show what runs now; return whether anything began or ended."""
        running = dict(self._find())
        for key in self._running.keys() - running.keys():
            self._console.done(key)
        for key, summary in running.items():
            if key not in self._running:
                self._console.progress(key, summary)
        changed = running != self._running
        self._running = running
        return changed

    def failed(self, changes: Sequence[str]) -> Trouble | None:
        """Return the first of the changes that has failed."""
        for number in changes:
            change: dict[str, Any] = self._session.get("changes", number)
            error = change.get("error")
            if error:
                return Trouble(
                    str(error["message"]), None, fix=str(error.get("fix") or f"{command_name()} change {number}")
                )
        return None

    def close(self) -> None:
        for key in self._running:
            self._console.done(key)

    def _find(self) -> Iterator[tuple[str, str]]:
        for change in self._session.get("changes"):
            if not change.get("ready"):
                for task in change.get("tasks") or ():
                    if task["status"] == "Doing":
                        # One hook is a task of every change that waits for it; it is shown once.
                        yield str(task["summary"]), str(task["summary"])
