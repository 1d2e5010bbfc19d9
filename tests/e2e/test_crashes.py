"""What is left, and what comes back, when processes are killed with -9."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.world import World, eventually


@pytest.fixture(scope="module")
def up(world: World) -> World:
    world.up()
    world.browser().submit("/new/", title="Survivor", body="")
    return world


def processes(world: World, *words: str) -> list[int]:
    """Host pids whose command line holds every word and which belong to this state folder's pods."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            namespace = (entry / "ns" / "user").readlink()
        except OSError:
            continue
        if all(word in line for word in words) and namespace != Path("/proc/self/ns/user").readlink():
            found.append(int(entry.name))
    return found


def page_is_fine(world: World) -> bool:
    page = world.browser().get("/")
    return page.status == 200 and "Survivor" in page.text


def test_the_daemon(up: World):
    url, pid = up.url, up.daemon_pid
    os.kill(pid, signal.SIGKILL)
    eventually("the daemon is gone", lambda: not Path(f"/proc/{pid}").exists(), seconds=5)

    from tests.e2e.world import Browser

    assert "Survivor" in Browser(url).get("/").text
    assert up.workload("notes/0")[0] == "active"
    assert up.daemon_pid != pid


def test_gunicorn(up: World):
    masters = processes(up, "gunicorn", "/django/gunicorn.conf.py")
    assert masters
    for pid in masters:
        os.kill(pid, signal.SIGKILL)
    eventually("200 again", lambda: page_is_fine(up), seconds=10)
    eventually("active", lambda: up.workload("notes/0")[0] == "active", seconds=30)


@pytest.mark.parametrize("unit", ["notes", "postgresql-k8s"])
def test_pebble(up: World, unit: str):
    marker = "gunicorn" if unit == "notes" else "postgres"
    pebbles = [
        pid
        for pid in processes(up, "pebble", "run", "--hold")
        if any(marker in _command(child) for child in _descendants(pid))
    ]
    assert len(pebbles) == 1, pebbles
    os.kill(pebbles[0], signal.SIGKILL)
    eventually("200 again", lambda: page_is_fine(up), seconds=20)
    eventually("active", lambda: up.workload(f"{unit}/0")[0] == "active", seconds=30)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return children + [grandchild for child in children for grandchild in _descendants(child)]
