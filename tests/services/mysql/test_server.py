"""The real MariaDB in a container of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import ops.pebble
import pytest

from nuages.errors import NuagesError
from nuages.services import passwords
from nuages.services.mysql import SERVICE, server, users
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until

SECRETS = json.dumps(["username", "password", "tls", "uris"])


class Database:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="mysql-k8s/0")
        self.hook("install")
        self.hook("start")
        self.hook("mysql-pebble-ready")
        assert self.context.status[0] == "active"

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act(self, name: str, **params: str) -> dict[str, object]:
        return dict(asyncio.run(SERVICE.action(self.context, name, params)))

    def integrate(self, number: int, database: str, application: str = "notes", **more: str) -> FakeRelation:
        bag = {"database": database, "requested-secrets": SECRETS, **more}
        relation = FakeRelation(number, interface="mysql_client", remote_application=application, app=bag)
        self.context.all_relations.append(relation)
        self.hook("database-relation-changed", relation)
        return relation

    def remove(self, relation: FakeRelation) -> None:
        relation.breaking = True
        self.hook("database-relation-broken", relation)
        self.context.all_relations.remove(relation)

    def credentials(self, relation: FakeRelation) -> dict[str, str]:
        return self.context.content(relation.own["secret-user"])

    def query(self, relation: FakeRelation, sql: str, database: str = "", password: str = "") -> str:
        """Run SQL over TCP with the credentials that the relation was told."""
        told = self.credentials(relation)
        database = database or relation.own["database"]
        return self.login(told["username"], password or told["password"], sql, database)

    def login(self, user: str, password: str, sql: str, *more: str) -> str:
        argv = [*server.CLIENT, "--batch", "-N", "-h", "127.0.0.1", "-u", user, *more]
        return self.pod.run(*argv, stdin=sql, environment={"MYSQL_PWD": password}).strip()

    def active(self) -> bool:
        """Tell whether the status is the good one, which names the server that is really there."""
        major = ".".join(self.root("SELECT VERSION()").split(".")[:2])
        return self.context.status == ("active", f"MariaDB {major} in place of MySQL 8.0")

    def root(self, sql: str) -> str:
        """Run SQL as the container's root does, by the socket."""
        return self.pod.run(*server.CLIENT, stdin=sql).strip()


@pytest.fixture(scope="module")
def database(directory: Path) -> Iterator[Database]:
    with running(SERVICE, directory) as pod:
        yield Database(pod)


def test_it_is_said_which_server_it_is(database: Database) -> None:
    assert database.active()


def test_a_relation_gets_a_database_in_which_it_may_do_what_django_does(database: Database) -> None:
    notes = database.integrate(3, "no_tes")
    database.query(notes, "CREATE TABLE note (id serial PRIMARY KEY, title varchar(99)) ENGINE=InnoDB")
    database.query(notes, "ALTER TABLE note ADD body json; INSERT INTO note (title) VALUES ('été 🙂')")
    assert database.query(notes, "SELECT title FROM note WHERE title = 'ETE 🙂'") == "été 🙂"
    assert database.query(notes, "SELECT count(*) FROM note WHERE title = 'été 😀'") == "0"
    assert database.query(notes, "SELECT USER()").startswith("relation-3_c1f6ba3a6c0a4b5@")


def test_defaults_are_those_of_mysql(database: Database) -> None:
    notes = database.context.all_relations[0]
    modes = database.query(notes, "SELECT @@sql_mode").split(",")
    assert {"ONLY_FULL_GROUP_BY", "STRICT_TRANS_TABLES", "NO_ZERO_DATE"} <= set(modes)
    assert database.query(notes, "SELECT @@character_set_server, @@local_infile, @@time_zone") == "utf8mb4\t0\t+00:00"


def test_over_the_network_nobody_is_root(database: Database) -> None:
    password = str(database.act("get-password")["password"])
    assert database.root("SELECT CURRENT_USER()").endswith("@localhost")
    for user in ("root", "_daemon_"):
        for word in ("", password):
            with pytest.raises(CommandError, match="Access denied"):
                database.login(user, word, "SELECT 1")


def test_one_relations_credentials_do_not_open_anothers_database(database: Database) -> None:
    blog = database.integrate(4, "blog", "blog")
    # A name that `no_tes` would be as a pattern: GRANT reads `_` as any letter.
    twin = database.integrate(5, "noXtes", "twin")
    notes = database.context.all_relations[0]
    assert database.query(blog, "SELECT 1") == "1"
    for who, where in ((blog, "no_tes"), (notes, "noXtes"), (notes, "blog"), (twin, "no_tes"), (blog, "mysql")):
        with pytest.raises(CommandError, match="Access denied"):
            database.query(who, "SELECT 1", database=where)
    assert database.query(blog, "SHOW DATABASES").split() == ["blog", "information_schema"]


def test_hooks_without_news_write_nothing(database: Database) -> None:
    relation = database.context.all_relations[0]
    writes, secrets = relation.writes, dict(database.context.secrets)
    database.hook("update-status")
    assert (relation.writes, database.context.secrets) == (writes, secrets)


def test_a_changed_password_serves_beside_the_old_one_for_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = database.context.all_relations[0]
    before = database.credentials(notes)["password"]
    assert database.act("rotate-password", application="notes") == {"changed": "notes"}
    between = database.credentials(notes)["password"]
    assert database.act("rotate-password", application="notes") == {"changed": "notes"}
    after = database.credentials(notes)["password"]
    assert len({before, between, after}) == 3
    for word in (before, between, after):
        assert database.query(notes, "SELECT 1", password=word) == "1"
    with pytest.raises(CommandError, match="Access denied"):
        database.query(notes, "SELECT 1", password="wrong")
    later = time.time() + passwords.GRACE + 1
    monkeypatch.setattr(passwords.time, "time", lambda: later)
    database.hook("update-status")
    assert database.query(notes, "SELECT 1") == "1"
    for word in (before, between):
        with pytest.raises(CommandError, match="Access denied"):
            database.query(notes, "SELECT 1", password=word)
    with pytest.raises(NuagesError, match="related applications are blog, notes, twin"):
        database.act("rotate-password", application="nobody")


def test_a_removed_relations_user_goes_with_its_sessions_and_its_tables_serve_the_next(database: Database) -> None:
    first = database.context.all_relations[0]
    told = database.credentials(first)
    argv = [*server.CLIENT, "-h", "127.0.0.1", "-u", told["username"], "-e", "SELECT SLEEP(600)"]
    client = database.pod.client.exec(argv, working_dir="/", environment={"MYSQL_PWD": told["password"]})
    sleeping = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'"
    until(lambda: database.root(sleeping) == "1", "the session runs")
    database.remove(first)
    with pytest.raises(ops.pebble.ExecError):
        client.wait_output()
    with pytest.raises(CommandError, match="Access denied"):
        database.login(told["username"], told["password"], "SELECT 1")
    assert not [label for label in database.context.secrets if label.startswith("database.3.")]
    again = database.integrate(9, "no_tes")
    assert database.query(again, "SELECT title FROM note") == "été 🙂"
    database.query(again, "ALTER TABLE note ADD extra int; ALTER TABLE note DROP extra")


def test_user_roles_are_the_charms(database: Database) -> None:
    router = database.integrate(10, "routed", "router", **{"extra-user-roles": "mysqlrouter"})
    assert "routed" not in database.root("SHOW DATABASES").split()
    databases = database.login(*database.credentials(router).values(), "SHOW DATABASES").split()
    assert "no_tes" in databases
    reader = database.integrate(11, "readings", "reader", **{"extra-user-roles": "charmed_read"})
    assert database.query(reader, "SELECT title FROM note", database="no_tes") == "été 🙂"
    with pytest.raises(CommandError, match="denied"):
        database.query(reader, "DELETE FROM note", database="no_tes")
    for relation in (router, reader):
        database.remove(relation)


def test_a_script_that_was_interrupted_anywhere_is_made_good(database: Database) -> None:
    name = "relation-12_half_way"
    role = users.User(name, (users.hashed("pw"),), "any", frozenset({"charmed_dba"}))
    script = users.script([role], users.Existing(), {name}).splitlines()
    assert len(script) == 4
    for done in range(len(script)):
        database.root("\n".join(script[:done]))
        existing = users.Existing.parse(server.sql(database.pod.client, users.QUERY))
        server.sql(database.pod.client, users.script([role], existing, {name}))
        count = database.login(name, "pw", "SELECT count(*) > 3 FROM mysql.global_priv")
        assert count == "1", f"after {done} statements"
        database.root(f"DROP USER {users.account(name, '%')}; DROP DATABASE any")


def test_names_as_long_as_they_can_be(database: Database) -> None:
    longest = database.integrate(12, "Ab-" + "x" * 61)
    assert database.query(longest, "CREATE TABLE a (b int); SELECT DATABASE()") == "Ab-" + "x" * 61
    database.remove(longest)
    # In the pattern of GRANT each of these has a backslash before it, and there is room for 64 letters.
    long = database.integrate(13, "a_" * 21 + "a")
    assert database.query(long, "CREATE TABLE a (b int); SELECT DATABASE()") == "a_" * 21 + "a"
    database.remove(long)
    longer = database.integrate(14, "a_" * 22)
    assert database.context.status[0] == "blocked"
    database.remove(longer)
    assert database.active()


def test_what_is_not_to_be_had_blocks_and_serves_the_others(database: Database) -> None:
    bad = database.integrate(12, "mysql")
    assert database.context.status == ("blocked", "notes asks for a database that cannot be named 'mysql'")
    assert bad.own == {}
    database.remove(bad)
    assert database.active()
    database.context.config = {"experimental-max-connections": 5}
    database.hook("config-changed")
    assert database.context.status == ("blocked", "experimental-max-connections is 5: set it to 10 or more")
    database.context.config = {"experimental-max-connections": 77}
    database.hook("config-changed")
    assert database.root("SELECT @@max_connections") == "77"
    database.context.config = {}
    database.hook("config-changed")
    assert database.active()


def test_without_requested_secrets_the_password_is_plain_and_stays(database: Database) -> None:
    plain = database.integrate(13, "plain", "old", **{"requested-secrets": ""})
    assert database.login(plain.own["username"], plain.own["password"], "SELECT 1", "plain") == "1"
    before = plain.own["password"]
    database.hook("update-status")
    assert plain.own["password"] == before
    database.remove(plain)


def test_actions_show_and_change_the_system_users_passwords(database: Database) -> None:
    def config(password: object) -> str:
        return database.login("serverconfig", str(password), "SELECT count(*) > 3 FROM mysql.global_priv")

    before = database.act("get-password", username="serverconfig")["password"]
    assert config(before) == "1"
    assert database.act("set-password", username="serverconfig", password="Chosen1") == {}
    assert database.act("get-password", username="serverconfig")["password"] == "Chosen1"
    assert config("Chosen1") == "1"
    with pytest.raises(CommandError, match="Access denied"):
        config(before)
    with pytest.raises(NuagesError, match="there are root, serverconfig or clusteradmin"):
        database.act("get-password", username="admin")
    status = database.act("get-cluster-status")["status"]
    assert isinstance(status, dict)
    (member,) = status["defaultreplicaset"]["topology"].values()
    assert member["version"] == database.root("SELECT VERSION()")


def test_the_console_lets_the_requirer_in(database: Database) -> None:
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    console = SERVICE.console(database.context, notes)
    said = database.pod.run(*console.argv, "-Ne", "SELECT title FROM note", environment=dict(console.environment))
    assert said.strip() == "été 🙂"
    assert console.environment["MYSQL_PWD"] not in " ".join(console.argv)
    assert console.url.startswith("mysql://relation-9_")


def test_a_killed_server_comes_back_by_itself_with_what_it_has_acknowledged(database: Database) -> None:
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    database.query(notes, "INSERT INTO note (title) VALUES ('last words')")
    before = database.pod.run("sh", "-c", f"cat {server.DATA}/server/pid").strip()
    database.pod.run("sh", "-c", f"kill -9 {before}")

    def back() -> bool:
        try:
            return "last words" in database.query(notes, "SELECT title FROM note")
        except CommandError:
            return False

    until(back, "MariaDB serves again")
    database.query(notes, "DELETE FROM note WHERE title = 'last words'")


def test_stopping_does_not_wait_for_clients(database: Database) -> None:
    argv = [*server.CLIENT, "--socket=/tmp/mysqld.sock", "-e", "SELECT SLEEP(600)"]
    client = database.pod.client.exec(argv, working_dir="/")
    sleeping = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'"
    until(lambda: database.root(sleeping) == "1", "the client's query runs")
    database.hook("stop")
    assert not database.pod.client.get_services()[0].is_running()
    with pytest.raises(ops.pebble.ExecError):
        client.wait_output()
    assert "Shutdown complete" in database.pod.output()
    database.hook("start")


def test_no_password_is_printed(database: Database) -> None:
    output = database.pod.output()
    words = [word for _, content in database.context.secrets.values() for word in content.values() if len(word) == 32]
    assert words
    assert not [word for word in words if word in output]


def test_data_outlive_the_pod_even_when_all_is_killed(database: Database, directory: Path) -> None:
    notes = next(relation for relation in database.context.all_relations if relation.id == 9)
    database.pod.kill()
    with running(SERVICE, directory) as pod:
        database.pod = pod
        database.context.client = pod.client
        database.hook("upgrade-charm")
        database.hook("mysql-pebble-ready")
        assert database.active()
        assert database.query(notes, "SELECT title FROM note") == "été 🙂"


def test_tables_that_were_being_made_when_all_was_killed_are_made_anew(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("c")
    with running(SERVICE, directory) as pod:
        asyncio.run(SERVICE.hook(FakeContext(pod.client, unit="mysql-k8s/0", hook="install")))
        until((directory / "database/server/new/ibdata1").exists, "the system tables are made")
    assert not (directory / "database/server/data").exists()
    with running(SERVICE, directory) as pod:
        Database(pod)


def test_data_of_another_version_are_left_alone_and_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("v")
    with running(SERVICE, directory) as pod:
        (directory / "database/server/data").mkdir(parents=True)
        (directory / "database/server/version").write_text("5.5\n")
        context = FakeContext(pod.client, unit="mysql-k8s/0", hook="mysql-pebble-ready")
        with pytest.raises(NuagesError, match=r"^cannot start MariaDB: these data are of MariaDB 5\.5, this is "):
            asyncio.run(SERVICE.hook(context))
