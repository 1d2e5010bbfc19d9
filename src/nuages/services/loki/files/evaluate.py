"""From a query's tree and the lines in the store to lines or numbers."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from .logql import (
    COMPARISONS,
    SECOND,
    Aggregation,
    Binary,
    Compared,
    LineFilter,
    Logs,
    Matcher,
    Metric,
    Number,
    Parser,
    QueryError,
    Range,
    Stage,
    comparison,
)
from .store import Line, Store
from .wire import Labels

Vector = dict[Labels, float]
"""A number for each set of labels, at one moment."""
STEPS = 11_000
"""Moments that a query may compute, as Loki's own limit."""
_LOGFMT = re.compile(r'([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|(\S*)))?')
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True)
class Found:
    """A line with the labels that it has after all stages."""

    labels: Labels
    time: int
    line: str


def wanted(matchers: Iterable[Matcher]) -> Callable[[Labels], bool]:
    """Return what tells whether a stream is selected."""
    tests = [(matcher.name, matcher.test()) for matcher in matchers]

    def one(labels: Labels) -> bool:
        known = dict(labels)
        return all(test(known.get(name, "")) for name, test in tests)

    return one


def lines(store: Store, query: Logs, start: int, end: int, *, backward: bool = False) -> Generator[Found, None, None]:
    """Yield what a query selects in [start, end)."""
    apply = _pipeline(query.stages)
    for line in store.lines(wanted(query.matchers), start, end, backward=backward):
        found = apply(line)
        if found is not None:
            yield found


def _pipeline(stages: Sequence[Stage]) -> Callable[[Line], Found | None]:
    steps: list[tuple[Stage, Callable[[str], bool]]] = [
        (stage, _always if isinstance(stage, Parser) else stage.test()) for stage in stages
    ]

    def apply(line: Line) -> Found | None:
        text, known = line.entry.line, dict(line.labels) | dict(line.entry.metadata)
        for stage, test in steps:
            if isinstance(stage, LineFilter):
                if not test(text):
                    return None
            elif isinstance(stage, Matcher | Compared):
                if not test(known.get(stage.name, "")):
                    return None
            else:
                known = _parsed(stage.name, text, known)
        return Found(tuple(sorted((k, v) for k, v in known.items() if v)), line.entry.time, text)

    return apply


def _always(_: str) -> bool:
    return True


def _parsed(parser: str, text: str, known: dict[str, str]) -> dict[str, str]:
    """Return the labels with those that are in the line; a line that is not of that kind gets `__error__`."""
    if parser == "json":
        try:
            document: object = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return known | {"__error__": "JSONParserErr"}
        pairs = dict(_flat("", cast("dict[str, object]", document)))
    else:
        pairs = {m[1]: m[2].replace('\\"', '"') if m[2] is not None else m[3] or "" for m in _LOGFMT.finditer(text)}
    made: dict[str, str] = {}
    for name, value in pairs.items():
        clean = _NOT_IN_NAMES.sub("_", name)
        clean = f"_{clean}" if clean[:1].isdigit() else clean
        made[f"{clean}_extracted" if clean in known else clean] = value
    return known | made


def _flat(prefix: str, document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        path = f"{prefix}_{name}" if prefix else name
        if isinstance(value, dict):
            yield from _flat(path, cast("dict[str, object]", value))
        elif isinstance(value, str):
            yield path, value
        elif isinstance(value, int | float):
            yield path, json.dumps(value)


def matrix(store: Store, query: Metric, start: int, end: int, step: int) -> dict[Labels, list[tuple[int, float]]]:
    """Return the series of a metric query, a point each `step` nanoseconds from `start` to `end`.

    Raises:
        QueryError: these are too many points, or the query cannot be computed.
    """
    if step <= 0:
        raise QueryError("zero or negative query resolution step widths are not accepted. Try a positive integer")
    if (end - start) // step >= STEPS:
        raise QueryError(
            "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step "
            "parameter"
        )
    times = range(start, end + 1, step)
    found: dict[Labels, list[tuple[int, float]]] = {}
    for time, vector in zip(times, vectors(store, query, times), strict=True):
        for labels, value in vector.items():
            found.setdefault(labels, []).append((time, value))
    return found


def vectors(store: Store, query: Metric, times: Sequence[int]) -> list[Vector]:
    """Return the numbers of a metric query at each of some moments in their order."""
    if isinstance(query, Number):
        return [{(): query.value} for _ in times]
    if isinstance(query, Range):
        return _range(store, query, times)
    if isinstance(query, Aggregation):
        return [_aggregated(query, vector) for vector in vectors(store, query.inner, times)]
    left, right = vectors(store, query.left, times), vectors(store, query.right, times)
    return [_binary(query, one, other) for one, other in zip(left, right, strict=True)]


def _range(store: Store, query: Range, times: Sequence[int]) -> list[Vector]:
    if not times:
        return []
    first, last = times[0] - query.offset - query.interval, times[-1] - query.offset
    series: dict[Labels, tuple[list[int], list[int]]] = {}
    for found in lines(store, query.logs, first + 1, last + 1):
        moments, sums = series.setdefault(found.labels, ([], [0]))
        moments.append(found.time)
        sums.append(sums[-1] + (len(found.line.encode()) if query.function.startswith("bytes") else 1))
    divisor = query.interval / SECOND if query.function in ("rate", "bytes_rate") else 1
    result: list[Vector] = []
    for time in times:
        end = time - query.offset
        vector: Vector = {}
        for labels, (moments, sums) in series.items():
            low, high = bisect_right(moments, end - query.interval), bisect_right(moments, end)
            if high > low:
                vector[labels] = (sums[high] - sums[low]) / divisor
        if query.function == "absent_over_time":
            known = tuple(sorted((m.name, m.value) for m in query.logs.matchers if m.operator == "="))
            vector = {} if vector else {known: 1.0}
        result.append(vector)
    return result


def _aggregated(query: Aggregation, vector: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, Labels]]] = {}
    for labels, value in vector.items():
        groups.setdefault(_group(query, labels), []).append((value, labels))
    if query.function in ("topk", "bottomk"):
        kept: Vector = {}
        for members in groups.values():
            members.sort(reverse=query.function == "topk")
            kept.update((labels, value) for value, labels in members[: query.parameter])
        return kept
    functions: Mapping[str, Callable[[list[float]], float]] = {
        "sum": sum,
        "avg": lambda values: sum(values) / len(values),
        "min": min,
        "max": max,
        "count": len,
    }
    compute = functions[query.function]
    return {labels: float(compute([value for value, _ in members])) for labels, members in groups.items()}


def _group(query: Aggregation, labels: Labels) -> Labels:
    if query.without:
        return tuple(pair for pair in labels if pair[0] not in query.labels)
    return tuple(pair for pair in labels if pair[0] in query.labels)


def _binary(query: Binary, left: Vector, right: Vector) -> Vector:
    scalars = _scalar(query.left), _scalar(query.right)
    compares = query.operator in COMPARISONS
    if compares and all(scalars):
        raise QueryError("a comparison of two numbers is no query")
    result: Vector = {}
    for labels in right if scalars[0] else left:
        one, other = left.get(() if scalars[0] else labels), right.get(() if scalars[1] else labels)
        if one is None or other is None:
            continue
        if not compares:
            result[labels] = _computed(query.operator, one, other)
        elif comparison(query.operator)(one, other):
            result[labels] = other if scalars[0] else one
    return result


def _scalar(query: Metric) -> bool:
    return isinstance(query, Number) or (isinstance(query, Binary) and _scalar(query.left) and _scalar(query.right))


def _computed(operator: str, one: float, other: float) -> float:
    if operator in ("/", "%") and other == 0:
        return float("nan") if one == 0 or operator == "%" else float("inf") * one
    functions: Mapping[str, Callable[[], float]] = {
        "+": lambda: one + other,
        "-": lambda: one - other,
        "*": lambda: one * other,
        "/": lambda: one / other,
        "%": lambda: one % other,
    }
    return functions[operator]()
