"""Which ways there are into a server, on the real daemon; into real servers: tests/e2e/test_connect.py."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from nuages.engine import connections
from nuages.engine.api import connect
from nuages.engine.api.client import ApiError
from nuages.engine.pods.record import ModelRecord
from nuages.engine.sandbox.process import Process


@pytest.fixture(scope="module")
def model(engine, charm):
    engine.model = "ways"
    engine.client.put(engine.path())
    for name in ("one", "two"):
        engine.post("deploy", charm=str(charm), application=name)
    engine.done("integrate", endpoints=["one:ask", "two:serve"])
    return engine


@pytest.mark.parametrize(
    ("application", "endpoint", "said", "fix"),
    [
        ("x", "ask", 'application "x" not found', "applications: one, two"),
        ("one", "x", "cannot connect one x: one has no endpoint 'x' that requires something", "endpoints: ask"),
        ("one", "serve", "one has no endpoint 'serve'", "endpoints: ask"),
        ("two", "ask", "cannot connect two ask: it is not related", "nuages integrate two:ask APPLICATION, which prov"),
        ("one", "ask", "cannot connect one ask: two is no built-in application", "nuages show-unit two/0"),
    ],
)
def test_what_there_is_no_way_into(model, application, endpoint, said, fix):
    asked = {"application": application, "endpoint": endpoint}
    for ask in (
        lambda: model.post("connect", **asked),
        lambda: list(model.client.stream(model.path("connect"), **asked)),
    ):
        with pytest.raises(ApiError) as error:
            ask()
        assert said in str(error.value)
        assert fix in error.value.fix


def test_a_stopped_model_has_no_way(model):
    model.done("down")
    with pytest.raises(ApiError, match="the model is stopped"):
        model.post("connect", application="one", endpoint="ask")


@dataclass
class Pods:
    record: ModelRecord = field(default_factory=lambda: ModelRecord(relay=Process(1, 1)))
    lives: bool = True

    def alive(self):
        return self.lives


@dataclass
class Reader:
    """Who listens to `connect --print`; also the runner and its world, of which the port is."""

    pods: Pods = field(default_factory=Pods)
    gone: bool = False

    @property
    def world(self):
        return self

    async def is_disconnected(self):
        return self.gone


@pytest.mark.parametrize(
    ("end", "heard"),
    [
        (lambda reader: setattr(reader, "gone", True), True),
        (lambda reader: setattr(reader.pods, "lives", False), True),
        (lambda reader: setattr(reader.pods, "record", ModelRecord(relay=Process(2, 2))), True),
        (lambda reader: None, False),
    ],
    ids=["the reader went", "the model stopped", "and runs again", "the reader never read"],
)
def test_a_port_and_the_answer_that_tells_of_it_end_together(monkeypatch, end, heard):
    monkeypatch.setattr(connect, "HEARTBEAT", 0.01)
    monkeypatch.setattr(connect, "SILENCE", 30 if heard else 0.05)
    reader: Any = Reader()
    is_open = asyncio.Event()

    @contextlib.asynccontextmanager
    async def forwarded(world, way):
        is_open.set()
        try:
            yield "redis://127.0.0.1:1"
        finally:
            is_open.clear()

    monkeypatch.setattr(connections, "forwarded", forwarded)

    async def work():
        lease = connect.Lease()
        task = asyncio.create_task(lease.hold(reader, reader))
        lines = lease.lines(await lease.url, reader)
        if heard:
            assert b"redis" in await anext(lines)
            assert await anext(lines) == b"\n"
            assert is_open.is_set()
            end(reader)
            assert {line async for line in lines} <= {b"\n"}
        await task
        assert not is_open.is_set()

    asyncio.run(asyncio.wait_for(work(), 20))
