"""The charm under `ops.testing`: what a user sees after each event."""

# Tables read best with a row in a line.
# ruff: noqa: E501

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from ops import pebble, testing
from scenario import mocking

from nuages.contract import layout
from tests.charm.conftest import (
    CHARMCRAFT,
    ROCK,
    SURVEY,
    USER_SECRET,
    NotesCharm,
    World,
    charm_documents,
    container,
    database,
    peer,
)

Context = testing.Context[NotesCharm]
MODEL = testing.Model(name="shop", type="kubernetes")


def working(**changes: Any) -> testing.State:
    """A state in which everything is there and the container is new."""
    fields: dict[str, Any] = {
        "leader": True,
        "model": MODEL,
        "containers": {container()},
        "relations": {database(), peer()},
        "secrets": {USER_SECRET},
        **changes,
    }
    return testing.State(**fields)


def ready(context: Context, state: testing.State) -> testing.State:
    return context.run(context.on.pebble_ready(state.get_container("django-app")), state)


def web(state: testing.State) -> Any:
    return state.get_container("django-app").plan.services["django"]


def test_first_start_serves(context: Context, world: World) -> None:
    state = ready(context, working())
    assert state.unit_status == testing.ActiveStatus()
    assert state.app_status == testing.ActiveStatus()
    assert state.workload_version == "1.2"
    assert state.opened_ports == {testing.TCPPort(8000)}
    assert world.calls == ["migrate", "ask notes.shop:8000"]
    environment = web(state).environment
    assert environment["DJANGO_GREETING"] == "Hello"
    assert environment["DJANGO_DEBUG"] == "false"
    assert environment["DJANGO_BASE_URL"] == "http://notes.shop:8000"
    assert environment["DJANGO_ALLOWED_HOSTS"] == '["notes.shop"]'
    assert environment["POSTGRESQL_DB_NAME"] == "notes"
    assert environment["FROM_THE_ROCK"] == "yes"
    assert len(environment["DJANGO_SECRET_KEY"]) == 86
    services = state.get_container("django-app").services
    assert {name for name, info in services.items() if str(info.current.value) == "active"} == {
        "django", "statsd-exporter", "mail-worker", "beat-scheduler"
    }  # fmt: skip
    checks = state.get_container("django-app").plan.checks
    assert checks["ready"].tcp["port"] == 8000


def test_secret_key_is_a_secret_that_the_peer_relation_names(context: Context) -> None:
    state = ready(context, working())
    bag = state.get_relation(1).local_app_data
    secret = next(secret for secret in state.secrets if secret.owner == "app")
    assert bag["secret-key-id"] == secret.id
    assert secret.label == "django-secret-key"
    assert web(state).environment["DJANGO_SECRET_KEY"] == (secret.latest_content or {})["value"]
    assert secret.tracked_content["value"] not in json.dumps(dict(bag))


def test_plain_key_of_the_old_runtime_is_adopted(context: Context) -> None:
    relations = {database(), peer({"django_secret_key": "old-key"})}
    state = ready(context, working(relations=relations))
    assert web(state).environment["DJANGO_SECRET_KEY"] == "old-key"


def test_same_event_again_does_nothing(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state = ready(context, working(containers={container(tmp_path)}))
    world.calls.clear()
    touched: list[str] = []
    for name in ("write", "write_program", "add_layer", "start", "stop", "hang_up", "run", "remove"):
        monkeypatch.setattr(f"nuages.charm.workload.Container.{name}", lambda *_, name=name, **__: touched.append(name))
    monkeypatch.setattr("nuages.charm.workload.Container.check_answers", lambda *_: True)
    for event in (context.on.config_changed(), context.on.update_status(), context.on.leader_elected()):
        again = context.run(event, state)
        assert again.unit_status == testing.ActiveStatus()
        assert dict(again.get_relation(1).local_app_data) == dict(state.get_relation(1).local_app_data)
    assert touched == []
    assert world.calls == []


def test_changed_option_reloads(context: Context, world: World, tmp_path: Path) -> None:
    state = ready(context, working(containers={container(tmp_path)}))
    world.calls.clear()
    state = context.run(context.on.config_changed(), dataclasses.replace(state, config={"greeting": "Bonjour"}))
    assert state.unit_status == testing.ActiveStatus()
    assert world.calls[:2] == ["load", "reload"]
    assert web(state).environment["DJANGO_GREETING"] == "Bonjour"
    text = (tmp_path / layout.CLASSIC.gunicorn_config[1:]).read_text()
    assert "'DJANGO_GREETING': 'Bonjour'" in text


def test_missing_database_names_endpoint_and_command(context: Context) -> None:
    state = ready(context, working(relations={peer()}))
    assert state.unit_status == testing.BlockedStatus(
        "postgresql is not integrated: juju integrate notes:postgresql postgresql-k8s"
    )
    assert state.get_container("django-app").plan.checks["ready"].tcp["port"] == 1


def test_broken_database_stops_the_application_only(context: Context) -> None:
    state = ready(context, working())
    state = context.run(context.on.relation_broken(state.get_relation(7)), state)
    assert isinstance(state.unit_status, testing.BlockedStatus)
    states = {name: str(info.current.value) for name, info in state.get_container("django-app").services.items()}
    assert states["django"] == states["mail-worker"] == states["beat-scheduler"] == "inactive"
    assert states["statsd-exporter"] == "active"


def test_scheduler_runs_on_unit_0_only(context: Context) -> None:
    bag = {"secret-key-id": "secret:d2aaaaaaaaaaaaaaaaa9"}
    key = testing.Secret({"value": "k" * 86}, id="secret:d2aaaaaaaaaaaaaaaaa9", owner=None)
    board = json.dumps({"version": 1, "done": [["r1", "postgresql:7:notes"]]})
    relations = {database(), peer({**bag, "migration": board}, {0: {}})}
    found = testing.Context(
        NotesCharm, meta=context.charm_spec.meta, config=context.charm_spec.config,
        actions=context.charm_spec.actions, unit_id=1, juju_version="3.6.9",
    )  # fmt: skip
    state = ready(found, working(leader=False, relations=relations, secrets={USER_SECRET, key}))
    assert state.unit_status == testing.ActiveStatus()
    states = {name: str(info.current.value) for name, info in state.get_container("django-app").services.items()}
    assert states["mail-worker"] == "active"
    assert states["beat-scheduler"] == "inactive"
    assert web(state).environment["DJANGO_PEER_FQDNS"] == "notes-0.notes-endpoints.shop.svc.cluster.local"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"containers": {container(reachable=False)}}, testing.WaitingStatus("waiting for Pebble in container django-app")),
        ({"relations": {database()}}, testing.WaitingStatus("waiting for the peer relation")),
        ({"leader": False}, testing.WaitingStatus("waiting for the leader to make the secret key")),
        ({"secrets": set[Any]()}, testing.WaitingStatus("waiting for postgresql-k8s (postgresql): its secret cannot be read yet")),
        ({"config": {"webserver-workers": 0}}, testing.BlockedStatus("option webserver-workers is 0, must be at least 1: juju config notes webserver-workers=1")),
        ({"config": {"mail": "secret:d2aaaaaaaaaaaaaaaaa5"}}, testing.BlockedStatus("option mail names no secret; set an ID from juju add-secret: juju config notes mail=ID")),
        ({"config": {"greeting": "a\0b"}}, testing.BlockedStatus("option greeting has a NUL in it, or half a character: juju config notes greeting=VALUE")),
        ({"containers": {container(services={"other": ROCK["other"]})}}, testing.BlockedStatus("cannot use the rock: it has no service named django")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(context: Context, changes: dict[str, Any], status: Any) -> None:
    state = context.run(context.on.config_changed(), working(**changes))
    assert state.unit_status == status


def test_failed_migration_blocks_and_is_tried_again_at_update_status(
    context: Context, world: World, tmp_path: Path
) -> None:
    world.migration = {"code": 1, "error": "django.db.utils.ProgrammingError: no such column"}
    state = ready(context, working(containers={container(tmp_path)}))
    assert state.unit_status == testing.BlockedStatus(
        "migration failed, retried at update-status: django.db.utils.ProgrammingError: no such column"
    )
    assert state.get_container("django-app").services["django"].current.value == "inactive"
    world.calls.clear()
    state = context.run(context.on.config_changed(), state)
    assert world.calls == []
    world.migration = {"code": 0, "error": ""}
    state = context.run(context.on.update_status(), state)
    assert state.unit_status == testing.ActiveStatus()


def test_crash_at_boot_is_told_by_its_own_traceback(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.answer = "Connection refused"
    world.log = [
        "[INFO] Booting",
        "Traceback (most recent call last):",
        '  File "/django/app/notes/wsgi.py", line 1',
        "ModuleNotFoundError: No module named 'x'",
        "[ERROR] Worker failed to boot.",
    ]
    monkeypatch.setattr("nuages.charm.workload.Container.states", lambda _: {"django": "backoff"})
    state = ready(context, working())
    assert state.unit_status == testing.BlockedStatus(
        "the app does not start: ModuleNotFoundError: No module named 'x'"
    )
    assert state.get_container("django-app").plan.checks["ready"].tcp["port"] == 1


def test_no_answer_without_a_crash_waits(context: Context, world: World) -> None:
    world.answer = "no answer in time"
    state = ready(context, working())
    assert state.unit_status == testing.WaitingStatus("the web service does not answer: no answer in time")


def test_secrets_are_in_no_status_and_no_log(context: Context, world: World) -> None:
    world.migration = {"code": 1, "error": "cannot log in with postgresql://relation_id_7:Zq3@db:5432/notes"}
    state = ready(context, working())
    assert "Zq3" not in state.unit_status.message
    assert not any("Zq3" in entry.message for entry in context.juju_log)


def test_ingress_is_asked_for_and_used(context: Context) -> None:
    route = testing.Relation("ingress", id=9, remote_app_name="traefik-k8s")
    state = ready(context, working(relations={database(), peer(), route}))
    bag = state.get_relation(9).local_app_data
    assert {key: json.loads(value) for key, value in bag.items()} == {
        "model": "shop", "name": "notes", "port": 8000, "strip-prefix": True, "is_port_open": True
    }  # fmt: skip
    unreached = context.run(
        context.on.relation_created(route),
        working(relations={database(), peer(), route}, containers={container(reachable=False)}),
    )
    assert "is_port_open" not in unreached.get_relation(9).local_app_data
    assert set(state.get_relation(9).local_unit_data) >= {"host", "ip"}
    answered = dataclasses.replace(route, remote_app_data={"ingress": '{"url": "https://Shop.example/notes"}'})
    state = ready(context, working(relations={database(), peer(), answered}))
    environment = web(state).environment
    assert environment["DJANGO_BASE_URL"] == "https://shop.example/notes"
    assert environment["DJANGO_ALLOWED_HOSTS"] == '["shop.example"]'
    assert environment["DJANGO_CSRF_TRUSTED_ORIGINS"] == '["https://shop.example"]'


def test_what_postgresql_is_asked(context: Context) -> None:
    relation = testing.Relation("postgresql", id=7, remote_app_name="postgresql-k8s")
    state = context.run(context.on.relation_created(relation), working(relations={relation, peer()}))
    bag = state.get_relation(7).local_app_data
    assert bag["database"] == "notes"
    assert set(json.loads(bag["requested-secrets"])) >= {"username", "password", "uris"}


def test_answered_request_is_never_rewritten(context: Context) -> None:
    relation = dataclasses.replace(database(), local_app_data={"database": "chosen-before"})
    state = context.run(context.on.config_changed(), working(relations={relation, peer()}))
    assert state.get_relation(7).local_app_data["database"] == "chosen-before"


def test_worker_class_needs_its_module(context: Context) -> None:
    bare = container(survey={**SURVEY, "modules": []})
    state = ready(context, working(containers={bare}, config={"webserver-worker-class": "gevent"}))
    assert isinstance(state.unit_status, testing.BlockedStatus)
    state = ready(context, working(config={"webserver-worker-class": "gevent"}))
    assert web(state).command.endswith("-k [ gevent ]")


def test_what_takes_long_is_shown_meanwhile(context: Context) -> None:
    ready(context, working())
    shown = [status.message.partition(",")[0] for status in context.unit_status_history]
    assert "migrating the database" in shown
    assert shown[-1] == "starting the web service"


def test_a_status_is_written_when_it_is_another_one(context: Context, tmp_path: Path) -> None:
    state = ready(context, working(containers={container(tmp_path)}))
    assert state.unit_status == state.app_status == testing.ActiveStatus()
    written = len(context.unit_status_history), len(context.app_status_history)
    state = context.run(context.on.update_status(), state)
    assert (len(context.unit_status_history), len(context.app_status_history)) == written
    assert state.unit_status == state.app_status == testing.ActiveStatus()
    # An application's may be made up from its units', until it is set.
    context.run(context.on.leader_elected(), state)
    assert (len(context.unit_status_history), len(context.app_status_history)) == (written[0] + 1, written[1] + 1)
    broken = dataclasses.replace(state, app_status=testing.BlockedStatus("another leader's"))
    state = context.run(context.on.update_status(), broken)
    assert state.app_status == testing.ActiveStatus()


def with_health_path(tmp_path: Path) -> Context:
    text = CHARMCRAFT.replace("    greeting:", "    health-path: {type: string, default: /well}\n    greeting:")
    found = charm_documents(tmp_path / "healthy", text)
    return testing.Context(
        NotesCharm, meta=found["metadata"], config=found["config"], actions=found["actions"], juju_version="3.6.9"
    )


def test_health_path_is_checked_and_what_it_says_is_shown_at_once(tmp_path: Path, world: World) -> None:
    context = with_health_path(tmp_path)
    state = ready(context, working(containers={container(tmp_path)}))
    assert state.unit_status == testing.ActiveStatus()
    assert world.calls == ["migrate", "ask notes.shop:8000/well", "ask notes.shop:8000/well"]
    found = state.get_container("django-app")
    check: Any = found.plan.checks["ready"]
    assert check.tcp is None
    command = "/bin/python3 -I -S /tmp/django/state/health.py 8000 notes.shop:8000 http /well"
    assert check.exec == {"command": command, "user": "_daemon_"}
    assert (tmp_path / "tmp/django/state/health.py").read_text().startswith('"""Ask the web service')
    world.answer = 503
    info = dataclasses.replace(next(iter(found.check_infos)), status=pebble.CheckStatus.DOWN, failures=1)
    sick = dataclasses.replace(found, check_infos=frozenset({info}))
    state = context.run(
        context.on.pebble_check_failed(sick, info), dataclasses.replace(state, containers=frozenset({sick}))
    )
    assert state.unit_status == testing.WaitingStatus("this unit gets no requests: /well: status 503")
    world.answer = 200
    info = dataclasses.replace(info, status=pebble.CheckStatus.UP, failures=0, successes=1)
    well = dataclasses.replace(found, check_infos=frozenset({info}))
    state = context.run(
        context.on.pebble_check_recovered(well, info), dataclasses.replace(state, containers=frozenset({well}))
    )
    assert state.unit_status == testing.ActiveStatus()


MODERN = CHARMCRAFT.replace("ubuntu@24.04", "ubuntu@26.04")


@pytest.fixture
def modern(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS", "1")
    found = charm_documents(tmp_path / "modern", MODERN)
    return testing.Context(
        NotesCharm, meta=found["metadata"], config=found["config"], actions=found["actions"], juju_version="3.6.9"
    )


def test_charm_of_26_04_serves(modern: Context, tmp_path: Path) -> None:
    app = container(tmp_path, name="app")
    peers = testing.PeerRelation("peers", id=1)
    key = testing.Secret({"value": "of-the-user"}, id="secret:d2aaaaaaaaaaaaaaaaa8", owner=None)
    state = working(containers={app}, relations={database(), peers}, secrets={USER_SECRET, key})
    state = modern.run(modern.on.pebble_ready(app), state)
    assert state.unit_status == testing.ActiveStatus()
    environment = state.get_container("app").plan.services["django"].environment
    assert "chdir = '/app'" in (tmp_path / "var/lib/gunicorn/gunicorn.conf.py").read_text()
    assert environment["DJANGO_METRICS_PORT"] == "9102"
    assert environment["DJANGO_METRICS_PATH"] == "/metrics"
    assert len(environment["DJANGO_SECRET_KEY"]) == 86
    state = dataclasses.replace(state, config={"app-secret-key": key.id})
    state = modern.run(modern.on.config_changed(), state)
    assert state.unit_status == testing.ActiveStatus()
    assert state.get_container("app").plan.services["django"].environment["DJANGO_SECRET_KEY"] == "of-the-user"


def test_old_revision_of_the_key_that_nobody_reads_is_removed(context: Context) -> None:
    state = ready(context, working())
    key = next(secret for secret in state.secrets if secret.owner == "app")
    older = 0  # ops.testing counts from 1 and takes that for the one in use
    context.run(context.on.secret_remove(key, revision=older), state)
    assert context.removed_secret_revisions == [older]


def test_an_unrelated_endpoint_is_asked_for_only_when_nothing_is_remembered(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    backend: Any = mocking._MockModelBackend  # pyright: ignore[reportPrivateUsage]  calls are what is counted
    answer = backend.relation_ids

    def counted(self: Any, endpoint: str) -> Any:
        asked.append(endpoint)
        return answer(self, endpoint)

    monkeypatch.setattr(backend, "relation_ids", counted)
    state = ready(context, working(containers={container(tmp_path)}))
    assert "ingress" in asked
    asked.clear()
    state = context.run(context.on.update_status(), state)
    assert asked == ["postgresql", "secret-storage"]
    asked.clear()
    ingress = testing.Relation("ingress", id=9, remote_app_name="traefik-k8s")
    state = dataclasses.replace(state, relations={*state.relations, ingress})
    state = context.run(context.on.relation_created(ingress), state)
    assert "ingress" in asked
    asked.clear()
    context.run(context.on.update_status(), state)
    assert "ingress" in asked
