"""The real FerretDB in a container of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.mongodb.client import RefusedCommand, ask, opened
from tests.services.pod import CommandError, Pod, running, until

SERVICE = REGISTRY["mongodb-k8s"]
NOTE = "FerretDB 1.24 in place of MongoDB"


class Store:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="mongodb-k8s/0")
        for name in ("install", "start", "mongod-pebble-ready"):
            self.hook(name)
        assert self.context.status == ("active", NOTE)

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def integrate(self, number: int, application: str, database: str = "") -> FakeRelation:
        app = {"database": database or application, "requested-secrets": '["username", "password", "uris"]'}
        relation = FakeRelation(number, "database", "mongodb_client", remote_application=application, app=app)
        self.context.all_relations.append(relation)
        self.hook("database-relation-changed", relation)
        return relation

    def remove(self, relation: FakeRelation) -> None:
        relation.breaking = True
        self.hook("database-relation-broken", relation)
        self.context.all_relations.remove(relation)

    def login(self, relation: FakeRelation) -> tuple[str, str]:
        content = self.context.content(relation.own["secret-user"])
        return content["username"], content["password"]

    def ask(self, relation: FakeRelation, *commands: dict[str, Any]) -> Any:
        return ask(self.pod, *commands, login=self.login(relation))

    def operator(self) -> tuple[str, str]:
        return "operator", self.act("get-password")["password"]

    def act(self, name: str, **params: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, params)))


def find(database: str, collection: str = "things") -> dict[str, Any]:
    return {"find": collection, "$db": database}


def insert(database: str, *documents: dict[str, Any]) -> dict[str, Any]:
    return {"insert": "things", "documents": list(documents), "$db": database}


def texts(answer: dict[str, Any]) -> list[Any]:
    return [document["text"] for document in answer["cursor"]["firstBatch"]]


@pytest.fixture(scope="module")
def store(directory: Path) -> Iterator[Store]:
    with running(SERVICE, directory) as pod:
        yield Store(pod)


def test_it_is_the_version_it_says(store: Store) -> None:
    answer = ask(store.pod, {"buildInfo": 1, "$db": "admin"})
    assert answer["ferretdbVersion"] == f"v{SERVICE.version}"


def test_nobody_reads_without_a_password(store: Store) -> None:
    with pytest.raises(RefusedCommand, match="requires authentication"):
        ask(store.pod, find("notes"))
    with pytest.raises(RefusedCommand, match="Authentication failed"):
        ask(store.pod, find("notes"), login=("operator", "x"))


def test_a_relation_gets_a_user_that_does_what_a_database_does(store: Store) -> None:
    notes = store.integrate(3, "notes")
    assert store.login(notes)[0] == "relation-3"
    documents = [{"text": f"t{number}"} for number in range(150)]
    assert store.ask(notes, insert("notes", {"text": "é"}, *documents))["n"] == 151
    assert texts(store.ask(notes, {**find("notes"), "filter": {"text": "é"}})) == ["é"]
    index = {"createIndexes": "things", "indexes": [{"key": {"text": 1}, "name": "text_1", "unique": True}]}
    assert store.ask(notes, {**index, "$db": "notes"})["ok"] == 1
    with pytest.raises(RefusedCommand, match="duplicate key"):
        store.ask(notes, insert("notes", {"text": "é"}))
    grouped = [{"$match": {"text": {"$ne": "é"}}}, {"$group": {"_id": None, "n": {"$sum": 1}}}]
    command = {"aggregate": "things", "pipeline": grouped, "cursor": {}, "$db": "notes"}
    assert store.ask(notes, command)["cursor"]["firstBatch"][0]["n"] == 150
    rename = {"renameCollection": "notes.things", "to": "notes.others", "$db": "admin"}
    back = {"renameCollection": "notes.others", "to": "notes.things", "$db": "admin"}
    assert store.ask(notes, rename, back)["ok"] == 1


def test_one_applications_login_does_not_open_anothers_data(store: Store) -> None:
    notes, blog = store.context.all_relations[0], store.integrate(4, "blog")
    assert store.ask(blog, insert("blog", {"text": "private"}))["n"] == 1
    for command in (
        find("blog"),
        insert("blog", {"text": "x"}),
        {"update": "things", "updates": [{"q": {}, "u": {"$set": {"text": "x"}}}], "$db": "blog"},
        {"delete": "things", "deletes": [{"q": {}, "limit": 0}], "$db": "blog"},
        {"aggregate": "things", "pipeline": [], "cursor": {}, "$db": "blog"},
        {"count": "things", "$db": "blog"},
        {"distinct": "things", "key": "text", "$db": "blog"},
        {"explain": find("blog"), "$db": "blog"},
        {"listCollections": 1, "$db": "blog"},
        {"drop": "things", "$db": "blog"},
        {"dropDatabase": 1, "$db": "blog"},
        {"renameCollection": "blog.things", "to": "blog.mine", "$db": "admin"},
        {"renameCollection": "blog.things", "to": "notes.mine", "$db": "admin"},
        {"renameCollection": "notes.things", "to": "blog.mine", "$db": "admin"},
        {"getMore": 1, "collection": "things", "$db": "blog"},
        find("admin", "system.users"),
        {"usersInfo": 1, "$db": "admin"},
        {"createUser": "x", "pwd": "x", "roles": [], "$db": "admin"},
        {"createUser": "x", "pwd": "x", "roles": [], "$db": "notes"},
        {"updateUser": store.login(blog)[0], "pwd": "x", "$db": "admin"},
        {"dropUser": store.login(blog)[0], "$db": "admin"},
        {"dropAllUsersFromDatabase": 1, "$db": "admin"},
        {"serverStatus": 1, "$db": "admin"},
        {"getLog": "global", "$db": "admin"},
    ):
        with pytest.raises(RefusedCommand, match="not authorized on"):
            store.ask(notes, command)
    # What is explained is always of the database that was asked for.
    with pytest.raises(RefusedCommand, match="not authorized on"):
        store.ask(notes, {"explain": {**find("notes")}, "$db": "blog"})
    listed = store.ask(notes, {"listDatabases": 1, "$db": "admin"})
    assert [entry["name"] for entry in listed["databases"]] == ["notes"]
    with pytest.raises(RefusedCommand, match="Authentication failed"):
        ask(store.pod, find("blog"), login=(store.login(blog)[0], store.login(notes)[1]))
    assert texts(store.ask(blog, find("blog"))) == ["private"]


def test_it_may_not_do_with_its_own_what_production_does_not_let_it(store: Store) -> None:
    notes = store.context.all_relations[0]
    for command in ({"dropDatabase": 1, "$db": "notes"}, {"validate": "things", "$db": "notes"}):
        with pytest.raises(RefusedCommand, match="not authorized on notes"):
            store.ask(notes, command)


def test_two_requirers_of_one_database_share_it(store: Store) -> None:
    other = store.integrate(5, "reader", "notes")
    assert texts(store.ask(other, {**find("notes"), "filter": {"text": "é"}})) == ["é"]
    store.remove(other)


@pytest.mark.parametrize(
    "command",
    [
        {"aggregate": "things", "pipeline": [{stage: value}], "cursor": {}}
        for stage, value in {
            "$lookup": {"from": "a", "localField": "b", "foreignField": "c", "as": "d"},
            "$facet": {"a": [{"$match": {}}]},
            "$out": "copy",
            "$merge": "copy",
            "$changeStream": {},
            "$group": {"_id": None, "mean": {"$avg": "$n"}},
            "$project": {"a": {"$cond": [True, 1, 2]}},
            "$match": {"$expr": {"$eq": ["$a", "$b"]}},
        }.items()
    ]
    + [
        {"update": "things", "updates": [{"q": {}, "u": [{"$set": {"a": 1}}]}]},
        {"insert": "things", "documents": [{}], "startTransaction": True, "autocommit": False},
        {"createIndexes": "things", "indexes": [{"key": {"at": 1}, "name": "at", "expireAfterSeconds": 9}]},
        {"createIndexes": "things", "indexes": [{"key": {"a": "text"}, "name": "a"}]},
        {"createIndexes": "things", "indexes": [{"key": {"a": 1}, "name": "a", "partialFilterExpression": {"a": 1}}]},
        {"create": "view", "viewOn": "things", "pipeline": []},
    ],
    ids=lambda command: next(iter(command)),
)
def test_what_ferretdb_lacks_is_refused_and_not_ignored(store: Store, command: dict[str, Any]) -> None:
    """Those that the page of applications names."""
    with pytest.raises(RefusedCommand, match=r"implement|not supported|wrong type|unknown field|can't find"):
        store.ask(store.context.all_relations[0], {**command, "$db": "notes"})


def test_the_administrator_sees_all_and_has_a_password_to_change(store: Store) -> None:
    before = store.operator()
    listed = ask(store.pod, {"listDatabases": 1, "$db": "admin"}, login=before)
    assert {"admin", "blog", "notes"} <= {entry["name"] for entry in listed["databases"]}
    assert store.act("set-password", password="Chosen1") == {"password": "Chosen1"}
    assert ask(store.pod, {"count": "things", "$db": "blog"}, login=store.operator())["n"] == 1
    with pytest.raises(RefusedCommand, match="Authentication failed"):
        ask(store.pod, find("blog"), login=before)
    with pytest.raises(NuagesError, match="only operator exists"):
        store.act("get-password", username="backup")
    assert store.act("get-primary") == {"primary": "mongodb-k8s/0"}


def test_hooks_without_news_write_nothing(store: Store) -> None:
    relation = store.context.all_relations[0]
    writes, secrets = relation.writes, dict(store.context.secrets)
    store.hook("update-status")
    assert (relation.writes, store.context.secrets) == (writes, secrets)


def test_a_changed_password_serves_at_once_and_the_old_one_for_a_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, blog = store.context.all_relations
    old, others, bag = store.login(notes), store.login(blog), dict(notes.own)
    count = {"count": "things", "$db": "notes"}
    connection = opened(store.pod, count, login=old)
    assert store.act("rotate-password", application="notes") == {"changed": "notes"}
    new = store.login(notes)
    assert new[0] == "relation-3-2"
    assert notes.own == bag  # the same secret, one revision on: the requirer gets secret-changed
    assert store.login(blog) == others
    store.hook("update-status")
    for login in (old, new):
        assert ask(store.pod, count, login=login)["n"] == 151
    connection.stdin.write("go\n")
    connection.stdin.close()
    assert '"n": 151' in connection.stdout.read()
    connection.wait()
    late = opened(store.pod, count, login=old)
    later = time.time() + 61
    monkeypatch.setattr("nuages.services.logins.time.time", lambda: later)
    store.hook("update-status")
    with pytest.raises(RefusedCommand, match="Authentication failed"):
        ask(store.pod, count, login=old)
    late.stdin.write("go\n")
    late.stdin.close()
    assert "not authorized" in late.stderr.read()  # its rights have gone, too
    assert ask(store.pod, count, login=new)["n"] == 151
    assert old[1] not in str(store.context.secrets)
    store.act("rotate-password", application="notes")
    assert store.login(notes)[0] == "relation-3"


def test_a_password_is_changed_for_nobody_unknown(store: Store) -> None:
    with pytest.raises(NuagesError, match=r"'shop': related applications are blog, notes"):
        store.act("rotate-password", application="shop")


def test_what_is_not_to_be_had_blocks_and_serves_the_others(store: Store) -> None:
    bad = store.integrate(11, "bad", "admin")
    assert store.context.status == ("blocked", "bad asks for a database that cannot be named 'admin'")
    assert bad.own == {}
    store.remove(bad)
    assert store.context.status == ("active", NOTE)


def test_a_console_has_the_relations_login(store: Store) -> None:
    notes = store.context.all_relations[0]
    console = SERVICE.console(store.context, notes)
    user, password = store.login(notes)
    assert console.url.startswith(f"mongodb://{user}:{password}@{{address}}/notes?authSource=admin")
    assert console.port == 27017
    assert password not in " ".join(console.argv)


def test_the_console(store: Store) -> None:
    notes = store.context.all_relations[0]
    console = SERVICE.console(store.context, notes)

    def run(*words: str, stdin: str = "") -> str:
        return store.pod.run(*console.argv, *words, stdin=stdin, environment=dict(console.environment))

    (made,) = json.loads(run("insert", "typed", '{"text": "Grüße", "n": 1}'))["_id"].items()
    assert made[0] == "$oid"
    query = json.dumps({"_id": {"$oid": made[1]}})
    assert json.loads(run("find", "typed", query))["text"] == "Grüße"
    assert run(stdin=f'update typed {query} {{"$set": {{"n": 2}}}}\n\nfind typed {{"n": 2}}\nexit\nnever\n').startswith(
        "1 matched, 1 changed\n{"
    )
    assert run("count", "typed") == "1\n"
    assert "typed" in run("collections").splitlines()
    assert json.loads(run("run", '{"count": "typed"}'))["n"] == 1
    assert run("delete", "typed", "{}") == "1 removed\n"
    assert run("find", "typed") == ""
    for words, said in (
        (["wat"], "there is no such command: collections, "),
        (["delete", "typed"], "it is: delete COLLECTION FILTER"),
        (["find", "typed", "{"], "is not JSON"),
        (["find", "typed", "[]"], "is no object"),
        (["find", "typed", '{"_id": {"$oid": "x"}}'], "is not JSON"),
        (["update", "typed", "{}", '{"a": 1}'], "only works with"),
        (["run", '{"dropDatabase": 1}'], "not authorized on notes"),
    ):
        with pytest.raises(CommandError, match=said) as caught:
            run(*words)
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(CommandError, match="Authentication failed"):
        store.pod.run(*console.argv, "collections", environment={**console.environment, "MONGODB_PASSWORD": "x"})


def test_a_killed_server_comes_back_by_itself_with_every_acknowledged_write(store: Store) -> None:
    notes = store.context.all_relations[0]
    pid = processes(store.pod)[0]
    # Writes without a pause, and the server killed amid them: what was answered is what must be there.
    acknowledged = 0
    kill = store.pod.client.exec(["/bin/sh", "-c", f"read -r _; kill -9 {pid}"], encoding="utf-8", working_dir="/")
    try:
        while True:
            store.ask(notes, *(insert("notes", {"text": f"w{acknowledged + n}"}) for n in range(20)))
            acknowledged += 20
            if acknowledged == 100:
                assert kill.stdin
                kill.stdin.close()
    except RefusedCommand:
        kill.wait()

    def back() -> bool:
        try:
            return bool(store.ask(notes, {"count": "things", "$db": "notes"}))
        except RefusedCommand:
            return False

    until(back, "FerretDB serves again")
    assert processes(store.pod) != [pid]
    wanted = [f"w{number}" for number in range(acknowledged)]
    command = {"count": "things", "query": {"text": {"$in": wanted}}, "$db": "notes"}
    assert store.ask(notes, command)["n"] == len(wanted) >= 100
    with pytest.raises(RefusedCommand, match="not authorized"):  # rights are kept with the users
        store.ask(notes, find("blog"))


def processes(pod: Pod) -> list[str]:
    """Return the pids, as the pod counts them, of servers."""
    found = pod.run(
        "sh", "-c", 'for p in /proc/[0-9]*; do echo "${p#/proc/} $(tr "\\0" " " <$p/cmdline)"; done 2>/dev/null'
    )
    pairs = [line.partition(" ") for line in found.splitlines()]
    return [pid for pid, _, title in pairs if title.startswith("/opt/ferretdb/ferretdb serve")]


def test_no_server_is_root(store: Store) -> None:
    (pid,) = processes(store.pod)
    assert "0" not in store.pod.run("sh", "-c", f"grep ^Uid: /proc/{pid}/status").split()[1:]


def test_no_password_is_printed_or_kept_in_the_open(store: Store) -> None:
    output = store.pod.output()
    words = [content["password"] for _, content in store.context.secrets.values() if "password" in content]
    assert words
    assert not [word for word in words if word in output]
    assert store.pod.run("stat", "-c", "%a", "/var/lib/mongodb/server").strip() == "700"
    for word in words:
        found = store.pod.run("sh", "-c", 'read -r w; grep -rlF -e "$w" /var/lib/mongodb || true', stdin=f"{word}\n")
        assert found == ""


def test_a_removed_relations_user_goes_and_its_data_stay(store: Store) -> None:
    blog = store.context.all_relations[1]
    login = store.login(blog)
    store.remove(blog)
    with pytest.raises(RefusedCommand, match="Authentication failed"):
        ask(store.pod, find("blog"), login=login)
    assert not [label for label in store.context.secrets if label.startswith("database.4")]
    again = store.integrate(6, "blog")
    assert texts(store.ask(again, find("blog"))) == ["private"]


def test_data_outlive_the_pod_even_when_all_is_killed(store: Store, directory: Path) -> None:
    notes = store.context.all_relations[0]
    store.pod.kill()
    with running(SERVICE, directory) as pod:
        store.pod, store.context.client = pod, pod.client
        store.hook("upgrade-charm")
        store.hook("mongod-pebble-ready")
        assert store.context.status == ("active", NOTE)
        assert texts(store.ask(notes, {**find("notes"), "filter": {"text": "é"}})) == ["é"]
        store.hook("stop")
        assert processes(pod) == []
        store.hook("start")
        until(lambda: len(processes(pod)) == 1, "it runs again")


def test_a_second_unit_does_not_serve() -> None:
    context = FakeContext(None, unit="mongodb-k8s/1", is_leader=False)
    asyncio.run(SERVICE.hook(context))
    assert context.status[0] == "blocked"
    assert "remove-unit mongodb-k8s" in context.status[1]
