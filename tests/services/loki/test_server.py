"""The log store in a container of its own; the real Pebble beside it sends its services' lines."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from nuages.services.loki import NOTE
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until

SERVICE = REGISTRY["loki-k8s"]
DEFAULTS = {name: option["default"] for name, option in SERVICE.options.items()}
PUSH = (Path(__file__).parent / "push.snappy").read_bytes()

OTHER = "127.0.0.4"
"""The address of another application's pod: all of the loopback is this pod's, and the usual one is that of notes."""
HOSTS = f"127.0.0.1\tlocalhost notes-0.notes-endpoints\n{OTHER}\tother-0.other-endpoints\n"

ASK = r"""
import base64, functools, http.client, json, sys, urllib.error, urllib.request
ask = json.load(sys.stdin)
class From(urllib.request.HTTPHandler):
    def http_open(self, request):
        return self.do_open(functools.partial(http.client.HTTPConnection, source_address=(ask["source"], 0)), request)
body = base64.b64decode(ask["body"]) if ask["body"] is not None else None
request = urllib.request.Request("http://127.0.0.1:3100" + ask["path"], data=body, headers=ask["headers"])
if ask["login"]:
    request.add_header("Authorization", "Basic " + base64.b64encode(":".join(ask["login"]).encode()).decode())
try:
    answer = urllib.request.build_opener(From).open(request, timeout=20)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode()]))
"""


class Logs:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="loki-k8s/0", config=dict(DEFAULTS), fqdn="loki-k8s-0.endpoints")
        (pod.root / "etc/hosts").write_text(HOSTS)
        self.hook("install")
        self.hook("loki-pebble-ready")
        assert self.context.status == ("active", NOTE)

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act(self, name: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, {})))

    def integrate(self, number: int, application: str, **app: str) -> FakeRelation:
        relation = FakeRelation(number, "logging", "loki_push_api", application, app, {f"{application}/0": {}})
        self.context.all_relations.append(relation)
        self.hook("logging-relation-changed", relation)
        return relation

    @property
    def login(self) -> tuple[str, str]:
        content = self.context.secrets["login"][1]
        return content["username"], content["password"]

    def send(
        self,
        path: str,
        body: bytes | None = None,
        login: tuple[str, str] | None = None,
        source: str = "",
        **headers: str,
    ) -> tuple[int, str]:
        named = {key.replace("_", "-"): text for key, text in headers.items()}
        ask = {"path": path, "login": login, "source": source, "headers": named}
        encoded = None if body is None else base64.b64encode(body).decode()
        status, text = json.loads(self.pod.python(ASK, json.dumps(ask | {"body": encoded})))
        return status, text

    def push(self, *lines: str, **labels: str) -> tuple[int, str]:
        now = time.time_ns()
        values = [[str(now + number), line] for number, line in enumerate(lines)]
        body = json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()
        return self.send("/loki/api/v1/push", body, Content_Type="application/json")

    def api(self, path: str, **parameters: str) -> Any:
        status, text = self.send(f"{path}?{urlencode(parameters)}", login=self.login)
        assert status == 200, text
        return json.loads(text)["data"]

    def lines(self, query: str) -> list[str]:
        data = self.api("/loki/api/v1/query_range", query=query, direction="forward", limit="5000")
        return [line for stream in data["result"] for _, line in stream["values"]]


@pytest.fixture(scope="module")
def logs(directory: Path) -> Iterator[Logs]:
    with running(SERVICE, directory) as pod:
        yield Logs(pod)


def test_it_is_told_where_to_push(logs: Logs) -> None:
    relation = logs.integrate(3, "notes", metadata="{}", alert_rules="{}")
    assert relation.own == {"promtail_binary_zip_url": "{}"}
    assert relation.own_unit == {
        "endpoint": '{"url": "http://loki-k8s-0.endpoints:3100/loki/api/v1/push"}',
        "public_address": "loki-k8s-0.endpoints",
    }
    assert logs.context.status == ("active", NOTE)


def test_pebble_sends_the_lines_of_its_services(logs: Logs) -> None:
    client = logs.pod.client
    target = {
        "override": "replace",
        "type": "loki",
        "location": "http://127.0.0.1:3100/loki/api/v1/push",
        "services": ["talk"],
        "labels": {"juju_unit": "notes/0", "juju_application": "notes"},
    }
    script = "sh -c 'for n in 1 2 3; do echo line $n of \\\"talk\\\"; done; sleep 1000'"
    service = {"override": "replace", "command": script, "startup": "enabled"}
    client.add_layer("talk", {"services": {"talk": service}, "log-targets": {"loki-k8s/0": target}})
    client.replan_services()
    until(lambda: len(logs.lines('{juju_unit="notes/0"}')) == 3, "its lines are there")
    (stream,) = logs.api("/loki/api/v1/query_range", query='{juju_unit="notes/0"}')["result"]
    assert stream["stream"] == {"juju_application": "notes", "juju_unit": "notes/0", "pebble_service": "talk"}
    assert logs.lines('{juju_application="notes"} |= "2 of"') == ['line 2 of "talk"']
    assert logs.api("/loki/api/v1/labels") == ["juju_application", "juju_unit", "pebble_service"]
    data = logs.api("/loki/api/v1/query", query='sum(count_over_time({juju_unit="notes/0"}[1h]))')
    assert data["result"][0]["value"][1] == "3"
    client.stop_services(["talk"])


def test_only_pods_of_related_applications_push_without_a_login(logs: Logs) -> None:
    now = str(time.time_ns())
    body = json.dumps({"streams": [{"stream": {"app": "pushed"}, "values": [[now, "a line"]]}]}).encode()

    def push(source: str, login: tuple[str, str] | None = None) -> tuple[int, str]:
        return logs.send("/loki/api/v1/push", body, login, source, Content_Type="application/json")

    assert push("") == (204, "")
    status, text = push(OTHER)
    assert (status, text.startswith("only related applications may push, or who logs in with")) == (401, True)
    assert push(OTHER, ("admin", "x"))[0] == 401
    assert push(OTHER, logs.login)[0] == 204
    assert logs.send("/loki/api/v1/labels")[0] == 401
    other = logs.integrate(9, "other")
    assert push(OTHER)[0] == 204
    logs.context.all_relations.remove(other)
    logs.hook("logging-relation-broken", other)
    assert (push(OTHER)[0], push("")[0]) == (401, 204)
    # A replaced pod is known by its name, before any hook.
    assert push("127.0.0.5")[0] == 401
    hosts = logs.pod.root / "etc/hosts"
    hosts.write_text(f"{HOSTS}127.0.0.5\tnotes-1.notes-endpoints\n")
    assert push("127.0.0.5")[0] == 204
    hosts.write_text(HOSTS)
    assert logs.lines('{app="pushed"}') == ["a line"]


def test_protobuf_is_taken_and_too_old_is_said(logs: Logs) -> None:
    status, text = logs.send("/loki/api/v1/push", PUSH, Content_Type="application/x-protobuf")
    assert (status, text) == (204, "")
    data = logs.api("/loki/api/v1/query_range", query='{app="notes"}', start="1790000000", end="1790000002")
    assert sum(len(stream["values"]) for stream in data["result"]) == 3
    logs.context.config = DEFAULTS | {"retention-period": 1}
    logs.hook("config-changed")
    until(
        lambda: logs.send("/loki/api/v1/push", PUSH, Content_Type="application/x-protobuf")[0] == 400, "it is in force"
    )
    until(
        lambda: (
            not logs.api("/loki/api/v1/query_range", query='{app="notes"}', start="1790000000", end="1790000002")[
                "result"
            ]
        ),
        "what was kept of that time is gone",
    )
    logs.context.config = dict(DEFAULTS)
    logs.hook("config-changed")


def test_nobody_asks_without_the_password_and_a_new_one_is_in_force_at_once(logs: Logs) -> None:
    old, path = logs.login, "/loki/api/v1/labels"
    for login in (None, ("admin", "x"), ("x", old[1]), ("admin", "")):
        for each in (path, "/", "/prometheus/api/v1/alerts"):
            assert logs.send(each, login=login)[0] == 401
    assert logs.send("/ready")[0] == 200
    assert logs.act("rotate-password") == {"changed": "admin"}
    assert logs.login != old
    assert logs.send(path, login=old)[0] == 401
    assert logs.send(path, login=logs.login)[0] == 200


def test_what_is_not_there_says_so(logs: Logs) -> None:
    status, text = logs.send("/loki/api/v1/tail", login=logs.login)
    assert (status, "this is not Loki" in text) == (404, True)
    status, text = logs.send(
        "/loki/api/v1/query_range?" + urlencode({"query": '{a="b"} | line_format "x"'}), login=logs.login
    )
    assert (status, text.startswith("parse error: | line_format is not spoken here")) == (400, True)
    assert logs.send("/loki/api/v1/push", b"x", Content_Type="text/plain")[0] == 400
    form = urlencode({"query": '{juju_unit="notes/0"}'}).encode()
    status, text = logs.send(
        "/loki/api/v1/query_range", form, logs.login, Content_Type="application/x-www-form-urlencoded"
    )
    assert (status, "line 2 of" in text) == (200, True)


def test_an_alert_of_an_application_fires_and_is_resolved_and_a_broken_one_is_told(logs: Logs) -> None:
    (relation,) = logs.context.all_relations
    good = {"alert": "Errors", "expr": 'sum(count_over_time({app="alerting"} |= "ERROR" [2s])) > 0'}
    bad = {"alert": "Broken", "expr": '{app="alerting"} |= "ERROR"'}
    relation.app["alert_rules"] = json.dumps({"groups": [{"name": "g", "interval": "1s", "rules": [good, bad]}]})
    logs.hook("logging-relation-changed", relation)
    text = "alert rule Broken is refused: the expression gives lines, not numbers"
    assert logs.context.status == ("blocked", f"notes: {text}")
    assert json.loads(relation.own["event"]) == {"valid": False, "errors": text}

    def alerts() -> list[str]:
        return [alert["state"] for alert in logs.api("/prometheus/api/v1/alerts")["alerts"]]

    assert alerts() == []
    logs.push("ERROR it is", app="alerting")
    until(lambda: alerts() == ["firing"], "it fires")
    assert "Errors: firing" in logs.send("/", login=logs.login)[1]
    until(lambda: alerts() == [], "it is resolved")
    until(lambda: "alert Errors is resolved" in logs.pod.output(), "the log says it")
    relation.app["alert_rules"] = "{}"
    logs.hook("logging-relation-changed", relation)
    assert (logs.context.status, "event" in relation.own) == (("active", NOTE), False)


def test_hooks_without_news_write_nothing(logs: Logs) -> None:
    (relation,) = logs.context.all_relations
    writes, secrets = relation.writes, dict(logs.context.secrets)
    logs.hook("update-status")
    assert (relation.writes, logs.context.secrets) == (writes, secrets)


def test_a_killed_store_has_every_line_that_it_acknowledged(logs: Logs) -> None:
    script = (
        'for p in /proc/[0-9]*; do case "$(tr "\\0" " " <$p/cmdline)" in '
        '/opt/nuages/python3*) kill -9 "${p#/proc/}"; echo killed;; esac; done'
    )
    kept: list[str] = []
    process = None
    for number in range(20):
        if number == 5:
            process = logs.pod.client.exec(["/bin/sh", "-c", script])  # while more lines come
        try:
            if logs.push(f"line {number}", app="killed")[0] == 204:
                kept.append(f"line {number}")
        except CommandError:
            break  # nobody answers any more
    assert process is not None
    assert process.wait_output()[0].strip() == "killed"
    assert len(kept) >= 5

    def back() -> bool:
        try:
            return logs.send("/ready")[0] == 200
        except CommandError:
            return False

    until(back, "it answers again")
    assert set(kept) <= set(logs.lines('{app="killed"}'))


def test_the_page_shows_lines_and_harms_nobody(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, int]] = []

    async def publish(key: str, port: int, *, preferred: int) -> int:
        asked.append((key, port, preferred))
        return 3101

    monkeypatch.setattr(logs.context, "publish", publish)
    user, password = logs.login
    assert logs.act("show-page") == {"url": "http://localhost:3101/", "username": user, "password": password}
    assert asked == [("page", 3100, 3100)]
    logs.push("<script>alert(1)</script>", juju_application="page", juju_unit="page/0")
    status, page = logs.send("/", login=logs.login)
    assert (status, "&lt;script&gt;alert(1)" in page, "<script>" in page) == (200, True, False)
    query = urlencode({"query": 'sum(count_over_time({juju_application="page"}[1h]))', "since": "5m"})
    assert '<td class="who"></td><td>1</td>' in logs.send(f"/?{query}", login=logs.login)[1]
    assert 'class="error">a name is expected' in logs.send("/?query=%7B", login=logs.login)[1]
    console = SERVICE.console(logs.context, logs.context.all_relations[0])
    assert (console.url, console.port) == (f"http://{user}:{password}@{{address}}/", 3100)


def test_options_that_cannot_be_say_what_to_set(logs: Logs) -> None:
    for option, value, words in (
        ("retention-size", "80%", "to a size"),
        ("retention-size", "0MB", "to a size"),
        ("retention-period", -1, "number of days"),
        ("ingestion-rate-mb", 0, "number of megabytes"),
    ):
        logs.context.config = DEFAULTS | {option: value}
        logs.hook("config-changed")
        status, message = logs.context.status
        assert (status, f"{option} is {value!r}: set it " in message, words in message) == ("blocked", True, True)
    logs.context.config = dict(DEFAULTS)
    logs.hook("config-changed")
    assert logs.context.status == ("active", NOTE)


def test_no_password_is_printed_and_files_are_the_servers_own(logs: Logs) -> None:
    words = [logs.login[1], json.dumps(logs.pod.client.get_plan().to_dict())]
    assert words[0] not in logs.pod.output()
    assert words[0] not in words[1]
    modes = logs.pod.run("sh", "-c", "cd /loki/store; stat -c %a:%n . *.json; cat *.json")
    assert words[0] not in modes
    assert "700:." in modes
    assert "600:settings.json" in modes


@pytest.mark.slow
def test_an_endless_query_ends_with_the_server_which_comes_back(logs: Logs) -> None:
    logs.push("a" * 60 + "b", app="endless")
    query = urlencode({"query": '{app="endless"} |~ "^(a+)+$"'})
    with pytest.raises(CommandError, match=r"TimeoutError|ConnectionReset|RemoteDisconnected"):
        logs.send(f"/loki/api/v1/query_range?{query}", login=logs.login)

    def back() -> bool:
        try:
            return logs.send("/ready")[0] == 200
        except CommandError:
            return False

    until(back, "Pebble has started it anew", timeout=90)
    assert len(logs.lines('{app="endless"}')) == 1


def test_what_has_to_do_with_the_container_waits_for_it() -> None:
    context = FakeContext(None, unit="loki-k8s/0", config=dict(DEFAULTS), hook="config-changed")
    asyncio.run(SERVICE.hook(context))
    assert context.status == ("waiting", "waiting for the container")
    context = FakeContext(None, unit="loki-k8s/1", config=dict(DEFAULTS), hook="config-changed")
    asyncio.run(SERVICE.hook(context))
    assert context.status[0] == "blocked"
    with pytest.raises(NuagesError, match="no password yet"):
        SERVICE.console(context, FakeRelation(1))
