"""Plans for given facts, as golden files; and that a plan carried out leaves nothing to do."""

# Tables read best with a row in a line.

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from nuages.charm import gunicorn
from nuages.charm.decide import decide
from nuages.charm.facts import Facts, Outcome, Peer, Relation, SecretKey, Workload
from nuages.charm.plan import Layer, Load, Migrate, Plan, Reload, Start, Stop, Write
from nuages.contract import layout
from tests.charm.conftest import ROCK
from tests.charm.made import DATABASE, INGRESS, KEY, SURVEY, facts, workload

Golden = Callable[[str, str], None]


def shown(value: Any) -> Any:
    """Turn a plan into JSON that reads well."""
    if isinstance(value, Plan):
        return {name: shown(getattr(value, name)) for name in value.__dataclass_fields__ if getattr(value, name)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        fields = {name: shown(each) for name, each in value._asdict().items() if each not in ("", {}, (), None)}
        return {type(value).__name__: fields}
    if isinstance(value, Mapping):
        return {key: shown(each) for key, each in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    return value.splitlines() if isinstance(value, str) and "\n" in value else value


def carried_out(before: Facts, plan: Plan) -> Facts:
    """Return the facts that a plan leaves behind when every step works."""
    found = before.workload
    assert isinstance(found, Workload)
    services, checks, states = dict(found.services), dict(found.checks), dict(found.states)
    targets, text, outcome = dict(found.targets), found.gunicorn, found.outcome
    for step in plan.steps:
        if isinstance(step, Layer):
            services.update(step.services)
            checks.update(step.checks)
            targets.update(step.targets)
        elif isinstance(step, Write):
            text = step.file.text if step.file.path == gunicorn.APPLIED else text
        elif isinstance(step, Reload):
            text = step.file.text
            services.update(step.layer.services)
        elif isinstance(step, Start):
            states.update(dict.fromkeys(step.services, "active"))
        elif isinstance(step, Stop):
            states.update(dict.fromkeys(step.services, "inactive"))
        elif isinstance(step, Migrate):
            outcome = Outcome(step.release, step.database, step.attempt, 0, "")
    key, peer = before.key, before.peer
    if plan.secret is not None:
        key = SecretKey(plan.secret.content, plan.secret.id or "secret:made")
    assert peer is not None
    bag = dict(peer.bag)
    for write in plan.bags:
        if write.relation == peer.id and write.scope == "app":
            bag.update(write.data)
    if plan.secret is not None:
        bag.update({"secret-key-id": key.id, "secret-key-state": plan.secret.state})
    after = replace(
        found,
        services=services,
        checks=checks,
        states=states,
        targets=targets,
        gunicorn=text,
        outcome=outcome,
        answering=True,
    )
    return replace(before, workload=after, key=key, peer=Peer(peer.id, bag, peer.units), event="config_changed")


def settled(start: Facts) -> Facts:
    """Carry plans out until one has no steps."""
    for _ in range(5):
        plan = decide(start)
        start = carried_out(start, plan)
        if not plan.steps and plan.secret is None:
            return start
    raise AssertionError("the plans never end")


RUNNING = settled(facts())

CASES: dict[str, Facts] = {
    "first-start": facts(peer=Peer(1, {}, {}), key=SecretKey(fresh="fresh-key")),
    "start-after-migration": facts(),
    "nothing-to-do": RUNNING,
    "option-changed": replace(RUNNING, config={"greeting": " Bon\n'jour' "}),
    "worker-class-changed": replace(RUNNING, config={**RUNNING.config, "webserver-worker-class": "gevent"}),
    "ingress-answered": replace(RUNNING, relations=(DATABASE, INGRESS)),
    "ingress-asked": replace(RUNNING, relations=(DATABASE, INGRESS._replace(bag={}))),
    "database-gone": replace(RUNNING, relations=(), event="postgresql_relation_broken"),
    "database-not-ready": facts(relations=(DATABASE._replace(bag={}, secrets={}),)),
    "pebble-down": facts(workload=None),
    "second-unit-waits": facts(unit="notes/1", leader=False, peer=Peer(1, {"secret-key-id": KEY.id}, {"notes/0": {}})),
    "stop": facts(event="stop"),
}


@pytest.mark.parametrize("name", CASES)
def test_plan(name: str, golden: Golden) -> None:
    golden(f"{name}.json", json.dumps(shown(decide(CASES[name])), indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", sorted(set(CASES) - {"pebble-down", "stop", "second-unit-waits", "database-gone"}))
def test_second_plan_has_no_steps(name: str) -> None:
    after = settled(CASES[name])
    plan = decide(after)
    assert plan.steps == ()
    assert plan.secret is None
    assert decide(after) == plan


def test_changed_variable_reloads_and_never_restarts_the_web_service() -> None:
    kinds = [type(step) for step in decide(replace(RUNNING, config={"greeting": "Bonjour"})).steps]
    assert kinds[:2] == [Load, Reload]
    stopped = [
        step.services for step in decide(replace(RUNNING, config={"greeting": "B"})).steps if isinstance(step, Stop)
    ]
    assert stopped == [("beat-scheduler",), ("mail-worker",)]


def test_changed_command_restarts_by_name() -> None:
    steps = decide(CASES["worker-class-changed"]).steps
    assert [step for step in steps if isinstance(step, Stop)] == [Stop(("django",))]
    assert Start(("django",)) in steps
    assert not any(isinstance(step, Reload) for step in steps)


def test_web_service_that_pebble_brings_back_is_started_anew() -> None:
    found = RUNNING.workload
    assert isinstance(found, Workload)
    down = replace(RUNNING, workload=replace(found, states={**found.states, "django": "backoff"}, answering=False))
    assert Start(("django",)) in decide(down).steps


def test_failover_of_the_database_migrates_nothing_another_database_does() -> None:
    uri = next(iter(DATABASE.secrets))
    moved = DATABASE._replace(
        bag={**DATABASE.bag, "endpoints": "other:5432"},
        secrets={uri: {"username": "u", "password": "p", "uris": "postgresql://u:p@other:5432/notes"}},
    )
    assert not any(isinstance(step, Migrate) for step in decide(replace(RUNNING, relations=(moved,))).steps)
    other = decide(replace(RUNNING, relations=(DATABASE._replace(id=8),)))
    assert any(isinstance(step, Migrate) for step in other.steps)
    assert not any(isinstance(step, Reload | Stop) for step in other.steps)


def test_optional_database_alone_is_asked_for_too() -> None:
    from nuages.charm.facts import Endpoint

    plan = decide(facts(endpoints=(Endpoint("reports", "postgresql_client", False),), relations=()))
    assert plan.status is not None
    assert plan.status.message == "reports is not integrated: juju integrate notes:reports postgresql-k8s"
    none = decide(facts(endpoints=(), relations=()))
    assert none.status is not None
    assert none.status.level == "blocked"


def test_endpoint_of_another_name_gives_variables_of_that_name() -> None:
    relation = DATABASE._replace(endpoint="reports-copy")
    plan = decide(facts(relations=(DATABASE, relation._replace(id=8)), peer=Peer(1, {"secret-key-id": KEY.id}, {})))
    run = next(step for step in plan.steps if isinstance(step, Migrate))
    environment: Any = run.definition["environment"]
    assert environment["REPORTS_COPY_DB_HOSTNAME"] == environment["POSTGRESQL_DB_HOSTNAME"] == "db"


def test_every_required_endpoint_counts_even_of_an_unknown_interface() -> None:
    from nuages.charm.facts import Endpoint

    endpoints = (*facts().endpoints, Endpoint("people", "ldap", True))
    plan = decide(facts(endpoints=endpoints))
    assert plan.status is not None
    assert plan.status.message == "people is not integrated: juju integrate notes:people APPLICATION"
    related = (DATABASE, Relation("people", "ldap", 8, "glauth-k8s", {}, {}, {}))
    status = decide(facts(endpoints=endpoints, relations=related)).status
    assert status is not None
    assert status.level == "active"


def test_rock_without_exporter_has_no_statsd_host() -> None:
    bare = {name: service for name, service in ROCK.items() if name != layout.STATSD_SERVICE}
    with_it, without = (decide(facts(workload=workload(original=each, services=each))) for each in (ROCK, bare))
    assert any("statsd_host" in step.file.text for step in with_it.steps if isinstance(step, Write))
    assert not any("statsd_host" in step.file.text for step in without.steps if isinstance(step, Write))


def test_secrets_are_named_for_masking() -> None:
    assert set(decide(RUNNING).secrets) >= {"the-secret-key", "pw-of-u", "postgresql://u:pw-of-u@db:5432/notes"}


def test_no_migration_program_means_no_ticket() -> None:
    plan = decide(
        facts(workload=workload(survey=SURVEY._replace(files=())), peer=Peer(1, {"secret-key-id": KEY.id}, {}))
    )
    assert not any(isinstance(step, Migrate) for step in plan.steps)
    assert not any("migration" in write.data for write in plan.bags)
