"""A Django application keeps its media in the object store: django-storages as it comes, URLs that a browser opens."""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.world import EXAMPLE, World, eventually, processes

pytestmark = pytest.mark.slow

STORE = "s3-integrator/0"
URLS = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse


def upload(request, name, text):
    return HttpResponse(default_storage.save(name, ContentFile(text.encode())))


def download(request, name):
    return HttpResponse(default_storage.open(name).read())


def link(request, name):
    return HttpResponse(default_storage.url(name))


urlpatterns += [
    path("upload/<name>/<text>/", upload),
    path("download/<name>/", download),
    path("link/<name>/", link),
]
"""
ENDPOINT = """
  s3:
    interface: s3
    optional: false
    limit: 1
"""


@pytest.fixture(scope="module")
def stored(home: Path) -> Iterator[World]:
    """The example with its media in the store, by `charm_settings`."""
    with world_of(EXAMPLE, home) as world:
        code = world.project / "notes"
        template = resources.files("nuages.build") / "templates" / "charm_settings.py"
        (code / "charm_settings.py").write_text(template.read_text())
        for path, text in (
            (code / "notes" / "settings.py", "\nimport charm_settings\n\ncharm_settings.update(globals())\n"),
            (code / "notes" / "urls.py", URLS),
            (world.project / "requirements.txt", "\ndjango-storages[s3]\n"),
            (world.project / "charm" / "charmcraft.yaml", ENDPOINT.lstrip("\n")),
        ):
            with path.open("a") as file:
                file.write(text)
        world.up()
        yield world


def opened(url: str) -> tuple[int, str]:
    """Open a URL as a browser does, for which every name below localhost is this machine."""
    parts = urlsplit(url)
    assert parts.hostname and parts.hostname.endswith(".localhost")
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}", headers={"Host": parts.netloc})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_file_goes_there_and_back_and_its_url_opens(stored: World):
    browser = stored.browser()
    assert browser.get("/upload/first.txt/hello/").text == "first.txt"
    assert browser.get("/download/first.txt/").text == "hello"
    url = browser.get("/link/first.txt/").text
    assert opened(url) == (200, "hello")
    assert opened(url.partition("?")[0])[0] == 403
    assert stored.nuages("connect", "notes", "s3", "--", "get", "first.txt").stdout == "hello"


def test_killing_the_store_loses_nothing(stored: World):
    assert stored.browser().get("/upload/killed.txt/kept/").text == "killed.txt"
    (pid,) = processes(stored, "store", "versitygw")
    os.kill(pid, signal.SIGKILL)
    eventually("it serves again", lambda: stored.browser().get("/download/killed.txt/").text == "kept", seconds=60)
    assert processes(stored, "store", "versitygw") != [pid]


def test_changed_keys_without_a_failed_request(stored: World):
    before = json.loads(stored.nuages("env", "notes", "--reveal", "--format", "json").stdout)["S3_ACCESS_KEY"]["value"]
    stored.nuages("run", STORE, "rotate-password")
    for _ in range(20):
        assert stored.browser().get("/download/first.txt/").text == "hello"

    def follows() -> bool:
        assert stored.browser().get("/download/first.txt/").text == "hello"
        said = json.loads(stored.nuages("env", "notes", "--reveal", "--format", "json").stdout)
        return said["S3_ACCESS_KEY"]["value"] != before

    eventually("the application has the new keys", follows, seconds=30)
    assert stored.browser().get("/upload/rotated.txt/new/").text == "rotated.txt"


def test_objects_outlive_down_and_the_relation(stored: World):
    stored.nuages("down")
    stored.up()
    assert stored.browser().get("/download/first.txt/").text == "hello"
    stored.nuages("remove-relation", "notes", "s3-integrator")
    eventually("it is blocked", lambda: stored.workload("notes/0")[0] == "blocked", seconds=60)
    stored.up()
    eventually("a file again", lambda: stored.browser().get("/download/first.txt/").text == "hello", seconds=60)
