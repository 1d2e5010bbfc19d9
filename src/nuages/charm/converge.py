"""From the container as it is to the container as it shall be: the steps in between."""

import shlex
from collections.abc import Mapping

from nuages.charm import adoption, gunicorn, inside, migrations, secret_key, services, statuses
from nuages.charm.facts import Facts, Peer, Service, Workload
from nuages.charm.plan import (
    Ask,
    BagWrite,
    Consult,
    File,
    Layer,
    Load,
    Look,
    Migrate,
    Question,
    Reload,
    SecretWrite,
    Start,
    Step,
    Stop,
    Write,
)
from nuages.charm.statuses import Status
from nuages.contract import layout
from nuages.contract.layout import CLASSIC, Layout
from nuages.contract.row import NamedTuple

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
# Who wants requests all the same names a health path: then a small program asks for it, as a visitor would.
CLOSED: dict[str, object] = {**_CHECK, "tcp": {"host": "127.0.0.1", "port": 1}}
OPEN: dict[str, object] = {**_CHECK, "tcp": {"host": "127.0.0.1", "port": layout.WEB_PORT}}
HEALTH = layout.STATE_DIRECTORY + "/health.py"
HEALTH_PERIOD = "10s"


UP = ("active", "backoff")
"""States of a service that runs, or that Pebble is about to bring back."""
DOWN = ("backoff", "error")
"""States of a service that has ended though it should run."""


class Target(NamedTuple):
    """The container as it shall be."""

    environment: dict[str, str]
    """Of the web service, without what only gunicorn itself needs."""
    services: dict[str, Service]
    config: gunicorn.Config
    question: Question
    healthy: bool
    """Whether the question has to be answered well, not just somehow: a health path is configured."""
    wish: migrations.Wish
    migrate: tuple[str, ...]
    layout: Layout = CLASSIC
    files: tuple[File, ...] = ()
    """What integrations bring along; each path stands in a variable and differs with the content."""


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
        outcome = workload.outcome or adoption.outcome(workload, target.environment, *target.wish)
        ticket = migrations.decide(facts, peer, target.wish, outcome, attempt)
        if ticket.board is not None:
            bags += (BagWrite(facts.peer_endpoint, peer.id, "app", {migrations.KEY: ticket.board}),)
        if ticket.unit is not None:
            bags += (BagWrite(facts.peer_endpoint, peer.id, "unit", {migrations.KEY: ticket.unit}),)
        if ticket.action == "run":
            web = workload.original[WEB]
            where = target.layout.app
            definition = migrations.service(target.migrate, target.wish, attempt, web, target.environment, where)
            run = Migrate(migrations.SERVICE, definition, *target.wish, attempt)
            return Work(statuses.MIGRATING(what=migrations.DATABASE), (*gate, *_files(workload, target), run), bags)
        if ticket.action == "failed" and workload.outcome is not None:
            return Work(statuses.MIGRATION_FAILED(error=workload.outcome.error), gate, bags)
        if ticket.action == "wait":
            elsewhere = statuses.MIGRATION_ELSEWHERE(unit=ticket.holder)
            return Work(elsewhere if ticket.holder else statuses.MIGRATION_TICKET(), gate, bags)
    steps = _steps(workload, target)
    secret: SecretWrite | None = None
    if all(isinstance(step, Ask | Consult | Look) for step in steps):
        more, secret = secret_key.acknowledge(facts)
        bags += more
    return Work(statuses.ACTIVE(), gate + steps, bags, secret)


def open_check(target: Target) -> dict[str, object]:
    """Return the ready check of a web service that has answered."""
    question = target.question
    if not target.healthy:
        return {**OPEN, "tcp": {"host": "127.0.0.1", "port": question.port}}
    words = (layout.PYTHON, "-I", "-S", HEALTH, str(question.port), question.host, question.protocol, question.path)
    web = target.services[WEB]
    owner = {key: web[key] for key in ("user", "group") if web.get(key)}
    program = {"command": shlex.join(words), **owner}
    return {**_CHECK, "period": HEALTH_PERIOD, "timeout": "5s", "exec": program}


def _files(workload: Workload, target: Target) -> list[Step]:
    """Return the writing of those files that the configuration in force does not name yet."""
    known = workload.gunicorn or ""
    group = _group(target.services[WEB])
    return [Write(file._replace(group=file.group or group)) for file in target.files if file.path not in known]


def _group(service: Service) -> str:
    return str(service.get("group") or service.get("user") or "")


def _steps(workload: Workload, target: Target) -> tuple[Step, ...]:
    """Return what brings the services to their target.

    First those that are not the application's, because the web service sends its metrics to one of them; then the web
    service, and when it answers the check and the others.
    """
    wanted = target.services
    steps: list[Step] = _files(workload, target)
    if helpers := _to_start(workload, {name: each for name, each in workload.original.items() if name not in wanted}):
        steps.append(Start(helpers))
    steps += _web(workload, target)
    check = open_check(target)
    now = workload.checks.get(CHECK, {})
    opened = all(now.get(kind) == check.get(kind) for kind in ("tcp", "exec"))
    if not opened:
        if target.healthy:
            steps.append(Write(File(HEALTH, inside.text("health"), _group(wanted[WEB]))))
        steps.append(Layer(GATE, checks={CHECK: check}))
    steps += _others(workload, wanted)
    if target.healthy and (steps or not workload.answering):
        steps.append(Consult(WEB, target.question))
    if crashing := tuple(sorted(name for name in wanted if name != WEB and workload.states.get(name) in DOWN)):
        steps.append(Look(crashing))
    return tuple(steps)


def _web(workload: Workload, target: Target) -> list[Step]:
    wanted, now = target.services[WEB], workload.services.get(WEB)
    changed = not services.same(now, wanted)
    layer = Layer(LABEL, {WEB: wanted} if changed else {})
    file = File(target.layout.gunicorn_config, target.config.text, _group(wanted))
    new_file = workload.gunicorn != file.text
    alive = workload.states.get(WEB) == "active"
    ask = Ask(WEB, target.question, fresh=False)
    steps: list[Step] = []
    restart = workload.gunicorn is None or services.needs_restart(now, wanted, reads_environment=False)
    if alive and new_file and not restart and gunicorn.preloads(str(wanted.get("command", "")), target.environment):
        steps.append(_load(target))
        restart = True
    if not alive or restart:
        if alive:
            steps.append(Stop((WEB,)))
        if new_file:
            steps += [Write(file), Write(File(gunicorn.APPLIED, file.text))]
        if changed:
            steps.append(layer)
        return [*steps, Start((WEB,)), ask._replace(fresh=True)]
    if new_file:
        previous = file._replace(text=workload.gunicorn or "")
        before = Layer(LABEL, {WEB: now} if changed and now is not None else {})
        strict = target.healthy and workload.answering
        return [
            _load(target),
            Reload(file, layer, previous, before, WEB, target.config.marker, target.question, strict),
        ]
    if changed:
        steps += [layer, Start((WEB,))]
    return steps if workload.answering else [*steps, ask]


def _load(target: Target) -> Load:
    wanted = target.services[WEB]
    candidate = File(target.layout.candidate, target.config.text, _group(wanted))
    application = gunicorn.application(str(wanted.get("command", "")))
    return Load(candidate, layout.PYTHON, application, str(wanted.get("user") or ""), target.layout.app)


def _others(workload: Workload, wanted: dict[str, Service]) -> list[Step]:
    """Stop, restart and start the application's services but the web service, one after the other."""
    halt = tuple(
        name for name, each in wanted.items() if services.is_scheduler(name) and each.get("startup") != "enabled"
    )
    steps: list[Step] = [*stop(workload, halt)]
    adopt: dict[str, Service] = {}
    restart: list[str] = []
    for name, service in sorted(wanted.items()):
        now = workload.services.get(name)
        if name == WEB or services.same(now, service):
            continue
        runs = workload.states.get(name) in UP and service.get("startup") == "enabled"
        if runs and services.needs_restart(now, service):
            restart.append(name)
        else:
            adopt[name] = service
    if adopt:
        steps.append(Layer(LABEL, adopt))
    for name in restart:
        steps += [Stop((name,)), Layer(LABEL, {name: wanted[name]}), Start((name,), settle=True)]
    start = _to_start(workload, {name: service for name, service in wanted.items() if name != WEB})
    if start := tuple(
        sorted({*start, *(name for name in adopt if workload.states.get(name) in UP and name not in halt)})
    ):
        steps.append(Start(start, settle=True))
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
