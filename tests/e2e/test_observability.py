"""A Django application with a real Prometheus and the log store: counts, dashboard, alerts, lines and their labels."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nuages.charm.observability import dashboards
from tests.e2e.projects import notes_with
from tests.e2e.world import World, eventually, processes

pytestmark = pytest.mark.slow

URLS = """
import time

from django.http import HttpResponse


def marked(request, mark):
    return HttpResponse(mark)


def broken(request):
    raise RuntimeError("broken on purpose")


def hang(request):
    time.sleep(20)
    return HttpResponse("awake")


urlpatterns += [path("mark/<mark>/", marked), path("broken/", broken), path("hang/", hang)]
"""
RULE = """
alert: BrokenPages
expr: sum by (juju_application) (count_over_time({%%juju_topology%%} |= "RuntimeError" [30s])) > 0
labels:
  severity: warning
annotations:
  summary: "{{ $labels.juju_application }} has {{ $value }} errors"
"""
SELECTOR = re.compile(r"[a-z_]+\{[^}]*\}")


@dataclass(frozen=True)
class Api:
    """What `show-page` opens, asked over HTTP."""

    url: str
    username: str
    password: str

    def get(self, path: str, **parameters: str) -> Any:
        request = urllib.request.Request(f"{self.url}{path}?{urllib.parse.urlencode(parameters)}")
        login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]


def page(world: World, unit: str) -> Api:
    results = world.action(unit, "show-page")
    return Api(results["url"], results["username"], results["password"])


class Watched(World):
    """The world with its two pages."""

    def query(self, expression: str) -> list[Any]:
        """Return Prometheus' answer now; none while it is down."""
        try:
            return page(self, "prometheus-k8s/0").get("api/v1/query", query=expression)["result"]
        except OSError:
            return []

    def number(self, expression: str) -> float:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else 0.0

    def lines(self, query: str, **more: str) -> list[tuple[dict[str, str], str]]:
        """Return the labels and text of each line; none while the store is down."""
        parameters = {"query": query, "limit": "5000", "direction": "forward"} | more
        try:
            data = page(self, "loki-k8s/0").get("loki/api/v1/query_range", **parameters)
        except OSError:
            return []
        return [(stream["stream"], line) for stream in data["result"] for _, line in stream["values"]]

    def inside(self, *words: str) -> str:
        return self.nuages("ssh", "--container", "django-app", "notes/0", "--", *words).stdout


@pytest.fixture(scope="module")
def watched(home: Path) -> Iterator[Watched]:
    with notes_with(home, urls=URLS) as plain:
        world = Watched(plain.project, plain.environment, port=plain.port)
        rules = world.project / "charm/cos_custom/loki_alert_rules"
        rules.mkdir(parents=True)
        (rules / "broken.rule").write_text(RULE)
        world.up()
        often = ("--config", "scrape_interval=2s", "--config", "evaluation_interval=2s")
        world.nuages("deploy", "prometheus-k8s", *often)
        world.nuages("deploy", "loki-k8s")
        world.nuages("integrate", "notes", "prometheus-k8s")
        world.nuages("integrate", "notes", "loki-k8s")
        world.nuages("config", "notes", "webserver-timeout=4")
        eventually("it is scraped", lambda: world.number('up{juju_unit="notes/0"}'), seconds=120)
        yield world


def test_both_say_how_they_are(watched: Watched) -> None:
    watched.becomes("notes/0", "active")
    assert watched.workload("prometheus-k8s/0") == ("active", "")
    assert watched.workload("loki-k8s/0") == ("active", "not Loki: a log store with a part of its API")


def test_the_counts_equal_the_requests_sent(watched: Watched) -> None:
    browser = watched.browser()
    browser.get("/broken/")  # a counter begins to exist with its first event
    eventually("an error is counted", lambda: watched.number('django_response_code{status="500"}'), seconds=60)
    before = {
        "all": watched.number("django_requests"),
        "good": watched.number('django_response_code{status="200"}'),
        "bad": watched.number('django_response_code{status="500"}'),
    }
    for number in range(300):
        assert browser.get("/broken/" if number % 3 == 0 else f"/mark/n{number}/").status in (200, 500)

    def counted() -> dict[str, float]:
        return {
            "all": watched.number("django_requests") - before["all"],
            "good": watched.number('django_response_code{status="200"}') - before["good"],
            "bad": watched.number('django_response_code{status="500"}') - before["bad"],
        }

    sent = {"all": 300.0, "good": 200.0, "bad": 100.0}
    eventually("they are counted", lambda: counted() == sent, seconds=60)
    scraped = watched.number("timestamp(django_requests)")
    eventually("it is scraped once more", lambda: watched.number("timestamp(django_requests)") > scraped, seconds=60)
    assert counted() == sent


def test_the_log_store_has_every_line_with_its_labels(watched: Watched) -> None:
    eventually(
        "all lines are there", lambda: len(watched.lines('{juju_unit="notes/0"} |= "/mark/n"')) == 200, seconds=60
    )
    model = json.loads(watched.nuages("show-model", "--format", "json").stdout)
    ((name, document),) = model.items()
    labels = {
        "product": "Juju",
        "charm": "notes",
        "juju_model": name,
        "juju_model_uuid": document["model-uuid"],
        "juju_application": "notes",
        "juju_unit": "notes/0",
        "pebble_service": "django",
    }
    found = watched.lines('{juju_application="notes"} |~ "GET /mark/n1/? "')
    assert [each for each, _ in found] == [labels]
    assert "RuntimeError: broken on purpose" in [
        line for _, line in watched.lines('{juju_application="notes"} |= "RuntimeError"')
    ]
    data = page(watched, "loki-k8s/0").get(
        "loki/api/v1/query", query='sum(count_over_time({juju_unit="notes/0"} |= "GET /broken/" [1h]))'
    )
    assert int(data["result"][0]["value"][1]) == 101
    assert page(watched, "loki-k8s/0").get("loki/api/v1/label/juju_unit/values") == ["notes/0"]


def gunicorn(world: World) -> list[int]:
    """Return gunicorn's processes, the master first."""
    return sorted(processes(world, "django-app", "gunicorn", "notes/0"))


def test_every_query_of_the_dashboard_and_of_the_rules_has_data(watched: Watched) -> None:
    # Two series begin with a worker that dies, and with one that hangs.
    *_, worker = gunicorn(watched)
    os.kill(worker, signal.SIGKILL)
    assert watched.browser().get("/hang/").status != 200
    eventually("the new series are there", lambda: watched.query("gunicorn_log_critical"), seconds=60)
    eventually("the new series are there", lambda: watched.query("gunicorn_log_error"), seconds=60)
    known = page(watched, "prometheus-k8s/0").get("api/v1/query", query="up")["result"][0]["metric"]
    asked = 0
    for panel in dashboards.builtin()["panels"]:  # pyright: ignore[reportGeneralTypeIssues]  JSON
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            for label in ("juju_model", "juju_model_uuid", "juju_application", "juju_unit"):
                query = query.replace(f'"${label}"', f'"{known[label]}"')
            asked += 1
            if target["datasource"]["type"] == "loki":
                assert watched.lines(query), panel["title"]
            else:
                values = eventually(f"{panel['title']}: {query}", lambda query=query: watched.query(query), seconds=60)
                assert not [each for each in values if each["value"][1] == "NaN"], panel["title"]
    assert asked >= 13
    (group,) = page(watched, "prometheus-k8s/0").get("api/v1/rules")["groups"]
    assert len(group["rules"]) == 6
    for rule in group["rules"]:
        assert (rule["health"], rule.get("lastError", "")) == ("ok", ""), rule["name"]
        for selector in SELECTOR.findall(rule["query"]):
            assert watched.query(selector), f"{rule['name']}: {selector}"
    (rules,) = page(watched, "loki-k8s/0").get("prometheus/api/v1/rules")["groups"]
    assert [(rule["name"], rule["health"]) for rule in rules["rules"]] == [("BrokenPages", "ok")]


def firing(world: Watched, unit: str, path: str) -> set[str]:
    try:
        found = page(world, unit).get(path)["alerts"]
    except OSError:
        return set()
    return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}


def test_alerts_fire_and_are_resolved(watched: Watched) -> None:
    def metrics() -> set[str]:
        return firing(watched, "prometheus-k8s/0", "api/v1/alerts")

    def logs() -> set[str]:
        return firing(watched, "loki-k8s/0", "prometheus/api/v1/alerts")

    # Those of the test before: each looks at 15 minutes, so they stay.
    eventually(
        "a died and a hung worker", lambda: {"DjangoWorkerDeaths", "DjangoWorkerTimeouts"} <= metrics(), seconds=60
    )
    watched.inside("pebble", "stop", "statsd-exporter")
    try:
        eventually("it is not scraped any more", lambda: watched.query("up == 0"), seconds=60)
        assert "DjangoTargetMissing" not in metrics()  # it has to last for two minutes
        # Lines of the store's rule count for 30 s, and it is looked at each minute.
        stop = time.monotonic() + 90
        while not logs() and time.monotonic() < stop:
            watched.browser().get("/broken/")
        assert logs() == {"BrokenPages"}
        eventually("no broken page any more", lambda: not logs(), seconds=150)
        eventually("the alert fires", lambda: "DjangoTargetMissing" in metrics(), seconds=180)
    finally:
        watched.inside("pebble", "start", "statsd-exporter")
    eventually("the alert is resolved", lambda: "DjangoTargetMissing" not in metrics(), seconds=60)
    said = watched.nuages("logs", "loki-k8s").stdout
    assert "alert BrokenPages fires" in said
    assert "alert BrokenPages is resolved" in said


def test_no_pod_reads_without_the_password(watched: Watched) -> None:
    code = (
        "import sys, urllib.error, urllib.request\n"
        "for url in sys.argv[1:]:\n"
        "    try: print(urllib.request.urlopen(url, timeout=10).status)\n"
        "    except urllib.error.HTTPError as error: print(error.code)\n"
    )
    hosts = {name: watched.unit(f"{name}/0")["address"] for name in ("prometheus-k8s", "loki-k8s")}
    urls = [
        f"http://{hosts['prometheus-k8s']}:9090/api/v1/query?query=up",
        f"http://{hosts['loki-k8s']}:3100/loki/api/v1/labels",
        f"http://{hosts['loki-k8s']}:3100/",
    ]
    assert watched.inside("python3", "-c", code, *urls).split() == ["401"] * 3


def test_killed_servers_come_back_with_what_they_had(watched: Watched) -> None:
    kept = len(watched.lines('{juju_unit="notes/0"}'))
    counted = watched.number("max_over_time(django_requests[1h])")
    for container, program in (("prometheus", "prometheus"), ("loki", "python3")):
        (pid,) = processes(watched, container, program)
        os.kill(pid, signal.SIGKILL)
    watched.browser().get("/mark/after-the-kill/")
    # Pebble keeps what it could not send, and sends it again.
    eventually("a line of meanwhile", lambda: watched.lines('{juju_unit="notes/0"} |= "after-the-kill"'), seconds=60)
    assert len(watched.lines('{juju_unit="notes/0"}')) > kept
    eventually(
        "the old numbers", lambda: watched.number("max_over_time(django_requests[1h])") >= counted > 0, seconds=60
    )


def test_what_was_seen_is_kept_over_down_and_passwords_stay(watched: Watched) -> None:
    before = page(watched, "prometheus-k8s/0"), page(watched, "loki-k8s/0")
    counted = watched.number("max_over_time(django_requests[1h])")
    watched.nuages("down")
    watched.up()
    eventually("the old numbers", lambda: watched.number("max_over_time(django_requests[1h])") >= counted, seconds=60)
    eventually("it is scraped", lambda: watched.number("up"), seconds=60)
    assert len(watched.lines('{juju_unit="notes/0"} |= "GET /mark/n"')) == 200
    assert (page(watched, "prometheus-k8s/0"), page(watched, "loki-k8s/0")) == before
    watched.browser().get("/mark/after-down/")
    eventually("new lines", lambda: watched.lines('{juju_unit="notes/0"} |= "after-down"'), seconds=60)


def test_new_passwords_are_in_force_at_once(watched: Watched) -> None:
    for unit in ("prometheus-k8s/0", "loki-k8s/0"):
        before = page(watched, unit)
        watched.nuages("run", unit, "rotate-password")
        after = page(watched, unit)
        assert after.password != before.password
        path = "api/v1/labels" if unit.startswith("prometheus") else "loki/api/v1/labels"
        assert after.get(path)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            before.get(path)
    # The application has no part in it.
    watched.browser().get("/mark/after-rotation/")
    eventually("new lines", lambda: watched.lines('{juju_unit="notes/0"} |= "after-rotation"'), seconds=60)


def test_removed_relations_end_it_and_new_ones_begin_it(watched: Watched) -> None:
    for name in ("prometheus-k8s", "loki-k8s"):
        watched.nuages("remove-relation", "notes", name)

    def targets() -> list[Any]:
        return page(watched, "prometheus-k8s/0").get("api/v1/targets")["activeTargets"]

    eventually("nothing is scraped", lambda: not targets(), seconds=60)
    watched.becomes("notes/0", "active")
    watched.browser().get("/mark/meanwhile/")
    assert '"GET /mark/meanwhile/ ' in watched.nuages("logs", "notes").stdout
    assert watched.lines('{juju_unit="notes/0"} |= "/mark/meanwhile/"') == []
    for name in ("prometheus-k8s", "loki-k8s"):
        watched.nuages("integrate", "notes", name)
    eventually("it is scraped again", lambda: [each for each in targets() if each["health"] == "up"], seconds=60)

    def seen() -> bool:
        watched.browser().get("/mark/seen/")
        return bool(watched.lines('{juju_unit="notes/0"} |= "/mark/seen/"'))

    eventually("lines again", seen, seconds=60)
    # Pebble sends anew what it still remembers; the store has each line once.
    assert len(watched.lines('{juju_unit="notes/0"} |= "/mark/meanwhile/"')) == 1
    assert len(watched.lines('{juju_unit="notes/0"} |= "/mark/after-rotation/"')) == 1


def test_further_units_are_seen_and_those_that_go_are_not_missed(watched: Watched) -> None:
    before = processes(watched, "prometheus", "prometheus")
    watched.nuages("add-unit", "notes")
    eventually("both are scraped", lambda: len(watched.query("up == 1")) == 2, seconds=120)
    eventually("its lines are there", lambda: watched.lines('{juju_unit="notes/1"}'), seconds=60)
    watched.nuages("remove-unit", "notes", "--num-units", "1")
    eventually("one is scraped", lambda: len(watched.query("up")) == 1, seconds=120)
    assert watched.lines('{juju_unit="notes/1"}')
    assert processes(watched, "prometheus", "prometheus") == before
    assert not firing(watched, "prometheus-k8s/0", "api/v1/alerts") & {"DjangoTargetMissing"}
