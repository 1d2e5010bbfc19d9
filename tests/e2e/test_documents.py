"""MongoDB's documents and OpenFGA's checks behind a Django application: `up` brings both servers."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.projects import endpoint, notes_with
from tests.e2e.traffic import asking
from tests.e2e.world import World, eventually, processes

pytestmark = pytest.mark.slow

VIEWS = """
import json
import os
import urllib.request

import pymongo
from django.http import JsonResponse

client = pymongo.MongoClient(os.environ["MONGODB_DB_CONNECT_STRING"], connect=False, serverSelectionTimeoutMS=20000)
collection = client.get_default_database()["documents"]
MODEL = {
    "schema_version": "1.1",
    "type_definitions": [
        {"type": "user"},
        {
            "type": "note",
            "relations": {"reader": {"this": {}}},
            "metadata": {"relations": {"reader": {"directly_related_user_types": [{"type": "user"}]}}},
        },
    ],
}


def keep(request, text):
    collection.insert_one({"text": text, "tags": ["kept", {"by": "notes"}]})
    return kept(request)


def kept(request):
    return JsonResponse({"texts": sorted(document["text"] for document in collection.find({"tags.by": "notes"}))})


def fga(path, body):
    url = os.environ["FGA_HTTP_API_URL"] + "/stores/" + os.environ["FGA_STORE_ID"] + path
    headers = {"Authorization": "Bearer " + os.environ["FGA_TOKEN"], "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=20) as answer:
        return json.load(answer)


def share(request, user):
    fga("/authorization-models", MODEL)
    fga("/write", {"writes": {"tuple_keys": [{"user": f"user:{user}", "relation": "reader", "object": "note:1"}]}})
    return may(request, user)


def may(request, user):
    key = {"user": f"user:{user}", "relation": "reader", "object": "note:1"}
    return JsonResponse(fga("/check", {"tuple_key": key}))
"""
URLS = """
from notes import documents

urlpatterns += [
    path("keep/<text>/", documents.keep),
    path("kept/", documents.kept),
    path("share/<user>/", documents.share),
    path("may/<user>/", documents.may),
]
"""


@pytest.fixture(scope="module")
def documented(home: Path) -> Iterator[World]:
    """The example with documents and permissions."""
    with notes_with(
        home,
        urls=URLS,
        modules={"documents": VIEWS},
        packages=["pymongo~=4.10"],
        endpoints=[endpoint("mongodb", "mongodb_client"), endpoint("openfga", "openfga")],
    ) as world:
        world.up()
        yield world


def texts(world: World) -> list[str]:
    reply = world.browser().get("/kept/")
    return json.loads(reply.text)["texts"] if reply.status == 200 else []


def allowed(world: World, user: str) -> bool | None:
    reply = world.browser().get(f"/may/{user}/")
    return json.loads(reply.text)["allowed"] if reply.status == 200 else None


def test_up_brings_both_servers(documented: World):
    assert documented.workload("mongodb-k8s/0") == ("active", "FerretDB 1.24 in place of MongoDB")
    assert documented.workload("openfga-k8s/0") == ("active", "")
    found = documented.variables()
    assert found["MONGODB_DB_SCHEME"] == "mongodb"
    assert (found["MONGODB_DB_NAME"], found["MONGODB_DB_PORT"]) == ("notes", "27017")
    assert {"FGA_STORE_ID", "FGA_TOKEN", "FGA_GRPC_API_URL", "FGA_HTTP_API_URL"} <= set(found)


def test_a_document_is_stored_and_read(documented: World):
    assert json.loads(documented.browser().get("/keep/first/").text) == {"texts": ["first"]}
    assert texts(documented) == ["first"]


def test_openfga_says_who_may(documented: World):
    assert json.loads(documented.browser().get("/share/anne/").text)["allowed"] is True
    assert (allowed(documented, "anne"), allowed(documented, "bob")) == (True, False)


@pytest.mark.parametrize(
    ("unit", "variable", "path"),
    [("mongodb-k8s/0", "MONGODB_DB_PASSWORD", "/kept/"), ("openfga-k8s/0", "FGA_TOKEN", "/may/anne/")],
)
def test_a_password_changes_under_requests(documented: World, unit: str, variable: str, path: str):
    browser = documented.browser()
    with asking(lambda: browser.wrong(path)) as asked:
        documented.rotate(unit, variable)
        asked.wait_for(20)
    assert asked.failed == []


def test_killed_servers_are_back_with_what_they_held(documented: World):
    for container, program in (("mongod", "ferretdb"), ("openfga", "openfga")):
        before = processes(documented, container, program)
        assert len(before) == 1
        os.kill(before[0], signal.SIGKILL)
        eventually(
            f"another {program}",
            lambda at=(container, program), gone=before: processes(documented, *at) not in ([], gone),
            seconds=60,
        )
    eventually("the document", lambda: texts(documented) == ["first"], seconds=60)
    eventually("the permission", lambda: allowed(documented, "anne") is True, seconds=60)


def test_data_stay_when_all_is_stopped(documented: World):
    documented.nuages("down")
    documented.up()
    eventually("the document", lambda: texts(documented) == ["first"], seconds=60)
    assert (allowed(documented, "anne"), allowed(documented, "bob")) == (True, False)
