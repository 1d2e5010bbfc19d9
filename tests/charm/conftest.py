"""A charm made from the contract's tables, and a container in which everything works, for `ops.testing`."""

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ops import pebble, testing

import nuages.charm
from nuages.build.documents import documents
from nuages.charm import apply, gunicorn, migrations, probe
from nuages.charm.facts import Outcome
from nuages.contract import bases, layout
from nuages.extension.expand import expand
from nuages.extension.project import read

CHARMCRAFT = """\
name: notes
type: charm
summary: Notes
description: Notes
base: ubuntu@24.04
platforms:
  amd64:
extensions: [django-framework]
config:
  options:
    greeting: {type: string, default: Hello}
    limit-of-notes: {type: int}
    ratio: {type: float}
    closed: {type: boolean}
    mail: {type: secret}
requires:
  postgresql: {interface: postgresql_client, optional: false, limit: 1}
"""

COMMAND = "/bin/python3 -m gunicorn -c /django/gunicorn.conf.py 'notes.wsgi:application' -k [ sync ]"
ROCK = {
    "statsd-exporter": {
        "override": "replace", "command": layout.STATSD_COMMAND, "startup": "enabled", "user": "_daemon_"
    },
    "django": {
        "override": "replace",
        "command": COMMAND,
        "startup": "enabled",
        "after": ["statsd-exporter"],
        "user": "_daemon_",
        "environment": {"FROM_THE_ROCK": "yes"},
    },
    "mail-worker": {"override": "replace", "command": "celery worker", "startup": "enabled", "user": "_daemon_"},
    "beat-scheduler": {"override": "replace", "command": "celery beat", "startup": "enabled", "user": "_daemon_"},
    "other": {"override": "replace", "command": "sleep 1000", "startup": "disabled"},
}  # fmt: skip

SURVEY = {
    "release": "r1",
    "version": "1.2",
    "environment": {"PATH": "/bin", "PEBBLE": "/var/lib/pebble/default"},
    "files": ["manage.py"],
    "modules": ["gevent"],
}


class NotesCharm(nuages.charm.DjangoCharm):
    """What a user writes."""


def charm_documents(directory: Path, text: str = CHARMCRAFT) -> dict[str, dict[str, Any]]:
    """Return metadata, config and actions as packing writes them."""
    (directory / "src").mkdir(parents=True, exist_ok=True)
    (directory / "charmcraft.yaml").write_text(text)
    project = read(directory)
    base = project.base
    assert base is not None
    written = documents(expand(project), base, ("amd64",), {})
    return {name: json.loads(written[f"{name}.yaml"]) for name in ("metadata", "config", "actions")}


@dataclasses.dataclass
class World:
    """What the outside does: how migrations end, whether the application loads and answers."""

    migration: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"code": 0, "error": ""})
    answer: int | str = 200
    log: list[str] = dataclasses.field(default_factory=list)
    calls: list[str] = dataclasses.field(default_factory=list)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    state = World()

    def migrate(step: Any, container: Any, busy: Any) -> None:
        state.calls.append("migrate")
        busy(apply.statuses.MIGRATING(what=migrations.DATABASE))
        container.add_layer("charm-migrate", {step.service: step.definition}, {})
        outcome = Outcome(step.release, step.database, step.attempt, **state.migration)
        container.write_program(migrations.OUTCOME, json.dumps(outcome._asdict()))

    def ask(question: Any, deadline: float, gone: Any) -> int:
        state.calls.append(f"ask {question.host}" + question.path.rstrip("/"))
        if isinstance(state.answer, str):
            raise probe.NoAnswer(state.answer)
        return state.answer

    def reload(step: Any, container: Any, plan: Any) -> None:
        state.calls.append("reload")
        container.write(step.file)
        container.write(step.file._replace(path=gunicorn.APPLIED))
        if step.layer.services:
            container.add_layer(step.layer.label, step.layer.services, {})

    def load(step: Any, container: Any) -> None:
        state.calls.append("load")

    monkeypatch.setattr(apply, "_migrate", migrate)
    monkeypatch.setattr(apply, "_reload", reload)
    monkeypatch.setattr(apply, "_load", load)
    monkeypatch.setattr(probe, "ask", ask)
    monkeypatch.setattr("nuages.charm.workload.Container.logs", lambda *_: state.log)
    yield state


@pytest.fixture
def context(tmp_path: Path, world: World) -> testing.Context[NotesCharm]:
    found = charm_documents(tmp_path / "charm")
    return testing.Context(
        NotesCharm, meta=found["metadata"], config=found["config"], actions=found["actions"], juju_version="3.6.9"
    )


def container(
    files: Path | None = None,
    *,
    services: Mapping[str, Any] = ROCK,
    survey: Mapping[str, Any] = SURVEY,
    reachable: bool = True,
    name: str = "django-app",
) -> testing.Container:
    """Return the rock's container as it is when it is new; with `files` what is written outlives an event."""
    places = bases.BY_CONTAINER[name].layout
    mounts: dict[str, testing.Mount] = {}
    for folder in (places.gunicorn, "/tmp") if files else ():
        assert files is not None
        (files / folder[1:]).mkdir(parents=True)
        mounts[folder] = testing.Mount(location=folder, source=files / folder[1:])
    return testing.Container(
        name,
        can_connect=reachable,
        mounts=mounts,
        layers={"001-notes": pebble.Layer({"services": services})} if reachable else {},
        execs={testing.Exec(("/bin/python3", "-", places.app, layout.ROCK_METADATA), stdout=json.dumps(survey))},
    )


PASSWORD = "Zq3%/:@ü"
USER_SECRET = testing.Secret(
    {"username": "relation_id_7", "password": PASSWORD, "uris": "postgresql://relation_id_7:Zq3@db:5432/notes"},
    id="secret:d2aaaaaaaaaaaaaaaaa0",
    owner=None,
)


def database(**extra: str) -> testing.Relation:
    """Return the relation to a PostgreSQL that has answered."""
    return testing.Relation(
        "postgresql",
        id=7,
        remote_app_name="postgresql-k8s",
        remote_app_data={
            "database": "notes",
            "endpoints": "db:5432",
            "secret-user": "secret:d2aaaaaaaaaaaaaaaaa0",
            **extra,
        },
    )


def peer(bag: Mapping[str, str] | None = None, units: Mapping[int, Mapping[str, str]] | None = None) -> Any:
    """Return the peer relation."""
    return testing.PeerRelation(
        "secret-storage",
        id=1,
        local_app_data=dict(bag or {}),
        peers_data={number: dict(data) for number, data in (units or {}).items()},
    )


@pytest.fixture(autouse=True)
def _no_real_hooks() -> Iterator[None]:
    yield
    sys.modules.pop("charm", None)
