"""redis-k8s on the real Valkey: no password for the pods of related applications, one for everybody else."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuages.charm.interfaces import redis as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.charm.interfaces.examples import example
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import Pod, running, until
from tests.services.valkey.client import RefusedCommand, ask
from tests.services.valkey.protocol import BLOCKED, PROTOCOL

SERVICE = REGISTRY["redis-k8s"]
NOTES, MORE_NOTES, OTHER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""Addresses of pods: all of the loopback is this pod's, and the server sees which of them one has connected from."""


def hosts(pod: Pod, **units: str) -> None:
    """Write whose the addresses are, in place, as the engine does."""
    lines = ["127.0.0.1\tlocalhost"]
    for name, address in units.items():
        application, _, number = name.rpartition("_")
        lines.append(f"{address}\t{application}-{number}.{application}-endpoints {application}-{number}")
    (pod.root / "etc/hosts").write_text("".join(f"{line}\n" for line in lines))


class Cache:
    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(
            pod.client, unit="redis-k8s/0", fqdn="redis-k8s-0.redis-k8s-endpoints.dev.svc.cluster.local"
        )
        hosts(pod, notes_0=NOTES, other_0=OTHER)
        self.hook("install")
        self.hook("redis-pebble-ready")
        assert self.context.status == ("active", "Valkey in place of Redis")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act(self, name: str) -> dict[str, str]:
        return dict(asyncio.run(SERVICE.action(self.context, name, {})))


@pytest.fixture(scope="module")
def cache(directory: Path) -> Iterator[Cache]:
    with running(SERVICE, directory) as pod:
        yield Cache(pod)


def related(cache: Cache, application: str = "notes", number: int = 5) -> FakeRelation:
    relation = FakeRelation(number, "redis", "redis", application, units={f"{application}/0": {}})
    cache.context.all_relations.append(relation)
    cache.hook("redis-relation-joined", relation)
    return relation


def unrelated(cache: Cache, relation: FakeRelation) -> None:
    relation.breaking = True
    cache.hook("redis-relation-broken", relation)
    cache.context.all_relations.remove(relation)


def refused(cache: Cache, source: str) -> bool:
    try:
        ask(cache.pod, "GET a", source=source)
    except RefusedCommand as error:
        return str(error).startswith("NOAUTH")
    return False


def password(cache: Cache) -> str:
    return cache.act("get-initial-admin-password")["redis-password"]


def test_while_nothing_is_related_everybody_wants_a_password(cache: Cache) -> None:
    assert [refused(cache, source) for source in ("", NOTES, OTHER)] == [True, True, True]
    with pytest.raises(RefusedCommand, match="WRONGPASS"):
        ask(cache.pod, "AUTH x", source=NOTES)
    assert ask(cache.pod, f"AUTH {password(cache)}", "CONFIG GET appendonly") == ["appendonly", "yes"]
    assert cache.act("check-service") == {"result": "Service is running"}


def test_a_related_application_needs_none_and_others_do(cache: Cache) -> None:
    relation = related(cache)
    assert ask(cache.pod, "SET a é EX 100", "SELECT 1", "SELECT 0", "EVAL return(7) 0", "GET a", source=NOTES) == "é"
    assert [refused(cache, source) for source in ("", OTHER)] == [True, True]
    assert ask(cache.pod, f"AUTH default {password(cache)}", "GET a", source=OTHER) == "é"
    # The databags of reference relation-interfaces: the unit's address and port, the leader's name.
    assert relation.own_unit == {"hostname": "10.77.0.2", "port": "6379"}
    assert relation.own == {"leader-host": "redis-k8s-0.redis-k8s-endpoints.dev.svc.cluster.local"}
    writes = relation.writes
    cache.hook("update-status")
    assert relation.writes == writes


def test_another_application_is_let_in_when_it_is_related_and_no_longer(cache: Cache) -> None:
    relation = related(cache, "other", 6)
    assert [refused(cache, source) for source in (NOTES, OTHER)] == [False, False]
    unrelated(cache, relation)
    assert [refused(cache, source) for source in (NOTES, OTHER)] == [False, True]


def test_a_new_pod_of_a_related_application_is_let_in_before_any_hook(cache: Cache) -> None:
    assert refused(cache, MORE_NOTES)
    hosts(cache.pod, notes_0=NOTES, notes_1=MORE_NOTES, other_0=OTHER)
    assert not refused(cache, MORE_NOTES)
    hosts(cache.pod, notes_0=NOTES, other_0=OTHER)
    assert refused(cache, MORE_NOTES)


@pytest.mark.parametrize("source", [NOTES, OTHER])
def test_all_that_the_protocol_has_passes(cache: Cache, source: str) -> None:
    """By a related application without a password, by another with one."""
    given = json.dumps({"source": source, "password": "" if source == NOTES else password(cache)})
    assert json.loads(cache.pod.python(PROTOCOL, given)) == []


def test_the_console(cache: Cache) -> None:
    (relation,) = cache.context.all_relations
    console = SERVICE.console(cache.context, relation)
    assert console.url == f"redis://default:{password(cache)}@{{address}}/0"
    assert password(cache) not in " ".join(console.argv)
    assert cache.pod.run(*console.argv, "GET", "a", environment=dict(console.environment)) == "é\n"
    with pytest.raises(NuagesError, match="no login yet"):
        SERVICE.console(FakeContext(None, unit="redis-k8s/0"), relation)


def test_our_own_charm_reads_it(cache: Cache) -> None:
    (relation,) = cache.context.all_relations
    value = charm_side.parse(example("redis", bag=relation.own, units={"redis-k8s/0": relation.own_unit}))
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    assert found["REDIS_DB_CONNECT_STRING"] == f"redis://{relation.own['leader-host']}:6379"
    assert "REDIS_DB_PASSWORD" not in found


def test_a_new_address_is_told(cache: Cache) -> None:
    (relation,) = cache.context.all_relations
    cache.context.address = "10.77.0.9"
    cache.hook("upgrade-charm")
    assert relation.own_unit["hostname"] == "10.77.0.9"


def test_when_the_relation_goes_the_password_is_back_and_the_data_stay(cache: Cache) -> None:
    (relation,) = cache.context.all_relations
    waiting = cache.pod.client.exec(
        [str(Path(sys.executable).resolve()), "-I", "-S", "-c", BLOCKED], environment={"FROM": NOTES}, timeout=60
    )
    assert waiting.stdout
    assert waiting.stdout.readline() == "waiting\n"
    unrelated(cache, relation)
    assert waiting.wait_output()[0] == "closed\n"
    assert refused(cache, NOTES)
    assert ask(cache.pod, "GET a", login=(password(cache),)) == "é"
    related(cache)
    assert ask(cache.pod, "GET a", source=NOTES) == "é"


@pytest.mark.parametrize(("what", "pattern"), [("server", "[v]alkey-server unix"), ("gate", "[g]ate.py")])
def test_what_is_killed_is_back_with_every_acknowledged_write(cache: Cache, what: str, pattern: str) -> None:
    script = (
        f'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline 2>/dev/null | grep -q "{pattern}" '
        '&& kill -9 "${p#/proc/}" && echo killed; done; true'
    )
    kept: list[str] = []

    def write(name: str) -> bool:
        try:
            ask(cache.pod, f"SET {name} x", source=NOTES)
        except RefusedCommand as error:
            # While the server is away connections wait; only what was under way when it was killed is closed.
            assert re.search("LOADING|closed|reset" if what == "server" else "refused|closed|reset", str(error)), error
            return False
        kept.append(name)
        return True

    for number in range(12):
        name = f"{what}-{number}"
        if number == 6:
            assert cache.pod.run("/bin/bash", "-c", script) == "killed\n"
        until(lambda name=name: write(name), f"{name} is written")
    assert all(ask(cache.pod, f"GET {name}", source=NOTES) == "x" for name in kept)
    assert cache.act("check-service") == {"result": "Service is running"}


def test_a_server_that_does_not_answer_is_no_running_service(cache: Cache) -> None:
    cache.hook("stop")
    assert cache.act("check-service") == {"result": "Service is not running"}
    cache.hook("start")
    until(lambda: cache.act("check-service")["result"] == "Service is running", "it answers")
    assert ask(cache.pod, "GET a", source=NOTES) == "é"


def test_the_password_is_in_no_log_and_no_plan_and_in_a_file_of_the_servers_own(cache: Cache) -> None:
    word = password(cache)
    assert word not in cache.pod.output()
    assert word not in json.dumps(cache.pod.client.get_plan().to_dict())
    modes = cache.pod.run("sh", "-c", "cd /var/lib/redis/server; stat -c %a:%n . gate.json valkey.socket")
    assert modes == "700:.\n600:gate.json\n700:valkey.socket\n"
    listening = cache.pod.run("/bin/sh", "-c", "cat /proc/net/tcp /proc/net/tcp6").splitlines()
    ports = [line.split()[1] for line in listening if " 0A " in line]
    assert ports == [f"00000000:{6379:04X}"]
