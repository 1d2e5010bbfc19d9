"""PostgreSQL under a Django application: a replica, TLS, a password that changes under traffic, kill -9."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.projects import SETTINGS, notes_with
from tests.e2e.traffic import traffic
from tests.e2e.world import World, eventually, processes

pytestmark = pytest.mark.slow

URLS = """
from django.db import connections
from django.http import JsonResponse


def database(request, alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), session_user, (SELECT count(*) FROM board_note)")
        replica, user, notes = cursor.fetchone()
        encrypted = cursor.connection.pgconn.ssl_in_use
    return JsonResponse({"replica": replica, "user": user, "notes": notes, "encrypted": encrypted})


def extensions(request):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension ORDER BY 1")
        return JsonResponse({"extensions": [name for name, in cursor.fetchall()]})


def healthz(request):
    from board.models import Note

    return JsonResponse({"notes": Note.objects.count()})


urlpatterns += [
    path("database/<alias>/", database), path("extensions/", extensions), path("healthz", healthz),
]
"""


@pytest.fixture(scope="module")
def notes(home: Path) -> Iterator[World]:
    """The example with its databases by `charm_settings`: the default one and its replica."""
    with notes_with(home, urls=URLS, settings=SETTINGS) as world:
        world.up()
        yield world


def asked(world: World, alias: str) -> dict[str, object]:
    """What a page sees of a database; all None while it answers with an error."""
    reply = world.browser().get(f"/database/{alias}/")
    return json.loads(reply.text) if reply.status == 200 else dict.fromkeys(("replica", "user", "notes", "encrypted"))


def test_a_second_unit_is_a_replica_to_read_from(notes: World):
    assert asked(notes, "replica")["replica"] is False
    notes.browser().submit("/new/", title="One", body="Written to the primary")
    notes.nuages("add-unit", "postgresql-k8s")
    seen = eventually("the replica answers", lambda: (s := asked(notes, "replica"))["replica"] and s, seconds=30)
    assert seen["notes"] == 1
    assert asked(notes, "default")["replica"] is False
    notes.browser().submit("/new/", title="Two", body="Streamed")
    eventually("the second note is there too", lambda: asked(notes, "replica")["notes"] == 2, seconds=10)


def test_the_replica_comes_back_after_a_kill_and_leaves_without_a_trace(notes: World):
    (postmaster, *_) = sorted(processes(notes, "postgresql", "postgres", "postgresql-k8s/1"))
    os.kill(postmaster, signal.SIGKILL)
    eventually("the replica answers", lambda: asked(notes, "replica")["replica"], seconds=60)
    notes.nuages("remove-unit", "postgresql-k8s", "--num-units", "1")
    eventually("the primary answers in its place", lambda: asked(notes, "replica")["replica"] is False, seconds=30)


def test_a_password_changes_without_a_failed_request(notes: World):
    before = asked(notes, "default")["user"]

    def change() -> None:
        notes.nuages("run", "postgresql-k8s/0", "rotate-password")
        eventually("the application uses the new user", lambda: asked(notes, "default")["user"] != before, seconds=30)

    seen = traffic(notes.url, change, least=300)
    assert seen.failed == []


def test_options_bring_extensions(notes: World):
    notes.nuages("config", "postgresql-k8s", "plugin_hstore_enable=true")
    assert "hstore" in json.loads(notes.browser().get("/extensions/").text)["extensions"]


def test_with_an_authority_the_application_speaks_tls(notes: World):
    assert asked(notes, "default")["encrypted"] is False
    notes.nuages("deploy", "self-signed-certificates")
    notes.nuages("integrate", "postgresql-k8s", "self-signed-certificates")
    eventually("it is encrypted", lambda: asked(notes, "default")["encrypted"], seconds=30)
    variables = eventually(
        "it is told", lambda: "DB_TLS=true" in (v := notes.nuages("env", "notes", "--reveal").stdout) and v, seconds=30
    )
    assert "sslmode=verify-ca" in variables
    assert asked(notes, "default")["encrypted"]
    notes.nuages("remove-relation", "postgresql-k8s", "self-signed-certificates")
    eventually("it is in the clear again", lambda: asked(notes, "default")["encrypted"] is False, seconds=30)
