"""Asking Django itself: the program that runs in the container, here with a Django of the test's."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from nuages.cli.diagnosis.gather import Target, printed_lately
from nuages.cli.diagnosis.inside import Silent, WebService, ask, masked, seconds, started, web_service
from nuages.cli.session import Session
from nuages.engine.api.client import Client

M = "/v1/models/notes"
URL = "http://localhost:8000/"
PASSWORD = "pass-word-of-the-database"
SETTINGS = f"""
import os
from shop import pages
SECRET_KEY = "x"
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "shop.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
INSTALLED_APPS = []
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_DOMAIN = ".shop.example"
FORCE_SCRIPT_NAME = "/shop"
CELERY_BROKER_URL = "amqp://guest:{PASSWORD}@localhost:1//"
print("what the project prints is no answer")
"""
URLS = """
from django.urls import path
from shop import pages
urlpatterns = [path("", pages.fails), path("well/", pages.well), path("healthz", pages.well)]
urlpatterns += [path("ping/<int:n>", pages.well)]
"""
PAGES = """
import os
from django.http import HttpResponse

def well(request):
    return HttpResponse("well")

def fails(request):
    try:
        os.environ["NOBODY_SETS_IT"]
    except KeyError:
        raise ValueError("cannot reach redis://:secret@cache with " + os.environ["POSTGRESQL_DB_PASSWORD"])
"""
WSGI = """
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "shop").mkdir(parents=True)
    for name, text in {"settings": SETTINGS, "urls": URLS, "pages": PAGES, "wsgi": WSGI, "__init__": ""}.items():
        (project / "shop" / f"{name}.py").write_text(text)
    return project


@pytest.fixture
def inside(daemon, shop):
    """Let the container be the test's project, with this Python."""

    def enter(body):
        words = body["argv"][body["argv"].index("--") + 1 :]
        assert words[0] == "/bin/python3"
        return {"argv": ["env", "-C", str(shop), f"POSTGRESQL_DB_PASSWORD={PASSWORD}", sys.executable, *words[1:]]}

    daemon.on("POST", f"{M}/enter", enter)

    def run(*paths: str, url: str = URL, command: str = "gunicorn shop.wsgi:application"):
        web = WebService("notes/0", "django-app", command, {"POSTGRESQL_DB_PASSWORD": PASSWORD})
        return ask(Session(Client(daemon.directory / "daemon.sock"), "notes"), web, url, paths)

    return run


def test_django_tells_its_settings(inside):
    found = inside()
    assert (found.host_allowed, found.debug, found.vendor) == (True, False, "sqlite")
    assert found.secure_cookies == ("SESSION_COOKIE_SECURE",)
    assert found.cookie_domains == (("CSRF_COOKIE_DOMAIN", ".shop.example"),)
    assert (found.script_name, found.health, found.raised) == ("/shop", ("/healthz",), ())
    assert found.unreachable == found.services == (("CELERY_BROKER_URL", "amqp://localhost:1"),)
    assert inside(url="http://shop.test/").host_allowed is False


def test_what_a_page_raises_is_told_with_its_causes_and_without_secrets(inside):
    (raised,) = inside("/", "/well/").raised
    assert (raised.type, raised.path) == ("ValueError", "/")
    assert raised.text == "cannot reach redis://***@cache with ***"
    assert raised.causes[0] == ("KeyError", "'NOBODY_SETS_IT'")


def test_an_application_that_does_not_load_says_why(inside, shop):
    (shop / "shop" / "pages.py").write_text("import nowhere_to_be_found\n")
    (raised,) = inside("/").raised
    assert (raised.type, raised.path) == ("ModuleNotFoundError", "")
    assert "nowhere_to_be_found" in raised.text


def test_routes_below_the_public_path_are_seen(inside, shop):
    urls = (shop / "shop" / "urls.py").read_text().replace('path("",', 'path("model-shop/",')
    (shop / "shop" / "urls.py").write_text(urls)
    assert inside(url="http://shop.test/model-shop/").routed_below == "/model-shop"
    assert inside(url="http://shop.test/other/").routed_below == ""


def test_no_answer_has_a_reason(daemon):
    daemon.on("POST", f"{M}/enter", {"argv": [sys.executable, "-c", "import sys; sys.exit('no such user')"]})
    session = Session(Client(daemon.directory / "daemon.sock"), "notes")
    with pytest.raises(Silent, match="no such user"):
        ask(session, WebService("notes/0", "django-app", "gunicorn shop.wsgi:application"), URL, ())


def test_the_web_service_is_found_in_the_plan(daemon):
    services = {"django": {"command": "x", "environment": {"A": 1}}, "statsd-exporter": {}, "mail-worker": {}}
    daemon.on("GET", f"{M}/plan", {"containers": {"django-app": {"services": services}}})
    session = Session(Client(daemon.directory / "daemon.sock"), "notes")
    web = web_service(session, "notes/0")
    assert (web.container, web.command, web.environment, web.others) == (
        "django-app",
        "x",
        {"A": "1"},
        ("mail-worker",),
    )
    assert "'A'" not in repr(web)
    daemon.on("GET", f"{M}/plan", {"containers": {"other": {}}})
    with pytest.raises(Silent, match="no service 'django'"):
        web_service(session, "notes/0")


def test_masked():
    environment = {"DJANGO_TOKEN": "t0ken-of-mine", "POSTGRESQL_DB_NAME": "notes-db", "SHORT": "abc"}
    text = "t0ken-of-mine at postgresql://a:b@host/notes-db by abc"
    assert masked(text, environment) == "*** at postgresql://***@host/notes-db by abc"


def test_what_a_service_printed_before_it_was_started_anew_is_mended(daemon, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: seconds("2026-01-01T00:01:00Z"))
    rows = (
        "Service  Startup  Current  Since",
        "mail-worker  enabled  active  2026-01-01T00:00:50Z",
        "just-now  enabled  active  2026-01-01T00:00:58Z",
        "crashing  enabled  backoff  2026-01-01T00:00:40Z",
        "never  enabled  inactive  -",
    )
    daemon.on("POST", f"{M}/enter", {"argv": [sys.executable, "-c", f"print({chr(10).join(rows)!r})"]})
    session = Session(Client(daemon.directory / "daemon.sock"), "notes")
    web = WebService("notes/0", "django-app", "x", {}, ("mail-worker",))
    since = started(session, web)
    assert since == {"mail-worker": seconds("2026-01-01T00:00:50Z")}
    printed = [
        ("mail-worker", "00:00:30", "stale"),
        ("mail-worker", "00:00:51", "new"),
        ("crashing", "00:00:01", "old"),
    ]
    lines = [
        {"time": f"2026-01-01T{moment}Z", "unit": unit, "service": service, "message": f"{unit} {text}"}
        for service, moment, text in printed
        for unit in ("notes/0", "notes/1")
    ]
    daemon.on("GET", f"{M}/logs", tuple(lines))
    said = [line.message for line in printed_lately(Target(session, "notes", ""), {}, "notes/0", since)]
    assert said == ["notes/1 stale", "notes/0 new", "notes/1 new", "notes/0 old", "notes/1 old"]
