import time

import pytest

from nuages.cli.debug_log import entity
from nuages.cli.log_lines import local_time, seconds


@pytest.fixture
def in_tokyo(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [
        ("2026-01-02T03:04:05Z", "12:04:05"),
        ("2026-01-02T03:04:05.123456789Z", "12:04:05"),
        ("2026-01-02T03:04:05+01:00", "11:04:05"),
        (0.5, "09:00:00"),
        ("soon", "soon"),
    ],
)
def test_local_time(in_tokyo, stamp, shown):
    assert local_time(stamp) == shown


def test_seconds():
    assert seconds("2026-01-02T03:04:05.123456789Z") == seconds("2026-01-02T04:04:05+01:00") == 1767323045
    assert (seconds(0.5), seconds("soon")) == (0.5, 0)


@pytest.mark.parametrize(
    ("given", "name"),
    [("unit-notes-0", "notes/0"), ("unit-my-app-12", "my-app/12"), ("notes/0", "notes/0"), ("notes", "notes")],
)
def test_entities(given, name):
    assert entity(given) == name
