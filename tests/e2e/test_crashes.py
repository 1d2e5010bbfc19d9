"""What is left, and what comes back, when processes are killed with -9."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.world import Browser, World, eventually, processes


@pytest.fixture(scope="module")
def up(world: World) -> World:
    world.up()
    world.browser().submit("/new/", title="Survivor", body="")
    return world


def page_is_fine(world: World) -> bool:
    page = world.browser().get("/")
    return page.status == 200 and "Survivor" in page.text


def test_the_daemon(up: World):
    url, pid = up.url, up.daemon_pid
    os.kill(pid, signal.SIGKILL)
    eventually("the daemon is gone", lambda: not Path(f"/proc/{pid}").exists(), seconds=5)

    assert "Survivor" in Browser(url).get("/").text
    assert up.workload("notes/0")[0] == "active"
    assert up.daemon_pid != pid


KILL_GUNICORN = """
import os, pathlib
found = [p for p in pathlib.Path("/proc").glob("[0-9]*") if b"-m\\0gunicorn" in (p / "cmdline").read_bytes()]
[os.kill(int(p.name), 9) for p in found]
print(len(found))
"""


def answers(url: str) -> bool:
    try:
        return Browser(url).get("/", timeout=20).status == 200
    except OSError:
        return False


def status_keeps_to_the_truth(world: World, unit: str) -> None:
    """Until all is well for a while, `status` calls a unit active only when it is."""
    url, well, deadline = world.url, 0, time.monotonic() + 30
    while well < 5:
        before = answers(url)
        said = world.workload(unit)
        after = answers(url)
        assert before or after or said[0] != "active", f"{said}, but the page does not answer"
        well = well + 1 if before and after and said[0] == "active" else 0
        assert time.monotonic() < deadline, f"not well within 30 s: {said}, page {after}"


def test_gunicorn(up: World):
    killed = up.nuages("ssh", "--container", "django-app", "notes/0", "--", "python3", "-c", KILL_GUNICORN).stdout
    assert int(killed) >= 2
    eventually("200 again", lambda: page_is_fine(up), seconds=10)
    status_keeps_to_the_truth(up, "notes/0")


@pytest.mark.parametrize(("unit", "container"), [("notes/0", "django-app"), ("postgresql-k8s/0", "postgresql")])
def test_pebble(up: World, unit: str, container: str):
    (pebble,) = processes(up, container, "pebble")
    os.kill(pebble, signal.SIGKILL)
    if unit == "notes/0":
        status_keeps_to_the_truth(up, unit)
    eventually("200 again", lambda: page_is_fine(up), seconds=20)
    up.becomes(unit, "active", seconds=30)
    assert processes(up, container, "pebble") != [pebble]


def test_a_hook_that_the_daemon_died_in_runs_again(up: World):
    """The daemon dies while config-changed runs: the next command adopts the pods and repeats the hook."""
    setting = up.start("config", "notes", "greeting=Encore")
    eventually("the hook runs", lambda: any(map(_is_dispatch, _children_of(up.daemon_pid))), seconds=20)
    os.kill(up.daemon_pid, signal.SIGKILL)
    setting.communicate(timeout=30)

    assert up.workload("notes/0")[0] in {"active", "maintenance"}
    eventually("the hook was repeated", lambda: "Encore" in up.browser().get("/").text, seconds=15)
    up.becomes("notes/0", "active", seconds=15)


def _is_dispatch(pid: int) -> bool:
    try:
        return b"dispatch" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _children_of(pid: int) -> list[int]:
    """Host pids of the direct children of every thread of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(word) for word in (task / "children").read_text().split()]
        except OSError:
            continue
    return found
