"""Redis and Valkey behind a Django application: `up` brings the one it requires, the other comes by hand."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.projects import SETTINGS, endpoint, notes_with
from tests.e2e.traffic import asking
from tests.e2e.world import World, eventually, kill

pytestmark = pytest.mark.slow

URLS = """
from django.core.cache import caches
from django.http import JsonResponse


def remember(request, alias, value):
    caches[alias].set("remembered", value, 600)
    caches[alias].add("count", 0)
    return JsonResponse({"count": caches[alias].incr("count")})


def recall(request, alias):
    from django.conf import settings

    known = sorted(settings.CACHES)
    return JsonResponse({"known": known, "value": caches[alias].get("remembered") if alias in known else None})


urlpatterns += [path("remember/<alias>/<value>/", remember), path("recall/<alias>/", recall)]
"""
METADATA = """
name: other
requires:
  redis: {interface: redis}
  logging: {interface: loki_push_api}
"""


@pytest.fixture(scope="module")
def cached(home: Path) -> Iterator[World]:
    """The example with two caches, each by `charm_settings`."""
    endpoints = [endpoint("redis", "redis"), endpoint("valkey", "valkey_client", optional=True)]
    with notes_with(home, urls=URLS, settings=SETTINGS, packages=["redis~=6.4"], endpoints=endpoints) as world:
        world.up()
        yield world


def recall(world: World, alias: str) -> dict[str, object]:
    reply = world.browser().get(f"/recall/{alias}/")
    return json.loads(reply.text) if reply.status == 200 else {}


def test_up_brings_the_required_cache_alone(cached: World):
    applications = cached.status()["applications"]
    assert "redis-k8s" in applications
    assert "valkey" not in applications
    assert cached.workload("notes/0")[0] == "active"
    assert cached.browser().get("/remember/default/one/").status == 200
    assert recall(cached, "default")["value"] == "one"


def test_a_killed_redis_is_back_with_what_it_held(cached: World):
    kill(cached, "redis-k8s/0", "redis", "valkey-server")
    eventually("the cache serves again", lambda: recall(cached, "default").get("value") == "one", seconds=30)


def test_valkey_comes_by_deploy_and_integrate(cached: World):
    cached.nuages("deploy", "valkey")
    cached.nuages("integrate", "notes", "valkey")
    eventually("the cache is known", lambda: "valkey" in str(recall(cached, "valkey").get("known")), seconds=60)
    assert cached.browser().get("/remember/valkey/two/").status == 200
    assert recall(cached, "valkey")["value"] == "two"
    assert recall(cached, "default")["value"] == "one"


def test_a_password_changes_under_requests(cached: World):
    browser = cached.browser()
    with asking(lambda: browser.wrong("/recall/valkey/", '"value": "two"')) as asked:
        cached.rotate("valkey/0", "VALKEY_DB_PASSWORD")
        asked.wait_for(20)
    assert asked.failed == []


def test_a_killed_valkey_is_back_with_what_it_held(cached: World):
    kill(cached, "valkey/0", "valkey", "valkey-server")
    eventually("the cache serves again", lambda: recall(cached, "valkey").get("value") == "two", seconds=30)


@pytest.fixture(scope="module")
def other(cached: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The model with a log store, and an application that does nothing and is related to nothing."""
    path = tmp_path_factory.mktemp("charm") / "other.charm"
    with zipfile.ZipFile(path, "w") as charm:
        charm.writestr("metadata.yaml", METADATA)
        dispatch = zipfile.ZipInfo("dispatch")
        dispatch.external_attr = 0o755 << 16
        charm.writestr(dispatch, "#!/bin/sh\nexec status-set active\n")
    cached.nuages("deploy", "loki-k8s")
    cached.nuages("deploy", str(path))
    for unit in ("other/0", "loki-k8s/0"):
        cached.becomes(unit, "active")
    return cached


def said(world: World, server: str, port: int, text: str) -> str:
    """The first line that a server answers to what a pod of the other application sends."""
    script = f"exec 3<>/dev/tcp/{server}-0.{server}-endpoints/{port}; printf '{text}' >&3; read -r line <&3; echo $line"
    return world.nuages("ssh", "other/0", "--", "bash", "-c", script).stdout.strip()


def pings(world: World) -> str:
    return said(world, "redis-k8s", 6379, r"PING\r\n")


def pushes(world: World) -> str:
    head = "POST /loki/api/v1/push HTTP/1.0\\r\\nContent-Type: application/json\\r\\nContent-Length: 14\\r\\n\\r\\n"
    return said(world, "loki-k8s", 3100, head + '{"streams":[]}').partition(" ")[2]


def test_what_has_no_password_serves_related_applications_alone(other: World):
    assert (pings(other), pushes(other)) == ("-NOAUTH Authentication required.", "401 Unauthorized")
    other.nuages("integrate", "other", "redis-k8s")
    other.nuages("integrate", "other", "loki-k8s")
    assert (pings(other), pushes(other)) == ("+PONG", "204 No Content")
    other.nuages("remove-relation", "other", "redis-k8s")
    other.nuages("remove-relation", "other", "loki-k8s")
    assert (pings(other), pushes(other)) == ("-NOAUTH Authentication required.", "401 Unauthorized")
    assert recall(other, "default")["value"] == "one"


def test_data_stay_when_all_is_stopped(cached: World):
    cached.nuages("down")
    cached.up()
    eventually("the first cache", lambda: recall(cached, "default").get("value") == "one", seconds=30)
    eventually("the second cache", lambda: recall(cached, "valkey").get("value") == "two", seconds=30)


def test_a_removed_relation_takes_its_variables_along(cached: World):
    assert any(name.startswith("VALKEY_") for name in cached.variables())
    cached.nuages("remove-relation", "notes", "valkey")
    eventually("the cache is gone", lambda: recall(cached, "valkey").get("known") == ["default"], seconds=60)
    assert not [name for name in cached.variables() if name.startswith("VALKEY_")]
    assert cached.workload("notes/0")[0] == "active"


def test_a_required_one_blocks_until_it_is_back(cached: World):
    cached.nuages("remove-relation", "notes", "redis-k8s")
    assert "redis" in cached.becomes("notes/0", "blocked")
    cached.up()
    eventually("the cache is back", lambda: recall(cached, "default").get("value") == "one", seconds=60)
