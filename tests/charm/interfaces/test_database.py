"""What the databases have in common: their providers' quirks, their identity, their replicas, TLS."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import urls
from nuages.charm.facts import Relation
from nuages.charm.interfaces import BY_NAME
from nuages.charm.interfaces.base import NotReady
from nuages.charm.interfaces.database import Database
from tests.charm.interfaces.examples import AUTHORITY, THOROUGH, example, variables
from tests.charm.made import DATABASE, URI, facts

ENGINES = {"postgresql": "postgresql_client", "mysql": "mysql_client", "mongodb": "mongodb_client"}


def read(
    bag: Mapping[str, str], secret: Mapping[str, str] | None = None, engine: str = "postgresql"
) -> Database | NotReady:
    relation = DATABASE._replace(endpoint=engine, interface=ENGINES[engine], bag=bag)
    value = BY_NAME[relation.interface].parse(relation._replace(secrets={URI: secret} if URI in bag.values() else {}))
    assert isinstance(value, Database | NotReady)
    return value


def complete(bag: Mapping[str, str], secret: Mapping[str, str] | None = None, engine: str = "postgresql") -> Database:
    value = read(bag, secret, engine)
    assert isinstance(value, Database), value
    return value


def test_url_of_the_provider_is_used_as_it_is() -> None:
    found = BY_NAME["postgresql_client"].parse(DATABASE)
    assert isinstance(found, Database)
    assert found.url == "postgresql://u:pw-of-u@db:5432/notes"
    assert found.variables[0].name == "POSTGRESQL_DB_CONNECT_STRING"


def test_url_is_built_with_everything_encoded() -> None:
    found = complete(
        {"endpoints": "a:1,b:2", "secret-user": URI, "database": "no/tes"}, {"username": "u@", "password": "p:/%é"}
    )
    assert found.url == "postgresql://u%40:p%3A%2F%25%C3%A9@a:1/no%2Ftes"


def test_credentials_without_a_secret() -> None:
    complete({"endpoints": "db:5432", "username": "u", "password": "p", "database": "d"})


def test_database_that_the_provider_does_not_name_is_the_one_we_asked_for() -> None:
    bag = {"endpoints": "db:5432", "username": "u", "password": "p"}
    asked = {**bag, "data": json.dumps({"database": "asked"})}
    assert complete(asked).url.endswith("/asked")
    assert read(bag) == NotReady("no name yet")
    relation = DATABASE._replace(bag=bag, secrets={}, local_app="notes")
    found = BY_NAME["postgresql_client"].parse(relation)
    assert isinstance(found, Database)
    assert found.url.endswith("/notes")


@pytest.mark.parametrize(
    ("bag", "secret", "reason"),
    [
        ({}, None, "no credentials yet"),
        ({"endpoints": "db:5432"}, None, "no credentials yet"),
        ({"secret-user": URI, "endpoints": "db:5432"}, None, "its secret cannot be read yet"),
        ({"secret-user": URI, "endpoints": "db:5432"}, {"password": "p"}, "no credentials yet"),
        ({"secret-user": URI}, {"username": "u", "password": "p"}, "no endpoints yet"),
        ({"secret-user": URI, "endpoints": " , a b,"}, {"username": "u", "password": "p"}, "no endpoints yet"),
        ({"secret-user": "{}", "endpoints": "db:5432", "uris": "{}"}, None, "no credentials yet"),
        ({"secret-tls": URI, "uris": "postgresql://u:p@db/d"}, None, "its secret cannot be read yet"),
        ({"subordinated": "true", "uris": "postgresql://u:p@db/d"}, None, "its units are not ready yet"),
    ],
)  # fmt: skip
def test_not_ready_because(bag: dict[str, str], secret: Any, reason: str) -> None:
    assert read(bag, secret) == NotReady(reason)


def test_one_ready_unit_of_a_subordinate_is_enough() -> None:
    bag = {"subordinated": "true", "uris": "postgresql://u:p@db/d"}
    relation = DATABASE._replace(bag=bag, secrets={}, units={"other/0": {}, "other/1": {"state": "ready"}})
    interface = BY_NAME["postgresql_client"]
    assert interface.reads_units(bag)
    assert isinstance(interface.parse(relation), Database)


def test_of_several_urls_the_first_is_used_and_none_ends_up_in_the_name() -> None:
    found = complete({"uris": "postgresql://u:p@a:5432/d,postgresql://u:p@b:5432/d"})
    assert found.url == "postgresql://u:p@a:5432/d"
    assert {variable.name: variable.value for variable in found.variables}["POSTGRESQL_DB_NAME"] == "d"


def test_port_that_is_written_twice_is_written_once() -> None:
    found = complete({"uris": "postgresql://u:p@a:5432/d", "read-only-uris": "postgresql://u:p:1:1@b:5432:5432/d"})
    assert found.read_only_url == "postgresql://u:p:1:1@b:5432/d"


def test_dot_at_the_end_of_a_host_stays() -> None:
    found = variables(example("mysql"))
    assert found["MYSQL_DB_HOSTNAME"] == "mysql-k8s-primary.mymodel.svc.cluster.local."
    assert found["MYSQL_DB_PORT"] == "3306"


def test_several_hosts_and_the_first_one_s_port() -> None:
    found = variables(example("mongodb-of-two-by-tls"))
    assert found["MONGODB_DB_NETLOC"].count(":27017") == 2
    assert (found["MONGODB_DB_HOSTNAME"], found["MONGODB_DB_PORT"]) == ("mongodb-k8s-0.mongodb-k8s-endpoints", "27017")


@pytest.mark.parametrize("engine", ENGINES)
def test_failover_keeps_the_identity_another_relation_does_not(engine: str) -> None:
    bag = {"endpoints": "a:1", "username": "u", "password": "p", "database": "d"}
    before = complete(bag, engine=engine)
    assert (
        complete({**bag, "endpoints": "b:1", "read-only-endpoints": "a:1"}, engine=engine).identity == before.identity
    )
    assert complete({**bag, "password": "q", "uris": f"{engine}://u:q@c/d"}, engine=engine).identity == before.identity
    other = BY_NAME[ENGINES[engine]].parse(DATABASE._replace(endpoint=engine, id=8, bag=bag))
    assert isinstance(other, Database)
    assert other.identity != before.identity


def test_identity_does_not_wait_for_the_provider_to_name_the_database() -> None:
    bag = {"uris": "postgresql://u:p@a/d"}
    assert complete(bag).identity == complete({**bag, "database": "d"}).identity


@pytest.mark.parametrize("word", ["True", "true", "TRUE"])
@pytest.mark.parametrize("engine", ENGINES)
def test_certificate_is_written_and_named_and_another_one_is_another_file(engine: str, word: str) -> None:
    bag = {"secret-tls": URI, "uris": f"{engine}://u:p@a:1/d"}
    interface = BY_NAME[ENGINES[engine]]
    first = complete(bag, {"tls": word, "tls-ca": AUTHORITY}, engine)
    second = complete(bag, {"tls": word, "tls-ca": AUTHORITY + "\n" + AUTHORITY}, engine)
    (file,), (other,) = interface.files(first), interface.files(second)
    assert file.text == AUTHORITY + "\n"
    assert file.path != other.path
    found = {variable.name: variable.value for variable in first.variables}
    assert found[f"{engine.upper()}_DB_TLS"] == "true"
    assert found[f"{engine.upper()}_DB_TLS_CA"] == file.path
    assert file.path in found[f"{engine.upper()}_DB_CONNECT_STRING"]


@pytest.mark.parametrize("secret", [{"tls": "False"}, {"tls": "{}", "tls-ca": AUTHORITY}, {"tls-ca": AUTHORITY}, {}])
def test_no_tls_no_parameters_and_no_file(secret: dict[str, str]) -> None:
    found = complete({"secret-tls": URI, "uris": "postgresql://u:p@a:1/d"}, secret)
    assert found.url == "postgresql://u:p@a:1/d"
    assert BY_NAME["postgresql_client"].files(found) == ()


def test_certificate_that_is_none_is_not_written() -> None:
    found = complete({"tls": "true", "tls-ca": "{}", "uris": "postgresql://u:p@a:1/d"})
    assert found.url == "postgresql://u:p@a:1/d?sslmode=require"
    assert BY_NAME["postgresql_client"].files(found) == ()


def test_provider_s_own_parameters_win() -> None:
    bag = {"tls": "true", "tls-ca": AUTHORITY, "uris": "postgresql://u:p@a:1/d?sslmode=verify-full#x"}
    url = complete(bag).url
    assert url.startswith("postgresql://u:p@a:1/d?sslmode=verify-full&sslrootcert=/django/tls/postgresql-")
    assert url.endswith(".pem#x")


def test_request_is_the_same_every_time() -> None:
    publish = BY_NAME["postgresql_client"].publish
    assert publish(facts(event="a"), DATABASE, "") == publish(facts(event="b"), DATABASE, "")
    assert publish(facts(), DATABASE, "").once


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
HOSTS = st.sampled_from(["db:5432", "10.1.2.3:5432", "[2001:db8::1]:5432", "a.b.svc.cluster.local.:3306", "host"])
NAMES = (
    "uris read-only-uris endpoints read-only-endpoints username password database tls tls-ca secret-user secret-tls"
    " subordinated data"
)
FIELDS = st.sampled_from(NAMES.split())
WORDS = st.text() | st.sampled_from(
    [URI, "true", "True", "{}", "null", "a:1,b:2", "[::1]:1", "postgresql://u:p@a:1:1/d", "mongodb://a,b/c", AUTHORITY]
)


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(
        engine=st.sampled_from(sorted(ENGINES)),
        username=TEXT,
        password=TEXT,
        hosts=st.lists(HOSTS, min_size=1),
        name=TEXT,
        secure=st.booleans(),
        hidden=st.booleans(),
    )
    def holds(
        *, engine: str, username: str, password: str, hosts: list[str], name: str, secure: bool, hidden: bool
    ) -> None:
        credentials = {"username": username, "password": password}
        bag = {"endpoints": ",".join(hosts), "read-only-endpoints": ",".join(hosts), "database": name}
        bag |= {"secret-user": URI} if hidden else credentials
        bag |= {"tls": "true", "tls-ca": AUTHORITY} if secure else {}
        value = complete(bag, credentials if hidden else None, engine)
        found = {variable.name: variable.value for variable in value.variables}
        prefix = engine.upper() + "_DB_"
        for text in (found[prefix + "CONNECT_STRING"], found[prefix + "READ_ONLY_CONNECT_STRING"]):
            url = urls.parse(text)
            assert (url.scheme, url.netloc.rpartition("@")[2]) == (engine, hosts[0])
            assert unquote(url.username or "") == username
            assert unquote(url.password or "") == password
            assert unquote(url.name or "") == name
        assert unquote(found[prefix + "USERNAME"]) == username
        assert unquote(found[prefix + "PASSWORD"]) == password
        assert unquote(found[prefix + "NAME"]) == name
        assert found[prefix + "READ_ONLY_ENDPOINTS"] == ",".join(hosts)
        assert found.get(prefix + "TLS") == ("true" if secure else None)

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    contents = st.none() | st.dictionaries(FIELDS, WORDS)

    @settings(max_examples=examples, deadline=None)
    @given(st.sampled_from(sorted(ENGINES)), st.dictionaries(FIELDS, WORDS), contents, st.dictionaries(FIELDS, WORDS))
    def holds(engine: str, bag: dict[str, str], secret: dict[str, str] | None, unit: dict[str, str]) -> None:
        interface = BY_NAME[ENGINES[engine]]
        interface.reads_units(bag)
        found = dict.fromkeys(interface.secrets(bag), secret)
        relation = Relation(engine, interface.name, 1, "other", bag, {"other/0": unit}, found, "notes")
        value = interface.parse(relation)
        interface.publish(facts(), relation, "")
        if isinstance(value, NotReady):
            assert value.reason
        else:
            interface.files(value)
            assert urls.parse(value.variables[0].value).hostname

    holds()
