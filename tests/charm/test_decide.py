"""Plans for given facts, as golden files; and that a plan carried out leaves nothing to do."""

# Tables read best with a row in a line.

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from nuages.charm import options
from nuages.charm.decide import decide
from nuages.charm.facts import Endpoint, Facts, Option, Paas, Peer, Relation, SecretKey, Workload
from nuages.charm.plan import (
    Layer,
    Load,
    Migrate,
    Plan,
    Reload,
    Start,
    Stop,
    Write,
)
from nuages.contract import layout
from tests.charm.conftest import ROCK
from tests.charm.made import DATABASE, INGRESS, KEY, SURVEY, facts, settled, workload

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


@pytest.mark.parametrize("where", ["command", "environment"])
def test_application_that_is_loaded_before_the_workers_is_restarted_after_a_check(where: str) -> None:
    web: Any = {**ROCK["django"]}
    if where == "command":
        web["command"] += " --preload"
    else:
        web["environment"] = {"GUNICORN_CMD_ARGS": "--preload --limit-request-line 0"}
    services = {**ROCK, "django": web}
    running = settled(facts(workload=workload(original=services, services=services)))
    steps = decide(replace(running, config={"greeting": "Bonjour"})).steps
    assert isinstance(steps[0], Load)
    assert steps[1] == Stop(("django",))
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


def test_several_optional_databases_and_none_related() -> None:
    endpoints = (
        Endpoint("postgresql", "postgresql_client", False),
        Endpoint("mysql", "mysql_client", False),
        Endpoint("mongodb", "mongodb_client", False),
    )
    found = RUNNING.workload
    plan = decide(replace(RUNNING, endpoints=endpoints, relations=(), workload=found))
    assert plan.status is not None
    assert plan.status.level == "blocked"
    assert plan.status.message == (
        "no database, and one of postgresql, mysql and mongodb must be integrated:"
        " juju integrate notes:postgresql postgresql-k8s"
    )
    assert len(plan.status.message) <= 120
    assert plan.steps == (Stop(("beat-scheduler", "django", "mail-worker")),)


def test_settings_module_reaches_web_workers_and_migrations() -> None:
    option = Option("settings-module", "string")
    config = {"settings-module": "notes.settings.production"}
    start = facts(options=(*facts().options, option), config=config, peer=Peer(1, {"secret-key-id": KEY.id}, {}))
    plan = decide(start)
    run = next(step for step in plan.steps if isinstance(step, Migrate))
    environment: Any = run.definition["environment"]
    assert environment["DJANGO_SETTINGS_MODULE"] == "notes.settings.production"
    found = settled(start).workload
    assert isinstance(found, Workload)
    for name in ("django", "mail-worker", "beat-scheduler"):
        environment = found.services[name]["environment"]
        assert environment["DJANGO_SETTINGS_MODULE"] == "notes.settings.production"
    assert "'DJANGO_SETTINGS_MODULE': 'notes.settings.production'" in (found.gunicorn or "")
    empty = options.read(replace(start, config={"settings-module": ""}))
    assert not any(variable.name == "DJANGO_SETTINGS_MODULE" for variable in empty.variables)


def test_charm_of_26_04_tells_where_metrics_are_and_paas_config_moves_them() -> None:
    modern = facts(container="app", peer_endpoint="peers")
    plan = decide(modern)
    web: Any = next(step.services["django"] for step in plan.steps if isinstance(step, Layer) and step.services)
    assert (web["environment"]["DJANGO_METRICS_PORT"], web["environment"]["DJANGO_METRICS_PATH"]) == (
        "9102",
        "/metrics",
    )
    moved = decide(replace(modern, paas=Paas(port=9000, metrics_port=9001, metrics_path="/m")))
    web = next(step.services["django"] for step in moved.steps if isinstance(step, Layer) and step.services)
    assert (web["environment"]["DJANGO_METRICS_PORT"], web["environment"]["DJANGO_METRICS_PATH"]) == ("9001", "/m")
    assert web["environment"]["DJANGO_BASE_URL"] == "http://notes.shop:9000"
    assert moved.ports == (9000,)
    assert "bind = ['0.0.0.0:9000']" in next(step.file.text for step in moved.steps if isinstance(step, Write))
    layers = [step for step in decide(facts()).steps if isinstance(step, Layer) and step.services]
    classic: Any = layers[0].services["django"]
    assert "DJANGO_METRICS_PORT" not in classic["environment"]


def test_who_waits_for_migrations_says_for_whom() -> None:
    unit: dict[str, Any] = {"unit": "notes/1", "leader": False}
    board = '{"version": 1, "done": [], "holder": "notes/0", "ticket": ["r1", "postgresql:7:notes"]}'
    at_it = {"migration": '{"version": 1, "wish": ["r1", "postgresql:7:notes"], "result": ""}'}
    held = decide(facts(**unit, peer=Peer(1, {"secret-key-id": KEY.id, "migration": board}, {"notes/0": at_it})))
    assert held.status == ("waiting", "waiting for notes/0 to migrate the database")
    silent = decide(facts(**unit, peer=Peer(1, {"secret-key-id": KEY.id}, {"notes/0": {}})))
    assert silent.status == ("waiting", "waiting for the leader to say who migrates the database")
    for plan in (held, silent):
        assert not any(isinstance(step, Start | Migrate) for step in plan.steps)
