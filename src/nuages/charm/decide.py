"""From facts to a plan. Pure: the same facts give the same plan."""

from collections.abc import Iterator
from typing import TypeGuard, cast

from nuages.charm import (
    environment,
    gunicorn,
    interfaces,
    migrations,
    options,
    secret_key,
    services,
    statuses,
    urls,
    worker_class,
)
from nuages.charm.converge import CHECK, CLOSED, GATE, WEB, Target, Work, converge, stop
from nuages.charm.facts import Endpoint, Facts, Relation, Workload
from nuages.charm.interfaces.base import NotReady, Value
from nuages.charm.interfaces.database import Database
from nuages.charm.interfaces.ingress import Route
from nuages.charm.options import Settings
from nuages.charm.plan import BagWrite, Layer, Plan, Question, Step
from nuages.charm.statuses import Status
from nuages.charm.variables import Variable, secrets
from nuages.contract import layout
from nuages.contract.endpoints import INGRESS, INTERFACES

DATABASES = frozenset(interface.name for interface in INTERFACES if interface.database)


def decide(facts: Facts) -> Plan:
    """Return the plan for these facts."""
    if facts.event in ("stop", "remove"):
        return Plan()
    settings = options.read(facts)
    found = tuple(interfaces.integrations(facts))
    key = secret_key.decide(facts, settings.secret_key)
    variables = variables_of(facts, settings, found, key.variables)
    work = _work(facts, settings, found, key, variables)
    return Plan(
        status=work.status,
        steps=(*log_targets(facts, found), *work.steps),
        bags=(*publications(facts, found), *work.bags),
        secret=key.write or work.secret,
        ports=(facts.paas.port,) if facts.opens_ports and isinstance(facts.workload, Workload) else None,
        version=facts.workload.survey.version if is_new(facts.workload) else "",
        rotating=bool((facts.key.content or {}).get("next")),
        secrets=secrets(variables),
    )


def is_new(workload: Workload | str | None) -> TypeGuard[Workload]:
    """Whether the charm has done nothing yet to this container."""
    return isinstance(workload, Workload) and CHECK not in workload.checks


def variables_of(
    facts: Facts, settings: Settings, found: tuple[interfaces.Integration, ...], key: tuple[Variable, ...]
) -> tuple[Variable, ...]:
    """Return the application's environment as far as it can be known now."""
    provided = [variable for _, value in usable(facts, found) for variable in value.variables]
    return environment.extend(facts, environment.build(facts, settings, _ingress(found), key, provided))


def usable(facts: Facts, found: tuple[interfaces.Integration, ...]) -> Iterator[tuple[interfaces.Integration, Value]]:
    """Yield what integrations have to offer; an endpoint that is optional makes do with a part."""
    required = {endpoint.name for endpoint in facts.endpoints if endpoint.required}
    for each in found:
        if not isinstance(each.value, NotReady):
            yield each, each.value
        elif each.value.partial is not None and each.relation.endpoint not in required:
            yield each, each.value.partial


def publications(facts: Facts, found: tuple[interfaces.Integration, ...]) -> tuple[BagWrite, ...]:
    """Return what the other sides are to know.

    An integration that works is left alone but at some events, because comparing costs two calls for each bag.
    """
    writes: list[BagWrite] = []
    url = environment.base_url(facts, _ingress(found))
    for relation, interface, value in found:
        if not (isinstance(value, NotReady) or facts.repairs or (interface.follows_url and route_changes(facts))):
            continue
        publication = interface.publish(facts, relation, url)
        if publication.once and not isinstance(value, NotReady):
            continue
        if publication.app and facts.leader:
            writes.append(BagWrite(relation.endpoint, relation.id, "app", publication.app, publication.once))
        if publication.unit:
            writes.append(BagWrite(relation.endpoint, relation.id, "unit", publication.unit))
    return tuple(writes)


def route_changes(facts: Facts) -> bool:
    """Whether the public URL may be another one after this event, or the health path be proven since the last."""
    if facts.event == "update_status" and options.health_path(facts):
        return True
    routes = [endpoint.name for endpoint in facts.endpoints if endpoint.interface == INGRESS.name]
    return facts.event.startswith(tuple(f"{name.replace('-', '_')}_relation_" for name in routes))


def _ingress(found: tuple[interfaces.Integration, ...]) -> str:
    return next((each.value.url for each in found if isinstance(each.value, Route)), "")


def _work(  # noqa: PLR0911  one condition after the other is the plainest form
    facts: Facts,
    settings: Settings,
    found: tuple[interfaces.Integration, ...],
    key: secret_key.Decision,
    variables: tuple[Variable, ...],
) -> Work:
    workload = facts.workload
    gate: tuple[Step, ...] = (Layer(GATE, checks={CHECK: CLOSED}),) if is_new(workload) else ()
    if settings.problems:
        return Work(settings.problems[0], gate)
    if workload is None:
        return Work(statuses.WAITING_PEBBLE(container=facts.container))
    if isinstance(workload, str):
        return Work(statuses.ROCK_UNUSABLE(reason=workload))
    if facts.peer is None:
        return Work(statuses.WAITING_PEER(), gate)
    if key.waiting is not None:
        return Work(key.waiting, gate)
    if missing := missing_integration(facts, found):
        return Work(missing, gate + stop(workload, tuple(filter(services.is_ours, workload.services))))
    if waiting := _unready(facts, found):
        return Work(waiting, gate)
    target = _target(facts, workload, settings, found, variables)
    if isinstance(target, Status):
        return Work(target, gate)
    work = converge(facts, facts.peer, workload, target, gate)
    advice = _advice(found) if work.status.level == "active" else None
    return work._replace(status=advice) if advice is not None else work


def missing_integration(facts: Facts, found: tuple[interfaces.Integration, ...]) -> Status | None:
    """Return the status that names the first endpoint without a relation that must have one.

    Required is what has no `optional: true`; and Django needs one database, whatever the endpoints say.
    """
    related = {relation.endpoint for relation in facts.relations}
    added = {interface.name for interface in facts.added.interfaces.values() if interface.database}
    databases = [endpoint for endpoint in facts.endpoints if endpoint.interface in DATABASES | added]
    lacking = [endpoint for endpoint in facts.endpoints if endpoint.required and endpoint.name not in related]
    if not lacking and not any(endpoint.name in related for endpoint in databases):
        if not databases:
            return statuses.NO_DATABASE_ENDPOINT()
        return _missing(facts, databases[0], tuple(endpoint.name for endpoint in databases))
    return _missing(facts, lacking[0]) if lacking else None


def _missing(facts: Facts, endpoint: Endpoint, any_of: tuple[str, ...] = ()) -> Status:
    fields = {
        "app": facts.app,
        "endpoint": endpoint.name,
        "provider": interfaces.provider_of(facts, endpoint.interface),
    }
    if len(any_of) > 1:
        names = ", ".join(any_of[:-1]) + " and " + any_of[-1]
        return statuses.NO_DATABASE(endpoints=names, **fields)
    return statuses.MISSING(**fields)


def _unready(facts: Facts, found: tuple[interfaces.Integration, ...]) -> Status | None:
    """Return why a required integration, or every database there is, does not work yet."""
    required = {endpoint.name for endpoint in facts.endpoints if endpoint.required}
    if not any(isinstance(each.value, Database) for each in found):
        required |= {each.relation.endpoint for each in found if each.interface.database}
    for relation, _, value in found:
        if relation.endpoint in required and isinstance(value, NotReady):
            return _lacking(relation, value)
    return None


def _lacking(relation: Relation, lack: NotReady) -> Status:
    if lack.fix:
        return statuses.UNUSABLE(endpoint=relation.endpoint, reason=lack.reason, fix=lack.fix)
    return statuses.NOT_READY(remote=relation.app, endpoint=relation.endpoint, reason=lack.reason)


def _advice(found: tuple[interfaces.Integration, ...]) -> Status | None:
    """Return what somebody has to type before an integration works that the application can do without."""
    for relation, _, value in found:
        if isinstance(value, NotReady) and value.fix:
            return _lacking(relation, value)
    return None


def _target(
    facts: Facts,
    workload: Workload,
    settings: Settings,
    found: tuple[interfaces.Integration, ...],
    variables: tuple[Variable, ...],
) -> Target | Status:
    web = workload.original.get(WEB)
    if web is None:
        return statuses.ROCK_UNUSABLE(reason=f"it has no service named {WEB}")
    command = worker_class.command(
        str(web.get("command", "")), settings.worker_class, workload.survey.modules, facts.app
    )
    if isinstance(command, Status):
        return command
    values = {variable.name: variable.value for variable in variables}
    webserver = dict(settings.webserver)
    wanted = services.target(
        workload.original,
        values,
        command=command,
        kill_delay=gunicorn.kill_delay(webserver),
        first_unit=facts.number == 0,
    )
    whole = services.environment_of(wanted[WEB])
    whole.pop(layout.WEB_SERVER_VARIABLE)
    traced = layout.TRACING_VARIABLE in values and all(
        name in workload.survey.modules for name in layout.TRACING_MODULES
    )
    config = gunicorn.config(
        whole,
        workload.survey.environment,
        webserver,
        statsd=layout.STATSD_SERVICE in workload.original,
        port=facts.paas.port,
        tracing=traced,
        json_logs=facts.paas.json_logs,
        directory=facts.layout.app,
    )
    databases = sorted(each.value.identity for each in found if isinstance(each.value, Database))
    url = urls.parse(environment.base_url(facts, _ingress(found)))
    health = options.health_path(facts)
    host = environment.public_host(facts, _ingress(found))
    return Target(
        environment=whole,
        services=wanted,
        config=config,
        question=Question(host, facts.paas.port, health or "/", url.scheme),
        healthy=health != "",
        wish=migrations.Wish(workload.survey.release, " ".join(databases)),
        migrate=migrations.command(workload.survey.files, facts.layout),
        layout=facts.layout,
        files=tuple(file for each, value in usable(facts, found) for file in each.interface.files(value)),
    )


def log_targets(facts: Facts, found: tuple[interfaces.Integration, ...]) -> tuple[Step, ...]:
    """Return the step that brings Pebble's log targets to what integrations want; one nobody wants is silenced.

    Pebble forgets no target. Which are ours the label says that names the unit; a rock may have targets of its own.
    """
    if not isinstance(facts.workload, Workload):
        return ()
    now = facts.workload.targets
    wanted = {
        name: target for each in found for name, target in each.interface.log_targets(facts, each.relation).items()
    }
    for name, target in now.items():
        labels = target.get("labels")
        ours = isinstance(labels, dict) and cast("dict[str, object]", labels).get("juju_unit") == facts.unit
        if ours and name not in wanted:
            wanted[name] = {**target, "services": ["-all"], "location": "(removed)"}
    changed = {
        name: {**target, "override": "replace"}
        for name, target in wanted.items()
        if any(now.get(name, {}).get(key) != value for key, value in target.items() if key != "override")
    }
    return (Layer(f"{facts.container}-log-forwarding", targets=changed),) if changed else ()
