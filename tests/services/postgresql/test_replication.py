from __future__ import annotations

import asyncio
import json

import pytest

from nuages.services import REGISTRY
from nuages.services.postgresql import replication
from nuages.services.postgresql.replication import Existing
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import Pod, running, until

UNITS = ("postgresql-k8s/1",)
SERVICE = REGISTRY["postgresql-k8s"]


def plan(
    existing: Existing, kept: dict[str, str], units: tuple[str, ...] = UNITS, verifier: str = "v"
) -> tuple[list[str], dict[str, str]]:
    script, told = replication.plan(units, existing, kept, verifier, iter("xyz").__next__)
    return script.splitlines(), told


def test_the_first_replica_brings_user_and_slot() -> None:
    lines, told = plan(Existing("", {}), {})
    assert lines == [
        "CREATE ROLE \"replication\" LOGIN REPLICATION PASSWORD 'v';",
        "SELECT pg_create_physical_replication_slot('unit_1', true);",
    ]
    assert told == {"unit_1": "x"}


@pytest.mark.parametrize("state", ["reserved", "extended", "unreserved"])
def test_a_slot_that_serves_stays_with_its_token(state: str) -> None:
    assert plan(Existing("v", {"unit_1": state}), {"unit_1": "t"}) == ([], {"unit_1": "t"})


def test_a_slot_whose_token_was_lost_gets_another() -> None:
    assert plan(Existing("v", {"unit_1": "reserved"}), {}) == ([], {"unit_1": "x"})


def test_a_slot_that_was_given_up_is_made_anew_and_copied_for() -> None:
    lines, told = plan(Existing("v", {"unit_1": "lost"}), {"unit_1": "t"})
    assert any("pg_drop_replication_slot('unit_1')" in line for line in lines)
    assert lines[-1] == "SELECT pg_create_physical_replication_slot('unit_1', true);"
    assert told == {"unit_1": "x"}


def test_the_slot_of_a_unit_that_left_goes() -> None:
    lines, told = plan(Existing("v", {"unit_1": "reserved"}), {"unit_1": "t"}, units=())
    assert any("pg_drop_replication_slot('unit_1')" in line for line in lines)
    assert told == {}


def test_a_changed_password_is_set() -> None:
    assert plan(Existing("old", {"unit_1": "reserved"}), {"unit_1": "t"})[0] == [
        "ALTER ROLE \"replication\" PASSWORD 'v';"
    ]


def test_a_replica_waits_for_the_primary_to_make_its_slot(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(SERVICE, tmp_path_factory.mktemp("w")) as pod:
        context = _context(pod, FakeRelation(0, replication.PEERS, own={}))
        asyncio.run(SERVICE.hook(context))
        assert context.status == ("waiting", "waiting for the primary")
        assert not pod.client.get_services()


def test_the_primary_makes_a_slot_for_each_other_unit(tmp_path_factory: pytest.TempPathFactory) -> None:
    peers = FakeRelation(0, replication.PEERS, units={UNITS[0]: {}}, remote_application="postgresql-k8s")
    with running(SERVICE, tmp_path_factory.mktemp("p")) as pod:
        context = FakeContext(pod.client, hook="postgresql-pebble-ready", all_relations=[peers])
        asyncio.run(SERVICE.hook(context))
        assert context.status == ("active", "PostgreSQL 18 in place of 14")
        first = json.loads(peers.own[replication.SLOTS])
        assert list(first) == ["unit_1"]
        writes = peers.writes
        asyncio.run(SERVICE.hook(context))
        assert peers.writes == writes
        assert "unit_1" in pod.run("psql", "-Atc", "SELECT slot_name FROM pg_replication_slots")
        peers.units = {}
        asyncio.run(SERVICE.hook(context))
        assert replication.SLOTS not in peers.own
        until(lambda: not pod.run("psql", "-Atc", "SELECT slot_name FROM pg_replication_slots").strip(), "it goes")
        assert context.secrets["replication-password"][1]["password"] not in pod.output()


def _context(pod: Pod, peers: FakeRelation) -> FakeContext:
    return FakeContext(
        pod.client, unit=UNITS[0], hook="postgresql-pebble-ready", is_leader=False, all_relations=[peers]
    )
