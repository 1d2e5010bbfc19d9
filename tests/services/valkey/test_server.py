"""The real Valkey and its Sentinel in a container of its own."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until
from tests.services.valkey.client import RefusedCommand, ask

SERVICE = REGISTRY["valkey"]


def request(resource: str = "*", name: str = "d0c352f7d809734b") -> dict[str, str]:
    item = {"resource": resource, "request-id": name, "salt": "xqbPuYzzl2iiKeyN"}
    return {"version": "v1", "requests": json.dumps([item])}


class Store:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.context = FakeContext(pod.client, unit="valkey/0")
        self.settle(pod)
        self.hook("install")
        self.hook("start")
        self.hook("valkey-pebble-ready")
        assert self.context.status == ("active", "")

    def settle(self, pod: Pod) -> None:
        self.pod, self.context.client = pod, pod.client
        # The name by which Sentinel knows its server is the engine's to resolve.
        (pod.root / "etc/hosts").write_text("127.0.0.1 localhost valkey-0.valkey-endpoints\n")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def integrate(self, number: int, application: str = "notes", resource: str = "*") -> FakeRelation:
        relation = FakeRelation(
            number, "valkey-client", "valkey_client", remote_application=application, app=request(resource)
        )
        self.context.all_relations.append(relation)
        self.hook("valkey-client-relation-changed", relation)
        return relation

    def remove(self, relation: FakeRelation) -> None:
        relation.breaking = True
        self.hook("valkey-client-relation-broken", relation)
        self.context.all_relations.remove(relation)

    def login(self, relation: FakeRelation) -> tuple[str, str]:
        (answer,) = json.loads(relation.own["requests"])
        content = self.context.content(answer["secret-user"])
        return content["username"], content["password"]

    def ask(self, relation: FakeRelation, *commands: str, **more: Any) -> Any:
        return ask(self.pod, *commands, login=self.login(relation), **more)

    def act(self, name: str, **params: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, params)))


@pytest.fixture(scope="module")
def store(directory: Path) -> Iterator[Store]:
    with running(SERVICE, directory) as pod:
        yield Store(pod)


def operator(store: Store) -> tuple[str, str]:
    kept = store.context.secret("internal-users")
    assert kept
    return "charmed-operator", kept["charmed-operator"]


def test_it_is_the_version_it_says(store: Store) -> None:
    assert f"valkey_version:{SERVICE.version}\r\n" in ask(store.pod, "INFO server", login=operator(store))


def test_the_console(store: Store) -> None:
    notes = store.integrate(40, resource="console:*")
    console = SERVICE.console(store.context, notes)

    def run(*words: str, stdin: str = "") -> str:
        return store.pod.run(*console.argv, *words, stdin=stdin, environment=dict(console.environment))

    user, password = store.login(notes)
    assert console.url == f"redis://{user}:{password}@{{address}}/0"
    assert password not in " ".join(console.argv)
    assert run("SET", "console:a", "Grüße, two words") == "OK\n"
    assert run("GET", "console:a") == "Grüße, two words\n"
    assert (
        run(stdin="GET console:never\nrpush console:l 'a b' c\nlrange console:l 0 -1\n") == "(nil)\n2\n1) a b\n2) c\n"
    )
    with pytest.raises(CommandError, match="cannot GET: NOPERM"):
        run("GET", "other")
    with pytest.raises(CommandError, match="cannot log in: WRONGPASS"):
        store.pod.run(*console.argv, "PING", environment={"VALKEY_USER": user, "VALKEY_PASSWORD": "x"})
    store.remove(notes)
    with pytest.raises(NuagesError, match="notes has no login yet"):
        SERVICE.console(store.context, FakeRelation(41, "valkey-client", "valkey_client"))


def test_nobody_gets_in_without_a_password(store: Store) -> None:
    for port in (6379, 26379):
        with pytest.raises(RefusedCommand, match="NOAUTH"):
            ask(store.pod, "PING", port=port)
        with pytest.raises(RefusedCommand, match="WRONGPASS"):
            ask(store.pod, "AUTH default x", port=port)


def test_a_relation_gets_a_user_that_does_what_a_cache_does(store: Store) -> None:
    notes = store.integrate(3)
    assert store.ask(notes, "SET a é EX 100", "GET a") == "é"
    assert store.ask(notes, "MULTI", "INCR n", "EXEC") == [1]
    assert store.ask(notes, "PING") == "PONG"


def test_it_may_not_do_what_charmhubs_does_not_let_it(store: Store) -> None:
    notes = store.context.all_relations[0]
    for command in ("CONFIG GET dir", "ACL LIST", "SHUTDOWN NOSAVE", "EVAL x 0", "SELECT 1", "CLIENT LIST"):
        with pytest.raises(RefusedCommand, match="NOPERM"):
            store.ask(notes, command)


def test_another_relation_with_keys_of_its_own_does_not_reach_the_first_ones(store: Store) -> None:
    notes, jobs = store.context.all_relations[0], store.integrate(4, "jobs", "jobs:*")
    assert store.ask(jobs, "SET jobs:1 x", "GET jobs:1") == "x"
    for command in ("GET a", "SET a x", "PUBLISH a x"):
        with pytest.raises(RefusedCommand, match="NOPERM"):
            store.ask(jobs, command)
    user, _ = store.login(jobs)
    with pytest.raises(RefusedCommand, match="WRONGPASS"):
        ask(store.pod, "PING", login=(user, store.login(notes)[1]))


def test_sentinel_names_the_server(store: Store) -> None:
    notes = store.context.all_relations[0]
    found = store.ask(notes, "SENTINEL get-master-addr-by-name primary", port=26379)
    assert found == ["valkey-0.valkey-endpoints", "6379"]
    with pytest.raises(RefusedCommand, match="NOPERM"):
        store.ask(notes, "SENTINEL failover primary", port=26379)

    def seen_up() -> bool:
        told = store.ask(notes, "SENTINEL master primary", port=26379)
        return dict(zip(told[::2], told[1::2], strict=True))["flags"] == "master"

    until(seen_up, "Sentinel reaches its server with its password")


def test_hooks_without_news_write_nothing(store: Store) -> None:
    relation = store.context.all_relations[0]
    writes, secrets = relation.writes, dict(store.context.secrets)
    store.hook("update-status")
    assert (relation.writes, store.context.secrets) == (writes, secrets)


def test_a_changed_password_serves_at_once_and_the_old_one_for_a_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, jobs = store.context.all_relations
    old, others = store.login(notes), store.login(jobs)
    bag = dict(notes.own)
    assert store.act("rotate-password", application="notes") == {"changed": "notes"}
    between = store.login(notes)
    assert store.act("rotate-password", application="notes") == {"changed": "notes"}
    new = store.login(notes)
    assert len({old, between, new}) == 3
    assert notes.own == bag  # the same secret, one revision on: the requirer gets secret-changed
    assert store.login(jobs) == others
    for login in (old, between, new):
        assert ask(store.pod, "GET a", login=login) == "é"
        assert ask(store.pod, "PING", login=login, port=26379) == "PONG"
    later = time.time() + 61
    monkeypatch.setattr("nuages.services.passwords.time.time", lambda: later)
    store.hook("update-status")
    assert ask(store.pod, "GET a", login=new) == "é"
    for port in (6379, 26379):
        with pytest.raises(RefusedCommand, match="WRONGPASS"):
            ask(store.pod, "PING", login=old, port=port)
    assert old[1] not in str(store.context.secrets)


def test_a_connection_outlives_the_change_of_its_password(store: Store) -> None:
    notes = store.context.all_relations[0]
    command = [
        "/bin/bash",
        "-c",
        'exec 3<>/dev/tcp/127.0.0.1/6379; read -r login; printf "AUTH %s\\r\\n" "$login" >&3; read -r _ <&3; '
        'echo ready; read -r _; printf "GET a\\r\\n" >&3; read -r length <&3; read -r value <&3; echo "$value"',
    ]
    process = store.pod.client.exec(command, encoding="utf-8", working_dir="/")
    assert process.stdin
    assert process.stdout
    process.stdin.write(" ".join(store.login(notes)) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    store.act("rotate-password")
    process.stdin.write("go\n")
    process.stdin.close()
    assert process.stdout.readline().strip() == "é"
    process.wait()


def test_a_password_is_changed_for_nobody_unknown(store: Store) -> None:
    with pytest.raises(NuagesError, match=r"'blog': related applications are jobs, notes"):
        store.act("rotate-password", application="blog")


def test_the_administrators_password_is_the_operators_secret(store: Store) -> None:
    before = operator(store)
    assert ask(store.pod, "ACL WHOAMI", login=before) == "charmed-operator"
    store.context.config["system-users"] = "secret:mine"
    store.hook("config-changed")
    assert store.context.status == (
        "blocked",
        "system-users names a secret that cannot be read: grant-secret secret:mine valkey",
    )
    store.context.granted["secret:mine"] = {"charmed-operator": "Chosen1", "charmed-replication": "x"}
    store.hook("config-changed")
    assert store.context.status == ("active", "")
    assert ask(store.pod, "ACL WHOAMI", login=("charmed-operator", "Chosen1")) == "charmed-operator"
    with pytest.raises(RefusedCommand, match="WRONGPASS"):
        ask(store.pod, "PING", login=before)
    store.context.granted["secret:mine"] = {"admin": "x"}
    store.hook("secret-changed")
    assert store.context.status[1].startswith("system-users has a user 'admin': there are charmed-operator, ")
    assert ask(store.pod, "ACL WHOAMI", login=("charmed-operator", "Chosen1")) == "charmed-operator"
    del store.context.config["system-users"]
    store.hook("config-changed")
    assert store.context.status == ("active", "")


def test_the_observer_only_observes(store: Store) -> None:
    kept = store.context.secret("internal-users")
    assert kept
    login = ("charmed-stats", kept["charmed-stats"])
    assert "used_memory" in ask(store.pod, "INFO memory", login=login)
    with pytest.raises(RefusedCommand, match="NOPERM"):
        ask(store.pod, "SET a x", login=login)


def test_what_is_not_to_be_had_blocks_and_serves_the_others(store: Store) -> None:
    bad = store.integrate(11, "bad", "a b")
    assert store.context.status == ("blocked", "bad asks for keys that no pattern can name: 'a b'")
    assert bad.own == {}
    assert store.ask(store.context.all_relations[0], "GET a") == "é"
    store.remove(bad)
    assert store.context.status == ("active", "")


def test_a_removed_relations_user_goes(store: Store) -> None:
    jobs = store.context.all_relations[1]
    login = store.login(jobs)
    store.remove(jobs)
    with pytest.raises(RefusedCommand, match="WRONGPASS"):
        ask(store.pod, "PING", login=login)
    assert not [label for label in store.context.secrets if label.startswith("valkey-client.4")]
    assert store.ask(store.context.all_relations[0], "GET jobs:1") == "x"  # its data stay


def test_a_killed_server_comes_back_by_itself_with_every_acknowledged_write(store: Store) -> None:
    notes = store.context.all_relations[0]
    before = run_id(store, notes)
    # Writes without a pause, and the server killed amid them: what was answered is what must be there.
    writer = (
        'exec 3<>/dev/tcp/127.0.0.1/6379; read -r login; printf "AUTH %s\\r\\n" "$login" >&3; read -r _ <&3; n=0; '
        'while printf "INCR counter\\r\\n" >&3 && read -r answer <&3; do n=${answer//[^0-9]/}; '
        'if [ "$n" = 2000 ]; then kill -9 "$1"; fi; done 2>/dev/null; echo "$n"'
    )
    pid = next(iter(processes(store.pod, "valkey-server *:6379")))
    argv = ["/bin/bash", "-c", writer, "writer", pid]
    process = store.pod.client.exec(argv, stdin=" ".join(store.login(notes)) + "\n", working_dir="/", timeout=60)
    acknowledged = int(process.wait_output()[0])
    assert acknowledged >= 2000

    def back() -> bool:
        try:
            return run_id(store, notes) != before
        except RefusedCommand:
            return False

    until(back, "Valkey serves again")
    assert int(store.ask(notes, "GET counter")) >= acknowledged
    assert store.ask(notes, "GET a") == "é"


def run_id(store: Store, relation: FakeRelation) -> str:
    found = re.search(r"run_id:(\w+)", store.ask(relation, "INFO server"))
    assert found
    return found[1]


def processes(pod: Pod, name: str) -> list[str]:
    """Return the pids, as the pod counts them, of processes whose title starts so."""
    found = pod.run(
        "sh", "-c", 'for p in /proc/[0-9]*; do echo "${p#/proc/} $(tr "\\0" " " <$p/cmdline)"; done 2>/dev/null'
    )
    pairs = [line.partition(" ") for line in found.splitlines()]
    return [pid for pid, _, title in pairs if title.removeprefix("/opt/valkey/").startswith(name)]


def test_no_server_is_root(store: Store) -> None:
    pids = processes(store.pod, "valkey-server")
    assert len(pids) == 2
    for pid in pids:
        users = store.pod.run("sh", "-c", f"grep ^Uid: /proc/{pid}/status").split()[1:]
        assert "0" not in users


def test_no_password_is_printed_or_readable_by_others(store: Store) -> None:
    output = store.pod.output()
    words = [content["password"] for _, content in store.context.secrets.values() if "password" in content]
    control = store.pod.run("cat", "/var/lib/valkey/server/control")
    assert words
    assert not [word for word in (*words, control) if word in output]
    modes = store.pod.run(
        "sh", "-c", "stat -c %a:%n /var/lib/valkey/server/*.acl /var/lib/valkey/server/control"
    ).split()
    assert {mode.partition(":")[0] for mode in modes} == {"600"}


def test_data_outlive_the_pod_even_when_all_is_killed(store: Store, directory: Path) -> None:
    notes = store.context.all_relations[0]
    store.pod.kill()
    with running(SERVICE, directory) as pod:
        store.settle(pod)
        store.hook("upgrade-charm")
        store.hook("valkey-pebble-ready")
        assert store.context.status == ("active", "")
        assert store.ask(notes, "GET a") == "é"
        store.hook("stop")
        assert not any(info.is_running() for info in pod.client.get_services())
        store.hook("start")
        until(lambda: len(processes(pod, "valkey-server")) == 2, "both run again")


def test_data_that_are_no_aof_are_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("b")
    with running(SERVICE, directory) as pod:
        (directory / "data/server/appendonlydir").mkdir(parents=True)
        (directory / "data/server/appendonlydir/appendonly.aof.manifest").write_text("rubbish\n")
        context = FakeContext(pod.client, unit="valkey/0", hook="valkey-pebble-ready")
        with pytest.raises(NuagesError, match="cannot start Valkey: "):
            asyncio.run(SERVICE.hook(context))


def test_a_second_unit_does_not_serve() -> None:
    context = FakeContext(None, unit="valkey/1", is_leader=False)
    asyncio.run(SERVICE.hook(context))
    assert context.status == ("blocked", "this built-in application runs on one unit: remove-unit valkey --num-units 1")
