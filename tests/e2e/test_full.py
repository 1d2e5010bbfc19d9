"""examples/full: every integration in earnest, removed and made again, killed, and its passwords changed."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from nuages.services import REGISTRY
from tests.e2e.chromium import chromium
from tests.e2e.conftest import world_of
from tests.e2e.documented import MAY_BE_EMPTY, PORTS, VARIABLES, WITHOUT
from tests.e2e.outside import HOST, serving
from tests.e2e.people import passwords
from tests.e2e.people.visitor import Visitor
from tests.e2e.projects import own_port
from tests.e2e.traffic import asking
from tests.e2e.world import World, eventually, in_pod, kill

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

FULL = Path(__file__).parents[2] / "examples" / "full"
CLOUD = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGPo2P0OiBggFAA70gjFRIXMKQAAAABJRU5ErkJggg=="
)
"""A picture, two pixels wide."""


class Integration(NamedTuple):
    """An endpoint, which its round trip is named for, the server behind it, and the variable with its password."""

    endpoint: str
    application: str
    program: str
    secret: str = ""

    @property
    def process(self) -> tuple[str, str, str]:
        """Its unit, container and program."""
        (container,) = REGISTRY[self.application].metadata["containers"]
        return f"{self.application}/0", container, self.program


ALL = (
    Integration("postgresql", "postgresql-k8s", "postgres", "POSTGRESQL_DB_PASSWORD"),
    Integration("mysql", "mysql-k8s", "mariadbd", "MYSQL_DB_PASSWORD"),
    Integration("mongodb", "mongodb-k8s", "ferretdb", "MONGODB_DB_PASSWORD"),
    Integration("redis", "redis-k8s", "valkey-server"),
    Integration("valkey", "valkey", "valkey-server", "VALKEY_DB_PASSWORD"),
    Integration("rabbitmq", "rabbitmq-k8s", "beam.smp", "RABBITMQ_PASSWORD"),
    Integration("s3", "s3-integrator", "versitygw", "S3_SECRET_KEY"),
    Integration("smtp", "smtp-integrator", "catcher.py", "SMTP_PASSWORD"),
    Integration("saml", "saml-integrator", "idp.py"),
    Integration("oidc", "hydra", "provider.py", "DJANGO_OIDC_CLIENT_SECRET"),
    Integration("openfga", "openfga-k8s", "openfga", "FGA_TOKEN"),
    Integration("http-proxy", "squid-forward-proxy", "squid", "HTTP_PROXY"),
)
each = pytest.mark.parametrize("integration", ALL, ids=[integration.endpoint for integration in ALL])


@pytest.fixture(scope="module")
def outside() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest.fixture(scope="module")
def full(home: Path, outside: int) -> Iterator[World]:
    with world_of(FULL, home) as world:
        world.port = own_port()
        world.up(timeout=1800)
        world.nuages("config", "squid-forward-proxy", f"private-hosts={HOST}:{outside}")
        world.nuages("config", "full", f"outside=http://{HOST}:{outside}/")
        world.nuages(
            "config", "s3-integrator", "path=media", "storage-class=STANDARD", "attributes=Cache-Control=no-cache"
        )
        yield world


def trip(world: World, name: str) -> dict[str, object]:
    """What a round trip saw; `good` is false also while no page is served."""
    reply = world.browser().get(f"/roundtrips/{name}.json", timeout=60)
    return json.loads(reply.text) if reply.status in (200, 500) and reply.text.startswith("{") else {"good": False}


def good(world: World, name: str, *, seconds: float = 90) -> str:
    """Return what the round trip saw when it was good."""
    return str(eventually(name, lambda: (saw := trip(world, name))["good"] and saw, seconds=seconds)["text"])


def count(text: str) -> int:
    """The number of rows, documents or the like that a round trip saw."""
    found = re.search(r"(\d+) (?:visits|readings|documents|times|words)", text)
    return int(found[1]) if found else 0


def test_every_round_trip_is_good(full: World):
    reply = full.browser().get("/roundtrips.json", timeout=120)
    saw = json.loads(reply.text)
    assert [name for name in saw if not saw[name]["good"]] == [], reply.text
    assert {integration.endpoint for integration in ALL} <= saw.keys()
    page = full.browser().get("/", timeout=120).text
    assert all(f'id="trip-{integration.endpoint}"' in page for integration in ALL)
    assert "answered 200 with 9 bytes" in good(full, "http-proxy")


def test_it_says_what_is_another_product_than_in_production(full: World):
    said = {name: unit["workload-status"].get("message", "") for name, unit in units(full).items()}
    assert "MariaDB" in said["mysql-k8s/0"]
    assert "FerretDB" in said["mongodb-k8s/0"]
    assert said["postgresql-k8s/0"] == "PostgreSQL 18 in place of 14"
    assert said["redis-k8s/0"] == "Valkey in place of Redis"


def units(world: World) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for application in world.status()["applications"].values():
        found.update(application.get("units", {}))
    return found


@pytest.fixture(scope="module")
def told(full: World) -> dict[str, str]:
    """What the application is told, the options of the store included, which `full` has set last."""
    return eventually("the options", lambda: "S3_PATH" in (v := full.variables()) and v, seconds=60)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_documented_variable_is_there(told: dict[str, str], name: str):
    assert name in told
    assert told[name] or name.endswith(MAY_BE_EMPTY)


@pytest.mark.parametrize("name", WITHOUT)
def test_a_documented_variable_is_not_there_without_a_value(told: dict[str, str], name: str):
    assert name not in told, WITHOUT[name]


@pytest.mark.parametrize("prefix", PORTS)
def test_the_parts_are_those_of_the_connection_string(told: dict[str, str], prefix: str):
    """The strings as such are what the round trips connect with."""
    url = urlsplit(told[f"{prefix}_CONNECT_STRING"])
    assert told[f"{prefix}_SCHEME"] == url.scheme
    assert told[f"{prefix}_NETLOC"] == url.netloc
    assert told[f"{prefix}_PATH"] == url.path
    assert told[f"{prefix}_QUERY"] == url.query
    assert told[f"{prefix}_HOSTNAME"] == url.hostname
    assert told[f"{prefix}_PORT"] == str(url.port or PORTS[prefix]) == PORTS[prefix]
    if url.username:
        assert (told[f"{prefix}_USERNAME"], told[f"{prefix}_PASSWORD"]) == (url.username, url.password)
    if f"{prefix}_NAME" in told:
        assert told[f"{prefix}_NAME"] == url.path.lstrip("/")
    if prefix == "RABBITMQ":
        assert told["RABBITMQ_VHOST"] == url.path.lstrip("/") == "full"  # by the option rabbitmq-vhost


def test_no_server_runs_as_root(full: World):
    """Seen from inside their pods, whose network is their own: no server runs as root."""
    for integration in ALL:
        uids = in_pod(full, *integration.process, "grep ^Uid: $p/status | tr '\\t' ' '")
        assert uids, integration
        assert all(line.split()[1] != "0" for line in uids), (integration, uids)


@pytest.mark.parametrize(
    ("endpoint", "words", "answer"),
    [
        ("postgresql", ("-c", "select count(*) > 0 as yes from trips_visit"), " t"),
        ("mysql", ("-e", "select count(*) > 0 as yes from trips_reading"), "1"),
        ("mongodb", ("count", "documents"), ""),
        ("redis", ("PING",), "PONG"),
        ("valkey", ("PING",), "PONG"),
        ("rabbitmq", ("count", "full"), ""),
        ("s3", ("ls",), None),
        ("openfga", ("check", "user:nobody", "reader", "page:trips"), "no"),
    ],
)
def test_a_console_into_each(full: World, endpoint: str, words: tuple[str, ...], answer: str | None):
    said = full.nuages("connect", "full", endpoint, "--", *words).stdout
    if answer is not None:
        assert said.strip()
        assert answer in said


@pytest.mark.parametrize("endpoint", ["smtp", "http-proxy"])
def test_a_url_for_tools_of_this_machine(full: World, endpoint: str):
    process = full.start("connect", "full", endpoint, "--print")
    assert process.stdout
    url = urlsplit(process.stdout.readline().strip())
    assert url.hostname == "127.0.0.1" and url.port
    socket.create_connection(("127.0.0.1", url.port), 5).close()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", url.port), 5)


def test_people_sign_in_by_both_providers(full: World):
    visitor = Visitor()
    for way, application in (("saml", "saml-integrator"), ("oidc", "hydra")):
        visitor.get(f"{full.url}login/{way}/")
        visitor.press(username="alice", password=passwords(full, application)["alice"])
        if way == "saml":
            visitor.press()  # what JavaScript would press: back to the application
        assert f'id="{way}-user">alice' in visitor.text, visitor.text


def test_a_person_at_a_browser(full: World, tmp_path: Path):
    """Signs in by both providers, uploads a picture to S3 and sees it, reads the mail that was caught."""
    with chromium() as browser:
        for way, application in (("saml", "saml-integrator"), ("oidc", "hydra")):
            browser.goto(full.url)
            browser.click(f"#{way}-login")
            browser.until_url(f"http://{application}.localhost:")
            browser.fill("#username", "alice")
            browser.fill("#password", passwords(full, application)["alice"])
            browser.click("main button")
            browser.until_url(full.url)
            assert browser.text(f"#{way}-user").startswith("alice")
        picture = tmp_path / "cloud.png"
        picture.write_bytes(CLOUD)
        browser.choose("#id_file", picture)
        browser.click("form button")
        browser.until_text("cloud")
        browser.screenshot(tmp_path / "page.png")
        browser.click("#uploads a")
        browser.until_url(f"{full.url}uploads/")
        assert browser.run("document.images[0].naturalWidth") == 2
        browser.goto(full.mails())
        browser.until_text("Round trip")
        browser.screenshot(tmp_path / "mails.png")
        browser.click("a[href$='.eml']")
        browser.until_text("It has arrived.")


def test_sessions_and_uploads_stay(full: World):
    browser = full.browser()
    assert [json.loads(browser.get("/count/").text)["count"] for _ in range(3)] == [1, 2, 3]


def test_the_store_speaks_tls_by_an_authority_that_the_application_is_told(full: World):
    plain = full.variables()["S3_ENDPOINT"]
    full.nuages("deploy", "self-signed-certificates")
    full.nuages("integrate", "s3-integrator", "self-signed-certificates")
    told = eventually("TLS", lambda: "S3_TLS_CA_CHAIN" in (v := full.variables()) and v, seconds=120)
    shown = full.action("self-signed-certificates/0", "get-ca-certificate")["ca-certificate"]
    assert [pem.strip() for pem in json.loads(told["S3_TLS_CA_CHAIN"])] == [shown.strip()]
    assert told["S3_ENDPOINT"].startswith("https://s3-integrator.localhost:")
    good(full, "s3")
    full.nuages("remove-relation", "s3-integrator", "self-signed-certificates")
    told = eventually("no TLS", lambda: "S3_TLS_CA_CHAIN" not in (v := full.variables()) and v, seconds=120)
    assert told["S3_ENDPOINT"] == plain
    good(full, "s3")
    full.nuages("remove-application", "self-signed-certificates")


def test_another_virtual_host_is_asked_for_made_and_used(full: World):
    full.nuages("config", "full", "rabbitmq-vhost=other")
    eventually("it is used", lambda: good(full, "rabbitmq").endswith("virtual host other"), seconds=60)
    full.nuages("config", "full", "--reset", "rabbitmq-vhost")
    eventually("back in its own", lambda: good(full, "rabbitmq").endswith("virtual host full"), seconds=60)


@each
def test_its_password_changes_under_the_running_application(full: World, integration: Integration):
    if not integration.secret:
        pytest.skip("the interface tells no password")
    good(full, integration.endpoint)

    def ask() -> str:
        saw = trip(full, integration.endpoint)
        return "" if saw["good"] else str(saw)

    with asking(ask) as asked:
        full.rotate(integration.process[0], integration.secret)
        asked.wait_for(5)
    assert asked.failed == []


@each
def test_it_is_killed_and_back_with_its_data(full: World, integration: Integration):
    before = count(good(full, integration.endpoint))
    kill(full, *integration.process)
    assert count(good(full, integration.endpoint)) > before - (before == 0)
    full.becomes(integration.process[0], "active")


@each
def test_it_is_removed_and_made_again(full: World, integration: Integration):
    before = count(good(full, integration.endpoint))
    full.nuages("remove-relation", f"full:{integration.endpoint}", integration.application)
    assert integration.endpoint in full.becomes("full/0", "blocked")
    # Two endpoints of this one speak the interface.
    other = "smtp-integrator:smtp" if integration.endpoint == "smtp" else integration.application
    full.nuages("integrate", f"full:{integration.endpoint}", other)
    full.becomes("full/0", "active", seconds=120)
    after = count(good(full, integration.endpoint))
    if integration.endpoint in ("postgresql", "mysql", "mongodb", "redis"):
        assert after > before


def test_all_is_there_after_down_and_up(full: World):
    before = {name: count(good(full, name)) for name in ("postgresql", "mysql", "mongodb", "redis")}
    full.nuages("down")
    full.up(timeout=900)
    for name, number in before.items():
        assert count(good(full, name)) > number
    reply = full.browser().get("/roundtrips.json", timeout=120)
    assert reply.status == 200, reply.text
