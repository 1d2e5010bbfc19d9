"""redis-k8s on the real Valkey: no password for who is related, and none to be had otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuages.charm.interfaces import redis as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services import REGISTRY
from tests.charm.interfaces.examples import example
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import Pod, running, until
from tests.services.valkey.client import RefusedCommand, ask

SERVICE = REGISTRY["redis-k8s"]


class Cache:
    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(
            pod.client, unit="redis-k8s/0", fqdn="redis-k8s-0.redis-k8s-endpoints.dev.svc.cluster.local"
        )
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


def related(cache: Cache) -> FakeRelation:
    relation = FakeRelation(5, "redis", "redis", units={"notes/0": {}})
    cache.context.all_relations.append(relation)
    cache.hook("redis-relation-joined", relation)
    return relation


def test_while_nothing_is_related_it_wants_a_password(cache: Cache) -> None:
    with pytest.raises(RefusedCommand, match="NOAUTH"):
        ask(cache.pod, "PING")
    password = cache.act("get-initial-admin-password")["redis-password"]
    assert ask(cache.pod, f"AUTH {password}", "CONFIG GET appendonly") == ["appendonly", "yes"]
    assert cache.act("check-service") == {"result": "Service is running"}


def test_a_related_application_needs_none(cache: Cache) -> None:
    relation = related(cache)
    assert ask(cache.pod, "SET a é EX 100", "SELECT 1", "SELECT 0", "EVAL return(7) 0", "GET a") == "é"
    # The databags of reference relation-interfaces: the unit's address and port, the leader's name.
    assert relation.own_unit == {"hostname": "10.77.0.2", "port": "6379"}
    assert relation.own == {"leader-host": "redis-k8s-0.redis-k8s-endpoints.dev.svc.cluster.local"}
    writes = relation.writes
    cache.hook("update-status")
    assert relation.writes == writes


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
    relation.breaking = True
    cache.hook("redis-relation-broken", relation)
    cache.context.all_relations.clear()
    with pytest.raises(RefusedCommand, match="NOAUTH"):
        ask(cache.pod, "GET a")
    password = cache.act("get-initial-admin-password")["redis-password"]
    assert ask(cache.pod, "GET a", login=(password,)) == "é"
    related(cache)
    assert ask(cache.pod, "GET a") == "é"


def test_a_server_that_does_not_answer_is_no_running_service(cache: Cache) -> None:
    cache.hook("stop")
    assert cache.act("check-service") == {"result": "Service is not running"}
    cache.hook("start")
    until(lambda: cache.act("check-service")["result"] == "Service is running", "it answers")
    assert ask(cache.pod, "GET a") == "é"
