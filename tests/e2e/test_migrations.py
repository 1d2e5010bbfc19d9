"""Migrations on several units of examples/notes: who runs them, how often, and who waits for whom."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.world import EXAMPLE, World, eventually, processes

pytestmark = pytest.mark.slow

SLOW = """
import time
from pathlib import Path

from django.db import migrations


def wait(apps, schema_editor):
    end = time.monotonic() + 240
    while not Path("/tmp/django/state/run/go-on").exists():
        if time.monotonic() > end:
            raise SystemExit("nobody let it go on")
        time.sleep(0.1)


class Migration(migrations.Migration):
    dependencies = [("board", "{before}")]
    operations = [migrations.RunPython(wait, migrations.RunPython.noop)]
"""
BROKEN = SLOW.replace("end = time", 'raise ValueError("no such column: colour")\n    end = time')
UNITS = ("notes/0", "notes/1", "notes/2")


@pytest.fixture(scope="module")
def three(home: Path) -> Iterator[World]:
    """Three units, of which the last two come one by one."""
    with world_of(EXAMPLE, home) as world:
        world.up()
        for _ in UNITS[1:]:
            world.nuages("add-unit", "notes")
        for unit in UNITS:
            active(world, unit)
        yield world


def active(world: World, unit: str) -> None:
    world.becomes(unit, "active", seconds=240)


def ran(world: World) -> list[str]:
    """The units whose charm has started migrations, in order."""
    log = world.nuages("debug-log", "--replay", "--no-tail", "-n", "0", check=False).stdout
    return re.findall(r"unit-(notes-\d+): .*migrating the database: ", log)


def migration(world: World, name: str, text: str) -> None:
    """Write a migration that comes after all others."""
    folder = world.project / "notes" / "board" / "migrations"
    before = max(path.stem for path in folder.glob("0*.py") if path.stem < name)
    (folder / f"{name}.py").write_text(text.replace("{before}", before))


@contextmanager
def meanwhile(world: World, *command: str) -> Iterator[None]:
    """A command that waits for the units, and they for the migration."""
    thread = threading.Thread(target=lambda: world.nuages(*command, check=False))
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def interrupted(world: World, *command: str) -> Iterator[None]:
    """A command that is ended by Ctrl-C afterwards."""
    running = world.start(*command)
    try:
        yield
    finally:
        os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=60)


def holder_of(world: World, before: int) -> str:
    """The unit whose migrations have started since."""
    name = eventually("somebody migrates", lambda: ran(world)[before:], seconds=180)[0]
    application, _, number = name.rpartition("-")
    return f"{application}/{number}"


def let_go_on(world: World, unit: str) -> None:
    in_container(world, unit, "sh", "-c", "touch /tmp/django/state/run/go-on")


def in_container(world: World, unit: str, *words: str) -> str:
    return world.nuages("ssh", "--container", "django-app", unit, "--", *words).stdout


def test_units_that_appear_one_by_one_migrate_once(three: World) -> None:
    assert ran(three) == ["notes-0"]


def test_a_new_unit_migrates_nothing(three: World) -> None:
    three.nuages("add-unit", "notes")
    active(three, "notes/3")
    assert ran(three) == ["notes-0"]
    three.nuages("remove-unit", "notes", "--num-units", "1")


def test_a_long_migration_outlives_its_hook_and_tells_what_it_does(three: World) -> None:
    """The hook gives up waiting after a minute; the notice at the end wakes the charm."""
    migration(three, "0900_slow", SLOW)
    before = len(ran(three))
    with meanwhile(three, "up"):
        unit = holder_of(three, before)
        try:
            eventually(
                "its status says for how long, and what",
                lambda: three.workload(unit) == ("maintenance", "migrating the database for 1 min: board.0900_slow"),
                seconds=180,
            )
        finally:
            let_go_on(three, unit)
    for each in UNITS:
        active(three, each)
    assert len(ran(three)) == before + 1


def test_a_failed_migration_blocks_with_its_error_and_a_fixed_release_goes_on(three: World) -> None:
    migration(three, "0901_broken", BROKEN)
    three.nuages("up", check=False)

    def blocked() -> bool:
        states = [three.workload(unit) for unit in UNITS]
        return any(current == "blocked" and "no such column: colour" in message for current, message in states)

    eventually("a unit says why", blocked, seconds=180)
    migration(three, "0901_broken", SLOW.replace("end = time", "return\n    end = time"))
    three.nuages("up", check=False)
    for unit in UNITS:
        active(three, unit)


def test_a_holder_that_dies_begins_again(three: World) -> None:
    migration(three, "0902_slow", SLOW)
    before = len(ran(three))
    with meanwhile(three, "up"):
        unit = holder_of(three, before)
        os.kill(processes(three, "django-app", "pebble", unit)[0], signal.SIGKILL)
        eventually("it begins again", lambda: len(ran(three)) > before + 1, seconds=180)
        let_go_on(three, unit)
    for each in UNITS:
        active(three, each)


def test_a_holder_that_is_scaled_away_is_followed_by_another(three: World) -> None:
    migration(three, "0903_slow", SLOW)
    before = len(ran(three))
    with meanwhile(three, "up"):
        unit = holder_of(three, before)
        assert unit == UNITS[-1], "the highest is upgraded first, and goes first"
        with meanwhile(three, "remove-unit", "notes", "--num-units", "1"):
            successor = holder_of(three, before + 1)
            assert successor == UNITS[-2]
            let_go_on(three, successor)
    eventually("it is gone", lambda: unit not in three.application("notes")["units"], seconds=60)
    for each in UNITS[:-1]:
        active(three, each)
    assert len(ran(three)) == before + 2


def test_a_leader_whose_pod_is_replaced_while_it_migrates_begins_again(three: World) -> None:
    three.nuages("scale-application", "notes", "1")
    eventually("one is left", lambda: [*three.application("notes")["units"]] == ["notes/0"], seconds=120)
    migration(three, "0904_slow", SLOW)
    before = len(ran(three))
    with interrupted(three, "up"):
        assert holder_of(three, before) == "notes/0"
    assert three.unit("notes/0").get("leader")
    migration(three, "0905_more", SLOW.replace("end = time", "return\n    end = time"))
    with meanwhile(three, "up"):
        assert holder_of(three, before + 1) == "notes/0"
        let_go_on(three, "notes/0")
    active(three, "notes/0")
    manage = ("pebble", "exec", "--context=django", "-w", "/django/app", "--", "python3", "manage.py")
    shown = in_container(three, "notes/0", *manage, "showmigrations", "--plan", "board")
    assert "[X]  board.0905_more" in shown
    three.nuages("add-unit", "notes")
    active(three, "notes/1")
    assert len(ran(three)) == before + 2
