"""A web page to look at lines: a query, how far back, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from typing import Any, cast

from .api import Api, Refused
from .logql import SECOND, QueryError

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
input, select, button { font: inherit; padding: .2rem .4rem } input[name=query] { width: min(50rem, 60vw) }
table { border-collapse: collapse; width: 100%; margin-top: 1rem } th { text-align: left }
td, th { vertical-align: top; padding: .1rem .6rem .1rem 0; border-bottom: 1px solid #eee }
td:last-child { white-space: pre-wrap; overflow-wrap: anywhere; font-family: ui-monospace, monospace }
.who { color: #666; white-space: nowrap } .error { color: #a00 } .firing { color: #a00; font-weight: bold }
"""
_SINCE = ("5m", "15m", "1h", "6h", "1d", "1w")
_EVERYTHING = '{juju_application=~".+"}'


def shown(api: Api, parameters: Mapping[str, Sequence[str]]) -> str:
    """Return the page for a query."""
    query = parameters.get("query", [_EVERYTHING])[0]
    since = parameters.get("since", ["1h"])[0]
    choices = "".join(f"<option{' selected' if each == since else ''}>{each}</option>" for each in _SINCE)
    form = (
        f'<form><input name="query" value="{escape(query)}" aria-label="query" autofocus> '
        f'<select name="since" aria-label="how far back">{choices}</select> <button>Look</button></form>'
    )
    try:
        body = _found(cast("Any", api.query_range(asked(api, query, since)))["data"])
    except (Refused, QueryError) as error:
        body = f'<p class="error">{escape(str(error))}</p>'
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Logs</title>'
        f"<style>{_STYLE}</style><h1>Logs</h1>{form}{_alerts(api)}{body}</html>"
    )


def asked(api: Api, query: str, since: str) -> Mapping[str, Sequence[str]]:
    """Return the parameters of the request that the page makes."""
    now = api.clock()
    return {"query": [query], "since": [since], "limit": ["1000"], "end": [str(now)], "step": ["60"]}


def _alerts(api: Api) -> str:
    rows = [
        f'<li class="{alert["state"]}">{escape(str(cast("Any", alert["labels"])["alertname"]))}: {alert["state"]}</li>'
        for alert in api.ruler.document()
    ]
    return f"<h2>Alerts</h2><ul>{''.join(rows)}</ul>" if rows else ""


def _found(data: Any) -> str:
    rows: list[tuple[int, str, str]] = []
    for series in data["result"]:
        if "stream" in series:
            labels = series["stream"]
            who = " ".join(labels[key] for key in ("juju_unit", "pebble_service") if key in labels)
            rows += [(int(moment), who or _labels(labels), line) for moment, line in series["values"]]
        else:
            rows += [(int(moment * SECOND), _labels(series["metric"]), value) for moment, value in series["values"]]
    if not rows:
        return "<p>Nothing was found.</p>"
    rows.sort(reverse=True)
    lines = "".join(
        f'<tr><td class="who">{_moment(moment)}</td><td class="who">{escape(who)}</td><td>{escape(line)}</td></tr>'
        for moment, who, line in rows
    )
    return f"<table><tr><th>UTC</th><th>From</th><th>{len(rows)} lines</th></tr>{lines}</table>"


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())


def _moment(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(nanoseconds / SECOND, tz=timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds % SECOND // 1_000_000:03}"
