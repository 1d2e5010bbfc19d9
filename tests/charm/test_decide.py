"""Plans for given facts, as golden files; and that a plan carried out leaves nothing to do."""

# Tables read best with a row in a line.

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pytest

from nuages.charm import gunicorn, interfaces, options
from nuages.charm.converge import CLOSED
from nuages.charm.decide import decide
from nuages.charm.facts import Endpoint, Facts, Option, Outcome, Paas, Peer, Relation, SecretKey, Workload
from nuages.charm.interfaces.base import Interface, NotReady, nothing
from nuages.charm.plan import (
    Ask,
    Consult,
    File,
    Layer,
    Load,
    Look,
    Migrate,
    Plan,
    Question,
    Reload,
    Start,
    Stop,
    Write,
)
from nuages.charm.variables import Variable
from nuages.contract import layout
from tests.charm.conftest import ROCK
from tests.charm.made import DATABASE, INGRESS, KEY, SURVEY, facts, workload

Golden = Callable[[str, str], None]
HEALTH = Option("health-path", "string")


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


HEALTHY = settled(facts(config={"greeting": "Hello", "health-path": "healthz"}, options=(*facts().options, HEALTH)))


def test_health_path_is_asked_by_a_program_after_the_first_answer() -> None:
    config = {"greeting": "Hello", "health-path": "/healthz?deep=1"}
    plan = decide(facts(config=config, options=(*facts().options, HEALTH), relations=(DATABASE, INGRESS)))
    ask = next(index for index, step in enumerate(plan.steps) if isinstance(step, Ask))
    checks = [(index, step) for index, step in enumerate(plan.steps) if isinstance(step, Layer) and step.checks]
    assert [step.checks["ready"] for _, step in checks][:-1] == [CLOSED]
    layer = checks[-1][0]
    assert ask < layer
    step = plan.steps[layer]
    assert isinstance(step, Layer)
    check: Any = step.checks["ready"]
    assert (check["level"], check["threshold"]) == ("ready", 1)
    assert "tcp" not in check
    assert check["exec"] == {
        "command": "/bin/python3 -I -S /tmp/django/state/health.py 8000 notes.example https '/healthz?deep=1'",
        "user": "_daemon_",
    }
    assert isinstance(plan.steps[layer - 1], Write)
    assert plan.steps[-1] == Consult("django", Question("notes.example", 8000, "/healthz?deep=1", "https"))


def test_health_path_that_comes_and_goes_changes_the_check_and_restarts_nothing() -> None:
    running = settled(replace(RUNNING, options=(*RUNNING.options, HEALTH)))
    for now, config in ((running, {**running.config, "health-path": "/well"}), (HEALTHY, {"greeting": "Hello"})):
        steps = decide(replace(now, config=config)).steps
        assert not any(isinstance(step, Stop) and "django" in step.services for step in steps)
        checks = [step.checks["ready"] for step in steps if isinstance(step, Layer) and step.checks]
        assert len(checks) == 1
        assert ("exec" in checks[0]) == ("health-path" in config)


def test_an_unhealthy_unit_is_asked_again_and_keeps_a_new_configuration() -> None:
    found = HEALTHY.workload
    assert isinstance(found, Workload)
    sick = replace(HEALTHY, workload=replace(found, answering=False))
    assert [type(step) for step in decide(sick).steps] == [Ask, Consult]
    reloads = [
        next(
            step
            for step in decide(replace(now, config={**now.config, "greeting": "x"})).steps
            if isinstance(step, Reload)
        )
        for now in (sick, HEALTHY)
    ]
    assert [step.strict for step in reloads] == [False, True]


@pytest.mark.parametrize(
    "config",
    [
        {"greeting": "Bonjour"},
        {"greeting": "Hello", "webserver-worker-class": "gevent"},
        {"greeting": "Bonjour", "webserver-timeout": 90},
        {"greeting": "Hello", "health-path": "/well"},
    ],
)
@pytest.mark.parametrize("start", ["new", "running"])
def test_a_hook_killed_anywhere_leaves_nothing_running_with_old_definitions(start: str, config: dict[str, Any]) -> None:
    """Every process whose definition changed was started, or told to reload, after the change."""
    before = replace(RUNNING if start == "running" else facts(), options=(*RUNNING.options, HEALTH))
    plan = decide(replace(before, config=config))
    for count in range(len(plan.steps)):
        now, current = replace(before, config=config), dict.fromkeys(ROCK, "")
        if start == "running":
            found = before.workload
            assert isinstance(found, Workload)
            current = {name: json.dumps(found.services[name], sort_keys=True) for name in ROCK}
            current["file"] = current["gunicorn"] = found.gunicorn or ""
        for steps in (plan.steps[:count], None, None, None):
            todo = decide(now).steps if steps is None else steps
            current = processes(now, current, todo)
            now = carried_out(now, Plan(steps=todo))
        assert decide(now).steps == ()
        after = now.workload
        assert isinstance(after, Workload)
        for name in ("mail-worker", "beat-scheduler"):
            assert current[name] == json.dumps(after.services[name], sort_keys=True), (count, name)
        assert current["gunicorn"] == after.gunicorn
        assert json.loads(current["django"])["command"] == after.services["django"]["command"]


def processes(before: Facts, current: dict[str, str], steps: tuple[Any, ...]) -> dict[str, str]:
    """Return what each running process was started with, the way Pebble and gunicorn go about it."""
    found = before.workload
    assert isinstance(found, Workload)
    services, states, current = dict(found.services), dict(found.states), dict(current)
    for step in steps:
        if isinstance(step, Layer):
            services.update(step.services)
        elif isinstance(step, Write) and step.file.path == layout.GUNICORN_CONFIG:
            current["file"] = step.file.text
        elif isinstance(step, Stop):
            states.update(dict.fromkeys(step.services, "inactive"))
        elif isinstance(step, Start):
            for name in step.services:
                if states.get(name) != "active":
                    current[name] = json.dumps(services[name], sort_keys=True)
                    current.update({"gunicorn": current["file"]} if name == "django" else {})
                states[name] = "active"
        elif isinstance(step, Reload):
            current["file"] = current["gunicorn"] = step.file.text
    return current


def test_worker_restarts_for_its_environment_and_not_for_its_patience() -> None:
    found = RUNNING.workload
    assert isinstance(found, Workload)
    patient: Any = {**found.services["mail-worker"], "kill-delay": "10s"}
    now = replace(RUNNING, workload=replace(found, services={**found.services, "mail-worker": patient}))
    steps = decide(now).steps
    assert [type(step) for step in steps] == [Layer, Start]
    assert not any(isinstance(step, Stop) for step in steps)


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


class Made(NamedTuple):
    """What an interface made for these tests says."""

    variables: tuple[Variable, ...]


CERTIFICATE = File("/django/tls/ca-1234.pem", "CERTIFICATE")
PART = Made((Variable("MADE_CA", CERTIFICATE.path, "integration made"),))


def made(value: Any, *, required: bool = False, **fields: Any) -> Callable[..., Facts]:
    """Return a function that makes facts with a relation whose interface says `value`."""
    interface = Interface("made", "maker", nothing, lambda _relation: value, **fields)

    def make(**changes: Any) -> Facts:
        endpoints = (*facts().endpoints, Endpoint("made", "made", required))
        relations = (DATABASE, Relation("made", "made", 20, "maker", {}, {}, {}))
        return facts(endpoints=endpoints, relations=relations, **changes)

    cast("dict[str, Interface]", interfaces.BY_NAME)["made"] = interface
    return make


@pytest.fixture(autouse=True)
def _forget_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "BY_NAME", dict(interfaces.BY_NAME))


@pytest.mark.parametrize("required", [True, False])
def test_what_needs_somebody_to_act_is_blocked_with_the_command(required: bool) -> None:
    make = made(NotReady("no ingress", "juju integrate notes:ingress traefik-k8s"), required=required)
    plan = decide(make())
    assert plan.status is not None
    assert plan.status == ("blocked", "made: no ingress: juju integrate notes:ingress traefik-k8s")
    assert any(isinstance(step, Start) for step in plan.steps) is not required


def test_optional_integration_makes_do_with_a_part() -> None:
    plan = decide(made(NotReady("no key", partial=PART))())
    assert plan.status == ("active", "")
    files = [step.file for step in plan.steps if isinstance(step, Write) and "MADE_CA" in step.file.text]
    assert files
    refused = decide(made(NotReady("no key", partial=PART), required=True)())
    assert refused.status == ("waiting", "waiting for maker (made): no key")
    assert not any(isinstance(step, Start) for step in refused.steps)


def test_files_are_there_before_migration_and_server_and_written_once() -> None:
    make = made(PART, files=lambda _value: (CERTIFICATE,))
    migrating = decide(make(peer=Peer(1, {"secret-key-id": KEY.id}, {})))
    kinds = [type(step) for step in migrating.steps]
    assert kinds.index(Write) < kinds.index(Migrate)
    steps = decide(make()).steps
    written = [step.file.path for step in steps if isinstance(step, Write)]
    assert written.count(CERTIFICATE.path) == 1
    assert written.index(CERTIFICATE.path) < written.index(layout.GUNICORN_CONFIG)
    assert next(step.file.group for step in steps if isinstance(step, Write)) == "_daemon_"
    assert decide(settled(make())).steps == ()
    steps = decide(replace(settled(make()), config={"greeting": "x"})).steps
    assert not any(isinstance(step, Write) and step.file.path == CERTIFICATE.path for step in steps)


def test_log_targets_come_and_are_silenced() -> None:
    target = {"type": "loki", "location": "http://loki", "services": ["all"], "labels": {"juju_unit": "notes/0"}}
    running = settled(facts(endpoints=(*facts().endpoints, Endpoint("made", "made", False))))
    make = made(Made(()), log_targets=lambda _facts, _relation: {"loki/0": target})
    with_it = replace(running, relations=make().relations)
    plan = decide(with_it)
    assert plan.steps == (Layer("django-app-log-forwarding", targets={"loki/0": {**target, "override": "replace"}}),)
    after = settled(with_it)
    assert decide(after).steps == ()
    gone = decide(replace(after, relations=(DATABASE,)))
    silenced: Any = next(step.targets["loki/0"] for step in gone.steps if isinstance(step, Layer))
    assert (silenced["services"], silenced["location"]) == (["-all"], "(removed)")
    assert decide(settled(replace(after, relations=(DATABASE,)))).steps == ()


def test_home_is_the_services_own_unless_the_rock_names_another() -> None:
    services: Any = {
        **ROCK,
        "mail-worker": {**ROCK["mail-worker"], "environment": {"HOME": "/srv/mail"}},
        "stranger-worker": {**ROCK["mail-worker"], "user": "www-data"},
    }
    plan = decide(facts(workload=workload(original=services, services=services)))
    layers = [step.services for step in plan.steps if isinstance(step, Layer)]
    homes = {name: each["environment"]["HOME"] for layer in layers for name, each in cast("Any", layer).items()}
    assert homes == {
        "django": "/tmp/django/home",
        "mail-worker": "/srv/mail",
        "beat-scheduler": "/tmp/django/home",
        "stranger-worker": "/tmp",
    }


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


def test_spans_are_sent_when_the_rock_can_and_somebody_listens() -> None:
    traced = Made((Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:4318/", "integration tracing"),))
    able = workload(survey=SURVEY._replace(modules=layout.TRACING_MODULES))
    texts = [
        next(step.file.text for step in decide(each).steps if isinstance(step, Write))
        for each in (made(traced)(workload=able), made(traced)(), facts(workload=able))
    ]
    assert ["post_fork" in text for text in texts] == [True, False, False]


def test_crashing_worker_is_named() -> None:
    found = RUNNING.workload
    assert isinstance(found, Workload)
    crashing = replace(RUNNING, workload=replace(found, states={**found.states, "mail-worker": "backoff"}))
    assert decide(crashing).steps == (Look(("mail-worker",)),)


def test_who_waits_for_migrations_says_for_whom() -> None:
    unit: dict[str, Any] = {"unit": "notes/1", "leader": False}
    board = '{"version": 1, "done": [], "holder": "notes/0", "ticket": ["r1", "postgresql:7:notes"]}'
    held = decide(facts(**unit, peer=Peer(1, {"secret-key-id": KEY.id, "migration": board}, {"notes/0": {}})))
    assert held.status == ("waiting", "waiting for notes/0 to migrate the database")
    silent = decide(facts(**unit, peer=Peer(1, {"secret-key-id": KEY.id}, {"notes/0": {}})))
    assert silent.status == ("waiting", "waiting for the leader to say who migrates the database")
    for plan in (held, silent):
        assert not any(isinstance(step, Start | Migrate) for step in plan.steps)
