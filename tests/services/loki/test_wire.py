"""Pushes as Pebble, Grafana's agents and promtail send them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nuages.services.loki.files import snappy, wire
from nuages.services.loki.files.wire import Entry, Malformed, Stream

PUSH = (Path(__file__).parent / "push.snappy").read_bytes()
"""Made with the official `protobuf` from Loki's push.proto, and with `cramjam`, which wraps the snappy of others."""
# As Pebble 1.32 sends it.
PEBBLE = {
    "streams": [
        {
            "stream": {"product": "Juju", "juju_unit": "notes/0", "pebble_service": "django"},
            "values": [["1790000000000000000", "one"], ["1790000000000000001", "two"]],
        }
    ]
}


def read(document: object, **more: Any) -> list[Stream]:
    return wire.read(json.dumps(document).encode(), more.get("kind", "application/json"), more.get("encoding", ""))


def test_pebbles_json() -> None:
    (stream,) = read(PEBBLE, kind="application/json; charset=utf-8")
    assert stream.labels == (("juju_unit", "notes/0"), ("pebble_service", "django"), ("product", "Juju"))
    assert stream.entries == (Entry(1790000000000000000, "one"), Entry(1790000000000000001, "two"))


def test_gzip_and_structured_metadata() -> None:
    document = {"streams": [{"stream": {"a": "b", "empty": ""}, "values": [["1", "x", {"trace": "7"}]]}]}
    body = gzip.compress(json.dumps(document).encode())
    assert wire.read(body, "application/json", "gzip") == [Stream((("a", "b"),), (Entry(1, "x", (("trace", "7"),)),))]


def test_protobuf_in_snappy() -> None:
    notes, blog = wire.read(PUSH, "application/x-protobuf", "snappy")
    assert notes.labels == (("app", "notes"), ("say", 'a "quoted" \\ thing, {x}'))
    assert [(entry.time, entry.line, entry.metadata) for entry in notes.entries] == [
        (1790000000_000000000, "first", ()),
        (1790000000_999999999, "zweite Zeile äöü 😀", ()),
        (1790000000_000000005, "again " * 2000, (("trace_id", "0242"),)),
    ]
    assert blog == Stream((("app", "blog"),), (Entry(10**9, ""),))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "no list of streams"),
        ({}, "no list of streams"),
        ({"streams": [1]}, "`stream` and `values`"),
        ({"streams": [{"stream": {"a": 1}, "values": []}]}, "label 'a' is no text"),
        ({"streams": [{"stream": {"a": "b"}, "values": [["1"]]}]}, "a list of two texts"),
        ({"streams": [{"stream": {"a": "b"}, "values": [[1, "x"]]}]}, "a list of two texts"),
        ({"streams": [{"stream": {"a": "b"}, "values": [["-1", "x"]]}]}, "'-1' are no nanoseconds"),
        ({"streams": [{"stream": {"a": "b"}, "values": [["1" * 30, "x"]]}]}, "is no time"),
        ({"streams": [{"stream": {"a": "b"}, "values": [["1", "x", []]]}]}, "is a mapping"),
    ],
)
def test_what_is_no_push_is_told(document: object, reason: str) -> None:
    with pytest.raises(Malformed) as error:
        read(document)
    assert reason in str(error.value)


def test_limits() -> None:
    with pytest.raises(Malformed, match="content type text/plain is not understood"):
        wire.read(b"", "text/plain", "")
    with pytest.raises(Malformed, match="content encoding br"):
        wire.read(b"", "application/json", "br")
    with pytest.raises(Malformed, match="unpacks to more than"):
        wire.read(gzip.compress(bytes(wire.MOST + 1)), "application/json", "gzip")
    with pytest.raises(Malformed, match="are more than"):
        wire.read(b"\xff\xff\xff\xff\x0f", "application/x-protobuf", "")
    many = {f"l{number}": "x" for number in range(16)}
    assert wire.checked(Stream(wire.labels(many), ())) == "a stream has 16 labels; limit 15"
    assert wire.checked(Stream((), ())) == "error at least one label pair is required per stream"
    assert "cannot be a label's name" in wire.checked(Stream((("a-b", "x"),), ()))
    assert not wire.checked(Stream((("a", "x"),), ()))


@given(st.binary(max_size=60))
@example(PUSH[:100])
@example(b"\x05\x01\x01")
def test_any_bytes_are_read_or_told(body: bytes) -> None:
    for kind, encoding in (
        ("application/x-protobuf", "snappy"),
        ("application/json", "gzip"),
        ("application/json", ""),
    ):
        try:
            wire.read(body, kind, encoding)
        except Malformed as error:
            assert str(error)
    # What snappy holds, as one literal.
    literal = bytes([len(body), (len(body) - 1) << 2]) + body if 0 < len(body) <= 60 else b"\0"
    assert snappy.decompress(literal, most=100) == (body if len(literal) > 1 else b"")
    try:
        wire.read(literal, "application/x-protobuf", "")
    except Malformed as error:
        assert str(error)


def test_half_a_character_is_no_end_of_the_store() -> None:
    document = b'{"streams": [{"stream": {"a": "b"}, "values": [["1", "x\\ud800y"]]}]}'
    (stream,) = wire.read(document, "application/json", "")
    assert stream.entries[0].line.encode() == b"x?y"
