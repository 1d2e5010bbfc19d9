"""Loki's HTTP API, the part that is spoken here: from a request's parameters to a document."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from . import evaluate, reader, wire
from .alerts import Ruler
from .logql import SECOND, Logs, QueryError, duration
from .store import Store
from .wire import Labels

ENTRIES = 5000
"""Lines that a query may return, as Loki's own limit."""
_HOUR = 3600 * SECOND
Parameters = Mapping[str, Sequence[str]]


class Refused(ValueError):
    """A request that is wrong; the text says why."""


class NotSpoken(LookupError):
    """A path that Loki may have and this store has not."""


@dataclass(frozen=True)
class Settings:
    """What the options say, who may ask, and who may push: the file `settings.json`."""

    user: str = ""
    password: str = ""
    """SHA-256 of the password, hexadecimal."""
    days: int = 0
    size: int = 1 << 30
    rate: int = 4_000_000
    burst: int = 15_000_000
    applications: Sequence[str] = ()
    """Those whose pods need no login to push."""


@dataclass
class Bucket:
    """Bytes that may be pushed now: `rate` more each second, up to `burst`."""

    filled: float = math.inf
    at: float = 0.0

    def take(self, amount: int, settings: Settings, now: float) -> bool:
        """Tell whether so much may be pushed, and if so count it."""
        self.filled = min(settings.burst, self.filled + (now - self.at) * settings.rate)
        self.at = now
        if amount > self.filled:
            return False
        self.filled -= amount
        return True


@dataclass
class Api:
    """The API over one store."""

    store: Store
    ruler: Ruler
    version: str
    clock: Callable[[], int] = time.time_ns
    bucket: Bucket = field(default_factory=Bucket)

    def push(self, body: bytes, content_type: str, encoding: str, settings: Settings) -> tuple[int, str]:
        """Keep what is pushed, the good lines also when others are refused; return the status and what to say."""
        try:
            streams = wire.read(body, content_type, encoding)
        except wire.Malformed as error:
            return 400, str(error)
        size = sum(len(entry.line) for stream in streams for entry in stream.entries)
        if not self.bucket.take(size, settings, time.monotonic()):
            return 429, (
                f"ingestion rate limit exceeded ({settings.rate} bytes/sec) while adding {size} bytes: raise "
                "ingestion-rate-mb and ingestion-burst-size-mb"
            )
        now = self.clock()
        oldest = now - settings.days * 24 * _HOUR if settings.days else 0
        good: list[wire.Stream] = []
        problems: list[str] = []
        for stream in streams:
            problem = wire.checked(stream)
            if problem:
                problems.append(problem)
                continue
            kept: list[wire.Entry] = []
            for entry in stream.entries:
                if entry.time < oldest:
                    problems.append(f"entry for stream has timestamp too old: {entry.time}")
                elif entry.time > now + _HOUR:
                    problems.append(f"entry for stream has timestamp too new: {entry.time}")
                elif len(entry.line.encode()) > wire.LINE:
                    problems.append(f"max entry size '{wire.LINE}' bytes exceeded")
                else:
                    kept.append(entry)
            if kept:
                good.append(wire.Stream(stream.labels, tuple(kept)))
        if good:
            self.store.push(good)
        return (400, problems[0]) if problems else (204, "")

    def get(self, path: str, parameters: Parameters) -> object:
        """Return the document of a request.

        Raises:
            Refused: a parameter or a query is wrong.
            NotSpoken: there is no such path.
        """
        known: Mapping[str, Callable[[Parameters], object]] = {
            "/loki/api/v1/query_range": self.query_range,
            "/loki/api/v1/query": self.query,
            "/loki/api/v1/labels": self.labels,
            "/loki/api/v1/label": self.labels,
            "/loki/api/v1/series": self.series,
            "/loki/api/v1/status/buildinfo": lambda _: {"version": self.version, "revision": "not Loki"},
            "/prometheus/api/v1/rules": lambda _: _success({"groups": self.ruler.groups()}),
            "/prometheus/api/v1/alerts": lambda _: _success({"alerts": self.ruler.document()}),
        }
        try:
            if path.startswith("/loki/api/v1/label/") and path.endswith("/values"):
                return self.values(path.split("/")[-2], parameters)
            if path not in known:
                raise NotSpoken(path)
            return known[path](parameters)
        except QueryError as error:
            raise Refused(f"parse error: {error}") from None

    def query_range(self, parameters: Parameters) -> object:
        """Return lines, or series of numbers."""
        query = reader.parse(_one(parameters, "query"))
        start, end = self._window(parameters, 1)
        if isinstance(query, Logs):
            backward = _one(parameters, "direction", "backward").lower() != "forward"
            limit = int(_number(_one(parameters, "limit", "100")))
            if not 0 < limit <= ENTRIES:
                raise Refused(f"limit is {limit}: set it to a number from 1 to {ENTRIES}")
            return _success(self._lines(query, start, end, limit, backward=backward))
        text = _one(parameters, "step", "")
        step = _step(text) if text else max((end - start) // 250, SECOND)
        found = evaluate.matrix(self.store, query, start, end, step)
        result = [
            {"metric": dict(labels), "values": [[moment / SECOND, _value(value)] for moment, value in points]}
            for labels, points in sorted(found.items())
        ]
        return _success({"resultType": "matrix", "result": result, "stats": {}})

    def query(self, parameters: Parameters) -> object:
        """Return numbers at one moment."""
        query = reader.parse(_one(parameters, "query"))
        if isinstance(query, Logs):
            raise Refused(
                "log queries are not supported as an instant query type, please change your query to a range query type"
            )
        moment = _time(_one(parameters, "time", str(self.clock())))
        (vector,) = evaluate.vectors(self.store, query, [moment])
        result = [
            {"metric": dict(labels), "value": [moment / SECOND, _value(value)]}
            for labels, value in sorted(vector.items())
        ]
        return _success({"resultType": "vector", "result": result, "stats": {}})

    def labels(self, parameters: Parameters) -> object:
        """Return the names of all labels."""
        return _success(sorted({name for labels in self._selected(parameters) for name, _ in labels}))

    def values(self, name: str, parameters: Parameters) -> object:
        """Return the values of one label."""
        return _success(
            sorted({value for labels in self._selected(parameters) for key, value in labels if key == name})
        )

    def series(self, parameters: Parameters) -> object:
        """Return the labels of streams."""
        wanted = [
            evaluate.wanted(reader.selector(text))
            for text in [*parameters.get("match[]", ()), *parameters.get("match", ())]
        ]
        found = self.store.streams(*self._window(parameters, 6))
        return _success([dict(labels) for labels in found if not wanted or any(test(labels) for test in wanted)])

    def _selected(self, parameters: Parameters) -> list[Labels]:
        found = self.store.streams(*self._window(parameters, 6))
        text = _one(parameters, "query", "")
        if not text:
            return found
        test = evaluate.wanted(reader.selector(text))
        return [labels for labels in found if test(labels)]

    def _lines(self, query: Logs, start: int, end: int, limit: int, *, backward: bool) -> object:
        streams: dict[Labels, list[list[str]]] = {}
        count = 0
        with closing(evaluate.lines(self.store, query, start, end, backward=backward)) as found:
            for line in found:
                streams.setdefault(line.labels, []).append([str(line.time), line.line])
                count += 1
                if count == limit:
                    break
        result = [{"stream": dict(labels), "values": values} for labels, values in sorted(streams.items())]
        return {"resultType": "streams", "result": result, "stats": {"summary": {"totalEntriesReturned": count}}}

    def _window(self, parameters: Parameters, hours: int) -> tuple[int, int]:
        text = _one(parameters, "end", "")
        end = _time(text) if text else self.clock()
        text, since = _one(parameters, "start", ""), _one(parameters, "since", "")
        start = _time(text) if text else end - (duration(since) if since else hours * _HOUR)
        if start > end:
            raise Refused("end timestamp must not be before or equal to start time")
        return start, end


def _success(data: object) -> object:
    return {"status": "success", "data": data}


def _one(parameters: Parameters, name: str, default: str | None = None) -> str:
    values = parameters.get(name)
    if values:
        return values[0]
    if default is None:
        raise Refused(f"the parameter {name} is needed")
    return default


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise Refused(f"{text!r} is no number") from None
    if not math.isfinite(found):
        raise Refused(f"{text!r} is no number")
    return found


def _time(text: str) -> int:
    """Return nanoseconds of what Loki takes as a time: nanoseconds, seconds with a fraction, or RFC 3339."""
    if text.isascii() and text.isdecimal():
        # As Loki does: ten digits or fewer are seconds.
        return int(text) * SECOND if len(text) <= 10 else min(int(text), wire.LATEST)
    try:
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * SECOND)
    except ValueError:
        return int(_number(text) * SECOND)


def _step(text: str) -> int:
    try:
        return duration(text)
    except QueryError:
        return int(_number(text) * SECOND)


def _value(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.15g}"
