"""Redis and Valkey behind a Django application: `up` brings the one it requires, the other comes by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.world import EXAMPLE, World, eventually

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
ENDPOINTS = """
  redis:
    interface: redis
    optional: false
    limit: 1
  valkey:
    interface: valkey_client
    optional: true
    limit: 1
"""


@pytest.fixture(scope="module")
def cached(home: Path) -> Iterator[World]:
    """The example with two caches, each by `charm_settings`."""
    with world_of(EXAMPLE, home) as world:
        code = world.project / "notes"
        template = resources.files("nuages.build") / "templates" / "charm_settings.py"
        (code / "charm_settings.py").write_text(template.read_text())
        for path, text in (
            (code / "notes" / "settings.py", "\nimport charm_settings\n\ncharm_settings.update(globals())\n"),
            (code / "notes" / "urls.py", URLS),
            (world.project / "requirements.txt", "redis~=6.4\n"),
            (world.project / "charm" / "charmcraft.yaml", ENDPOINTS.lstrip("\n")),
        ):
            with path.open("a") as file:
                file.write(text)
        world.up()
        yield world


def recall(world: World, alias: str) -> dict[str, object]:
    reply = world.browser().get(f"/recall/{alias}/")
    return json.loads(reply.text) if reply.status == 200 else {}


def variables(world: World) -> dict[str, str]:
    document = json.loads(world.nuages("env", "notes", "--reveal", "--format", "json").stdout)
    return {name: item["value"] for name, item in document.items()}


def kill(world: World, unit: str, container: str) -> None:
    """Kill the server by its title, which it writes over the environment by which pids are found elsewhere."""
    script = (
        'for p in /proc/[0-9]*; do case "$(tr "\\0" " " <$p/cmdline)" in '
        '"/opt/valkey/valkey-server *:6379"*) kill -9 ${p#/proc/} && echo killed;; esac; done'
    )
    done = world.nuages("ssh", "--container", container, unit, "--", "sh", "-c", script)
    assert done.stdout.strip() == "killed"


def test_up_brings_the_required_cache_alone(cached: World):
    applications = cached.status()["applications"]
    assert "redis-k8s" in applications
    assert "valkey" not in applications
    assert cached.workload("notes/0")[0] == "active"
    assert cached.browser().get("/remember/default/one/").status == 200
    assert recall(cached, "default")["value"] == "one"


def test_a_killed_redis_is_back_with_what_it_held(cached: World):
    kill(cached, "redis-k8s/0", "redis")
    eventually("the cache serves again", lambda: recall(cached, "default").get("value") == "one", seconds=30)


def test_valkey_comes_by_deploy_and_integrate(cached: World):
    cached.nuages("deploy", "valkey")
    cached.nuages("integrate", "notes", "valkey")
    eventually("the cache is known", lambda: "valkey" in str(recall(cached, "valkey").get("known")), seconds=60)
    assert cached.browser().get("/remember/valkey/two/").status == 200
    assert recall(cached, "valkey")["value"] == "two"
    assert recall(cached, "default")["value"] == "one"


def test_a_password_changes_under_requests(cached: World):
    failed: list[str] = []
    served: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        browser = cached.browser()
        while not stop.is_set():
            reply = browser.get("/recall/valkey/")
            served.append(reply.status)
            if reply.status != 200 or json.loads(reply.text)["value"] != "two":
                failed.append(reply.text[:300])

    before = variables(cached)["VALKEY_DB_PASSWORD"]
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        cached.nuages("run", "valkey/0", "rotate-password")
        eventually("the new password", lambda: variables(cached)["VALKEY_DB_PASSWORD"] != before, seconds=60)
        more = len(served) + 20
        eventually("twenty more requests", lambda: len(served) >= more, seconds=30)
    finally:
        stop.set()
        thread.join()
    assert failed == []


def test_a_killed_valkey_is_back_with_what_it_held(cached: World):
    kill(cached, "valkey/0", "valkey")
    eventually("the cache serves again", lambda: recall(cached, "valkey").get("value") == "two", seconds=30)


def test_data_stay_when_all_is_stopped(cached: World):
    cached.nuages("down")
    cached.up()
    eventually("the first cache", lambda: recall(cached, "default").get("value") == "one", seconds=30)
    eventually("the second cache", lambda: recall(cached, "valkey").get("value") == "two", seconds=30)


def test_a_removed_relation_takes_its_variables_along(cached: World):
    assert any(name.startswith("VALKEY_") for name in variables(cached))
    cached.nuages("remove-relation", "notes", "valkey")
    eventually("the cache is gone", lambda: recall(cached, "valkey").get("known") == ["default"], seconds=60)
    assert not [name for name in variables(cached) if name.startswith("VALKEY_")]
    assert cached.workload("notes/0")[0] == "active"


def test_a_required_one_blocks_until_it_is_back(cached: World):
    cached.nuages("remove-relation", "notes", "redis-k8s")
    eventually("it is blocked", lambda: cached.workload("notes/0")[0] == "blocked", seconds=60)
    assert "redis" in cached.workload("notes/0")[1]
    cached.up()
    eventually("the cache is back", lambda: recall(cached, "default").get("value") == "one", seconds=60)
