"""The real Traefik in a container of its own, with small servers behind it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nuages.services import REGISTRY
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import Pod, running, until

SERVICE = REGISTRY["traefik-k8s"]

BACKEND = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = {"unit": sys.argv[1], "method": self.command, "path": self.path, "headers": dict(self.headers)}
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
http.server.ThreadingHTTPServer((sys.argv[2], 8000), Handler).serve_forever()
"""

CLIENT = """
import http.client, json, ssl, sys
want = json.load(sys.stdin)
if want["port"] == 443:
    try:
        context = ssl.create_default_context(cafile="/tmp/ca.pem")
        connection = http.client.HTTPSConnection("localhost", 443, timeout=20, context=context)
        connection.connect()
    except ssl.SSLError as error:
        print(json.dumps({"status": 0, "headers": {}, "body": str(error)}))
        sys.exit()
else:
    connection = http.client.HTTPConnection("127.0.0.1", want["port"], timeout=20)
try:
    body = "x" if want["method"] == "POST" else None
    connection.request(want["method"], want["path"], body=body, headers=want["headers"])
except ConnectionRefusedError:
    print('{"status": 0, "headers": {}, "body": ""}')
    sys.exit()
response = connection.getresponse()
print(json.dumps({"status": response.status, "headers": dict(response.headers), "body": response.read().decode()}))
"""


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def seen(self) -> dict[str, Any]:
        """What the unit behind was asked."""
        return json.loads(self.body)


class Proxy:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="traefik-k8s/0")
        self.hook("install")
        assert self.context.status == ("active", "serving at http://localhost:8000/")

    def hook(self, name: str) -> None:
        self.context.hook = name
        asyncio.run(SERVICE.hook(self.context))

    def get(
        self, path: str = "/", *, host: str = "localhost:8000", method: str = "GET", port: int = 80, **headers: str
    ) -> Response:
        """Ask as a client of the gateway; while nobody listens there the status is 0."""
        request = {"method": method, "path": path, "port": port, "headers": {"Host": host, **headers}}
        return Response(**json.loads(self.pod.python(CLIENT, stdin=json.dumps(request))))

    def relation(self, number: int, name: str, *hosts: str) -> FakeRelation:
        app = {"model": '"dev"', "name": json.dumps(name), "port": "8000", "strip-prefix": "true"}
        units = {f"{name}/{i}": {"host": json.dumps(host)} for i, host in enumerate(hosts)}
        relation = FakeRelation(number, "ingress", "ingress", name, app, units)
        self.context.all_relations.append(relation)
        return relation

    def backend(self, unit: str, address: str) -> None:
        self.pod.run("sh", "-c", f"printf '%s' '{BACKEND}' >/tmp/backend.py")
        python = self.pod.python("import sys; print(sys.executable)").strip()
        service = {"override": "replace", "command": f"{python} -I -S /tmp/backend.py {unit} {address}"}
        self.pod.client.add_layer(unit, {"services": {unit: service}}, combine=True)
        self.pod.client.start_services([unit], timeout=10)


@pytest.fixture(scope="module")
def proxy(directory: Path) -> Iterator[Proxy]:
    with running(SERVICE, directory) as pod:
        proxy = Proxy(pod)
        proxy.backend("notes-0", "127.0.0.2")
        yield proxy


@pytest.fixture(scope="module")
def notes(proxy: Proxy) -> FakeRelation:
    relation = proxy.relation(3, "notes", "notes-0")
    proxy.hook("ingress-relation-changed")
    until(lambda: proxy.get().status == 200, "the route is there")
    return relation


def test_it_is_the_version_it_says(proxy: Proxy) -> None:
    assert re.search(r"Version:\s+(\S+)", proxy.pod.run("traefik", "version")).group(1) == SERVICE.version  # type: ignore[union-attr]


def test_an_application_is_told_its_url_and_asked_with_what_the_client_said(proxy: Proxy, notes: FakeRelation) -> None:
    assert notes.own == {"ingress": '{"url": "http://localhost:8000/"}'}
    seen = proxy.get("/a/b?c=d").seen
    assert (seen["unit"], seen["path"]) == ("notes-0", "/a/b?c=d")
    headers = seen["headers"]
    assert headers["Host"] == headers["X-Forwarded-Host"] == "localhost:8000"
    assert (headers["X-Forwarded-Port"], headers["X-Forwarded-Proto"]) == ("8000", "http")


def test_a_name_of_the_users_own_and_a_forwarded_port_reach_the_application(proxy: Proxy, notes: FakeRelation) -> None:
    assert proxy.get(host="my.laptop:9000").seen["headers"]["X-Forwarded-Host"] == "my.laptop:9000"


def test_a_request_has_one_identifier_everywhere(proxy: Proxy, notes: FakeRelation) -> None:
    own = proxy.get(**{"X-Request-Id": "mine-1"})
    made = proxy.get()
    assert own.headers["X-Request-Id"] == own.seen["headers"]["X-Request-Id"] == "mine-1"
    identifier = made.seen["headers"]["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", identifier)
    assert made.headers["X-Request-Id"] == identifier
    logged = {entry["request_X-Request-Id"] for entry in access_log(proxy) if "request_X-Request-Id" in entry}
    assert {"mine-1", identifier} <= logged


def access_log(proxy: Proxy) -> list[dict[str, Any]]:
    lines = re.findall(r"\[traefik\] (\{.*\})", proxy.pod.output())
    return [entry for entry in map(json.loads, lines) if "RequestPath" in entry]


def test_a_client_cannot_say_what_the_proxy_says(proxy: Proxy, notes: FakeRelation) -> None:
    headers = proxy.get(**{"X-Forwarded-Proto": "https", "X_Forwarded_Host": "evil"}).seen["headers"]
    assert headers["X-Forwarded-Proto"] == "http"
    assert "evil" not in headers.values()


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "[::1]:9000", "0.0.0.0:9000"])
def test_other_loopback_names_lead_to_the_canonical_one(proxy: Proxy, notes: FakeRelation, host: str) -> None:
    response = proxy.get("/x?y=1", host=host)
    assert (response.status, response.headers["Location"]) == (302, "http://localhost:9000/x?y=1")
    assert proxy.get("/x", host=host, method="POST").status == 307


def test_all_units_serve_and_one_that_is_down_fails_no_request(proxy: Proxy, notes: FakeRelation) -> None:
    notes.units["notes/1"] = {"host": '"notes-1"'}
    proxy.hook("ingress-relation-joined")
    # notes-1 does not listen yet.
    assert {proxy.get(method="POST").seen["unit"] for _ in range(4)} == {"notes-0"}
    proxy.backend("notes-1", "127.0.0.3")
    until(lambda: proxy.get().seen["unit"] == "notes-1", "the second unit serves")
    assert {proxy.get().seen["unit"] for _ in range(4)} == {"notes-0", "notes-1"}


def test_a_second_application_gets_a_name_and_the_first_keeps_its(proxy: Proxy, notes: FakeRelation) -> None:
    blog = proxy.relation(2, "blog", "notes-1")
    proxy.hook("ingress-relation-changed")
    assert blog.own == {"ingress": '{"url": "http://blog.localhost:8000/"}'}
    assert notes.own == {"ingress": '{"url": "http://localhost:8000/"}'}
    until(lambda: proxy.get(host="blog.localhost:8000").seen["unit"] == "notes-1", "the second route is there")
    listed = asyncio.run(SERVICE.action(proxy.context, "show-proxied-endpoints", {}))
    assert json.loads(listed["proxied-endpoints"]) == {
        "traefik-k8s": {"url": "http://localhost:8000"},
        "blog": {"url": "http://blog.localhost:8000/"},
        "notes": {"url": "http://localhost:8000/"},
    }
    blog.breaking = True
    proxy.hook("ingress-relation-broken")
    proxy.context.all_relations.remove(blog)
    assert proxy.context.status == ("active", "serving at http://localhost:8000/")


def test_a_bad_databag_blocks_and_serves_the_others(proxy: Proxy, notes: FakeRelation) -> None:
    bad = proxy.relation(7, "bad", "notes-1")
    bad.app["port"] = "0"
    proxy.hook("ingress-relation-changed")
    assert proxy.context.status[0] == "blocked"
    assert "bad asks for ingress to the port 0" in proxy.context.status[1]
    assert bad.own == {}
    assert proxy.get().status == 200
    proxy.context.all_relations.remove(bad)


def test_nobody_takes_anothers_place(proxy: Proxy, notes: FakeRelation) -> None:
    thief = proxy.relation(7, "thief", "127.0.0.9")
    thief.app["name"] = json.dumps("notes")
    proxy.hook("ingress-relation-changed")
    assert proxy.context.status == ("blocked", "thief asks for ingress as dev-notes, as notes does")
    assert thief.own == {}
    proxy.context.all_relations.remove(thief)
    late = proxy.relation(8, "late", "notes-0")
    proxy.hook("ingress-relation-changed")
    until(lambda: proxy.get(host="late.localhost:8000").status == 200, "the routes are in force")
    assert proxy.get().status == 200
    proxy.context.all_relations.remove(late)


def test_a_health_check_that_cannot_be_keeps_nobody_out(proxy: Proxy, notes: FakeRelation) -> None:
    odd = proxy.relation(7, "odd", "notes-0")
    odd.app["healthcheck_params"] = json.dumps(
        {"path": "/\ud800", "interval": "9" * 20 + "s", "timeout": "9" * 20 + "m"}
    )
    proxy.hook("ingress-relation-changed")
    # What has no route goes to the first application, which is told the host: a route has a service of its own.
    served = "dev-odd@file"
    until(
        lambda: proxy.get(host="odd.localhost:8000").status == 200 and served in proxy.pod.output(), "there is a route"
    )
    proxy.context.all_relations.remove(odd)


def test_a_port_that_cannot_be_says_what_to_set(proxy: Proxy) -> None:
    for port in (0, -1, 70000):
        proxy.context.config = {"port": port}
        proxy.hook("config-changed")
        assert proxy.context.status == ("blocked", f"port is {port}: set it to a number from 1 to 65535")
    proxy.context.config = {}
    proxy.hook("config-changed")
    assert proxy.context.status[0] == "active"


def test_path_mode_is_upstreams_with_the_prefix_stripped(proxy: Proxy, notes: FakeRelation) -> None:
    proxy.context.config = {"external_hostname": "shop.example", "routing_mode": "path"}
    proxy.hook("config-changed")
    assert notes.own == {"ingress": '{"url": "http://shop.example:8000/dev-notes"}'}

    def stripped() -> bool:  # the old route answers this path too, until the new one is there
        seen = proxy.get("/dev-notes/x", host="shop.example:8000").seen
        return (seen.get("path"), seen.get("headers", {}).get("X-Forwarded-Prefix")) == ("/x", "/dev-notes")

    until(stripped, "the new route is there")
    proxy.context.config = {"routing_mode": "wat"}
    proxy.hook("config-changed")
    assert proxy.context.status == ("blocked", "routing_mode is 'wat': set it to path, subdomain or port")
    proxy.context.config = {}
    proxy.hook("config-changed")
    assert notes.own == {"ingress": '{"url": "http://localhost:8000/"}'}


def test_applications_may_have_a_port_each(proxy: Proxy, notes: FakeRelation) -> None:
    proxy.context.config = {"routing_mode": "port"}
    proxy.hook("config-changed")
    assert notes.own == {"ingress": '{"url": "http://localhost:8001/"}'}
    until(lambda: proxy.get(port=8101, host="localhost:8001").status == 200, "the route is there")
    proxy.context.config = {}
    proxy.hook("config-changed")
    assert notes.own == {"ingress": '{"url": "http://localhost:8000/"}'}
    until(lambda: proxy.get(port=8101).status == 404, "the route has gone")


def test_with_an_authority_it_serves_https(proxy: Proxy, notes: FakeRelation, directory: Path) -> None:
    certificates = FakeRelation(9, "certificates", remote_application="self-signed-certificates")
    proxy.context.all_relations.append(certificates)
    proxy.hook("certificates-relation-created")
    assert notes.own == {"ingress": '{"url": "http://localhost:8000/"}'}
    asked = FakeRelation(1, "certificates", units={"traefik-k8s/0": dict(certificates.own_unit)})
    authority = REGISTRY["self-signed-certificates"]
    (directory / "authority").mkdir()
    with running(authority, directory / "authority") as pod:
        context = FakeContext(pod.client, unit="self-signed-certificates/0", hook="certificates-relation-changed")
        context.all_relations = [asked]
        asyncio.run(authority.hook(context))
    certificates.app = dict(asked.own)
    proxy.hook("certificates-relation-changed")
    assert notes.own == {"ingress": '{"url": "https://localhost:8443/"}'}
    (proxy.pod.root / "tmp/ca.pem").write_text(json.loads(asked.own["certificates"])[0]["ca"])
    until(lambda: proxy.get(port=443, host="localhost:8443").status == 200, "https is served")
    seen = proxy.get(port=443, host="localhost:8443").seen
    assert seen["headers"]["X-Forwarded-Proto"] == "https"
    proxy.context.all_relations.remove(certificates)
    proxy.hook("certificates-relation-broken")
    assert notes.own == {"ingress": '{"url": "http://localhost:8000/"}'}


def test_another_port_is_said_loudly(proxy: Proxy) -> None:
    proxy.context.host_port = 8001
    proxy.hook("update-status")
    assert proxy.context.status == ("active", "serving at http://localhost:8001/ (port 8000 is taken)")
    proxy.context.host_port = 8000
    proxy.hook("update-status")


def test_a_killed_server_comes_back_by_itself(proxy: Proxy, notes: FakeRelation) -> None:
    until(lambda: proxy.get().status == 200, "the route is there")
    before = traefik_pid(proxy)
    proxy.pod.run("kill", "-9", before)

    def back() -> bool:
        return traefik_pid(proxy) not in ("", before) and proxy.get().status == 200

    until(back, "Traefik serves again")


def traefik_pid(proxy: Proxy) -> str:
    look = 'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = traefik ] && echo ${p#/proc/}; done; true'
    return proxy.pod.run("sh", "-c", look).strip()
