"""The real Squid in a container of its own; the engine's way out runs beside it, in the same pod."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ops.pebble
import pytest

from nuages.engine.sandbox import outward
from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import Pod, running, until

SERVICE = REGISTRY["squid-forward-proxy"]
DEFAULTS: dict[str, Any] = {"http-port": 3128}
ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
OTHER = "0fa85f64-5717-4562-b3fc-2c963f66afa6"
OUTSIDE = 9000
PYTHON = str(Path(sys.executable).resolve())

SERVER = r"""
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        text = f"outside {self.path} {self.headers.get('X-Forwarded-For')} {self.headers.get('Proxy-Authorization')}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Handler).serve_forever()
"""
WAY = r"""
import socket, sys
made = socket.create_server(("127.0.0.1", 3129))
sys.argv = ["outward", str(made.fileno()), "/tmp/rules"]
exec(compile(open("/tmp/outward.py").read(), "outward", "exec"))
"""
GET = r"""
import http.client, json, sys
ask = json.load(sys.stdin)
client = http.client.HTTPConnection("127.0.0.1", ask["port"], timeout=15)
headers = {"Proxy-Authorization": ask["login"]} if ask["login"] else {}
try:
    if ask["tunnel"]:
        client.set_tunnel(*ask["tunnel"], headers=headers)
        client.request("GET", ask["url"])
    else:
        client.request("GET", ask["url"], headers=headers)
    answer = client.getresponse()
    print(json.dumps([answer.status, answer.read().decode()]))
except OSError as error:
    print(json.dumps([0, str(error)]))
"""


class Context(FakeContext):
    async def outward(self, port: int, *, permitted: Sequence[str], fix: str) -> None:
        assert self.client
        assert port == 3129
        self.client.push("/tmp/rules", json.dumps({"permitted": list(permitted), "fix": fix}))


class Proxy:
    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = Context(pod.client, unit="squid-forward-proxy/0", config=dict(DEFAULTS))
        pod.client.push("/tmp/rules", json.dumps({"permitted": [], "fix": ""}))
        pod.client.push("/tmp/outward.py", Path(outward.__file__).read_text())
        pod.client.push("/tmp/way.py", WAY)
        pod.client.push("/tmp/server.py", SERVER)
        services: dict[str, Any] = {
            name: {"override": "replace", "command": f"{PYTHON} -I -S /tmp/{name}.py"} for name in ("way", "server")
        }
        pod.client.add_layer("outside", {"services": services}, combine=True)
        pod.client.start_services(list(services))
        self.hook("install")
        self.hook("squid-pebble-ready")
        assert self.context.status == ("active", "")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act_rotate(self, application: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, "rotate-password", {"application": application})))

    def configure(self, **values: Any) -> None:
        self.context.config = DEFAULTS | {name.replace("_", "-"): value for name, value in values.items()}
        self.hook("config-changed")

    def integrate(self, number: int, application: str, identifier: str = ID, **request: Any) -> FakeRelation:
        relation = FakeRelation(number, "http-proxy", "http_proxy", remote_application=application)
        relation.app = {"requests": json.dumps([{"requirer": identifier, "auth": [], "domains": []} | request])}
        relation.units = {f"{application}/0": {"private-address": "127.0.0.1"}}
        self.context.all_relations.append(relation)
        self.hook("http-proxy-relation-changed", relation)
        return relation

    def answer(self, relation: FakeRelation) -> dict[str, str]:
        (said,) = json.loads(relation.own["responses"])
        return said

    def login(self, relation: FakeRelation) -> tuple[str, str]:
        content = self.context.content(self.answer(relation)["user"])
        return content["username"], content["password"]

    def get(
        self, url: str, login: tuple[str, str] | None = None, *, tunnel: tuple[str, int] | None = None, port: int = 3128
    ) -> tuple[int, str]:
        word = "Basic " + base64.b64encode(":".join(login).encode()).decode() if login else ""
        ask = {"url": url, "login": word, "tunnel": tunnel, "port": port}
        status, text = json.loads(self.pod.python(GET, json.dumps(ask)))
        return status, text


HERE = f"http://localhost:{OUTSIDE}"


@pytest.fixture(scope="module")
def proxy(directory: Path) -> Iterator[Proxy]:
    with running(SERVICE, directory) as pod:
        yield Proxy(pod)


def test_a_relation_gets_a_user_who_gets_out(proxy: Proxy) -> None:
    notes = proxy.integrate(3, "notes")
    said = proxy.answer(notes)
    url = "http://squid-forward-proxy.dev.svc.cluster.local:3128"
    assert said | {"user": ""} == {
        "auth": "userpass",
        "http_proxy": url,
        "https_proxy": url,
        "requirer": ID,
        "status": "ready",
        "user": "",
    }
    assert proxy.context.grants[said["user"]] == 3
    proxy.configure(private_hosts=f"localhost:{OUTSIDE}")
    login = proxy.login(notes)
    assert proxy.get(f"{HERE}/a?b=c", login) == (200, "outside /a?b=c None None")
    assert proxy.get("/t", login, tunnel=("localhost", OUTSIDE)) == (200, "outside /t None None")


def test_nobody_gets_out_without_a_login(proxy: Proxy) -> None:
    user, password = proxy.login(proxy.context.all_relations[0])
    for login in (None, (user, "x"), ("x", password), (user, ""), ("", "")):
        assert proxy.get(f"{HERE}/", login)[0] == 407
        assert "407" in proxy.get("/", login, tunnel=("localhost", OUTSIDE))[1]


def test_this_machine_is_refused_unless_the_operator_permits_it(proxy: Proxy) -> None:
    login = proxy.login(proxy.context.all_relations[0])
    status, text = proxy.get("http://127.0.0.1/", login)
    assert status == 403
    assert "fix: nuages config squid-forward-proxy private-hosts=127.0.0.1:80" in text
    assert proxy.get(f"http://127.0.0.1:{OUTSIDE}/", login)[0] == 403
    proxy.configure()
    assert proxy.get(f"{HERE}/", login)[0] == 403
    proxy.configure(private_hosts=f"localhost:{OUTSIDE}")

    def again() -> bool:
        return proxy.get(f"{HERE}/", login)[0] == 200

    until(again, "Squid has asked its helper anew")


def test_an_address_of_ipv6_is_a_host(proxy: Proxy) -> None:
    login = proxy.login(proxy.context.all_relations[0])
    proxy.configure(private_hosts=f"localhost:{OUTSIDE},[::1]:{OUTSIDE}")

    def way() -> bool:  # nobody listens there: it is the way out that says so
        return "cannot reach [::1]:9000" in proxy.get(f"http://[::1]:{OUTSIDE}/", login)[1]

    until(way, "Squid has asked its helper anew")
    assert "Tunnel connection failed: 502" in proxy.get("/", login, tunnel=("[::1]", OUTSIDE))[1]
    assert "ERR_ACCESS_DENIED" in proxy.get("http://[::2]:81/", login)[1]
    proxy.configure(private_hosts=f"localhost:{OUTSIDE}")


def test_hosts_that_are_named_are_the_only_ones(proxy: Proxy) -> None:
    blog = proxy.integrate(4, "blog", OTHER, domains=["example.com", f"localhost:{OUTSIDE}"], auth=["userpass"])
    login = proxy.login(blog)
    assert login[0] != proxy.login(proxy.context.all_relations[0])[0]
    assert proxy.get(f"{HERE}/", login)[0] == 200
    for url in ("http://example.org/", "http://localhost/", "http://sub.example.com/", "http://example.com:81/"):
        status, text = proxy.get(url, login)
        assert status in (403, 407), url  # Squid's own word for a user who may not
        assert "fix:" not in text  # it never came to the way out
    proxy.configure(private_hosts=f"localhost:{OUTSIDE}", http_proxy_domains="example.org")
    until(
        lambda: (
            "cannot reach" not in proxy.get("http://no-such.invalid/", proxy.login(proxy.context.all_relations[0]))[1]
        ),
        "only example.org is open to one that names no hosts",
    )


def test_hooks_without_news_write_nothing(proxy: Proxy) -> None:
    writes, secrets = [r.writes for r in proxy.context.all_relations], dict(proxy.context.secrets)
    proxy.hook("update-status")
    assert ([r.writes for r in proxy.context.all_relations], proxy.context.secrets) == (writes, secrets)


def test_addresses_instead_of_a_user(proxy: Proxy) -> None:
    third = "1fa85f64-5717-4562-b3fc-2c963f66afa6"
    free = proxy.integrate(5, "free", third, domains=[f"localhost:{OUTSIDE}"], auth=["srcip"])
    assert "user" not in proxy.answer(free)
    until(lambda: proxy.get(f"{HERE}/")[0] == 200, "its address opens")
    free.units = {"free/0": {"private-address": "10.77.9.9"}}
    proxy.hook("http-proxy-relation-changed", free)
    until(lambda: proxy.get(f"{HERE}/")[0] == 407, "another address does not")
    proxy.context.all_relations.remove(free)


def test_a_changed_password_serves_at_once_and_the_old_one_for_a_minute(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    blog = proxy.context.all_relations[1]
    before, bag = proxy.login(blog), dict(blog.own)
    assert proxy.act_rotate("blog") == {"changed": "blog"}
    after = proxy.login(blog)
    assert after != before
    assert blog.own == bag
    for login in (before, after, before):
        assert proxy.get(f"{HERE}/", login)[0] == 200
    later = time.time() + 61
    monkeypatch.setattr("nuages.services.passwords.time.time", lambda: later)
    proxy.hook("update-status")
    assert proxy.get(f"{HERE}/", after)[0] == 200
    until(lambda: proxy.get(f"{HERE}/", before)[0] == 407, "the old one is refused")
    with pytest.raises(NuagesError, match="'web': related applications are blog, notes"):
        proxy.act_rotate("web")


def test_a_user_goes_with_its_relation(proxy: Proxy) -> None:
    blog = proxy.context.all_relations[1]
    login = proxy.login(blog)
    blog.breaking = True
    proxy.hook("http-proxy-relation-broken", blog)
    proxy.context.all_relations.remove(blog)
    until(lambda: proxy.get(f"{HERE}/", login)[0] == 407, "it is refused")
    assert not [label for label in proxy.context.secrets if label.startswith("http-proxy.4")]


def test_a_user_goes_with_its_request(proxy: Proxy) -> None:
    blog = proxy.integrate(5, "blog", OTHER)
    login = proxy.login(blog)
    blog.app = {"requests": json.dumps([{"requirer": ID, "auth": [], "domains": []}])}
    proxy.hook("http-proxy-relation-changed", blog)
    assert [label for label in proxy.context.secrets if label.startswith("http-proxy.5")] == [f"http-proxy.5.{ID}"]
    assert proxy.login(blog) != login
    until(lambda: proxy.get(f"{HERE}/", login)[0] == 407, "it is refused")
    blog.breaking = True
    proxy.hook("http-proxy-relation-broken", blog)
    proxy.context.all_relations.remove(blog)
    assert not [label for label in proxy.context.secrets if label.startswith("http-proxy.5")]


def test_options(proxy: Proxy) -> None:
    (notes,) = proxy.context.all_relations
    for options in (
        {"http_port": 3129},
        {"private_hosts": "a b"},
        {"http_proxy_domains": "http://x"},
        {"hostname": "http://x"},
    ):
        proxy.configure(**options)
        assert proxy.context.status[0] == "blocked"
        assert "set it to" in proxy.context.status[1]
    proxy.configure(http_port=8888, hostname="Proxy.example", private_hosts=f"localhost:{OUTSIDE}")
    assert proxy.context.status == ("active", "")
    assert proxy.answer(notes)["http_proxy"] == "http://Proxy.example:8888"
    assert proxy.get(f"{HERE}/", proxy.login(notes), port=8888)[0] == 200
    proxy.configure(private_hosts=f"localhost:{OUTSIDE}")


def test_a_request_that_cannot_be_is_answered_and_blocks(proxy: Proxy) -> None:
    odd = proxy.integrate(6, "odd", OTHER, auth=["digest"])
    assert proxy.answer(odd) == {"requirer": OTHER, "status": "unsupported"}
    assert proxy.context.status == ("blocked", "odd asks for a proxy that is unsupported")
    proxy.context.all_relations.remove(odd)
    proxy.hook("http-proxy-relation-departed")
    assert proxy.context.status == ("active", "")


def test_a_killed_squid_comes_back(proxy: Proxy) -> None:
    login = proxy.login(proxy.context.all_relations[0])
    script = 'for p in /proc/[0-9]*; do case "$(cat $p/comm)" in squid) kill -9 "${p#/proc/}"; echo killed;; esac; done'
    assert proxy.pod.run("sh", "-c", script).strip() == "killed"
    until(lambda: proxy.get(f"{HERE}/", login)[0] == 200, "it serves again")


def test_no_password_is_printed(proxy: Proxy) -> None:
    output = proxy.pod.output()
    words = [content["password"] for _, content in proxy.context.secrets.values() if "password" in content]
    assert words
    arguments = proxy.pod.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert not [word for word in words if word in output + arguments]
    assert proxy.pod.run("sh", "-c", "cd /var/lib/squid; stat -c %a . users rules").split() == ["700", "600", "600"]


def test_stop(proxy: Proxy) -> None:
    proxy.hook("stop")
    (info,) = proxy.pod.client.get_services(["squid"])
    assert info.current != ops.pebble.ServiceStatus.ACTIVE
