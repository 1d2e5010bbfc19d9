"""The real object store in a container of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY, passwords
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until

pytestmark = pytest.mark.timeout(900)  # where the store is not built yet
SERVICE = REGISTRY["s3-integrator"]
PORT = 9012
V1 = {"requested-secrets": json.dumps(["access-key", "secret-key"]), "version": "1"}

REQUEST = """
import json, sys
sys.path.insert(0, "/opt/nuages")
from s3 import Client, S3Error
ask = json.load(sys.stdin)
client = Client(*ask["client"])
try:
    answer = client.request(ask["method"], ask["path"], ask["query"], ask["body"].encode())
    print(json.dumps([answer.status, answer.read().decode()]))
except S3Error as error:
    print(json.dumps([error.status, str(error)]))
"""
FETCH = """
import json, sys, urllib.error, urllib.request
url, host = json.load(sys.stdin)
try:
    answer = urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=10)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode()]))
"""


class Context(FakeContext):
    async def publish(self, key: str, port: int, *, preferred: int) -> int:
        """As where others have taken the preferred port: the store has to move to the one that it gets."""
        assert (key, port) == ("store", preferred)
        return PORT


class Store:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = Context(pod.client, unit="s3-integrator/0")
        self.hook("install")
        self.hook("store-pebble-ready")
        assert self.context.status == ("active", "")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act(self, name: str, **params: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, params)))

    def configure(self, **values: Any) -> None:
        self.context.config = {name.replace("_", "-"): value for name, value in values.items()}
        self.hook("config-changed")

    def integrate(self, number: int, application: str, **bag: str) -> FakeRelation:
        relation = FakeRelation(number, "s3-credentials", "s3", remote_application=application, app=V1 | bag)
        self.context.all_relations.append(relation)
        self.hook("s3-credentials-relation-changed", relation)
        return relation

    def remove(self, relation: FakeRelation) -> None:
        relation.breaking = True
        self.hook("s3-credentials-relation-broken", relation)
        self.context.all_relations.remove(relation)

    def keys(self, relation: FakeRelation) -> tuple[str, str]:
        content = self.context.content(relation.own["secret-extra"])
        return content["access-key"], content["secret-key"]

    def ask(
        self, keys: tuple[str, str], method: str, path: str, body: str = "", *, region: str = "us-east-1", **query: str
    ) -> tuple[int, str]:
        client = [f"http://127.0.0.1:{PORT}", *keys, region]
        given = {"client": client, "method": method, "path": path, "query": query, "body": body}
        status, text = json.loads(self.pod.python(REQUEST, json.dumps(given)))
        return status, text

    def console(self, relation: FakeRelation, *words: str, stdin: str = "") -> str:
        console = SERVICE.console(self.context, relation)
        return self.pod.run(*console.argv, *words, stdin=stdin, environment=dict(console.environment))


@pytest.fixture(scope="module")
def store(directory: Path) -> Iterator[Store]:
    with running(SERVICE, directory) as pod:
        yield Store(pod)


@pytest.fixture(scope="module")
def notes(store: Store) -> FakeRelation:
    return store.integrate(3, "notes", bucket="notes")


@pytest.fixture(scope="module")
def shop(store: Store) -> FakeRelation:
    return store.integrate(4, "shop")


def test_the_bucket_that_is_asked_for_and_one_by_the_applications_name(
    store: Store, notes: FakeRelation, shop: FakeRelation
) -> None:
    assert store.context.status == ("active", "")
    for relation, bucket in ((notes, "notes"), (shop, "shop")):
        assert relation.own["bucket"] == bucket
        assert relation.own["endpoint"] == f"http://s3-integrator.localhost:{PORT}"
        assert store.ask(store.keys(relation), "PUT", f"/{bucket}/a/ü b+c~.txt", "text")[0] == 200
        assert store.ask(store.keys(relation), "GET", f"/{bucket}/a/ü b+c~.txt") == (200, "text")


def test_keys_open_no_other_bucket(store: Store, notes: FakeRelation, shop: FakeRelation) -> None:
    keys = store.keys(notes)
    for method, path, body, query in (
        ("GET", "/shop/a/ü b+c~.txt", "", {}),
        ("PUT", "/shop/mine", "x", {}),
        ("DELETE", "/shop/a/ü b+c~.txt", "", {}),
        ("GET", "/shop", "", {"list-type": "2"}),
        ("GET", "/shop", "", {"policy": ""}),
        ("DELETE", "/shop", "", {}),
        ("PUT", "/another", "", {}),
    ):
        assert store.ask(keys, method, path, body, **query)[0] == 403, (method, path)
    assert "shop" not in store.ask(keys, "GET", "/")[1]


def test_an_application_can_neither_open_nor_lose_its_bucket(store: Store, notes: FakeRelation) -> None:
    keys = store.keys(notes)
    anybody = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::notes/*"]}],
    }
    assert store.ask(keys, "PUT", "/notes", json.dumps(anybody), policy="")[0] == 403
    assert store.ask(keys, "DELETE", "/notes", policy="")[0] == 403
    assert store.ask(keys, "DELETE", "/notes")[0] == 403


@pytest.mark.parametrize("path", ["/", "/notes", "/notes/a"])
def test_nobody_gets_in_without_good_keys(store: Store, notes: FakeRelation, path: str) -> None:
    access, secret = store.keys(notes)
    assert json.loads(store.pod.python(FETCH, json.dumps([f"http://127.0.0.1:{PORT}{path}", "x"])))[0] == 403
    assert store.ask((access, "x" * 32), "GET", path)[0] == 403
    assert store.ask(("NU" + "0" * 18, secret), "GET", path)[0] in {403, 404}


def test_it_listens_on_one_port_and_runs_as_its_own_user(store: Store) -> None:
    program = (
        "import glob\n"
        "for path in ('/proc/net/tcp', '/proc/net/tcp6'):\n"
        "    for line in open(path).readlines()[1:]:\n"
        "        words = line.split()\n"
        "        if words[3] == '0A': print(int(words[1].rpartition(':')[2], 16))\n"
    )
    assert set(store.pod.python(program).split()) == {str(PORT)}
    plan = store.pod.client.get_plan().to_dict()["services"]["store"]
    assert plan["user"] == "_daemon_"


def test_secrets_are_in_files_that_only_the_server_reads(store: Store, notes: FakeRelation) -> None:
    _, secret = store.keys(notes)
    assert secret not in json.dumps(store.pod.client.get_plan().to_dict())
    assert secret not in store.pod.output()
    home = "/var/lib/s3/store"
    for name in ("control", "iam/users.json"):
        assert store.pod.run("stat", "-c", "%a", f"{home}/{name}").strip() == "600"


def test_a_presigned_url_is_good_for_the_published_name(store: Store, notes: FakeRelation) -> None:
    store.console(notes, "put", "page.html", stdin="<p>Hi")
    url = store.console(notes, "presign", "page.html", "60").strip()
    host = f"s3-integrator.localhost:{PORT}"
    assert url.startswith(f"http://{host}/notes/page.html?")
    inside = url.replace(host, f"127.0.0.1:{PORT}")
    assert json.loads(store.pod.python(FETCH, json.dumps([inside, host]))) == [200, "<p>Hi"]
    assert json.loads(store.pod.python(FETCH, json.dumps([inside, f"127.0.0.1:{PORT}"])))[0] == 403
    assert json.loads(store.pod.python(FETCH, json.dumps([inside[:-4] + "0000", host])))[0] == 403


def test_the_console(store: Store, notes: FakeRelation) -> None:
    store.console(notes, "put", "some/key with blanks", stdin="Grüße")
    assert store.console(notes, "get", "some/key with blanks") == "Grüße"
    listed = store.console(notes, "ls", "some/").splitlines()
    assert [line.split(maxsplit=2)[2] for line in listed] == ["some/key with blanks"]
    assert store.console(notes, stdin='rm "some/key with blanks"\nls some/\n') == ""
    for words, said in (
        (["get", "never"], "NoSuchKey"),
        (["wat"], "there is no such command"),
        (["ls", "a", "b"], "it is: ls"),
        (["presign", "x", "soon"], "SECONDS is 'soon'"),
    ):
        with pytest.raises(CommandError, match=said):
            store.console(notes, *words)


def test_a_url_for_tools_of_the_host(store: Store, notes: FakeRelation) -> None:
    access, secret = store.keys(notes)
    console = SERVICE.console(store.context, notes)
    assert console.url == f"http://{access}:{secret}@{{address}}/notes"
    assert console.port == PORT
    assert secret not in " ".join(console.argv)


def test_versions_and_uploads_in_parts(store: Store, notes: FakeRelation) -> None:
    keys = store.keys(notes)
    on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert store.ask(keys, "PUT", "/notes", on, versioning="")[0] == 200
    store.console(notes, "put", "twice", stdin="one")
    store.console(notes, "put", "twice", stdin="two")
    assert store.ask(keys, "GET", "/notes", versions="", prefix="twice")[1].count("<Version>") == 2
    _, text = store.ask(keys, "POST", "/notes/parts", uploads="")
    upload = text.partition("<UploadId>")[2].partition("</UploadId>")[0]
    assert store.ask(keys, "PUT", "/notes/parts", "part", partNumber="1", uploadId=upload)[0] == 200
    _, text = store.ask(keys, "GET", "/notes/parts", uploadId=upload)
    etag = text.partition("<ETag>")[2].partition("</ETag>")[0]
    done = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    assert store.ask(keys, "POST", "/notes/parts", done, uploadId=upload)[0] == 200
    assert store.console(notes, "get", "parts") == "part"


def test_hooks_without_news_write_nothing(store: Store, notes: FakeRelation) -> None:
    def files() -> str:
        return store.pod.run("find", "/var/lib/s3/store", "-printf", "%p %T@ %i\n")

    writes, secrets, before = notes.writes, dict(store.context.secrets), files()
    store.hook("update-status")
    assert (notes.writes, store.context.secrets, files()) == (writes, secrets, before)


def test_a_bucket_that_another_has_is_refused_unless_it_is_meant(store: Store, notes: FakeRelation) -> None:
    thief = store.integrate(9, "thief", bucket="notes")
    status, message = store.context.status
    assert status == "blocked"
    assert "thief asks for the bucket 'notes', which is notes's" in message
    assert "secret-extra" not in thief.own
    store.configure(bucket="shared")
    assert store.context.status == ("active", "")
    assert {notes.own["bucket"], thief.own["bucket"]} == {"shared"}
    store.ask(store.keys(thief), "PUT", "/shared/from", "thief")
    assert store.ask(store.keys(notes), "GET", "/shared/from") == (200, "thief")
    assert store.keys(thief) != store.keys(notes)
    store.remove(thief)
    store.configure()
    assert notes.own["bucket"] == "notes"


def test_changed_keys_and_the_old_ones_for_a_while(
    store: Store, notes: FakeRelation, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = store.keys(notes)
    assert store.act("rotate-password", application="notes") == {"changed": "notes"}
    new = store.keys(notes)
    assert not set(new) & set(old)
    for keys in (old, new):
        assert store.ask(keys, "GET", "/notes/parts") == (200, "part")
    later = time.time() + passwords.GRACE + 1
    monkeypatch.setattr(time, "time", lambda: later)
    store.hook("update-status")
    monkeypatch.undo()
    assert store.ask(new, "GET", "/notes/parts") == (200, "part")
    assert store.ask(old, "GET", "/notes/parts")[0] in {403, 404}
    with pytest.raises(NuagesError, match="related applications are notes, shop"):
        store.act("rotate-password", application="x")


def test_what_applications_are_told(store: Store, notes: FakeRelation) -> None:
    told = store.act("get-s3-connection-info")
    assert (told["endpoint"], told["bucket"]) == (notes.own["endpoint"], "notes, shop")
    assert told["access-key"] == told["secret-key"] == "**********"


def test_another_region(store: Store, notes: FakeRelation) -> None:
    store.configure(region="eu-central-1")
    assert notes.own["region"] == "eu-central-1"
    assert store.ask(store.keys(notes), "GET", "/notes/parts", region="eu-central-1") == (200, "part")
    store.configure()
    assert store.ask(store.keys(notes), "GET", "/notes/parts") == (200, "part")


def test_a_store_of_the_operators(store: Store, notes: FakeRelation) -> None:
    with pytest.raises(NuagesError, match="the built-in store makes its own"):
        store.act("sync-s3-credentials", **{"access-key": "AK", "secret-key": "sk"})
    own = store.keys(notes)
    store.configure(endpoint="https://s3.example.com", bucket="media")
    assert store.context.status[0] == "blocked"
    assert store.act("sync-s3-credentials", **{"access-key": "AK", "secret-key": "sk"})["access-key"] == "AK"
    assert store.context.status == ("active", "objects go to https://s3.example.com")
    assert (store.keys(notes), notes.own["bucket"]) == (("AK", "sk"), "media")
    assert "region" not in notes.own
    assert not store.pod.client.get_services(["store"])[0].is_running()
    with pytest.raises(NuagesError, match="cannot open a console"):
        SERVICE.console(store.context, notes)
    store.context.granted["secret:x"] = {"access-key": "B", "secret-key": "b"}
    store.configure(endpoint="https://s3.example.com", credentials="secret:x")
    assert (store.keys(notes), notes.own["bucket"]) == (("B", "b"), "notes")
    store.configure()
    assert store.context.status == ("active", "")
    assert store.keys(notes) == own
    assert store.console(notes, "get", "parts") == "part"


def test_killing_the_server_loses_nothing(store: Store, notes: FakeRelation) -> None:
    program = (
        "import os, signal\n"
        "for name in os.listdir('/proc'):\n"
        "    if name.isdigit() and 'versitygw' in open(f'/proc/{name}/cmdline').read().split(chr(0))[0]:\n"
        "        os.kill(int(name), signal.SIGKILL); print(name)\n"
    )
    store.console(notes, "put", "last", stdin="word")
    assert store.pod.python(program).strip()

    def runs() -> bool:
        return store.pod.client.get_services(["store"])[0].is_running()

    until(runs, "Pebble starts it again")
    store.hook("update-status")
    store.hook("store-pebble-check-recovered")
    assert store.console(notes, "get", "last") == "word"


def test_a_half_made_bucket_is_made_again(store: Store, notes: FakeRelation) -> None:
    store.pod.run(
        "/bin/sh",
        "-c",
        "cd /var/lib/s3/store/buckets && mkdir half && chown --reference . half",
    )
    half = store.integrate(12, "half")
    assert store.context.status == ("active", "")
    assert store.ask(store.keys(half), "PUT", "/half/a", "b")[0] == 200
    store.remove(half)


def test_keys_of_a_removed_relation_open_nothing_and_its_objects_come_back(store: Store, shop: FakeRelation) -> None:
    keys = store.keys(shop)
    store.remove(shop)
    assert store.ask(keys, "GET", "/shop/a/ü b+c~.txt")[0] in {403, 404}
    again = store.integrate(20, "shop")
    assert store.ask(store.keys(again), "GET", "/shop/a/ü b+c~.txt") == (200, "text")


def test_a_new_pod_has_the_objects(store: Store, notes: FakeRelation, directory: Path) -> None:
    store.hook("stop")
    store.pod.kill()
    pod = Pod(SERVICE, directory)
    try:
        store.pod, store.context.client = pod, pod.client
        store.hook("store-pebble-ready")
        assert store.console(notes, "get", "last") == "word"
    finally:
        pod.kill()
