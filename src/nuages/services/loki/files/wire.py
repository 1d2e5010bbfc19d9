"""What is pushed: JSON (Pebble, Grafana's agents on demand) or protobuf in snappy (promtail); both become streams.

Sources: Loki's HTTP API documentation (POST /loki/api/v1/push); pkg/push/push.proto for the numbers of the fields.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from . import reader, snappy
from .logql import SECOND, QueryError

MOST = 64_000_000
"""Bytes that a push may unpack to."""
NAMES = 15
"""Labels that a stream may have, as Loki's own limit."""
LINE = 256 * 1024
"""Bytes that a line may have, as Loki's own limit."""
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LATEST = (1 << 63) - 1
Labels = tuple[tuple[str, str], ...]
"""Sorted by name."""


class Malformed(ValueError):
    """What was pushed cannot be read, or breaks a limit."""


@dataclass(frozen=True)
class Entry:
    """One line: nanoseconds since 1970, the text, and what was said about this line alone."""

    time: int
    line: str
    metadata: Labels = ()


@dataclass(frozen=True)
class Stream:
    """Lines of one origin."""

    labels: Labels
    entries: tuple[Entry, ...]


def read(body: bytes, content_type: str, encoding: str) -> list[Stream]:
    """Return the streams of a push.

    Raises:
        Malformed: it cannot be read.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if encoding == "gzip":
        body = _gunzip(body)
    elif encoding not in ("", "identity", "snappy"):
        raise Malformed(f"content encoding {encoding} is not understood: gzip or none")
    if kind == "application/json":
        return _json(body)
    if kind == "application/x-protobuf":
        try:
            return list(_push(snappy.decompress(body, most=MOST)))
        except snappy.Corrupt as error:
            raise Malformed(f"no snappy block with a push in it: {error}") from None
    raise Malformed(f"content type {kind or 'none'} is not understood: application/json or application/x-protobuf")


def checked(stream: Stream) -> str:
    """Return why Loki would refuse a whole stream, "" when it would not."""
    if not stream.labels:
        return "error at least one label pair is required per stream"
    if len(stream.labels) > NAMES:
        return f"a stream has {len(stream.labels)} labels; limit {NAMES}"
    for name, _ in stream.labels:
        if not _NAME.fullmatch(name):
            return f"{name!r} cannot be a label's name"
    return ""


def labels(pairs: Mapping[str, object]) -> Labels:
    """Return labels in their order; one without a value is none.

    Raises:
        Malformed: a value is no text.
    """
    for name, value in pairs.items():
        if not isinstance(value, str):
            raise Malformed(f"the value of label {name!r} is no text")
    return tuple(sorted((name, str(value)) for name, value in pairs.items() if value))


def _gunzip(body: bytes) -> bytes:
    decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = decoder.decompress(body, MOST)
    except zlib.error as error:
        raise Malformed(f"no gzip: {error}") from None
    if decoder.unconsumed_tail:
        raise Malformed(f"it unpacks to more than {MOST} bytes")
    return text


def _json(body: bytes) -> list[Stream]:
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON: {error}") from None
    found = cast("dict[str, object]", document).get("streams") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Malformed("no list of streams")
    return [_json_stream(stream) for stream in cast("list[object]", found)]


def _json_stream(stream: object) -> Stream:
    fields = cast("dict[str, object]", stream) if isinstance(stream, dict) else {}
    pairs, values = fields.get("stream"), fields.get("values")
    if not isinstance(pairs, dict) or not isinstance(values, list):
        raise Malformed("a stream has `stream` and `values`")
    entries = tuple(_json_entry(value) for value in cast("list[object]", values))
    return Stream(labels(cast("dict[str, object]", pairs)), entries)


def _json_entry(value: object) -> Entry:
    items = cast("list[object]", value) if isinstance(value, list) else []
    if len(items) not in (2, 3) or not isinstance(items[0], str) or not isinstance(items[1], str):
        raise Malformed("a value is a list of two texts: nanoseconds and the line")
    if not (items[0].isascii() and items[0].isdecimal()):
        raise Malformed(f"{items[0][:40]!r} are no nanoseconds")
    more = items[2] if len(items) == 3 else dict[str, object]()
    if not isinstance(more, dict):
        raise Malformed("what is said about a line is a mapping")
    # A half of a character, which JSON can hold, is in no file.
    line = items[1].encode(errors="replace").decode()
    return Entry(_time(int(items[0])), line, labels(cast("dict[str, object]", more)))


def _time(nanoseconds: int) -> int:
    if not 0 <= nanoseconds <= LATEST:
        raise Malformed(f"{nanoseconds} is no time")
    return nanoseconds


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and value of each field of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = snappy.varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = snappy.varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = snappy.varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise Malformed(f"a field of kind {kind} in the push")
        if at + length > len(data):
            raise Malformed("a field of the push does not end")
        yield key >> 3, data[at : at + length]
        at += length


def _push(data: bytes) -> Iterator[Stream]:
    for number, value in _fields(data):
        if number == 1:
            yield _stream(_bytes(value))


def _stream(data: bytes) -> Stream:
    text, entries = "", list[Entry]()
    for number, value in _fields(data):
        if number == 1:
            text = _text(value)
        elif number == 2:
            entries.append(_entry(_bytes(value)))
    try:
        return Stream(labels(reader.labels(text)), tuple(entries))
    except QueryError as error:
        raise Malformed(f"labels {text[:100]!r}: {error}") from None


def _entry(data: bytes) -> Entry:
    time, line, metadata = 0, "", dict[str, str]()
    for number, value in _fields(data):
        if number == 1:
            parts = {key: int(part) for key, part in _fields(_bytes(value)) if isinstance(part, int)}
            time = parts.get(1, 0) * SECOND + parts.get(2, 0)
        elif number == 2:
            line = _text(value)
        elif number == 3:
            pair = {key: _text(part) for key, part in _fields(_bytes(value))}
            metadata[pair.get(1, "")] = pair.get(2, "")
    return Entry(_time(time), line, labels(metadata))


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise Malformed("a number where the push has a message")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode(errors="replace")
