"""From a plan to the world: step by step, until one fails."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import NamedTuple

import ops
from ops import pebble

from nuages.charm import gunicorn, inside, migrations, probe, secret_key, statuses
from nuages.charm.facts import SecretKey
from nuages.charm.plan import (
    Ask,
    BagWrite,
    Layer,
    Load,
    Migrate,
    Plan,
    Reload,
    Restart,
    SecretWrite,
    Start,
    Step,
    Stop,
    Write,
)
from nuages.charm.statuses import Status
from nuages.charm.texts import last_error, last_line, pebble_reason
from nuages.charm.variables import mask
from nuages.charm.workload import Container
from nuages.contract import layout

logger = logging.getLogger(__name__)

FRESH = 90.0
"""Seconds that the application has to boot."""
STEADY = 10.0
"""Seconds to answer for one that runs already; Pebble may be bringing it back meanwhile."""
MIGRATION = 240.0
"""Seconds that a hook waits for migrations. They go on afterwards, and send a notice when they have ended."""
PAUSE = 0.05


class Outcome(NamedTuple):
    """What came of a plan."""

    status: Status | None
    again: bool = False
    """Whether another round has something to do: a migration has ended, or a rotation of the secret key goes on."""
    key: SecretKey | None = None
    """The secret key's new content, when the plan wrote one."""


class Failed(Exception):
    """A step failed, or has to be waited for: the plan ends with this status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


def apply(plan: Plan, charm: ops.CharmBase, container: Container, busy: Callable[[Status], None]) -> Outcome:
    """Carry out a plan. `busy` shows a status while something takes long."""
    key = write_secret(plan.secret, charm) if plan.secret else None
    for write in plan.bags:
        _write_bag(write, charm)
    if plan.ports is not None:
        charm.unit.set_ports(*plan.ports)
    if plan.version:
        charm.unit.set_workload_version(plan.version)
    try:
        again = [_step(step, container, plan, busy) for step in plan.steps]
    except Failed as failure:
        return Outcome(_masked(failure.status, plan.secrets), key=key)
    except pebble.ConnectionError:
        return Outcome(statuses.WAITING_PEBBLE(container=container.name), key=key)
    except pebble.Error as error:
        return Outcome(_masked(statuses.PEBBLE_FAILED(error=pebble_reason(error)), plan.secrets), key=key)
    more = any(again) or plan.secret is not None or (plan.rotating and len(plan.steps) > 0)
    return Outcome(_masked(plan.status, plan.secrets), more, key)


def _masked(status: Status | None, secrets: tuple[str, ...]) -> Status | None:
    return None if status is None else Status(status.level, mask(status.message, secrets))


def write_secret(write: SecretWrite, charm: ops.CharmBase) -> SecretKey:
    """Make or change the application's secret, and tell the other units through the peer relation."""
    content = dict(write.content)
    if write.id:
        uri = write.id
        charm.model.get_secret(id=uri).set_content(content)
    else:
        secret = charm.app.add_secret(content, label=secret_key.LABEL)
        uri = secret.id or secret.get_info().id
    bag = {secret_key.ID: uri, secret_key.STATE: write.state}
    _write_bag(BagWrite(write.endpoint, write.relation, "app", bag), charm)
    return SecretKey(content, uri)


def _write_bag(write: BagWrite, charm: ops.CharmBase) -> None:
    relation = charm.model.get_relation(write.endpoint, write.relation)
    if relation is not None:
        bag = relation.data[charm.app if write.scope == "app" else charm.unit]
        bag.update({key: value for key, value in write.data.items() if not (write.once and bag.get(key))})


def _step(step: Step, container: Container, plan: Plan, busy: Callable[[Status], None]) -> bool:
    """Carry out one step; return whether it calls for another round by itself."""
    if isinstance(step, Layer):
        if step.services or step.checks:
            container.add_layer(step.label, step.services, step.checks)
    elif isinstance(step, Write):
        container.write(step.file)
    elif isinstance(step, Stop):
        container.stop(step.services)
    elif isinstance(step, Start):
        container.start(step.services)
    elif isinstance(step, Restart):
        for service in step.services:
            _restart(service, container)
    elif isinstance(step, Migrate):
        _migrate(step, container, busy)
        return True
    elif isinstance(step, Load):
        _load(step, container)
    elif isinstance(step, Reload):
        _reload(step, container, plan)
    else:
        if step.fresh:
            busy(statuses.STARTING())
        _ask(step, container)
    return False


def _restart(service: str, container: Container) -> None:
    try:
        container.restart(service)
    except pebble.ChangeError as error:
        if service != layout.WEB_SERVICE:  # the web service is asked afterwards, which finds out more
            reason = last_error(container.logs(service)) or pebble_reason(error)
            raise Failed(statuses.SERVICE_FAILED(service=service, error=reason)) from error


def _migrate(step: Migrate, container: Container, busy: Callable[[Status], None]) -> None:
    """Start the migrations, unless they run already, and wait."""
    busy(statuses.MIGRATING())
    change: pebble.ChangeID | None = None
    if container.states().get(step.service) != "active":
        logger.info("migrating the database: %s", str(step.definition["command"]).partition(" -- ")[2])
        container.remove(migrations.OUTCOME)
        container.write_program(migrations.PROGRAM, inside.text("migrate"))
        container.add_layer("charm-migrate", {step.service: step.definition}, {})
        change = container.start((step.service,))
    end = time.monotonic() + MIGRATION
    while not container.exists(migrations.OUTCOME) and not _ended(step.service, change, container):
        if time.monotonic() > end:
            raise Failed(statuses.MIGRATING())
        time.sleep(PAUSE)
    if not container.exists(migrations.OUTCOME):
        lines = container.logs(step.service)
        reason = last_error(lines) or (lines[-1] if lines else "it ended without a result")
        raise Failed(statuses.MIGRATION_FAILED(error=reason))


def _ended(service: str, change: pebble.ChangeID | None, container: Container) -> bool:
    """Whether a one-shot service has ended; the change tells one that has not begun yet from one that has ended."""
    return (change is None or container.finished(change)) and container.states().get(service) != "active"


def _load(step: Load, container: Container) -> None:
    """Try the application with a configuration before it counts: a bad one would end gunicorn's master."""
    container.write(step.file)
    result = container.run(
        (layout.PYTHON, "-", step.file.path, step.directory, step.application),
        stdin=inside.text("load"),
        user=step.user,
        directory=step.directory,
    )
    if result.code != 0:
        container.remove(step.file.path)
        raise Failed(statuses.REFUSED(error=last_line(result.error) or f"exit code {result.code}"))


def _reload(step: Reload, container: Container, plan: Plan) -> None:
    """Put a configuration into force without a restart, or put the old one back."""
    for path in gunicorn.markers(step.file.text):
        container.remove(path)
    container.write(step.file)
    container.remove(gunicorn.CANDIDATE)
    if step.layer.services:
        container.add_layer(step.layer.label, step.layer.services, {})
    container.start((step.service,))  # Pebble adopts the new definition, so that a crash does not bring the old one
    since = _now()
    container.hang_up(step.service)
    try:
        _await_marker(step, container, since)
        for path in gunicorn.markers(step.previous.text):
            container.remove(path)
        _ask(Ask(step.service, step.host, layout.WEB_PORT, fresh=True), container, since)
    except Failed as failure:
        container.write(step.previous)
        container.start((step.service,))
        if container.states().get(step.service) == "active":
            container.hang_up(step.service)
        reason = mask(failure.status.message, plan.secrets)
        raise Failed(statuses.REFUSED(error=reason.partition(": ")[2] or reason)) from failure


def _await_marker(step: Reload, container: Container, since: str) -> None:
    """Wait until all workers have loaded the application with the new configuration.

    The old workers answer for a moment after the signal, so an answer alone would prove nothing. And a worker that is
    not up yet can miss the signal of the next change, so one worker is not enough either.
    """
    end = time.monotonic() + FRESH
    while not container.exists(step.marker):
        if gone := _gone(step.service, container, since):
            raise Failed(statuses.CRASHED(error=gone))
        if time.monotonic() > end:
            raise Failed(statuses.NOT_ANSWERING(reason="not all workers have loaded the application"))
        time.sleep(PAUSE)


def _ask(step: Ask, container: Container, since: str = "") -> None:
    """Ask the web service; a crash is told with the end of the application's own traceback."""
    since = since or (_now() if step.fresh else "")
    try:
        probe.ask(step.host, step.port, FRESH if step.fresh else STEADY, lambda: _gone(step.service, container, since))
    except probe.NoAnswer as error:
        if reason := _gone(step.service, container, since):
            raise Failed(statuses.CRASHED(error=reason)) from error
        raise Failed(statuses.NOT_ANSWERING(reason=error)) from error


def _gone(service: str, container: Container, since: str) -> str:
    """Return why a service does not run: the end of its own last traceback; "" while there is hope."""
    state = container.states().get(service)
    if state in ("active", "inactive"):  # inactive: Pebble has not got to it yet
        return ""
    lines = container.logs(service, since)
    if reason := last_error(lines):
        return reason
    # Without a traceback it was killed, and Pebble brings it back in a moment.
    return "" if state == "backoff" and since == "" else (lines[-1].strip() if lines else f"its service is {state}")


def _now() -> str:
    """Return the time as Pebble writes it into logs."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
