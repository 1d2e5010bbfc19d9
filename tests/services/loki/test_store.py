"""Lines kept, found, counted and removed; rules on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.services.loki.files import alerts
from nuages.services.loki.files.api import Api, Bucket, NotSpoken, Refused, Settings
from nuages.services.loki.files.logql import SECOND
from nuages.services.loki.files.server import File, Worker, settings
from nuages.services.loki.files.store import Store

START = 1_790_000_000 * SECOND


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    store = Store(tmp_path / "logs.sqlite3")
    yield Api(store, alerts.Ruler(), "1.0", clock=lambda: START + 100 * SECOND)
    store.close()


def push(api: Api, labels: dict[str, str], *lines: tuple[float, str], **known: Any) -> tuple[int, str]:
    values = [[str(START + int(at * SECOND)), line] for at, line in lines]
    body = json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()
    return api.push(body, "application/json", "", Settings(**known))


def ask(api: Api, path: str, **parameters: str) -> Any:
    found: Any = api.get(f"/loki/api/v1/{path}", {key: [value] for key, value in parameters.items()})
    return found["data"]


def found(api: Api, query: str, **parameters: str) -> list[str]:
    data = ask(api, "query_range", query=query, **{"direction": "forward"} | parameters)
    assert data["resultType"] == "streams"
    pairs = [(int(at), line) for stream in data["result"] for at, line in stream["values"]]
    return [line for _, line in sorted(pairs)]


@pytest.fixture
def filled(api: Api) -> Api:
    notes = [(at, f"GET /{at} 200") for at in range(10)] + [(10, "ERROR broken"), (11, '{"level": "warn", "n": 7}')]
    assert push(api, {"app": "notes", "unit": "notes/0"}, *notes) == (204, "")
    assert push(api, {"app": "blog"}, (5.5, 'level=error msg="it\'s off" size=12'), (6, "fine")) == (204, "")
    return api


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ('{app="notes"} |= "ERROR"', ["ERROR broken"]),
        ('{app="notes"} !~ "GET|level"', ["ERROR broken"]),
        ('{app="notes"} |~ "/[78] " != "/8"', ["GET /7 200"]),
        ('{app=~"b.*"}', ['level=error msg="it\'s off" size=12', "fine"]),
        ('{app!="notes", app!=""}', ['level=error msg="it\'s off" size=12', "fine"]),
        ('{app=~".+", unit=""} |= "fine"', ["fine"]),
        ('{app=~".+"} | logfmt | size > 11', ['level=error msg="it\'s off" size=12']),
        ('{app=~".+"} | logfmt | msg="it\'s off"', ['level=error msg="it\'s off" size=12']),
        ('{app="notes"} | json | level="warn" and n=7', ['{"level": "warn", "n": 7}']),
        ('{app="notes"} | json | __error__="" | n < 7', []),
    ],
)
def test_lines_are_found(filled: Api, query: str, lines: list[str]) -> None:
    assert found(filled, query) == lines


def test_what_was_parsed_becomes_labels(filled: Api) -> None:
    data = ask(filled, "query_range", query='{app="blog"} | logfmt |= "level"')
    (stream,) = data["result"]
    assert stream["stream"] == {"app": "blog", "level": "error", "msg": "it's off", "size": "12"}
    assert stream["values"] == [[str(START + 5_500_000_000), 'level=error msg="it\'s off" size=12']]


def test_limit_direction_and_time(filled: Api) -> None:
    newest = ask(filled, "query_range", query='{app=~".+"}', limit="2")["result"]
    assert [value[1] for stream in newest for value in stream["values"]] == [
        '{"level": "warn", "n": 7}',
        "ERROR broken",
    ]
    assert found(filled, '{app=~".+"}', limit="2") == ["GET /0 200", "GET /1 200"]
    window = {"start": str(START + 5 * SECOND), "end": str(START + 6 * SECOND)}
    assert found(filled, '{app=~".+"}', **window) == ["GET /5 200", 'level=error msg="it\'s off" size=12']
    window = {"start": "1790000005", "end": "2026-09-21T14:13:26Z"}
    assert found(filled, '{app=~".+"}', **window) == ["GET /5 200", 'level=error msg="it\'s off" size=12']


def vector(api: Api, query: str, at: float = 20) -> dict[str, float]:
    data = ask(api, "query", query=query, time=str(START + int(at * SECOND)))
    assert data["resultType"] == "vector"
    return {sample["metric"].get("app", ""): float(sample["value"][1]) for sample in data["result"]}


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ('count_over_time({app=~".+"}[1m])', {"notes": 12, "blog": 2}),
        ('sum(count_over_time({app=~".+"}[1m]))', {"": 14}),
        ('sum by (app) (rate({app=~".+"}[1m])) * 60', {"notes": 12, "blog": 2}),
        ('count_over_time({app=~".+"} |= "GET" [15s])', {"notes": 4}),  # (5 s, 20 s]: what is at 5 s is too old
        ('count_over_time({app=~".+"}[10s] offset 15s)', {"notes": 6}),
        ('bytes_over_time({app="blog"} |= "fine" [1m])', {"blog": 4}),
        ('bytes_rate({app="blog"} |= "fine" [1m])', {"blog": 4 / 60}),
        ('count_over_time({app=~".+"}[1m]) > 5', {"notes": 12}),
        ('10 < count_over_time({app=~".+"}[1m])', {"notes": 12}),
        ('count_over_time({app=~".+"}[1m]) / count_over_time({app=~".+"}[1m])', {"notes": 1, "blog": 1}),
        ('topk(1, count_over_time({app=~".+"}[1m]))', {"notes": 12}),
        ('bottomk(1, count_over_time({app=~".+"}[1m]))', {"blog": 2}),
        ('max(count_over_time({app=~".+"}[1m]))', {"": 12}),
        ('avg without (unit, app) (count_over_time({app=~".+"}[1m]))', {"": 7}),
        ('count(count_over_time({app=~".+"}[1m]))', {"": 2}),
        ('absent_over_time({app="gone"}[1m])', {"gone": 1}),
        ('absent_over_time({app="blog"}[1m])', {}),
        ('(1 + 2) * count_over_time({app="blog"}[1m])', {"blog": 6}),
        ('count_over_time({app="gone"}[1m])', {}),
    ],
)
def test_numbers(filled: Api, query: str, numbers: dict[str, float]) -> None:
    assert vector(filled, query) == pytest.approx(numbers)


def test_a_series_has_a_point_for_each_step(filled: Api) -> None:
    window = {"start": str(START), "end": str(START + 12 * SECOND), "step": "4"}
    data = ask(filled, "query_range", query='sum(count_over_time({app="notes"}[4s]))', **window)
    assert data["resultType"] == "matrix"
    (series,) = data["result"]
    assert series == {
        "metric": {},
        "values": [[1790000000, "1"], [1790000004, "4"], [1790000008, "4"], [1790000012, "3"]],
    }


def test_labels_and_series(filled: Api) -> None:
    assert ask(filled, "labels") == ["app", "unit"]
    assert ask(filled, "label/app/values") == ["blog", "notes"]
    assert ask(filled, "label/app/values", query='{unit="notes/0"}') == ["notes"]
    assert ask(filled, "label/none/values") == []
    assert ask(filled, "labels", start="1", end="2") == []
    assert ask(filled, "series", **{"match[]": '{unit!=""}'}) == [{"app": "notes", "unit": "notes/0"}]
    assert len(ask(filled, "series")) == 2


@pytest.mark.parametrize(
    ("path", "parameters", "reason"),
    [
        ("query_range", {}, "the parameter query is needed"),
        ("query_range", {"query": "{"}, "parse error: a name is expected"),
        ("query_range", {"query": '{a="b"}', "limit": "5001"}, "limit is 5001"),
        ("query_range", {"query": '{a="b"}', "limit": "x"}, "'x' is no number"),
        ("query_range", {"query": '{a="b"}', "start": "5", "end": "4"}, "end timestamp must not be before"),
        ("query_range", {"query": '{a="b"}', "start": "yesterday"}, "'yesterday' is no number"),
        ("query_range", {"query": 'rate({a="b"}[1m])', "step": "0"}, "zero or negative query resolution"),
        ("query_range", {"query": 'rate({a="b"}[1m])', "step": "1ms"}, "exceeded maximum resolution"),
        ("query", {"query": '{a="b"}'}, "log queries are not supported as an instant query type"),
        ("query", {"query": "1 > 2"}, "a comparison of two numbers"),
        ("series", {"match[]": "x"}, "{ is expected, not x"),
    ],
)
def test_a_wrong_request_is_told(api: Api, path: str, parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        ask(api, path, **parameters)
    assert reason in str(refusal.value)
    with pytest.raises(NotSpoken):
        ask(api, "tail")


def test_a_repeated_push_is_one_and_lines_of_one_time_keep_their_order(api: Api) -> None:
    lines = [(1, "b"), (1, "a"), (1, "c")]
    for _ in range(3):
        push(api, {"app": "notes"}, *lines)
    assert found(api, '{app="notes"}', direction="forward") == ["a", "b", "c"]  # sorted by the test
    data = ask(api, "query_range", query='{app="notes"}', direction="forward")
    assert [value[1] for value in data["result"][0]["values"]] == ["b", "a", "c"]
    data = ask(api, "query_range", query='{app="notes"}')
    assert [value[1] for value in data["result"][0]["values"]] == ["c", "a", "b"]


def test_what_loki_refuses_is_refused_and_the_rest_is_kept(api: Api) -> None:
    assert push(api, {"app": "x"}, (1, "y" * 300_000), (2, "good")) == (400, "max entry size '262144' bytes exceeded")
    assert push(api, {"app": "x"}, (4000, "later"), (3, "fine"))[1].startswith("entry for stream has timestamp too new")
    status, text = push(api, {"app": "x"}, (-86400 * 2, "old"), (4, "well"), days=1)
    assert (status, text.partition(":")[0]) == (400, "entry for stream has timestamp too old")
    assert found(api, '{app="x"}') == ["good", "fine", "well"]
    assert push(api, {}, (1, "x"))[1] == "error at least one label pair is required per stream"
    assert api.push(b"{", "application/json", "", Settings())[0] == 400


def test_more_than_the_rate_is_refused_until_time_has_passed() -> None:
    bucket, known = Bucket(), Settings(rate=100, burst=300)
    assert bucket.take(300, known, 1.0)
    assert not bucket.take(100, known, 1.5)
    assert bucket.take(100, known, 2.0)


def test_the_oldest_lines_go_by_age_and_by_size(api: Api) -> None:
    for number in range(40):
        push(api, {"app": "x", "part": str(number // 20)}, (number, f"{number} " + "z" * 20_000))
    size = api.store.size()
    assert size > 800_000
    assert api.store.prune(before=START + 10 * SECOND, most=1 << 30) == 10
    assert found(api, '{app="x"}')[0].startswith("10 ")
    gone = api.store.prune(before=0, most=300_000)
    left = found(api, '{app="x"}')
    assert len(left) == 30 - gone
    assert left[-1].startswith("39 ")
    assert api.store.size() <= 300_000
    assert api.store.path.stat().st_size < size
    assert ask(api, "label/part/values") == ["1"]
    assert api.store.prune(before=0, most=300_000) == 0


def rule(**more: Any) -> dict[str, Any]:
    return {
        "alert": "Broken",
        "expr": 'sum by (app) (count_over_time({app=~".+"} |= "ERROR" [10s])) > 0',
        "labels": {"severity": "critical"},
        "annotations": {"summary": "{{ $labels.app }} has {{ $value }} errors {{ humanize $value }}"},
    } | more


def test_an_alert_waits_fires_and_is_resolved(api: Api, tmp_path: Path) -> None:
    document = {"groups": [{"name": "g", "interval": "1s", "rules": [rule(**{"for": "5s"})]}]}
    (tmp_path / "rules.json").write_text(json.dumps(document))
    (tmp_path / "settings.json").write_text(json.dumps({"user": "admin", "password": "x"}))
    worker = Worker(api, File(tmp_path / "settings.json", settings), File(tmp_path / "rules.json", alerts.read))

    def states(at: float) -> list[Any]:
        worker.once(START + int(at * SECOND))
        answer: Any = api.get("/prometheus/api/v1/alerts", {})
        return [alert["state"] for alert in answer["data"]["alerts"]]

    assert states(0) == []
    push(api, {"app": "notes"}, (1, "ERROR one"), (2, "ERROR two"))
    assert states(2) == ["pending"]
    assert states(6) == ["pending"]
    assert states(7) == ["firing"]
    answer: Any = api.get("/prometheus/api/v1/alerts", {})
    (alert,) = answer["data"]["alerts"]
    assert alert["labels"] == {"alertname": "Broken", "app": "notes", "severity": "critical"}
    assert alert["annotations"]["summary"] == "notes has 2 errors {{ humanize $value }}"
    answer = api.get("/prometheus/api/v1/rules", {})
    assert answer["data"]["groups"][0]["rules"][0]["state"] == "firing"
    assert states(11.5) == ["firing"]
    assert states(13) == []
    # Other rules beside it: its state stays.
    push(api, {"app": "notes"}, (14, "ERROR three"))
    assert states(14) == ["pending"]
    document["groups"].append({"name": "h", "rules": [rule(alert="Other", expr="x")]})
    (tmp_path / "rules.new").write_text(json.dumps(document))
    (tmp_path / "rules.new").rename(tmp_path / "rules.json")
    assert states(19) == ["firing"]
    answer = api.get("/prometheus/api/v1/rules", {})
    assert [each["rules"][0]["health"] for each in answer["data"]["groups"]] == ["ok", "err"]


def test_what_fires_and_is_resolved_is_logged_once() -> None:
    (read,) = alerts.read({"groups": [{"name": "g", "rules": [rule()]}]})
    ruler = alerts.Ruler([read])
    labels = (("app", "notes"),)
    assert ruler.update(read, {labels: 1.0}, 1) == ['alert Broken fires: {app="notes"}']
    assert ruler.update(read, {labels: 2.0}, 2) == []
    assert ruler.update(read, {}, 3) == ['alert Broken is resolved: {app="notes"}']
    assert ruler.update(read, {}, 4) == []


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"expr": '{app="x"}'}, "gives lines, not numbers"),
        ({"expr": "vector(1)"}, "vector is not spoken here"),
        ({"for": "soon"}, "'soon' is no duration"),
        ({"alert": "", "record": "x"}, "no recording rules"),
    ],
)
def test_a_broken_rule_says_why(broken: dict[str, Any], problem: str) -> None:
    (read,) = alerts.read({"groups": [{"name": "g", "rules": [rule(**broken)]}]})
    assert problem in read.problem
    assert alerts.Ruler([read]).next(START) == []
