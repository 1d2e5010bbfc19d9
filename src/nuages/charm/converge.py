"""From the container as it is to the container as it shall be: the steps in between."""

from collections.abc import Mapping
from typing import NamedTuple

from nuages.charm import gunicorn, migrations, secret_key, services, statuses
from nuages.charm.facts import Facts, Peer, Service, Workload
from nuages.charm.plan import (
    Ask,
    BagWrite,
    File,
    Layer,
    Load,
    Migrate,
    Reload,
    Restart,
    SecretWrite,
    Start,
    Step,
    Stop,
    Write,
)
from nuages.charm.statuses import Status
from nuages.contract import layout

WEB = layout.WEB_SERVICE
LABEL = "charm"
"""Label of the layer with the services, the same that paas-charm uses."""
GATE = "charm-ready"
"""Label of the layer with the check."""
CHECK = "ready"

_CHECK: dict[str, object] = {"override": "replace", "level": "ready", "threshold": 1, "period": "2s", "timeout": "2s"}
# A pod must not be called ready while its application still has to prove itself, or a rolling upgrade would go on to
# the next pod. gunicorn's master listens before a worker has loaded the application, and in a crash loop it listens
# again and again; so a connection proves nothing at first. Until the charm has got an answer to a request, the check
# connects to a port where nobody listens. After that the connection is a good and nearly free sign of life: the
# master ends when its workers cannot boot, and a request now and then would fill the log and bother the application.
CLOSED: dict[str, object] = {**_CHECK, "tcp": {"host": "127.0.0.1", "port": 1}}
OPEN: dict[str, object] = {**_CHECK, "tcp": {"host": "127.0.0.1", "port": layout.WEB_PORT}}


UP = ("active", "backoff")
"""States of a service that runs, or that Pebble is about to bring back."""


class Target(NamedTuple):
    """The container as it shall be."""

    environment: dict[str, str]
    """Of the web service, without what only gunicorn itself needs."""
    services: dict[str, Service]
    config: gunicorn.Config
    host: str
    wish: migrations.Wish
    migrate: tuple[str, ...]


class Work(NamedTuple):
    """What is to be done in the container, and what the unit then says."""

    status: Status
    steps: tuple[Step, ...] = ()
    bags: tuple[BagWrite, ...] = ()
    secret: SecretWrite | None = None


def converge(facts: Facts, peer: Peer, workload: Workload, target: Target, gate: tuple[Step, ...]) -> Work:
    """Return the work that is left: migrations first, then the services."""
    bags: tuple[BagWrite, ...] = ()
    if target.migrate:
        attempt = migrations.attempt_of(target.migrate, target.environment)
        ticket = migrations.decide(facts, peer, target.wish, workload.outcome, attempt)
        if ticket.board is not None:
            bags += (BagWrite(facts.peer_endpoint, peer.id, "app", {migrations.KEY: ticket.board}),)
        if ticket.unit is not None:
            bags += (BagWrite(facts.peer_endpoint, peer.id, "unit", {migrations.KEY: ticket.unit}),)
        if ticket.action == "run":
            web = workload.original[WEB]
            definition = migrations.service(target.migrate, target.wish, attempt, web, target.environment)
            run = Migrate(migrations.SERVICE, definition, *target.wish, attempt)
            return Work(statuses.MIGRATING(), (*gate, run), bags)
        if ticket.action == "failed" and workload.outcome is not None:
            return Work(statuses.MIGRATION_FAILED(error=workload.outcome.error), gate, bags)
        if ticket.action == "wait":
            elsewhere = statuses.MIGRATION_ELSEWHERE(unit=ticket.holder)
            return Work(elsewhere if ticket.holder else statuses.MIGRATION_TICKET(), gate, bags)
    steps = _steps(workload, target)
    secret: SecretWrite | None = None
    if all(isinstance(step, Ask) for step in steps):
        more, secret = secret_key.acknowledge(facts)
        bags += more
    return Work(statuses.ACTIVE(), gate + steps, bags, secret)


def _steps(workload: Workload, target: Target) -> tuple[Step, ...]:
    """Return what brings the services to their target.

    First those that are not the application's, because the web service sends its metrics to one of them; then the web
    service, and when it answers the check and the others.
    """
    wanted = target.services
    changed = [name for name in wanted if not services.same(workload.services.get(name), wanted[name])]
    steps: list[Step] = []
    if helpers := _to_start(workload, {name: each for name, each in workload.original.items() if name not in wanted}):
        steps.append(Start(helpers))
    steps += _web(workload, target, changed)
    if workload.checks.get(CHECK, {}).get("tcp") != OPEN["tcp"]:
        steps.append(Layer(GATE, checks={CHECK: OPEN}))
    steps += _others(workload, wanted, changed)
    return tuple(steps)


def _web(workload: Workload, target: Target, changed: list[str]) -> list[Step]:
    wanted = target.services[WEB]
    layer = Layer(LABEL, {name: target.services[name] for name in changed})
    user = str(wanted.get("user") or "")
    file = File(layout.GUNICORN_CONFIG, target.config.text, str(wanted.get("group") or user))
    new_file = workload.gunicorn != file.text
    alive = workload.states.get(WEB) == "active"
    ask = Ask(WEB, target.host, layout.WEB_PORT, fresh=False)
    steps: list[Step] = []
    if not alive or workload.gunicorn is None or services.needs_restart(workload.services.get(WEB), wanted):
        if new_file:
            steps.append(Write(file))
        if changed:
            steps.append(layer)
        steps.append(Restart((WEB,)) if alive else Start((WEB,)))
        return [*steps, ask._replace(fresh=True)]
    if new_file:
        application = gunicorn.application(str(wanted.get("command", "")))
        candidate = file._replace(path=gunicorn.CANDIDATE)
        previous = file._replace(text=workload.gunicorn)
        before = Layer(LABEL, {name: workload.services[name] for name in changed if name in workload.services})
        return [
            Load(candidate, layout.PYTHON, application, user, layout.APP_DIRECTORY),
            Reload(file, layer, previous, before, WEB, target.config.marker, target.host),
        ]
    if changed:
        steps.append(layer)
    if WEB in changed:
        steps.append(Start((WEB,)))
    return steps if workload.answering else [*steps, ask]


def _others(workload: Workload, wanted: dict[str, Service], changed: list[str]) -> list[Step]:
    """Stop, restart and start the application's services but the web service."""
    rest = {name: service for name, service in wanted.items() if name != WEB}
    halt = tuple(name for name in rest if services.is_scheduler(name) and rest[name].get("startup") != "enabled")
    running = [name for name in rest if workload.states.get(name) in UP and rest[name].get("startup") == "enabled"]
    steps: list[Step] = [*stop(workload, halt)]
    if restart := tuple(sorted(name for name in running if name in changed)):
        steps.append(Restart(restart))
    if start := _to_start(workload, rest):
        steps.append(Start(start))
    return steps


def _to_start(workload: Workload, wanted: Mapping[str, Service]) -> tuple[str, ...]:
    """Return which of the services shall run and do not."""
    return tuple(
        sorted(
            name
            for name, service in wanted.items()
            if service.get("startup") == "enabled" and workload.states.get(name) not in UP
        )
    )


def stop(workload: Workload, names: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the step that stops those of the services that run."""
    running = tuple(sorted(name for name in names if workload.states.get(name) in UP))
    return (Stop(running),) if running else ()
