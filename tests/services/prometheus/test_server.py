"""The real Prometheus in a container of its own, scraping a small exporter beside it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until

SERVICE = REGISTRY["prometheus-k8s"]
DEFAULTS = {name: option["default"] for name, option in SERVICE.options.items()}
FAST = DEFAULTS | {"scrape_interval": "1s", "evaluation_interval": "1s"}
UUID = "4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a"
TOPOLOGY = 'juju_model="mymodel", juju_application="notes"'

EXPORTER = """
import http.server, pathlib

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = pathlib.Path("/tmp/metrics").read_bytes() if self.path == "/metrics" else b"other 1\\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

http.server.ThreadingHTTPServer(("127.0.0.1", 9102), Handler).serve_forever()
"""
ASK = r"""
import base64, json, sys, urllib.error, urllib.request
ask = json.load(sys.stdin)
request = urllib.request.Request("http://127.0.0.1:9090" + ask["path"])
if ask["login"]:
    request.add_header("Authorization", "Basic " + base64.b64encode(":".join(ask["login"]).encode()).decode())
try:
    answer = urllib.request.urlopen(request, timeout=10)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode(errors="replace")]))
"""


def rule(name: str, expr: str, **more: Any) -> dict[str, Any]:
    return {"alert": name, "expr": expr, "labels": {"juju_application": "notes"}, **more}


def bag(*rules: dict[str, Any], jobs: object = None, application: str = "notes") -> dict[str, str]:
    metadata = {"model": "mymodel", "model_uuid": UUID, "application": application, "unit": f"{application}/0"}
    wanted = jobs or [{"metrics_path": "/metrics", "static_configs": [{"targets": ["*:9102"]}]}]
    return {
        "scrape_metadata": json.dumps(metadata | {"charm_name": "django-k8s"}),
        "scrape_jobs": json.dumps(wanted),
        "alert_rules": json.dumps({"groups": [{"name": "g_rules", "rules": list(rules)}]} if rules else {}),
    }


def units(*names: str) -> dict[str, dict[str, str]]:
    return {
        name: {"prometheus_scrape_unit_address": "127.0.0.1", "prometheus_scrape_unit_name": name} for name in names
    }


class Watch:
    """The application with its container, as the engine would drive it."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="prometheus-k8s/0", config=dict(FAST))
        self.hook("install")
        self.hook("prometheus-pebble-ready")
        assert self.context.status == ("active", "")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act(self, name: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, {})))

    def integrate(self, number: int, application: str, app: dict[str, str], *names: str) -> FakeRelation:
        relation = FakeRelation(number, "metrics-endpoint", "prometheus_scrape", application, app, units(*names))
        self.context.all_relations.append(relation)
        self.hook("metrics-endpoint-relation-changed", relation)
        return relation

    @property
    def login(self) -> tuple[str, str]:
        content = self.context.secrets["login"][1]
        return content["username"], content["password"]

    def get(self, path: str, login: tuple[str, str] | None = None) -> tuple[int, str]:
        ask = {"path": path, "login": self.login if login is None else login}
        status, text = json.loads(self.pod.python(ASK, json.dumps(ask)))
        return status, text

    def api(self, path: str) -> Any:
        status, text = self.get(f"/api/v1/{path}")
        assert status == 200, text
        return json.loads(text)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self.api(f"query?query={quote(expression)}")["result"]

    def export(self, text: str) -> None:
        # Renamed into place: a scrape reads the one or the other.
        self.pod.run("sh", "-c", "cat >/tmp/metrics.new && mv /tmp/metrics.new /tmp/metrics", stdin=text)

    def alerts(self) -> dict[str, str]:
        return {alert["labels"]["alertname"]: alert["state"] for alert in self.api("alerts")["alerts"]}

    def pid(self) -> str:
        return self.pod.run("pidof", "prometheus").strip()


@pytest.fixture(scope="module")
def watch(directory: Path) -> Iterator[Watch]:
    with running(SERVICE, directory) as pod:
        (pod.root / "tmp/exporter.py").write_text(EXPORTER)
        watch = Watch(pod)
        watch.export("requests_total 7\n")
        script = f"{Path(sys.executable).resolve()} -I -S /tmp/exporter.py"
        pod.client.add_layer(
            "exporter", {"services": {"exporter": {"override": "replace", "command": script, "startup": "enabled"}}}
        )
        pod.client.start_services(["exporter"])
        yield watch


def remove(watch: Watch, relation: FakeRelation) -> None:
    relation.breaking = True
    watch.hook("metrics-endpoint-relation-broken", relation)
    watch.context.all_relations.remove(relation)
    assert watch.context.status == ("active", "")
    until(lambda: len(watch.api("targets")["activeTargets"]) == 1, "only the first application is scraped")


def test_every_unit_is_scraped_and_labelled_with_where_it_comes_from(watch: Watch) -> None:
    watch.integrate(3, "notes", bag(rule("Many", f"requests_total{{{TOPOLOGY}}} > 100")), "notes/0", "notes/1")
    assert watch.context.status == ("active", "")
    until(lambda: len(watch.query("requests_total")) == 2, "both units are scraped")
    found = watch.query('requests_total{juju_unit="notes/1"}')
    assert found[0]["value"][1] == "7"
    assert found[0]["metric"] == {
        "__name__": "requests_total",
        "instance": f"mymodel_{UUID}_notes_notes/1",
        "job": "juju_mymodel_4d2a3c8e_notes_prometheus_scrape-1",
        "juju_application": "notes",
        "juju_charm": "django-k8s",
        "juju_model": "mymodel",
        "juju_model_uuid": UUID,
        "juju_unit": "notes/1",
    }


def test_a_unit_that_comes_or_goes_needs_no_restart(watch: Watch) -> None:
    (relation,) = watch.context.all_relations
    before = watch.pid()
    relation.units = units("notes/0", "notes/1", "notes/2")
    watch.hook("metrics-endpoint-relation-joined", relation)
    until(lambda: len(watch.query("up")) == 3, "the new unit is scraped")
    relation.units = units("notes/0")
    watch.hook("metrics-endpoint-relation-departed", relation)
    until(lambda: len(watch.query("up")) == 1, "the others are not any more")
    assert watch.pid() == before


def test_an_alert_fires_and_resolves(watch: Watch) -> None:
    assert watch.alerts() == {}
    watch.export("requests_total 101\n")
    until(lambda: watch.alerts() == {"Many": "firing"}, "it fires")
    watch.export("requests_total 7\n")
    until(lambda: watch.alerts() == {}, "it is resolved")


def test_a_broken_rule_or_job_is_refused_and_the_others_go_on(watch: Watch) -> None:
    (relation,) = watch.context.all_relations
    before = watch.pid()
    jobs = [
        {"static_configs": [{"targets": ["*:9102"]}]},
        {"job_name": "more", "metrics_path": "/more", "static_configs": [{"targets": ["*:9102", "127.0.0.1:9102"]}]},
        {"job_name": "bad", "scrape_interval": "often", "static_configs": [{"targets": ["*:1"]}]},
    ]
    relation.app = bag(
        rule("Broken", "requests_total >"),
        rule("Many", "requests_total > 100"),
        rule("Typo", "1", lables={}),
        jobs=jobs,
    )
    watch.hook("metrics-endpoint-relation-changed", relation)
    status, message = watch.context.status
    assert status == "blocked"
    assert message.startswith("notes: scrape job juju_mymodel_4d2a3c8e_notes_prometheus_scrape_bad is refused: not a v")
    assert message.endswith("(and 2 more)")
    errors = json.loads(relation.own["event"])["errors"]
    assert "alert rule Broken: could not parse expression" in errors
    assert "alert rule Typo: " in errors
    assert "Many" not in errors
    until(lambda: len(watch.query("other")) == 2, "the second job is scraped")
    assert [each["name"] for group in watch.api("rules")["groups"] for each in group["rules"]] == ["Many"]
    assert {sample["metric"]["job"] for sample in watch.query("other")} == {
        "juju_mymodel_4d2a3c8e_notes_prometheus_scrape_more",
        "juju_mymodel_4d2a3c8e_notes_prometheus_scrape_more-0",
    }
    relation.app = bag(rule("Many", f"requests_total{{{TOPOLOGY}}} > 100"))
    watch.hook("metrics-endpoint-relation-changed", relation)
    assert (watch.context.status, relation.own) == (("active", ""), {})
    until(lambda: len(watch.api("targets")["activeTargets"]) == 1, "the second job is gone")
    assert watch.pid() == before


@pytest.mark.parametrize(
    "settings",
    [
        {"authorization": {"credentials_file": "/var/lib/prometheus/server/login"}},
        {"basic_auth": {"username": "x", "password_file": "/var/lib/prometheus/server/login"}},
        {"tls_config": {"ca_file": "/var/lib/prometheus/server/login"}},
    ],
)
def test_no_job_is_told_what_is_in_the_servers_files(watch: Watch, settings: dict[str, Any]) -> None:
    thief = watch.integrate(4, "thief", bag(jobs=[{"static_configs": [{"targets": ["*:9102"]}], **settings}]), "t/0")
    status, message = watch.context.status
    assert status == "blocked"
    assert "_file would be a file of Prometheus' own" in message
    assert "_file would be a file of Prometheus' own" in thief.own["event"]
    remove(watch, thief)


def test_a_job_that_waits_longer_than_it_scrapes_keeps_no_other_out(watch: Watch) -> None:
    slow = {"job_name": "slow", "scrape_timeout": "30s", "static_configs": [{"targets": ["*:9102"]}]}
    jobs = [slow, {"job_name": "second", "static_configs": [{"targets": ["*:9102"]}]}]
    other = watch.integrate(4, "other", bag(jobs=jobs, application="other"), "other/0")
    status, message = watch.context.status
    assert status == "blocked"
    assert "other_prometheus_scrape_slow is refused: " in message
    assert "scrape timeout" in message
    until(lambda: len(watch.query('up{juju_application="other"}')) == 1, "the second job is scraped")
    remove(watch, other)
    assert watch.act("validate-configuration")["valid"] == "True"


def test_a_hook_that_ended_before_the_server_was_told_is_made_good(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise NuagesError("the daemon was killed")

    with monkeypatch.context() as patch, pytest.raises(NuagesError, match="was killed"):
        patch.setattr(watch.pod.client, "send_signal", killed)
        watch.integrate(4, "other", bag(application="other"), "other/0")
    watch.hook("metrics-endpoint-relation-changed", watch.context.all_relations[-1])
    until(lambda: len(watch.query('up{juju_application="other"}')) == 1, "it is scraped")
    remove(watch, watch.context.all_relations[-1])


def test_nonsense_in_a_databag_is_a_status(watch: Watch) -> None:
    bad = watch.integrate(4, "bad", {"scrape_metadata": "{", "scrape_jobs": "[]"}, "bad/0")
    assert watch.context.status == ("blocked", "bad: scrape_metadata is no JSON")
    assert len(watch.api("targets")["activeTargets"]) == 1
    remove(watch, bad)


def test_hooks_without_news_write_nothing(watch: Watch) -> None:
    (relation,) = watch.context.all_relations
    writes, secrets = relation.writes, dict(watch.context.secrets)
    changes = len(watch.pod.output().splitlines())
    watch.hook("update-status")
    assert (relation.writes, watch.context.secrets) == (writes, secrets)
    lines = watch.pod.output().splitlines()[changes:]
    assert not [line for line in lines if "promtool" in line or "SIGHUP" in line or "Loading configuration" in line]


def test_nobody_asks_without_the_password_and_a_new_one_is_in_force_at_once(watch: Watch) -> None:
    old = watch.login
    for login in (("", ""), (old[0], "x"), ("x", old[1])):
        assert watch.get("/api/v1/query?query=up", login)[0] == 401
    assert watch.get("/-/ready", ("", ""))[0] == 401
    assert watch.act("rotate-password") == {"changed": "admin"}
    assert watch.login != old
    assert watch.get("/api/v1/query?query=up", old)[0] == 401
    assert watch.get("/api/v1/query?query=up")[0] == 200


def test_the_page_is_published_on_demand(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, int]] = []

    async def publish(key: str, port: int, *, preferred: int) -> int:
        asked.append((key, port, preferred))
        return 9091

    monkeypatch.setattr(watch.context, "publish", publish)
    user, password = watch.login
    assert watch.act("show-page") == {"url": "http://localhost:9091/", "username": user, "password": password}
    assert asked == [("page", 9090, 9090)]
    status, page = watch.get("/classic/graph")
    assert status == 200
    links = [link for link in re.findall(r'(?:src|href)="(/classic/static/[^"]+)"', page) if "?" in link]
    assert len(links) > 10
    assert [link for link in links if watch.get(link)[0] != 200] == []
    console = SERVICE.console(watch.context, watch.context.all_relations[0])
    assert (console.url, console.port) == (f"http://{user}:{password}@{{address}}/", 9090)


def test_options_that_cannot_be_say_what_to_set(watch: Watch) -> None:
    for option, value, words in (
        ("scrape_interval", "often", "to a time"),
        ("evaluation_interval", "1m1h", "to a time"),
        ("metrics_retention_time", "15", "to a time"),
        ("maximum_retention_size", "80%", "to a size"),
        ("log_level", "loud", "debug, info, warn or error"),
    ):
        watch.context.config = FAST | {option: value}
        watch.hook("config-changed")
        status, message = watch.context.status
        assert status == "blocked"
        assert f"{option} is {value!r}: set it " in message
        assert words in message
    watch.context.config = FAST | {"metrics_retention_time": "1h"}
    watch.hook("config-changed")
    assert watch.context.status == ("active", "")
    assert watch.api("status/flags")["storage.tsdb.retention.time"] == "1h"
    assert watch.act("validate-configuration")["valid"] == "True"


def test_a_killed_server_comes_back_with_what_it_measured(watch: Watch) -> None:
    watch.export("before_the_kill 5\n")
    until(lambda: bool(watch.query("before_the_kill")), "it is scraped")
    watch.export("requests_total 7\n")
    watch.pod.run("sh", "-c", "kill -9 $(pidof prometheus)")

    def back() -> bool:
        try:
            return bool(watch.query("last_over_time(before_the_kill[5m])"))
        except (CommandError, AssertionError):
            return False  # nobody listens, or it is not ready

    until(back, "it answers again, with the old series")


def test_no_password_is_printed_and_files_are_the_servers_own(watch: Watch) -> None:
    words = [watch.login[1], watch.context.secrets["login"][1]["hash"]]
    assert not [word for word in words if word in watch.pod.output()]
    assert not [word for word in words if word in str(watch.pod.client.get_plan().to_dict())]
    modes = watch.pod.run("sh", "-c", "cd /var/lib/prometheus/server; stat -c %a:%n *.json login rules/* targets/*")
    assert {line.partition(":")[0] for line in modes.split()} == {"600"}


def test_what_has_to_do_with_the_container_waits_for_it() -> None:
    context = FakeContext(None, unit="prometheus-k8s/0", config=dict(FAST), hook="config-changed")
    asyncio.run(SERVICE.hook(context))
    assert context.status == ("waiting", "waiting for the container")
    context = FakeContext(None, unit="prometheus-k8s/1", config=dict(FAST), hook="config-changed")
    asyncio.run(SERVICE.hook(context))
    assert context.status[0] == "blocked"
    with pytest.raises(NuagesError, match="no password yet"):
        SERVICE.console(context, FakeRelation(1))
