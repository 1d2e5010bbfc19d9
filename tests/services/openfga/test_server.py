"""The real OpenFGA in a container of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until

SERVICE = REGISTRY["openfga-k8s"]

_CLIENT = """
import json, sys, urllib.error, urllib.request
for line in sys.stdin:
    question = json.loads(line)
    if question == "wait":
        print("ready", flush=True)
        continue
    headers = {"content-type": "application/json"}
    if question["token"]:
        headers["authorization"] = "Bearer " + question["token"]
    data = json.dumps(question["body"]).encode() if question["body"] is not None else None
    url = "http://127.0.0.1:8080" + question["path"]
    request = urllib.request.Request(url, data, headers, method=question["method"])
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            print(answer.status, answer.read().decode().strip(), flush=True)
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode().strip(), flush=True)
    except OSError as error:
        print(0, json.dumps(str(error)), flush=True)
"""
MODEL = {
    "schema_version": "1.1",
    "type_definitions": [
        {"type": "user"},
        {
            "type": "document",
            "relations": {"reader": {"this": {}}},
            "metadata": {"relations": {"reader": {"directly_related_user_types": [{"type": "user"}]}}},
        },
    ],
}
ANNE = {"user": "user:anne", "relation": "reader", "object": "document:plan"}
BOB = {**ANNE, "user": "user:bob"}


class Fga:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="openfga-k8s/0", model="dev")
        for name in ("install", "start", "openfga-pebble-ready"):
            self.hook(name)
        assert self.context.status == ("active", "")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def integrate(self, number: int, application: str, store: str = "") -> FakeRelation:
        app = {"store_name": store or application}
        relation = FakeRelation(number, "openfga", "openfga", remote_application=application, app=app)
        self.context.all_relations.append(relation)
        self.hook("openfga-relation-changed", relation)
        return relation

    def remove(self, relation: FakeRelation) -> None:
        relation.breaking = True
        self.hook("openfga-relation-broken", relation)
        self.context.all_relations.remove(relation)

    def token(self, relation: FakeRelation) -> str:
        return self.context.content(relation.own["token_secret_id"])["token"]

    def ask(self, path: str, body: Any = None, *, token: str = "", method: str = "") -> tuple[int, Any]:
        question = {"path": path, "body": body, "token": token, "method": method or ("GET" if body is None else "POST")}
        code, _, text = self.pod.python(_CLIENT, json.dumps(question) + "\n").partition(" ")
        return int(code), json.loads(text)

    def check(self, relation: FakeRelation, who: dict[str, str], token: str = "") -> tuple[int, Any]:
        path = f"/stores/{relation.own['store_id']}/check"
        code, answer = self.ask(path, {"tuple_key": who}, token=token or self.token(relation))
        return code, answer.get("allowed", answer) if isinstance(answer, dict) else answer  # no JSON: it is not back

    def act(self, name: str, **params: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, params)))


@pytest.fixture(scope="module")
def fga(directory: Path) -> Iterator[Fga]:
    with running(SERVICE, directory) as pod:
        yield Fga(pod)


def test_nobody_asks_without_a_token(fga: Fga) -> None:
    assert fga.ask("/stores") == (401, {"code": "bearer_token_missing", "message": "missing bearer token"})
    assert fga.ask("/stores", token="x")[0] == 401
    assert fga.ask("/healthz") == (200, {"status": "SERVING"})


def test_a_relation_gets_a_store_that_answers_checks(fga: Fga) -> None:
    notes = fga.integrate(3, "notes")
    path = f"/stores/{notes.own['store_id']}"
    code, model = fga.ask(f"{path}/authorization-models", MODEL, token=fga.token(notes))
    assert code == 201, model
    assert fga.ask(f"{path}/write", {"writes": {"tuple_keys": [ANNE]}}, token=fga.token(notes)) == (200, {})
    assert fga.check(notes, ANNE) == (200, True)
    assert fga.check(notes, BOB) == (200, False)
    listed = {"type": "document", "relation": "reader", "user": "user:anne"}
    code, answer = fga.ask(f"{path}/streamed-list-objects", listed, token=fga.token(notes))
    assert (code, answer["result"]["object"]) == (200, "document:plan")


def test_one_applications_token_does_not_open_anothers_store(fga: Fga) -> None:
    notes, blog = fga.context.all_relations[0], fga.integrate(4, "blog")
    theirs, mine = f"/stores/{notes.own['store_id']}", fga.token(blog)
    for path, body in (
        (f"{theirs}/check", {"tuple_key": ANNE}),
        (f"{theirs}/batch-check", {"checks": [{"tuple_key": ANNE, "correlation_id": "1"}]}),
        (f"{theirs}/read", {}),
        (f"{theirs}/write", {"deletes": {"tuple_keys": [ANNE]}}),
        (f"{theirs}/expand", {"tuple_key": {"relation": "reader", "object": "document:plan"}}),
        (f"{theirs}/list-objects", {"type": "document", "relation": "reader", "user": "user:anne"}),
        (f"{theirs}/streamed-list-objects", {"type": "document", "relation": "reader", "user": "user:anne"}),
        (
            f"{theirs}/list-users",
            {"object": {"type": "document", "id": "plan"}, "relation": "reader", "user_filters": [{"type": "user"}]},
        ),
        (f"{theirs}/authorization-models", MODEL),
        (f"{theirs}/authorization-models", None),
        (f"{theirs}/changes", None),
        (theirs, None),
        ("/stores", {"name": "another"}),
    ):
        code, answer = fga.ask(path, body, token=mine)
        text = json.dumps(answer)
        assert code in (401, 403), (path, code, text)
        assert "does not open this store" in text, (path, text)
        assert "anne" not in text
    assert fga.ask(theirs, token=mine, method="DELETE")[0] in (401, 403)
    code, answer = fga.ask("/stores", token=mine)
    assert (code, [store["name"] for store in answer["stores"]]) == (200, ["blog"])
    assert fga.check(notes, ANNE) == (200, True)


def test_two_requirers_of_one_store_share_it(fga: Fga) -> None:
    notes, reader = fga.context.all_relations[0], fga.integrate(5, "reader", "notes")
    assert reader.own["store_id"] == notes.own["store_id"]
    assert fga.token(reader) != fga.token(notes)
    assert fga.check(reader, ANNE) == (200, True)
    fga.remove(reader)


def test_hooks_without_news_write_nothing(fga: Fga) -> None:
    relation = fga.context.all_relations[0]
    writes, secrets = relation.writes, dict(fga.context.secrets)
    fga.hook("update-status")
    assert (relation.writes, fga.context.secrets) == (writes, secrets)


def test_a_changed_token_serves_at_once_and_the_old_one_for_a_minute(fga: Fga, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, blog = fga.context.all_relations
    old, others, bag, pids = fga.token(notes), fga.token(blog), dict(notes.own), processes(fga.pod)
    assert fga.act("rotate-password", application="notes") == {"changed": "notes"}
    new = fga.token(notes)
    assert new != old
    assert notes.own == bag  # the same secret, one revision on: the requirer gets secret-changed
    assert fga.token(blog) == others
    assert processes(fga.pod) == pids  # no request fails: nothing was restarted
    fga.hook("update-status")
    for token in (old, new):
        assert fga.check(notes, ANNE, token) == (200, True)
    later = time.time() + 61
    monkeypatch.setattr("nuages.services.passwords.time.time", lambda: later)
    fga.hook("update-status")
    assert fga.check(notes, ANNE, new) == (200, True)
    assert fga.check(notes, ANNE, old)[0] == 401
    assert old not in str(fga.context.secrets)


def test_a_token_is_changed_for_nobody_unknown(fga: Fga) -> None:
    with pytest.raises(NuagesError, match=r"'shop': related applications are blog, notes"):
        fga.act("rotate-password", application="shop")


def test_what_is_not_to_be_had_blocks_and_serves_the_others(fga: Fga) -> None:
    bad = fga.integrate(11, "bad", "a;b")
    assert fga.context.status == ("blocked", "bad asks for a store that cannot be named 'a;b'")
    assert bad.own == {}
    assert fga.check(fga.context.all_relations[0], ANNE) == (200, True)
    fga.remove(bad)
    assert fga.context.status == ("active", "")


def test_a_console_names_the_store_and_has_the_token_in_its_environment(fga: Fga) -> None:
    notes = fga.context.all_relations[0]
    console = SERVICE.console(fga.context, notes)
    assert console.url == f"http://{{address}}/stores/{notes.own['store_id']}"
    assert console.environment["FGA_API_TOKEN"] == fga.token(notes)
    assert console.port == 8080
    assert fga.token(notes) not in " ".join(console.argv)


def test_the_console(fga: Fga) -> None:
    notes = fga.context.all_relations[0]
    console = SERVICE.console(fga.context, notes)

    def run(*words: str, stdin: str = "") -> str:
        return fga.pod.run(*console.argv, *words, stdin=stdin, environment=dict(console.environment))

    model = run("models").strip()
    assert json.loads(run("model"))["id"] == model == json.loads(run("model", model))["id"]
    bob = "user:bob reader document:console"
    assert run("check", *bob.split()) == "no\n"
    assert run(stdin=f"write {bob}\ncheck {bob}\nread - - document:console\n") == f"yes\n{bob}\n"
    assert bob in run("read").splitlines()
    assert run(stdin=f"delete {bob}\ncheck {bob}\n") == "no\n"
    for words, said in (
        (["wat"], "there is no such command: models, "),
        (["check", "user:bob"], "it is: check USER RELATION OBJECT"),
        (["delete", *bob.split()], "cannot delete: .*not exist"),
        (["write", "x", "y", "z"], "cannot write: "),
        (["model", "x/../y"], "cannot model: "),
    ):
        with pytest.raises(CommandError, match=said) as caught:
            run(*words)
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(CommandError, match="cannot models: "):
        fga.pod.run(*console.argv, "models", environment={**console.environment, "FGA_API_TOKEN": "x"})


def test_a_killed_server_comes_back_by_itself_with_every_acknowledged_write(fga: Fga) -> None:
    notes = fga.context.all_relations[0]
    (pid,) = processes(fga.pod)
    path, token = f"/stores/{notes.own['store_id']}/write", fga.token(notes)
    # Writes without a pause, and the server killed amid them: what was answered is what must be there.
    questions = [
        json.dumps({"path": path, "token": token, "method": "POST", "body": {"writes": {"tuple_keys": [key]}}})
        for key in ({**ANNE, "object": f"document:{number}"} for number in range(1500))
    ]
    killer = f"(for i in $(seq 200); do read -r a; echo $a; done; kill -9 {pid}; cat)"
    python = fga.pod.client.exec(
        ["/bin/bash", "-c", f'"$0" -I -S -c "$1" | {killer}', str(Path(sys.executable).resolve()), _CLIENT],
        stdin="\n".join(questions) + "\n",
        working_dir="/",
        timeout=60,
    )
    answers = python.wait_output()[0].splitlines()
    acknowledged = [number for number, line in enumerate(answers) if line.startswith("200 ")]
    assert len(acknowledged) >= 200
    assert len(acknowledged) < len(questions)  # it was killed amid them

    def back() -> bool:
        return fga.check(notes, ANNE) == (200, True)

    until(back, "OpenFGA serves again")
    assert processes(fga.pod) != [pid]
    listed = {"type": "document", "relation": "reader", "user": "user:anne"}
    path = f"/stores/{notes.own['store_id']}/streamed-list-objects"
    question = json.dumps({"path": path, "token": token, "method": "POST", "body": listed})
    text = fga.pod.python(_CLIENT, question + "\n")
    missing = [number for number in acknowledged if f'"document:{number}"' not in text]
    assert missing == []


def processes(pod: Pod) -> list[str]:
    """Return the pids, as the pod counts them, of servers."""
    found = pod.run(
        "sh", "-c", 'for p in /proc/[0-9]*; do echo "${p#/proc/} $(tr "\\0" " " <$p/cmdline)"; done 2>/dev/null'
    )
    pairs = [line.partition(" ") for line in found.splitlines()]
    return [pid for pid, _, title in pairs if title.startswith("/opt/openfga/openfga serve")]


def test_no_server_is_root(fga: Fga) -> None:
    (pid,) = processes(fga.pod)
    assert "0" not in fga.pod.run("sh", "-c", f"grep ^Uid: /proc/{pid}/status").split()[1:]


def test_no_token_is_printed_or_kept_in_the_open(fga: Fga) -> None:
    output = fga.pod.output()
    words = [content["token"] for _, content in fga.context.secrets.values() if "token" in content]
    assert words
    assert not [word for word in words if word in output]
    modes = fga.pod.run("sh", "-c", "stat -c %a /var/lib/openfga/server /var/lib/openfga/server/keys.json").split()
    assert modes == ["700", "600"]
    for word in words:
        found = fga.pod.run("sh", "-c", 'read -r w; grep -rlF -e "$w" /var/lib/openfga || true', stdin=f"{word}\n")
        assert found == ""


def test_a_removed_relations_token_goes_and_its_store_stays(fga: Fga) -> None:
    blog = fga.context.all_relations[1]
    token, store = fga.token(blog), blog.own["store_id"]
    fga.remove(blog)
    assert fga.ask("/stores", token=token)[0] == 401
    assert not [label for label in fga.context.secrets if label.startswith("openfga.4")]
    assert fga.integrate(6, "blog").own["store_id"] == store


def test_data_outlive_the_pod_even_when_all_is_killed(fga: Fga, directory: Path) -> None:
    notes = fga.context.all_relations[0]
    fga.pod.kill()
    with running(SERVICE, directory) as pod:
        fga.pod, fga.context.client = pod, pod.client
        fga.hook("upgrade-charm")
        fga.hook("openfga-pebble-ready")
        assert fga.context.status == ("active", "")
        assert fga.check(notes, ANNE) == (200, True)
        fga.hook("stop")
        assert processes(pod) == []
        fga.hook("start")
        until(lambda: len(processes(pod)) == 1, "it runs again")


def test_a_second_unit_does_not_serve() -> None:
    context = FakeContext(None, unit="openfga-k8s/1", is_leader=False)
    asyncio.run(SERVICE.hook(context))
    assert context.status[0] == "blocked"
    assert "remove-unit openfga-k8s" in context.status[1]
