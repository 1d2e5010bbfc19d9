"""From the world to facts: hook tools, the charm's own files, the container. Few calls, for each costs a process."""

import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import ops
from ops import pebble

from nuages.charm import gunicorn, hook_tools, inside, interfaces, migrations, secret_key
from nuages.charm.adoption import heritage
from nuages.charm.converge import CHECK, WEB
from nuages.charm.facts import (
    NOTHING_ADDED,
    Added,
    Bag,
    Content,
    Endpoint,
    Facts,
    Option,
    Outcome,
    Peer,
    Relation,
    SecretKey,
    Service,
    Survey,
    Value,
    Workload,
    repairs,
)
from nuages.charm.observability import files
from nuages.charm.texts import last_line
from nuages.charm.workload import Container
from nuages.contract import bases, endpoints, layout

STATE = layout.STATE_DIRECTORY + "/workload.json"
"""What was found out about the container when it was new. It is lost with the container, as it should be."""

FORGETFUL = ("install", "start", "upgrade_charm", "leader_elected")
"""Events at which no memory of earlier ones counts."""

PROXIES = {"http": "JUJU_CHARM_HTTP_PROXY", "https": "JUJU_CHARM_HTTPS_PROXY", "no": "JUJU_CHARM_NO_PROXY"}


def base_of(charm: ops.CharmBase) -> bases.Base:
    """Return the base that the charm's containers belong to.

    Raises:
        RuntimeError: when the charm has no container of the contract.
    """
    for name in charm.meta.containers:
        if name in bases.BY_CONTAINER:
            return bases.BY_CONTAINER[name]
    known = " or ".join(bases.BY_CONTAINER)
    raise RuntimeError(f"cannot run this charm: its metadata has no container named {known}; pack it with nuages pack")


def gather(
    charm: ops.CharmBase,
    event: str,
    key: SecretKey | None = None,
    related: frozenset[str] | None = None,
    added: Added = NOTHING_ADDED,
) -> Facts:
    """Return what can be known now.

    Args:
        charm: the charm.
        event: what happens.
        key: the secret key, when this hook has changed it already.
        related: endpoints that had a relation at the last event, `Facts.related`; None when that is not known.
        added: what src/charm.py adds.
    """
    base = base_of(charm)
    model, unit = charm.model, charm.unit
    leader = unit.is_leader()
    options = _options(charm)
    config: dict[str, Value] = dict(charm.config)
    asked = _asked(charm, event, related, added)
    facts = Facts(
        event=event,
        app=charm.app.name,
        unit=unit.name,
        model=model.name,
        leader=leader,
        container=base.container,
        peer_endpoint=base.peer,
        model_uuid=model.uuid,
        charm=charm.meta.name,
        options=options,
        config=config,
        option_secrets={
            option.name: _secret(model, str(config[option.name]), absent={})
            for option in options
            if option.type == "secret" and option.name in config
        },
        endpoints=tuple(
            Endpoint(name, str(meta.interface_name), not (meta.optional or _contributed(name, meta)))
            for name, meta in charm.meta.requires.items()
        ),
        related=(related or frozenset()).difference(asked) | {name for name in asked if charm.model.relations[name]},
        relations=tuple(_relations(charm, asked, added)),
        added=added,
        peer=_peer(model, base.peer, leader),
        proxies={name: os.environ.get(variable, "") for name, variable in PROXIES.items()},
        paas=files.paas(Path(charm.charm_dir)),
        forwards_logs=model.juju_version.supports_pebble_log_forwarding,
    )
    facts = replace(
        facts,
        key=key or _key(charm, facts),
        workload=_workload(Container(unit.get_container(base.container)), base.layout),
    )
    if facts.repairs:
        custom = files.custom(Path(charm.charm_dir))
        facts = replace(facts, address=_address(charm, facts), fqdn=socket.getfqdn(), custom=custom)
    return facts


def _options(charm: ops.CharmBase) -> tuple[Option, ...]:
    """Read config.yaml itself: ops does not know `optional`."""
    try:
        text = (Path(charm.charm_dir) / "config.yaml").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    if text.startswith("{"):
        data: object = json.loads(text)
    else:
        import yaml

        data = yaml.safe_load(text)
    options: object = cast("dict[str, Any]", data or {}).get("options") or {}
    return tuple(
        Option(name, str(option.get("type", "string")), option.get("optional") is False)
        for name, option in cast("dict[str, dict[str, Any]]", options).items()
    )


def _contributed(name: str, meta: ops.RelationMeta) -> bool:
    known = endpoints.BY_NAME.get(str(meta.interface_name))
    return known is not None and known.contributed and known.endpoint == name


def _secret(model: ops.Model, uri: str, absent: Content | None = None) -> Content | None:
    """Return the newest content of a secret of somebody else; None when it cannot be read, `absent` without any."""
    try:
        return hook_tools.newest_content(model, uri)
    except ops.SecretNotFoundError:
        return absent
    except ops.ModelError:
        return None


def _asked(charm: ops.CharmBase, event: str, related: frozenset[str] | None, added: Added) -> list[str]:
    """Return the endpoints whose relations have to be asked for: each costs a call, related or not.

    A relation comes with its own event, so that what was related at the last event is enough, but for events at which
    nothing is taken for granted.
    """
    found: list[str] = []
    for name, meta in (*charm.meta.requires.items(), *charm.meta.provides.items()):
        interface = str(meta.interface_name)
        own = event.startswith(name.replace("-", "_") + "_relation_")
        needed = not (meta.optional or _contributed(name, meta))
        if meta.role is ops.RelationRole.provides:
            # It gives the application nothing: all that can be missing is what we publish.
            if not _speaks(meta, added) or not (own or repairs(event)):
                continue
            needed = False
        elif not (needed or _speaks(meta, added)):
            continue
        elif interface in endpoints.BY_NAME and endpoints.BY_NAME[interface].database:
            needed = True  # without one the services are stopped, so that no memory is good enough
        if needed or related is None or name in related or own or event in FORGETFUL:
            found.append(name)
    return found


def _speaks(meta: ops.RelationMeta, added: Added) -> bool:
    """Whether an interface is known, and this side of it."""
    name, provides = str(meta.interface_name), meta.role is ops.RelationRole.provides
    known = endpoints.BY_NAME.get(name)
    if known is not None and name not in added.interfaces:
        return provides == (known.role == "provides")
    return name in added.interfaces and not provides


def _relations(charm: ops.CharmBase, asked: Iterable[str], added: Added) -> list[Relation]:
    found: list[Relation] = []
    for endpoint in asked:
        meta = charm.meta.relations[endpoint]
        name = str(meta.interface_name)
        for relation in charm.model.relations[endpoint]:
            if not relation.active:
                continue
            bag: Bag = {}
            units: dict[str, Bag] = {}
            contents: dict[str, Content | None] = {}
            interface = (added.interfaces.get(name) or interfaces.BY_NAME.get(name)) if _speaks(meta, added) else None
            if interface is not None:
                bag = dict(relation.data[relation.app])
                if interface.reads_units(bag):
                    units = {unit.name: dict(relation.data[unit]) for unit in relation.units}
                contents = {uri: _secret(charm.model, uri) for uri in interface.secrets(bag)}
            other, ours = relation.app.name, charm.app.name
            found.append(Relation(endpoint, name, relation.id, other, bag, units, contents, ours))
    return found


def _peer(model: ops.Model, endpoint: str, leader: bool) -> Peer | None:
    relation = model.get_relation(endpoint)
    if relation is None:
        return None
    bag = dict(relation.data[model.app])
    reads = leader or secret_key.ID not in bag  # without our leader units have to see for themselves who has migrated
    holder = migrations.parse_board(bag.get(migrations.KEY, "")).holder
    units: Mapping[str, Bag] = {
        unit.name: dict(relation.data[unit]) if reads or unit.name == holder else {}
        for unit in sorted(relation.units, key=lambda unit: unit.name)
    }
    return Peer(relation.id, bag, units)


def _key(charm: ops.CharmBase, facts: Facts) -> SecretKey:
    """Find the application's secret: by the URI that the peer relation names, else by its label.

    A unit of the application always reads the newest content of such a secret.
    """
    if facts.peer is None:
        return SecretKey()
    uri = facts.peer.bag.get(secret_key.ID, "")
    try:
        if uri:
            return SecretKey(charm.model.get_secret(id=uri).get_content(), uri)
        secret = charm.model.get_secret(label=secret_key.LABEL)
        return SecretKey(secret.get_content(), secret.id or (secret.get_info().id if facts.leader else ""))
    except (ops.SecretNotFoundError, ops.ModelError):
        pass  # not made yet, or not readable yet; the leader makes it
    return SecretKey(fresh=new_key() if facts.leader else "")


def new_key() -> str:
    """Return a new secret key."""
    import secrets  # only here: it is slow to import and needed once in an application's life

    return secrets.token_urlsafe(64)


def _address(charm: ops.CharmBase, facts: Facts) -> str:
    """Return the unit's address as a relation that publishes it has it; a pod has one for all."""
    names = (endpoints.INGRESS.name, endpoints.METRICS.name)
    endpoint = next((relation.endpoint for relation in facts.relations if relation.interface in names), "")
    return hook_tools.bind_address(charm.model, endpoint) if endpoint else ""


def _workload(container: Container, places: layout.Layout) -> Workload | str | None:
    try:
        return _reachable(container, places)
    except (pebble.ConnectionError, pebble.TimeoutError):
        return None


def _reachable(container: Container, places: layout.Layout) -> Workload | str:
    paths = (STATE, gunicorn.APPLIED, migrations.OUTCOME)
    seen = container.glance(CHECK, paths)
    if not (seen.files[STATE] or "").startswith("{"):
        reason = _survey(container, places, seen.plan.get("services", {}))
        if reason:
            return reason
        seen = container.glance(CHECK, paths)
    known: dict[str, Any] = json.loads(seen.files[STATE] or "")
    survey = cast("dict[str, Any]", known["survey"])
    services = seen.plan.get("services", {})
    return Workload(
        original=cast("dict[str, Service]", known["services"]),
        survey=Survey(
            release=str(survey["release"]),
            version=str(survey["version"]),
            environment=cast("dict[str, str]", survey["environment"]),
            files=tuple(survey["files"]),
            modules=tuple(survey["modules"]),
        ),
        services=services,
        checks=seen.plan.get("checks", {}),
        states=seen.states,
        targets=seen.plan.get("log-targets", {}),
        answering=seen.answering,
        gunicorn=seen.files[gunicorn.APPLIED],
        outcome=_outcome(seen.files[migrations.OUTCOME]) if migrations.SERVICE in services else None,
        migrated=known.get("migrated") is True,
    )


def _survey(container: Container, places: layout.Layout, services: Mapping[str, Service]) -> str:
    """Look at a new container once, and keep what is found in it. Returns why it cannot be used, "" if it can."""
    if WEB not in services:
        return f"it has no service named {WEB}"
    program = inside.text("survey")
    arguments = (places.app, layout.ROCK_METADATA)
    try:
        result = container.run((layout.PYTHON, "-", *arguments), stdin=program, directory="/")
    except pebble.APIError as error:
        return f"{layout.PYTHON} does not start: {error.message}"
    if result.code != 0:
        return f"{layout.PYTHON} failed: {last_line(result.error)}"
    found = json.loads(result.output)
    taken = heritage(container, services)
    text = json.dumps({"services": taken.services, "survey": found, "migrated": taken.migrated})
    from nuages.charm.plan import File

    service = services[WEB]
    user, group = str(service.get("user") or ""), str(service.get("group") or service.get("user") or "")
    for directory in (gunicorn.RUN_DIRECTORY, layout.HOME_DIRECTORY):
        container.own_directory(directory, user, group)
    container.write(File(STATE, text))
    return ""


def _outcome(text: str | None) -> Outcome | None:
    if text is None:
        return None
    data: dict[str, Any] = json.loads(text)
    return Outcome(
        str(data["release"]),
        str(data["database"]),
        str(data["attempt"]),
        int(data["code"]),
        last_line(str(data["error"])),
    )
