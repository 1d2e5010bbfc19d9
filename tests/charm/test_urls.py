"""URLs as integrations give them, also those that the standard library's parser refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm import urls


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


@given(st.text())
def test_no_text_raises(text: str) -> None:
    urls.parse(text)
    urls.variables("X_DB", text, "test")


PARTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(PARTS, PARTS, st.sampled_from(["db", "db:5432", "[::1]:5432"]), PARTS)
def test_built_url_is_read_back(username: str, password: str, host: str, name: str) -> None:
    from urllib.parse import unquote

    found = urls.parse(urls.build("postgresql", username, password, host, name))
    assert unquote(found.username or "") == username
    assert unquote(found.password or "") == password
    assert unquote(found.name or "") == name
    assert found.hostname in ("db", "::1")
