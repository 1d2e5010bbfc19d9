"""Configuration changes and a rotation of the secret key under traffic: no request fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.traffic import traffic
from tests.e2e.world import EXAMPLE, World, eventually

pytestmark = pytest.mark.slow

VIEWS = """

def slow(request):
    import time

    time.sleep(2)
    return JsonResponse({"status": "slow"})


def who(request):
    import os

    return JsonResponse({"pid": os.getpid(), "greeting": settings.GREETING})
"""

URLS = """
urlpatterns += [path("slow/", views.slow), path("who/", views.who)]
"""

WORKERS = 4


def slow_notes(world: World) -> None:
    """Give the example a page that takes two seconds, and one that says which process answers; bring it up."""
    board = world.project / "notes" / "board"
    for name, addition in (("views.py", VIEWS), ("urls.py", URLS)):
        with (board / name).open("a") as file:
            file.write(addition)
    world.up()
    world.nuages("config", "notes", f"webserver-workers={WORKERS}")


@pytest.fixture(scope="module")
def notes(home: Path) -> Iterator[World]:
    with world_of(EXAMPLE, home) as world:
        slow_notes(world)
        yield world


def greetings(world: World) -> dict[int, str]:
    """What each worker process greets with."""
    found: dict[int, str] = {}
    browser = world.browser()
    for _ in range(WORKERS * 10):
        page = browser.get("/who/").text
        found |= {int(page.split(": ")[1].split(",")[0]): page.split('"greeting": "')[1].rstrip('"}')}
    return found


def test_no_request_fails_while_everything_changes(notes: World):
    def change() -> None:
        for number in range(10):
            notes.nuages("config", "notes", f"greeting=Hello {number}")
        notes.nuages("run", "notes/leader", "rotate-secret-key")

    seen = traffic(notes.url, change, least=2000, slow_path="/slow/")
    assert not seen.failed, f"{len(seen.failed)} failed: {seen.failed[:5]}"
    assert len(seen.seconds) >= 2000
    assert seen.slow >= 5


def test_all_workers_have_the_new_value_within_seconds(notes: World):
    notes.nuages("config", "notes", "greeting=Everyone")
    eventually("all say so", lambda: set(greetings(notes).values()) == {"Everyone"}, seconds=5)
