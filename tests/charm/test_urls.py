"""URLs as integrations give them, also those that the standard library's parser refuses."""

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import urls
from tests.charm.interfaces.examples import THOROUGH


def variables(prefix: str, url: str) -> dict[str, str]:
    return {variable.name: variable.value for variable in urls.variables(prefix, url, "test")}


def test_every_part_of_a_database_url() -> None:
    found = variables("POSTGRESQL_DB", "postgresql://relation_id_7:Zq3@Host.example:5432/myapp?a=b#c")
    assert found == {
        "POSTGRESQL_DB_CONNECT_STRING": "postgresql://relation_id_7:Zq3@Host.example:5432/myapp?a=b#c",
        "POSTGRESQL_DB_SCHEME": "postgresql",
        "POSTGRESQL_DB_NETLOC": "relation_id_7:Zq3@Host.example:5432",
        "POSTGRESQL_DB_PATH": "/myapp",
        "POSTGRESQL_DB_PARAMS": "",
        "POSTGRESQL_DB_QUERY": "a=b",
        "POSTGRESQL_DB_FRAGMENT": "c",
        "POSTGRESQL_DB_USERNAME": "relation_id_7",
        "POSTGRESQL_DB_PASSWORD": "Zq3",
        "POSTGRESQL_DB_HOSTNAME": "host.example",
        "POSTGRESQL_DB_PORT": "5432",
        "POSTGRESQL_DB_NAME": "myapp",
    }


def test_parts_that_a_url_lacks_are_left_out() -> None:
    found = variables("REDIS_DB", "redis://host:6379")
    assert not {"REDIS_DB_USERNAME", "REDIS_DB_PASSWORD", "REDIS_DB_NAME"} & set(found)
    assert variables("REDIS_DB", "redis://host/")["REDIS_DB_NAME"] == ""
    assert "RABBITMQ_NAME" not in variables("RABBITMQ", "amqp://u:p@host:5672/%2F")
    assert variables("RABBITMQ", "amqp://u:p%40@host")["RABBITMQ_PASSWORD"] == "p%40"


@pytest.mark.parametrize(
    ("url", "hostname", "port"),
    [
        ("mongodb://u:p@a:27017,b:27018/db?replicaSet=r", "a", "27017"),
        ("postgresql://u:p@[2001:DB8::1]:5432/db", "2001:db8::1", "5432"),
        ("postgresql://u:p@2001:db8::1/db", "2001:db8::1", None),
        ("mysql://u:p@host.:3306/db", "host.", "3306"),
        ("http://host", "host", None),
        ("http://host:port/", "host", None),
        ("postgresql://u:p@[::1/db", "[::1", None),
    ],
)
def test_first_host(url: str, hostname: str, port: str | None) -> None:
    found = urls.parse(url)
    assert (found.hostname, found.port) == (hostname, port)


def test_origin_has_no_default_port() -> None:
    assert urls.parse("https://shop.example:443/notes").origin == "https://shop.example"
    assert urls.parse("http://shop.example:8000/notes").origin == "http://shop.example:8000"
    assert urls.parse("http://[::1]:80/").origin == "http://[::1]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:p@a/d", "postgresql://u:p@a/d"),
        (" postgresql://u:p@a/d,postgresql://u:p@b/d ", "postgresql://u:p@a/d"),
        ("mongodb://u:p@a:1,b:2/d?x=y", "mongodb://u:p@a:1,b:2/d?x=y"),
        ("postgresql://u:p@a:5432:5432/d", "postgresql://u:p@a:5432/d"),
        ("postgresql://u:p@a:5432,b:5432:5432/d", "postgresql://u:p@a:5432,b:5432/d"),
        ("postgresql://u:p@[::1]:5432:5432/d", "postgresql://u:p@[::1]:5432/d"),
        ("postgresql://u:p:1:1@a:54:5432/d", "postgresql://u:p:1:1@a:54:5432/d"),
        ("", ""),
        ("{}", ""),
        ("None", ""),
        ("postgresql://", ""),
        ("postgresql:///d", ""),
        ("a:5432", ""),
    ],
)
def test_first_of_several_with_each_port_once(text: str, expected: str) -> None:
    assert urls.first(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a://b", "a://b?x=1&y=2"),
        ("a://b/c?", "a://b/c?x=1&y=2"),
        ("a://b/c?z=3", "a://b/c?z=3&x=1&y=2"),
        ("a://b/c?x=9#f", "a://b/c?x=9&y=2#f"),
        ("a://b/c?x=9&y=8", "a://b/c?x=9&y=8"),
    ],
)
def test_query_parameters_are_added_unless_they_are_there(text: str, expected: str) -> None:
    assert urls.with_query(text, {"x": "1", "y": "2"}) == expected


@pytest.mark.parametrize("text", ["a", "a:1", "[::1]", "[::1]:1", "fe80::1", "a.b.:3306"])
def test_what_can_stand_as_a_host(text: str) -> None:
    assert urls.is_host(text)
    assert urls.parse(f"x://{text}").hostname


@pytest.mark.parametrize("text", ["", "[", "]", "[]", "a b", "a/b", "a@b", "a,b", "a?b", "a#b", ":1", "[::1", "\n"])
def test_what_cannot_stand_as_a_host(text: str) -> None:
    assert not urls.is_host(text)


@THOROUGH
def test_no_text_raises(examples: int) -> None:
    pieces = st.lists(
        st.sampled_from(["://", "//", "@", ":", "[", "]", ",", "/", "?", "#", "%", "%zz", "::1", "a", "é", "\t"])
    )

    @settings(max_examples=examples, deadline=None)
    @given(st.text() | pieces.map("".join))
    def holds(text: str) -> None:
        urls.parse(text)
        urls.variables("X_DB", text, "test")
        first = urls.first(text)
        assert not first or urls.parse(first).hostname
        urls.with_query(text, {"x": "1"})
        assert not urls.is_host(text) or urls.parse(f"x://{text}").hostname

    holds()


PARTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PORTS = st.integers(1, 65535).map(str)
ADDRESSES = st.ip_addresses(v=6).map(lambda address: f"[{address}]") | st.ip_addresses(v=4).map(str)
HOSTS = ADDRESSES | st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{1,5}){0,3}\.?", fullmatch=True)


@THOROUGH
def test_what_is_built_is_read_back(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(PARTS, PARTS, st.lists(st.tuples(HOSTS, PORTS), min_size=1, max_size=3), PARTS)
    def holds(username: str, password: str, servers: list[tuple[str, str]], name: str) -> None:
        hosts = [f"{host}:{port}" for host, port in servers]
        assert all(map(urls.is_host, hosts))
        text = urls.build("postgresql", username, password, ",".join(hosts), name)
        assert urls.first(text) == text
        twice = [f"{host}:{port}:{port}" for host, port in servers]
        doubled = urls.build("postgresql", username, password, ",".join(twice), name)
        assert urls.first(doubled) == text
        found = urls.parse(urls.with_query(text, {"sslmode": "verify-ca"}))
        assert unquote(found.username or "") == username
        assert unquote(found.password or "") == password
        assert unquote(found.name or "") == name
        assert (found.hostname, found.port) == (servers[0][0].strip("[]"), servers[0][1])
        assert found.netloc.rpartition("@")[2] == ",".join(hosts)
        assert found.query == "sslmode=verify-ca"

    holds()
