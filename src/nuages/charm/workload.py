"""All that the charm does in the workload container goes through here: Pebble's API, one method for each use of it."""

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import ops
from ops import pebble

from nuages.charm.facts import Service
from nuages.charm.hook_tools import is_real
from nuages.charm.pebble_reads import Reader, UnixConnection
from nuages.charm.plan import File
from nuages.contract.row import NamedTuple

MODE = 0o640
"""Configuration holds secrets: for its owner, root, and the service's group only."""


LONGEST_STOP = 600.0
"""Seconds that a hook waits for services to end; each has its own kill-delay, which is shorter as a rule."""


class Result(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    error: str


class Glance(NamedTuple):
    """What a hook wants to know of the container first."""

    plan: Mapping[str, dict[str, dict[str, Any]]]
    states: Mapping[str, str]
    answering: bool
    files: Mapping[str, str | None]
    """By path; None for one that is not there."""


class Container:
    """The workload container. Every method raises `ops.pebble.Error` when Pebble refuses or does not answer."""

    def __init__(self, container: ops.Container) -> None:
        self._container = container
        self.name = container.name

    def glance(self, check: str, paths: Sequence[str]) -> Glance:
        """Return the plan, the services' states, whether a check has succeeded, and some files' texts."""
        if not is_real():
            return Glance(
                self.plan(), self.states(), self.check_answers(check), {path: self.read(path) for path in paths}
            )
        reader = Reader(self._container.pebble.socket_path)
        try:
            return Glance(reader.plan(), reader.states(), reader.answers(check), reader.files(paths))
        finally:
            reader.close()

    def plan(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the plan: `services` and `checks` by name."""
        return cast("dict[str, dict[str, dict[str, Any]]]", dict(self._container.get_plan().to_dict()))

    def states(self) -> dict[str, str]:
        """Return each service's state: `active`, `inactive`, `backoff`, `error`."""
        return {name: _text(info.current) for name, info in self._container.get_services().items()}

    def check_answers(self, name: str) -> bool:
        """Whether a check is up and has succeeded since it was defined: a new one is called up before its first."""
        info = self._container.get_checks(name).get(name)
        return info is not None and _text(info.status) == "up" and bool(info.successes)

    def read(self, path: str) -> str | None:
        """Return a file's text; None when there is no such file."""
        try:
            return self._container.pull(path).read()
        except pebble.PathError as error:
            if error.kind == "not-found":
                return None
            raise

    def write(self, file: File) -> None:
        """Write a file in one piece, for root and the file's group.

        In a sandbox with a single user ID nothing can be given away, and nothing has to be: that user is the service's.
        """
        if file.group:
            try:
                self._container.push(
                    file.path, file.text, make_dirs=True, permissions=MODE, user_id=0, group=file.group
                )
            except pebble.PathError:
                pass  # the plain form below says why, should the reason be another one
            else:
                return
        self._container.push(file.path, file.text, make_dirs=True, permissions=MODE)

    def write_program(self, path: str, text: str) -> None:
        """Write a program that every user may read."""
        self._container.push(path, text, make_dirs=True, permissions=0o644)

    def own_directory(self, path: str, user: str, group: str) -> None:
        """Make a directory that belongs to the service's user, if it is not there."""
        try:
            self._container.make_dir(path, make_parents=True, permissions=0o750, user=user or None, group=group or None)
        except pebble.PathError:
            self._container.make_dir(path, make_parents=True, permissions=0o750)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        self._container.remove_path(path, recursive=True)

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return self._container.exists(path)

    def add_layer(
        self,
        label: str,
        services: Mapping[str, Service],
        checks: Mapping[str, Mapping[str, object]],
        targets: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        """Add a layer or merge it into the one of that label; what runs is not touched. The rest counts at once."""
        layer: dict[str, object] = {"summary": "Django, as its charm runs it"}
        if services:
            layer["services"] = services
        if checks:
            layer["checks"] = checks
        if targets:
            layer["log-targets"] = targets
        # JSON is YAML, and writing it needs no YAML library in pure Python.
        self._container.pebble.add_layer(label, json.dumps(layer), combine=True)

    def start(self, services: Sequence[str], *, settle: bool = False) -> pebble.ChangeID:
        """Start services; running ones adopt the definition in the plan and run on.

        With `settle` wait until they have run for a second, and raise `ops.pebble.ChangeError` when one has not.
        """
        return self._container.pebble.start_services(list(services), timeout=30 if settle else 0)

    def finished(self, change: pebble.ChangeID) -> bool:
        """Whether Pebble has done all that a change asked for."""
        return self._container.pebble.get_change(change).ready

    def stop(self, services: Sequence[str]) -> None:
        """Stop services and wait until they have ended."""
        self._container.pebble.stop_services(list(services), timeout=LONGEST_STOP)

    def hang_up(self, service: str) -> None:
        """Send SIGHUP."""
        self._container.send_signal("SIGHUP", service)

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: str | None = None,
        user: str = "",
        directory: str = "",
        environment: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run a command to its end, in at most `timeout` seconds."""
        process = self._container.exec(
            list(command),
            stdin=stdin,
            user=user or None,
            working_dir=directory or None,
            environment=dict(environment) if environment else None,
            timeout=timeout,
        )
        try:
            output, error = process.wait_output()
        except pebble.ExecError as error:  # pyright: ignore[reportUnknownVariableType]  generic only in name
            failure = cast("pebble.ExecError[str]", error)
            return Result(failure.exit_code, str(failure.stdout or ""), str(failure.stderr or ""))
        return Result(0, str(output or ""), str(error or ""))

    def logs(self, service: str, since: str = "") -> list[str]:
        """Return the last lines that a service wrote, at or after `since` (UTC, as Pebble writes it).

        ops has no call for it. Logs only make a status say more, so no answer means no lines.
        """
        connection = UnixConnection(self._container.pebble.socket_path)
        try:
            connection.request("GET", f"/v1/logs?services={service}&n=100")
            response = connection.getresponse()
            if response.status != 200:
                return []
            entries = [json.loads(line) for line in response.read().splitlines() if line.strip()]
        except (OSError, ValueError, http.client.HTTPException):
            return []
        finally:
            connection.close()
        return [str(entry["message"]) for entry in entries if str(entry["time"]) >= since]


def _text(value: object) -> str:
    """Pebble's client gives an enumeration's member, or a plain text for a value that it does not know."""
    return str(getattr(value, "value", value))
