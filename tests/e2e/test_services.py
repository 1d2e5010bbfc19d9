"""The built-in applications on the real engine, without any charm on the other side."""

from __future__ import annotations

import dataclasses
import urllib.error
import urllib.request

import pytest

from tests.e2e.world import World, eventually

POSTGRESQL, TRAEFIK = "postgresql-k8s/0", "traefik-k8s/0"


@pytest.fixture(scope="module")
def services(world: World) -> World:
    world.nuages("add-model", "services")
    world = dataclasses.replace(world, environment={**world.environment, "JUJU_MODEL": "services"})
    world.nuages("deploy", "postgresql-k8s")
    world.nuages("deploy", "traefik-k8s")
    for unit in (POSTGRESQL, TRAEFIK):
        world.becomes(unit, "active", seconds=120)
    return world


def psql(world: World, sql: str) -> str:
    done = world.nuages("ssh", "--container", "postgresql", POSTGRESQL, "--", "psql", "-Atc", sql, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def test_their_versions_are_the_servers(services: World):
    applications = services.status()["applications"]
    assert psql(services, "SHOW server_version") == applications["postgresql-k8s"]["version"]
    assert applications["traefik-k8s"]["charm"].startswith("traefik-k8s")


def test_the_gateway_listens_on_both_loopbacks(services: World):
    port = services.url.rstrip("/").rpartition(":")[2]
    for address in ("127.0.0.1", "[::1]"):
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(f"http://{address}:{port}/", timeout=10)
        assert answer.value.code == 404  # nothing is behind it yet
    assert f"http://localhost:{port}/" in services.workload(TRAEFIK)[1]


def test_an_action_shows_the_operators_password(services: World):
    assert "password:" in services.nuages("run", POSTGRESQL, "get-password").stdout
    assert "primary: postgresql-k8s/0" in services.nuages("run", POSTGRESQL, "get-primary").stdout


def test_an_impossible_option_blocks_until_it_is_reset(services: World):
    services.nuages("config", "traefik-k8s", "routing_mode=wat")
    blocked = ("blocked", "routing_mode is 'wat': set it to path, subdomain or port")
    eventually("it is blocked", lambda: services.workload(TRAEFIK) == blocked, seconds=20)
    services.nuages("config", "traefik-k8s", "--reset", "routing_mode")
    services.becomes(TRAEFIK, "active", seconds=20)


def test_a_second_unit_says_what_to_type(services: World):
    def second() -> str:
        units = services.application("traefik-k8s")["units"]
        status = units.get("traefik-k8s/1", {}).get("workload-status", {})
        return status.get("message", "") if status.get("current") == "blocked" else ""

    services.nuages("add-unit", "traefik-k8s")
    message = eventually("the second unit speaks", second, seconds=60)
    services.nuages(*message.partition(": ")[2].split())
    units = services.application
    eventually("it has gone", lambda: list(units("traefik-k8s")["units"]) == [TRAEFIK], seconds=60)
    services.becomes(TRAEFIK, "active", seconds=20)


def test_data_outlive_a_killed_server(services: World):
    psql(services, "CREATE TABLE kept (a int)")
    psql(services, "INSERT INTO kept VALUES (7)")
    before = psql(services, "SELECT pg_postmaster_start_time()")
    kill = "kill -9 $(head -1 /var/lib/postgresql/data/cluster/18/postmaster.pid)"
    services.nuages("ssh", "--container", "postgresql", POSTGRESQL, "--", "sh", "-c", kill)
    after = eventually("it serves again", lambda: psql(services, "SELECT pg_postmaster_start_time()"), seconds=20)
    assert after != before
    assert psql(services, "SELECT a FROM kept") == "7"


def test_they_can_be_removed(services: World):
    for application in ("postgresql-k8s", "traefik-k8s"):
        services.nuages("remove-application", application)
    eventually("nothing is left", lambda: not services.status()["applications"], seconds=60)
