"""A pod reaches the outside by the proxy alone; servers on this machine's loopback stand for the outside."""

from __future__ import annotations

import ssl
import subprocess
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.outside import HOST, serving
from tests.e2e.projects import endpoint, notes_with
from tests.e2e.traffic import traffic
from tests.e2e.world import World, eventually

pytestmark = pytest.mark.slow

URLS = '''
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request

from django.http import HttpResponse


def fetch(request):
    """Ask as any library does: by what the environment says. `how`: another proxy, or none."""
    how = request.GET.get("how")
    handlers = [urllib.request.HTTPSHandler(context=ssl._create_unverified_context())]
    if how == "no login":
        bare = urllib.parse.urlsplit(os.environ["http_proxy"])
        proxy = f"http://{bare.hostname}:{bare.port}"
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    elif how == "no proxy":
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        answer = urllib.request.build_opener(*handlers).open(request.GET["url"], timeout=3 if how else 20)
        return HttpResponse(answer.read())
    except urllib.error.HTTPError as error:
        return HttpResponse(f"{error.code} {error.read().decode(errors='replace')}")
    except OSError as error:
        return HttpResponse(f"failed: {error}")


urlpatterns.append(path("fetch/", fetch))
'''
PROXY = "squid-forward-proxy"


@dataclass
class Outside:
    http: int
    https: int


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    pem = tmp_path_factory.mktemp("outside") / "server.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=outside"]
    subprocess.run([*argv, "-keyout", str(pem), "-out", f"{pem}.crt"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{pem}.crt", pem)
    with serving() as http, serving(context) as https:
        yield Outside(http, https)


@pytest.fixture(scope="module")
def world(home: Path, outside: Outside) -> Iterator[World]:
    with notes_with(home, urls=URLS, endpoints=[endpoint("http-proxy", "http_proxy", optional=True)]) as world:
        world.up()
        world.nuages("deploy", PROXY)
        world.nuages("integrate", "notes", PROXY)
        hosts = f"{HOST}:{outside.http},{HOST}:{outside.https}"
        world.nuages("config", PROXY, f"private-hosts={hosts}")
        yield world


def fetch(world: World, url: str, how: str = "") -> str:
    query = urllib.parse.urlencode({"url": url, "how": how})
    return world.browser().get(f"/fetch/?{query}").text


def test_http_and_https_by_the_variables_alone(world: World, outside: Outside):
    assert fetch(world, f"http://{HOST}:{outside.http}/a?b=c") == "outside /a?b=c"
    assert fetch(world, f"https://{HOST}:{outside.https}/t") == "outside /t"


def test_the_variables_are_those_of_the_contract(world: World):
    values = world.variables()
    assert len({values[name] for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY")}) == 1
    assert f"@{PROXY}." in values["http_proxy"]
    assert values["NO_PROXY"] == values["no_proxy"] == "127.0.0.1,localhost,::1"


def test_there_is_no_other_way(world: World, outside: Outside):
    url = f"http://{HOST}:{outside.http}/"
    assert fetch(world, url, "no proxy").startswith("failed: ")
    assert fetch(world, url, "no login").startswith("407 ")
    assert "407" in fetch(world, f"https://{HOST}:{outside.https}/", "no login")


def test_this_machine_is_refused_by_default(world: World, outside: Outside):
    said = fetch(world, "http://127.0.0.3/")
    assert said.startswith("403 ")
    assert f"nuages config {PROXY} private-hosts=127.0.0.3:80" in said
    assert "403" in fetch(world, f"https://127.0.0.3:{outside.https}/")


def test_a_changed_password_fails_no_request(world: World, outside: Outside):
    url = urllib.parse.quote(f"http://{HOST}:{outside.http}/under-traffic", safe="")

    def rotate() -> None:
        world.rotate(f"{PROXY}/0", "http_proxy")

    seen = traffic(world.url, rotate, least=400, slow_path=f"/fetch/?url={url}")
    assert seen.failed == []
    assert seen.slow
    assert fetch(world, urllib.parse.unquote(url)) == "outside /under-traffic"


def test_it_is_back_after_down(world: World, outside: Outside):
    world.nuages("down")
    world.up()
    assert fetch(world, f"http://{HOST}:{outside.http}/again") == "outside /again"


def test_a_removed_relation_takes_the_way_away(world: World, outside: Outside):
    url = f"http://{HOST}:{outside.http}/back"
    world.nuages("remove-relation", "notes", PROXY)
    eventually("the variables are gone", lambda: "http_proxy" not in world.variables(), seconds=60)
    assert fetch(world, url).startswith("failed: ")
    world.nuages("integrate", "notes", PROXY)
    eventually("it gets out again", lambda: fetch(world, url) == "outside /back", seconds=60)
