"""From a plan to the world: step by step, until one fails."""

import logging
import time
from collections.abc import Callable

import ops
from ops import pebble

from nuages.charm import gunicorn, inside, migrations, secret_key, statuses, watch
from nuages.charm.facts import SecretKey
from nuages.charm.plan import (
    Ask,
    BagWrite,
    Consult,
    File,
    Layer,
    Load,
    Look,
    Migrate,
    Plan,
    Reload,
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
from nuages.contract.row import NamedTuple

logger = logging.getLogger(__name__)

MIGRATION = 60.0
"""Seconds that a hook waits for migrations. They go on afterwards, and send a notice when they have ended."""
PAUSE = 0.05


class Outcome(NamedTuple):
    """What came of a plan."""

    status: Status | None
    again: bool = False
    """Whether another round has something to do: a migration has ended, or a rotation of the secret key goes on."""
    key: SecretKey | None = None
    """The secret key's new content, when the plan wrote one."""


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
    except watch.Failed as failure:
        return Outcome(_masked(failure.status, plan.secrets), key=key)
    except pebble.TimeoutError:
        return Outcome(statuses.SLOW_STOP(), key=key)
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
        if step.services or step.checks or step.targets:
            container.add_layer(step.label, step.services, step.checks, step.targets)
    elif isinstance(step, Write):
        container.write(step.file)
    elif isinstance(step, Stop):
        container.stop(step.services)
    elif isinstance(step, Start):
        _start(step, container)
    elif isinstance(step, Look):
        watch.look(step.services, container)
    elif isinstance(step, Migrate):
        _migrate(step, container, busy)
        return True
    elif isinstance(step, Load):
        _load(step, container)
    elif isinstance(step, Reload):
        _reload(step, container, plan)
    elif isinstance(step, Consult):
        watch.consult(step, container)
    else:
        if step.fresh:
            busy(statuses.STARTING())
        watch.ask(step, container)
    return False


def _start(step: Start, container: Container) -> None:
    since = watch.now()
    try:
        container.start(step.services, settle=step.settle)
    except pebble.ChangeError as error:
        watch.look(step.services, container, since)
        raise watch.Failed(statuses.PEBBLE_FAILED(error=pebble_reason(error))) from error


def _migrate(step: Migrate, container: Container, busy: Callable[[Status], None]) -> None:
    """Start the migrations and wait for them a while; those that an earlier hook started are left to themselves."""
    if container.states().get(step.service) == "active":
        raise watch.Failed(_migrating(container))
    shown = statuses.MIGRATING(what=migrations.DATABASE)
    busy(shown)
    logger.info("migrating the database: %s", str(step.definition["command"]).partition(" -- ")[2])
    for path in (migrations.OUTCOME, migrations.PROGRESS):
        container.remove(path)
    container.write_program(migrations.PROGRAM, inside.text("migrate"))
    container.add_layer("charm-migrate", {step.service: step.definition}, {})
    change = container.start((step.service,))
    end = time.monotonic() + MIGRATION
    while not container.exists(migrations.OUTCOME) and not _ended(step.service, change, container):
        if (now := _migrating(container)) != shown:
            shown = now
            busy(now)
        if time.monotonic() > end:
            raise watch.Failed(now)
        time.sleep(PAUSE)
    if not container.exists(migrations.OUTCOME):
        lines = container.logs(step.service)
        reason = last_error(lines) or (lines[-1] if lines else "it ended without a result")
        raise watch.Failed(statuses.MIGRATION_FAILED(error=reason))


def _migrating(container: Container) -> Status:
    return statuses.MIGRATING(what=migrations.progress(container.read(migrations.PROGRESS), time.time()))


def _ended(service: str, change: pebble.ChangeID, container: Container) -> bool:
    """Whether a one-shot service has ended; the change tells one that has not begun yet from one that has ended."""
    return container.finished(change) and container.states().get(service) != "active"


def _load(step: Load, container: Container) -> None:
    """Try the application with a configuration before it counts: a bad one would end gunicorn's master."""
    container.write(step.file)
    result = container.run(
        (layout.PYTHON, "-", step.file.path, step.directory, step.application),
        stdin=inside.text("load"),
        user=step.user,
        directory=step.directory,
    )
    container.remove(step.file.path)
    if result.code != 0:
        raise watch.Failed(statuses.REFUSED(error=last_line(result.error) or f"exit code {result.code}"))


def _reload(step: Reload, container: Container, plan: Plan) -> None:
    """Put a configuration into force without a restart, or put the old one back."""
    for path in gunicorn.markers(step.file.text):
        container.remove(path)
    since = _adopt(step.service, step.file, step.layer, container)
    question = Ask(step.service, step.question, fresh=True)
    try:
        _await_marker(step, container, since)
        watch.ask(question, container, since)
        if step.strict:
            watch.consult(Consult(step.service, step.question), container)
    except watch.Failed as failure:
        since = _adopt(step.service, step.previous, step.previous_layer, container)
        watch.ask(question, container, since)
        reason = mask(failure.status.message, plan.secrets)
        raise watch.Failed(statuses.REFUSED(error=reason.partition(": ")[2] or reason)) from failure
    container.write(File(gunicorn.APPLIED, step.file.text))
    for path in gunicorn.markers(step.previous.text):
        container.remove(path)


def _adopt(service: str, file: File, layer: Layer, container: Container) -> str:
    """Write a configuration and make the web service use it; return when, as Pebble writes times."""
    since = watch.now()
    container.write(file)
    if layer.services:
        container.add_layer(layer.label, layer.services, {})
    running = container.states().get(service) == "active"
    container.start((service,))  # one that runs adopts its new definition, so that a crash does not bring the old one
    if running:
        container.hang_up(service)
    return since


def _await_marker(step: Reload, container: Container, since: str) -> None:
    """Wait until all workers have loaded the application with the new configuration.

    The old workers answer for a moment after the signal, so an answer alone would prove nothing. And a worker that is
    not up yet can miss the signal of the next change, so one worker is not enough either.
    """
    end = time.monotonic() + watch.FRESH
    while not container.exists(step.marker):
        if gone := watch.gone(step.service, container, since, fresh=True):
            raise watch.Failed(statuses.CRASHED(error=gone))
        if time.monotonic() > end:
            raise watch.Failed(statuses.NOT_ANSWERING(reason="not all workers have loaded the application"))
        time.sleep(PAUSE)
