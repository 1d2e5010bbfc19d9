"""The real PostgreSQL in a container of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import ops.pebble
import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from nuages.services.postgresql import server
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until

SERVICE = REGISTRY["postgresql-k8s"]
SECRETS = json.dumps(["username", "password", "tls", "uris"])


class Database:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client)
        self.hook("install")
        self.hook("start")
        self.hook("postgresql-pebble-ready")
        assert self.context.status == ("active", "PostgreSQL 18 in place of 14")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def integrate(self, number: int, database: str, **more: str) -> FakeRelation:
        relation = FakeRelation(number, app={"database": database, "requested-secrets": SECRETS, **more})
        self.context.all_relations.append(relation)
        self.hook("database-relation-changed", relation)
        return relation

    def remove(self, relation: FakeRelation) -> None:
        relation.breaking = True
        self.hook("database-relation-broken", relation)
        self.context.all_relations.remove(relation)

    def query(self, relation: FakeRelation, sql: str, database: str = "") -> str:
        """Run SQL over TCP with the credentials that the relation was told."""
        uri = urlsplit(self.context.content(relation.own["secret-user"])["uris"])
        where = uri._replace(
            netloc=f"{uri.username}:{uri.password}@127.0.0.1:5432", path=f"/{database}" if database else uri.path
        )
        return self.pod.run("psql", "-At", "-v", "ON_ERROR_STOP=1", where.geturl(), stdin=sql).strip()


@pytest.fixture(scope="module")
def database(directory: Path) -> Iterator[Database]:
    with running(SERVICE, directory) as pod:
        yield Database(pod)


def test_the_console_is_psql_as_the_relations_user(database: Database) -> None:
    relation = database.integrate(60, "console")
    console = SERVICE.console(database.context, relation)
    content = database.context.content(relation.own["secret-user"])

    def run(*words: str) -> str:
        return database.pod.run(*console.argv, *words, environment=dict(console.environment))

    assert run("-Atc", "SELECT session_user, current_database()").strip() == f"{content['username']}|console"
    assert console.url == f"postgresql://{content['username']}:{content['password']}@{{address}}/console"
    assert content["password"] not in " ".join(console.argv)
    with pytest.raises(CommandError, match='column "wat" does not exist'):
        run("-c", "SELECT wat")
    database.remove(relation)
    with pytest.raises(NuagesError, match="notes has no login yet"):
        SERVICE.console(database.context, FakeRelation(61))


def test_it_is_the_version_it_says(database: Database) -> None:
    assert database.pod.run("psql", "-Atc", "SHOW server_version").strip() == SERVICE.version


def test_a_relation_gets_a_database_in_which_it_may_do_what_django_does(database: Database) -> None:
    notes = database.integrate(3, "notes")
    database.query(notes, "CREATE TABLE note (id serial PRIMARY KEY, title text)")
    database.query(notes, "CREATE EXTENSION citext; CREATE SCHEMA extra; INSERT INTO note (title) VALUES ('été')")
    assert (
        database.query(notes, "SELECT title, current_user, session_user FROM note") == "été|notes_owner|relation_id_3"
    )
    assert database.query(notes, "SHOW server_encoding; SELECT upper('é')") == "UTF8\nÉ"


def test_inside_the_pod_psql_needs_no_password(database: Database) -> None:
    assert database.pod.run("psql", "-At", "-d", "notes", "-c", "SELECT title FROM note").strip() == "été"


def test_over_the_network_nobody_is_the_superuser(database: Database) -> None:
    with pytest.raises(CommandError, match="rejects connection"):
        database.pod.run("psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "SELECT 1")


def test_another_relations_user_cannot_connect(database: Database) -> None:
    blog = database.integrate(4, "blog")
    assert database.query(blog, "SELECT 1") == "1"
    with pytest.raises(CommandError, match="permission denied for database"):
        database.query(blog, "SELECT 1", database="notes")


def test_hooks_without_news_write_nothing(database: Database) -> None:
    relation = database.context.all_relations[0]
    writes, secrets = relation.writes, dict(database.context.secrets)
    database.hook("update-status")
    assert (relation.writes, database.context.secrets) == (writes, secrets)


def test_a_removed_relations_user_goes_and_its_tables_serve_the_next(database: Database) -> None:
    first = next(relation for relation in database.context.all_relations if relation.id == 3)
    uri = database.context.content(first.own["secret-user"])["uris"].replace(urlsplit_host(first), "127.0.0.1")
    # Also what the user made without acting as the owner.
    database.query(first, "SET ROLE NONE; CREATE TABLE own_one (a int)")
    database.remove(first)
    with pytest.raises(CommandError, match="authentication failed"):
        database.pod.run("psql", uri, "-c", "SELECT 1")
    assert not [label for label in database.context.secrets if label.startswith("database.3.")]
    again = database.integrate(9, "notes")
    assert database.query(again, "SELECT title FROM note") == "été"
    database.query(again, "ALTER TABLE note ADD body text; ALTER TABLE own_one ADD b int; DROP TABLE own_one")


def urlsplit_host(relation: FakeRelation) -> str:
    return relation.own["endpoints"].partition(":")[0]


def test_a_user_that_cannot_be_removed_yet_has_no_login_and_keeps_nobody_out(database: Database) -> None:
    goes, stays = database.integrate(20, "shared"), database.integrate(21, "shared")
    database.query(goes, "SET ROLE NONE; CREATE TABLE own_one (a int); GRANT ALL ON own_one TO shared_owner")
    uri = database.context.content(goes.own["secret-user"])["uris"].replace(urlsplit_host(goes), "127.0.0.1")
    said = database.context.content(stays.own["secret-user"])["uris"].replace(urlsplit_host(stays), "127.0.0.1")
    argv = ["psql", said, "-c", "BEGIN; SELECT * FROM own_one; SELECT pg_sleep(600)"]
    client = database.pod.client.exec(argv, working_dir="/")
    count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    until(lambda: database.pod.run("psql", "-Atc", count).strip() == "1", "the other one has a lock")
    database.remove(goes)
    status, message = database.context.status
    assert status == "blocked"
    assert message.startswith("cannot change roles and databases: canceling statement due to lock timeout: a removed")
    with pytest.raises(CommandError, match="not permitted to log in"):
        database.pod.run("psql", uri, "-c", "SELECT 1")
    later = database.integrate(22, "later")
    assert database.query(later, "SELECT 1") == "1"
    client.send_signal("SIGINT")
    with pytest.raises(ops.pebble.ExecError):
        client.wait_output()
    database.hook("update-status")
    assert database.context.status[0] == "active"
    assert database.query(stays, "ALTER TABLE own_one ADD b int") == "ALTER TABLE"
    for relation in (stays, later):
        database.remove(relation)


def test_a_user_may_ask_to_create_databases_which_stay_when_it_goes(database: Database) -> None:
    tester = database.integrate(10, "tested", **{"extra-user-roles": "createdb"})
    database.query(tester, "CREATE DATABASE test_tested")
    database.query(tester, "CREATE TABLE t (a int)", database="test_tested")
    database.remove(tester)
    owners = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'test_tested'"
    assert database.pod.run("psql", "-Atc", owners).strip() == "tested_owner"


def test_what_is_not_to_be_had_blocks_and_serves_the_others(database: Database) -> None:
    bad = database.integrate(11, "postgres")
    assert database.context.status == ("blocked", "notes asks for a database that cannot be named 'postgres'")
    assert bad.own == {}
    database.remove(bad)
    assert database.context.status == ("active", "PostgreSQL 18 in place of 14")


def test_a_changed_password_leaves_nobody_out(database: Database) -> None:
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    before = dict(notes.own)
    old = database.context.content(before["secret-user"])
    assert dict(asyncio.run(SERVICE.action(database.context, "rotate-password", {}))) == {"changed": "notes"}
    new = database.context.content(notes.own["secret-user"])
    assert new["username"] != old["username"]
    assert database.query(notes, "SELECT title, current_user FROM note") == "été|notes_owner"
    with pytest.raises(NuagesError, match="cannot change the password of notes again yet"):
        asyncio.run(SERVICE.action(database.context, "rotate-password", {}))
    assert database.context.content(notes.own["secret-user"]) == new
    where = urlsplit_host(notes)
    assert database.pod.run("psql", "-At", old["uris"].replace(where, "127.0.0.1"), "-c", "SELECT 1").strip() == "1"
    label = "database.9.secret-user.before"
    uri, content = database.context.secrets[label]
    database.context.secrets[label] = (uri, {**content, "until": "0"})  # as if a minute had passed
    database.hook("update-status")
    assert label not in database.context.secrets
    with pytest.raises(CommandError, match="authentication failed"):
        database.pod.run("psql", old["uris"].replace(where, "127.0.0.1"), "-c", "SELECT 1")
    assert database.query(notes, "SELECT title FROM note") == "été"


def test_options_put_extensions_into_databases_and_take_them_out(database: Database) -> None:
    peers = FakeRelation(0, "database-peers", remote_application="postgresql-k8s")
    database.context.all_relations.append(peers)
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    there = "SELECT count(*) FROM pg_extension WHERE extname = 'hstore'"
    for enabled in (True, False):
        database.context.config = {"plugin_hstore_enable": enabled}
        database.hook("config-changed")
        assert database.query(notes, there) == str(int(enabled))
    assert database.context.status == ("active", "PostgreSQL 18 in place of 14")
    database.context.all_relations.remove(peers)


def test_actions_show_and_change_the_operators_password(database: Database) -> None:
    def act(name: str, **params: str) -> dict[str, str]:
        return dict(asyncio.run(SERVICE.action(database.context, name, params)))

    def login(password: str) -> str:
        uri = f"postgresql://operator:{password}@127.0.0.1:5432/postgres"
        return database.pod.run("psql", "-At", uri, "-c", "SHOW is_superuser").strip()

    before = act("get-password")["password"]
    assert login(before) == "on"
    assert act("set-password", password="Chosen1") == {"password": "Chosen1"}
    assert login(act("get-password")["password"]) == "on"
    with pytest.raises(CommandError, match="authentication failed"):
        login(before)
    assert act("get-primary") == {"primary": "postgresql-k8s/0"}
    with pytest.raises(NuagesError, match="only operator exists"):
        act("get-password", username="patroni")


def test_a_killed_server_comes_back_by_itself_with_its_data(database: Database) -> None:
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    started = "SELECT pg_postmaster_start_time()"
    before = database.query(notes, started)
    pid = database.pod.run("sh", "-c", f"head -1 {server.DATA}/cluster/18/postmaster.pid").strip()
    database.pod.run("sh", "-c", f"kill -9 {pid}")

    def back() -> bool:
        try:
            return database.query(notes, started) != before
        except CommandError:
            return False

    until(back, "PostgreSQL serves again")
    assert database.query(notes, "SELECT title FROM note") == "été"


def test_stopping_does_not_wait_for_clients(database: Database) -> None:
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    uri = database.context.content(notes.own["secret-user"])["uris"].replace(urlsplit_host(notes), "127.0.0.1")
    client = database.pod.client.exec(["psql", uri, "-c", "SELECT pg_sleep(600)"], working_dir="/")
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
    until(lambda: database.pod.run("psql", "-Atc", busy).strip() == "1", "the client's query runs")
    database.hook("stop")
    assert not database.pod.client.get_services()[0].is_running()
    with pytest.raises(ops.pebble.ExecError):
        client.wait_output()
    assert "database system is shut down" in database.pod.output()
    database.hook("start")


def test_no_password_is_printed(database: Database) -> None:
    output = database.pod.output()
    passwords = [content["password"] for _, content in database.context.secrets.values() if "password" in content]
    assert passwords
    assert not [password for password in passwords if password in output]


def test_data_outlive_the_pod_even_when_all_is_killed(database: Database, directory: Path) -> None:
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    database.pod.kill()
    with running(SERVICE, directory) as pod:
        database.pod = pod
        database.context.client = pod.client
        database.hook("upgrade-charm")
        database.hook("postgresql-pebble-ready")
        assert database.context.status == ("active", "PostgreSQL 18 in place of 14")
        assert database.query(notes, "SELECT title FROM note") == "été"


def test_a_cluster_that_was_being_made_when_all_was_killed_is_made_anew(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("c")
    with running(SERVICE, directory) as pod:
        context = FakeContext(pod.client, hook="install")
        asyncio.run(SERVICE.hook(context))
        until((directory / "data/cluster/new/PG_VERSION").exists, "initdb is at work")
    assert not (directory / "data/cluster/18").exists()
    with running(SERVICE, directory) as pod:
        Database(pod)


def test_data_of_another_version_are_left_alone_and_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("v")
    with running(SERVICE, directory) as pod:
        (directory / "data/cluster/17").mkdir(parents=True)
        context = FakeContext(pod.client, hook="postgresql-pebble-ready")
        for _ in range(2):  # the retried hook says it too
            with pytest.raises(NuagesError) as failure:
                asyncio.run(SERVICE.hook(context))
            assert str(failure.value) == "cannot start PostgreSQL: these data are of PostgreSQL 17, this is 18"
