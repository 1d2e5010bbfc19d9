"""A Django application keeps its media in the object store: django-storages as it comes, URLs that a browser opens."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.projects import SETTINGS, endpoint, notes_with
from tests.e2e.traffic import asking
from tests.e2e.world import World, eventually, processes

pytestmark = pytest.mark.slow

STORE = "s3-integrator/0"
AUTHORITY = "self-signed-certificates"
CLIENT = """
import sys, tempfile
import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

with tempfile.NamedTemporaryFile("w") as file:
    file.write(sys.argv[2])
    file.flush()
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
    client = boto3.client("s3", endpoint_url=sys.argv[1], verify=file.name if sys.argv[2] else None, config=config)
    try:
        client.list_objects_v2(Bucket="notes")
    except (BotoCoreError, ClientError) as error:
        print(type(error).__name__)
"""
"""Says what becomes of a request without keys: `AccessDenied` is the store's own word."""
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


@pytest.fixture(scope="module")
def stored(home: Path) -> Iterator[World]:
    """The example with its media in the store, by `charm_settings`."""
    with notes_with(
        home, urls=URLS, settings=SETTINGS, packages=["django-storages[s3]"], endpoints=[endpoint("s3", "s3")]
    ) as world:
        world.up()
        yield world


def opened(url: str, authority: str = "") -> tuple[int, str]:
    """Open a URL as a browser does, for which every name below localhost is this machine."""
    parts = urlsplit(url)
    assert parts.hostname and parts.hostname.endswith(".localhost")
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
    if parts.scheme == "https":
        context = ssl.create_default_context(cadata=authority or None)
        connection = http.client.HTTPSConnection("127.0.0.1", parts.port, timeout=10, context=context)
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
    browser = stored.browser()
    with asking(lambda: browser.wrong("/download/first.txt/", "hello")) as asked:
        stored.rotate(STORE, "S3_ACCESS_KEY")
        asked.wait_for(20)
    assert asked.failed == []
    assert browser.get("/upload/rotated.txt/new/").text == "rotated.txt"


def asked_by_boto3(world: World, endpoint: str, chain: str) -> str:
    """Return how a client fares that trusts a chain, or with "" what the container trusts anyway."""
    words = ("--container", "django-app", "notes/0", "--", "python3", "-c", CLIENT, endpoint, chain)
    return world.nuages("ssh", *words).stdout.strip()


def test_tls_comes_and_goes_without_a_failed_request(stored: World):
    browser = stored.browser()
    plain = stored.variables()["S3_ENDPOINT"]
    with asking(lambda: browser.wrong("/download/first.txt/", "hello")) as asked:
        stored.nuages("deploy", AUTHORITY)
        stored.nuages("integrate", "s3-integrator", AUTHORITY)
        told = eventually("TLS", lambda: "S3_TLS_CA_CHAIN" in (v := stored.variables()) and v, seconds=60)
        assert told["S3_ENDPOINT"].startswith("https://s3-integrator.localhost:")
        (authority,) = json.loads(told["S3_TLS_CA_CHAIN"])
        assert authority.strip() == stored.action(f"{AUTHORITY}/0", "get-ca-certificate")["ca-certificate"].strip()
        asked.wait_for(5)

        # No media but through the chain that was told.
        assert asked_by_boto3(stored, told["S3_ENDPOINT"], authority) == "AccessDenied"
        assert asked_by_boto3(stored, told["S3_ENDPOINT"], "") == "SSLError"
        url = browser.get("/link/first.txt/").text
        assert opened(url, authority) == (200, "hello")
        with pytest.raises(ssl.SSLCertVerificationError):
            opened(url)
        assert stored.nuages("connect", "notes", "s3", "--", "get", "first.txt").stdout == "hello"
        stored.rotate(STORE, "S3_SECRET_KEY")

        stored.action(f"{AUTHORITY}/0", "rotate-private-key")
        both = eventually(
            "the new authority",
            lambda: len(found := json.loads(stored.variables()["S3_TLS_CA_CHAIN"])) == 2 and found,
            seconds=60,
        )
        assert both[1] == authority
        assert asked_by_boto3(stored, told["S3_ENDPOINT"], "\n".join(both)) == "AccessDenied"
        assert asked_by_boto3(stored, told["S3_ENDPOINT"], "") == "SSLError"
        asked.wait_for(5)

        stored.nuages("remove-relation", "s3-integrator", AUTHORITY)
        told = eventually("no TLS", lambda: "S3_TLS_CA_CHAIN" not in (v := stored.variables()) and v, seconds=60)
        assert told["S3_ENDPOINT"] == plain
        asked.wait_for(5)
    assert asked.failed == []
    stored.nuages("remove-application", AUTHORITY)


def test_objects_outlive_down_and_the_relation(stored: World):
    stored.nuages("down")
    stored.up()
    assert stored.browser().get("/download/first.txt/").text == "hello"
    stored.nuages("remove-relation", "notes", "s3-integrator")
    stored.becomes("notes/0", "blocked")
    stored.up()
    eventually("a file again", lambda: stored.browser().get("/download/first.txt/").text == "hello", seconds=60)
