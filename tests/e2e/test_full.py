"""examples/full: every integration in earnest, removed and made again, killed, and its passwords changed."""

from __future__ import annotations

import base64
import http.cookiejar
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.e2e.chromium import chromium
from tests.e2e.conftest import world_of
from tests.e2e.people import passwords
from tests.e2e.people.visitor import Visitor
from tests.e2e.world import World, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

FULL = Path(__file__).parents[2] / "examples" / "full"
REGION = "eu-north-1"
OUTSIDE = "127.0.0.2"
"""This machine too: it stands for the world outside."""


CLOUD = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGPo2P0OiBggFAA70gjFRIXMKQAAAABJRU5ErkJggg=="
)
"""A picture, two pixels wide."""


class Integration(NamedTuple):
    """An endpoint, its round trip, and the server behind it."""

    endpoint: str
    application: str
    program: str
    trip: str = ""

    @property
    def name(self) -> str:
        return self.trip or self.endpoint


ALL = (
    Integration("postgresql", "postgresql-k8s", "postgres"),
    Integration("mysql", "mysql-k8s", "mariadbd"),
    Integration("mongodb", "mongodb-k8s", "ferretdb"),
    Integration("redis", "redis-k8s", "valkey-server"),
    Integration("valkey", "valkey", "valkey-server"),
    Integration("rabbitmq", "rabbitmq-k8s", "beam.smp"),
    Integration("s3", "s3-integrator", "versitygw"),
    Integration("smtp", "smtp-integrator", "catcher.py"),
    Integration("saml", "saml-integrator", "idp.py"),
    Integration("oidc", "hydra", "provider.py"),
    Integration("openfga", "openfga-k8s", "openfga"),
    Integration("http-proxy", "squid-forward-proxy", "squid"),
)
each = pytest.mark.parametrize("integration", ALL, ids=[integration.endpoint for integration in ALL])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"outside")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def outside() -> Iterator[int]:
    server = ThreadingHTTPServer((OUTSIDE, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def full(home: Path, outside: int) -> Iterator[World]:
    with world_of(FULL, home) as world:
        world.nuages("up", timeout=1800)
        world.nuages("config", "squid-forward-proxy", f"private-hosts={OUTSIDE}:{outside}")
        world.nuages("config", "full", f"outside=http://{OUTSIDE}:{outside}/")
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


def variables(world: World) -> dict[str, str]:
    document = json.loads(world.nuages("env", "full", "--reveal", "--format", "json").stdout)
    return {name: str(entry["value"]) for name, entry in document.items()}


def test_every_round_trip_is_good(full: World):
    reply = full.browser().get("/roundtrips.json", timeout=120)
    saw = json.loads(reply.text)
    assert [name for name in saw if not saw[name]["good"]] == [], reply.text
    assert {integration.name for integration in ALL} <= saw.keys()
    page = full.browser().get("/", timeout=120).text
    assert all(f'id="trip-{integration.name}"' in page for integration in ALL)
    assert "answered 200 with 7 bytes" in good(full, "http-proxy")


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


# The page of the extension, name by name.
PARTS = ("SCHEME", "NETLOC", "PATH", "PARAMS", "QUERY", "FRAGMENT", "HOSTNAME", "PORT")
DATABASE = (*PARTS, "USERNAME", "PASSWORD", "NAME")
DOCUMENTED = (
    "POSTGRESQL_DB_CONNECT_STRING",
    *(f"POSTGRESQL_DB_{part}" for part in DATABASE),
    "MYSQL_DB_CONNECT_STRING",
    *(f"MYSQL_DB_{part}" for part in DATABASE),
    "MONGODB_DB_CONNECT_STRING",
    *(f"MONGODB_DB_{part}" for part in DATABASE),
    "REDIS_DB_CONNECT_STRING",
    *(f"REDIS_DB_{part}" for part in PARTS),
    "SAML_ENTITY_ID",
    "SAML_METADATA_URL",
    "SAML_SINGLE_SIGN_ON_REDIRECT_URL",
    "SAML_SIGNING_CERTIFICATE",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "S3_BUCKET",
    "S3_REGION",
    "S3_STORAGE_CLASS",
    "S3_ENDPOINT",
    "S3_PATH",
    "S3_API_VERSION",
    "S3_URI_STYLE",
    "S3_ADDRESSING_STYLE",
    "S3_ATTRIBUTES",
    "RABBITMQ_CONNECT_STRING",
    "RABBITMQ_SCHEME",
    "RABBITMQ_NETLOC",
    "RABBITMQ_PATH",
    "RABBITMQ_PARAMS",
    "RABBITMQ_QUERY",
    "RABBITMQ_FRAGMENT",
    "RABBITMQ_USERNAME",
    "RABBITMQ_PASSWORD",
    "RABBITMQ_HOSTNAME",
    "RABBITMQ_PORT",
    "RABBITMQ_VHOST",
    "DJANGO_BASE_URL",
    "DJANGO_ALLOWED_HOSTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    # a user's own option
    "DJANGO_OUTSIDE",
    # and what the page does not name, but its integrations have
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USER",
    "SMTP_PASSWORD",
    "SMTP_AUTH_TYPE",
    "FGA_STORE_ID",
    "FGA_TOKEN",
    "FGA_HTTP_API_URL",
    "FGA_GRPC_API_URL",
    "DJANGO_OIDC_CLIENT_ID",
    "DJANGO_OIDC_CLIENT_SECRET",
    "DJANGO_OIDC_API_BASE_URL",
    "DJANGO_OIDC_AUTHORIZE_URL",
    "DJANGO_OIDC_ACCESS_TOKEN_URL",
    "DJANGO_OIDC_USER_URL",
    "DJANGO_OIDC_JWKS_URL",
    "DJANGO_OIDC_CLIENT_KWARGS",
    "VALKEY_DB_CONNECT_STRING",
)
MAY_BE_EMPTY = ("_PARAMS", "_QUERY", "_FRAGMENT", "REDIS_DB_PATH")
WITHOUT = {
    "REDIS_DB_USERNAME": "the interface redis tells none",
    "REDIS_DB_PASSWORD": "the interface redis tells none",
    "REDIS_DB_NAME": "the interface redis tells none",
    "S3_TLS_CA_CHAIN": "the store in the model has no TLS: an operator's own may",
}
"""Documented, and not there with these servers."""
PORTS = {"POSTGRESQL_DB": "5432", "MYSQL_DB": "3306", "MONGODB_DB": "27017", "REDIS_DB": "6379", "RABBITMQ": "5672"}


@pytest.fixture(scope="module")
def told(full: World) -> dict[str, str]:
    return variables(full)


@pytest.mark.parametrize("name", DOCUMENTED)
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
        uids = in_pod(full, integration, "grep ^Uid: $p/status | tr '\\t' ' '")
        assert uids, integration
        assert all(line.split()[1] != "0" for line in uids), (integration, uids)


def in_pod(world: World, integration: Integration, command: str) -> list[str]:
    """Run a shell command for each process of the server (`$p` is its folder in /proc), inside its container.

    From inside, because a server may write its title over the environment by which pids are found elsewhere.
    """
    # In brackets, so that the script does not find itself.
    pattern = f"[{integration.program[0]}]{integration.program[1:]}"
    line = '"$(tr "\\0" " " <$p/cmdline 2>/dev/null)"'
    script = f"for p in /proc/[0-9]*; do case {line} in *{pattern}*) {command};; esac; done"
    unit = f"{integration.application}/0"
    done = world.nuages("ssh", "--container", container_of(integration), unit, "--", "sh", "-c", script)
    return [line for line in done.stdout.splitlines() if line.strip()]


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
    argv = [sys.executable, "-m", "nuages.cli", "connect", "full", endpoint, "--print"]
    process = subprocess.Popen(
        argv, cwd=full.project, env=dict(full.environment), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    url = urlsplit(process.stdout.readline().strip())
    assert url.hostname == "127.0.0.1" and url.port
    socket.create_connection(("127.0.0.1", url.port), 5).close()
    process.send_signal(signal.SIGINT)
    process.wait(20)
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
        said = full.nuages("run", "smtp-integrator/0", "show-mails").stdout
        (url,) = (word for word in said.split() if word.startswith("http://localhost:"))
        browser.goto(url)
        browser.until_text("Round trip")
        browser.screenshot(tmp_path / "mails.png")
        browser.click("a[href$='.eml']")
        browser.until_text("It has arrived.")


def test_sessions_and_uploads_stay(full: World):
    browser = full.browser()
    assert [json.loads(browser.get("/count/").text)["count"] for _ in range(3)] == [1, 2, 3]
    assert isinstance(browser.jar, http.cookiejar.CookieJar)


def test_another_virtual_host_is_asked_for_made_and_used(full: World):
    full.nuages("config", "full", "rabbitmq-vhost=other")
    eventually("it is used", lambda: good(full, "rabbitmq").endswith("virtual host other"), seconds=60)
    full.nuages("config", "full", "--reset", "rabbitmq-vhost")
    eventually("back in its own", lambda: good(full, "rabbitmq").endswith("virtual host full"), seconds=60)


@each
def test_its_password_changes_under_the_running_application(full: World, integration: Integration):
    if integration.endpoint in ("redis", "saml"):
        pytest.skip("the interface tells no password")
    good(full, integration.name)
    before = {name: value for name, value in variables(full).items() if secret_of(name, integration)}
    assert before
    failed: list[object] = []
    done: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            saw = trip(full, integration.name)
            (done if saw["good"] else failed).append(saw)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        full.nuages("run", f"{integration.application}/0", "rotate-password")
        eventually(
            "another one is told", lambda: any(variables(full)[name] != before[name] for name in before), seconds=60
        )
        more = len(done) + 5
        eventually("five more round trips", lambda: len(done) >= more or failed, seconds=60)
    finally:
        stop.set()
        thread.join()
    assert failed == []


def secret_of(name: str, integration: Integration) -> bool:
    """Whether the variable holds what changes with a password."""
    prefixes = {
        "http-proxy": "HTTP_PROXY",
        "oidc": "DJANGO_OIDC_CLIENT_SECRET",
        "openfga": "FGA_TOKEN",
        "smtp": "SMTP_PASSWORD",
    }
    prefix = prefixes.get(integration.endpoint, integration.endpoint.upper())
    return name.startswith(prefix) and name.endswith(("PASSWORD", "SECRET", "SECRET_KEY", "TOKEN", "PROXY"))


@each
def test_it_is_killed_and_back_with_its_data(full: World, integration: Integration):
    before = count(good(full, integration.name))
    assert "killed" in in_pod(full, integration, "kill -9 ${p#/proc/} && echo killed")
    assert count(good(full, integration.name)) > before - (before == 0)
    eventually("all is active", lambda: full.workload(f"{integration.application}/0")[0] == "active", seconds=60)


def container_of(integration: Integration) -> str:
    from nuages.services import REGISTRY

    (container,) = REGISTRY[integration.application].metadata["containers"]
    return container


@each
def test_it_is_removed_and_made_again(full: World, integration: Integration):
    before = count(good(full, integration.name))
    full.nuages("remove-relation", f"full:{integration.endpoint}", integration.application)
    message = eventually("it is blocked", lambda: (w := full.workload("full/0"))[0] == "blocked" and w[1], seconds=60)
    assert integration.endpoint in message
    # Two endpoints of this one speak the interface.
    other = "smtp-integrator:smtp" if integration.endpoint == "smtp" else integration.application
    full.nuages("integrate", f"full:{integration.endpoint}", other)
    eventually("it is active", lambda: full.workload("full/0")[0] == "active", seconds=120)
    after = count(good(full, integration.name))
    if integration.endpoint in ("postgresql", "mysql", "mongodb", "redis"):
        assert after > before


def test_all_is_there_after_down_and_up(full: World):
    before = {name: count(good(full, name)) for name in ("postgresql", "mysql", "mongodb", "redis")}
    full.nuages("down")
    full.nuages("up", timeout=900)
    for name, number in before.items():
        assert count(good(full, name)) > number
    reply = full.browser().get("/roundtrips.json", timeout=120)
    assert reply.status == 200, reply.text
