"""From the container as it is to the container as it shall be: the steps in between."""

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
    """Return what brings the services to their target: the web service first, then the others."""
    wanted = target.services
    changed = [name for name in wanted if not services.same(workload.services.get(name), wanted[name])]
    others = [name for name in wanted if name != WEB]
    layer = Layer(LABEL, {name: wanted[name] for name in changed})
    steps: list[Step] = []
    group = str(wanted[WEB].get("group") or wanted[WEB].get("user") or "")
    file = File(layout.GUNICORN_CONFIG, target.config.text, group)
    new_file = workload.gunicorn != file.text
    alive = workload.states.get(WEB) == "active"
    ask = Ask(WEB, target.host, layout.WEB_PORT, fresh=False)
    if alive and not services.needs_restart(workload.services.get(WEB), wanted[WEB]) and workload.gunicorn is not None:
        if new_file:
            user = str(wanted[WEB].get("user") or "")
            application = gunicorn.application(str(wanted[WEB].get("command", "")))
            candidate = file._replace(path=gunicorn.CANDIDATE)
            previous = file._replace(text=workload.gunicorn)
            steps.append(Load(candidate, layout.PYTHON, application, user, layout.APP_DIRECTORY))
            steps.append(Reload(file, previous, layer, WEB, target.config.marker, target.host))
        elif changed:
            steps.append(layer)
            if WEB in changed:
                steps.append(Start((WEB,)))
        if not new_file and not workload.answering:
            steps.append(ask)
    else:
        if new_file:
            steps.append(Write(file))
        if changed:
            steps.append(layer)
        steps.append(Restart((WEB,)) if alive else Start((WEB,)))
        steps.append(ask._replace(fresh=True))
    if workload.checks.get(CHECK, {}).get("tcp") != OPEN["tcp"]:
        steps.append(Layer(GATE, checks={CHECK: OPEN}))
    steps += _others(workload, target, [name for name in others if name in changed])
    return tuple(steps)


def _others(workload: Workload, target: Target, changed: list[str]) -> list[Step]:
    """Start, restart or stop all services but the web service."""
    definitions: dict[str, Service] = {**workload.original, **target.services}
    start: list[str] = []
    restart: list[str] = []
    halt: list[str] = []
    for name, service in definitions.items():
        if name == WEB:
            continue
        active = workload.states.get(name) in ("active", "backoff")
        if service.get("startup") == "enabled":
            if not active:
                start.append(name)
            elif name in changed:
                restart.append(name)
        elif active and services.is_scheduler(name):
            halt.append(name)
    steps: list[Step] = []
    steps += stop(workload, tuple(halt))
    if restart:
        steps.append(Restart(tuple(sorted(restart))))
    if start:
        steps.append(Start(tuple(sorted(start))))
    return steps


def stop(workload: Workload, names: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the step that stops those of the services that run."""
    running = tuple(sorted(name for name in names if workload.states.get(name) in ("active", "backoff")))
    return (Stop(running),) if running else ()
