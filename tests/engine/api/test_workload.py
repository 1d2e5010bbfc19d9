"""The workload's logs, merged: what is followed, and when it ends."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from nuages.engine.api import workload


@dataclass
class Runner:
    """A model with one pod of one container."""

    closed: bool = False
    world: Any = field(init=False)

    def __post_init__(self):
        container = SimpleNamespace(name="work", alive=lambda: True)
        pod = SimpleNamespace(containers={"work": container})
        self.world = SimpleNamespace(pods=SimpleNamespace(pod=lambda name: pod))


def record(time, message):
    return {"time": f"2026-01-01T00:00:{time}Z", "message": message}


def read(monkeypatch, history, coming):
    """Return the messages of logs that are followed until the model ends."""
    runner: Any = Runner()
    monkeypatch.setattr(workload, "AGAIN", 0.01)

    async def logs(name, container, service, lines, *, follow):
        for found in coming if follow else history:
            yield found
        runner.closed = follow

    monkeypatch.setattr(workload, "_logs", logs)

    async def work():
        options = {"units": ["one/0"], "container": "", "service": "", "lines": 30, "follow": True}
        return [found["message"] async for found in workload.read(runner, **options)]

    return asyncio.run(asyncio.wait_for(work(), 20))


def test_following_ends_with_the_model(monkeypatch):
    assert read(monkeypatch, [], [record("01.5", "a"), record("02", "b")]) == ["a", "b"]


@pytest.mark.parametrize(("last", "following"), [("01.12", "01.123"), ("01", "01.001"), ("01.9", "01.91")])
def test_a_time_with_zeros_left_out_is_no_later_one(monkeypatch, last, following):
    """What was seen is not said again, and what came a moment later is not lost."""
    history = [record(last, "last"), record("00.5", "first")]
    assert read(monkeypatch, history, [*history, record(following, "next")]) == ["first", "last", "next"]
