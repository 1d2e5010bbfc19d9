"""`up` where things go wrong, are interrupted, or are there already."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.world import Browser, World, eventually


def leftovers(world: World) -> list[str]:
    """Everything below the state folder."""
    state = Path(world.environment["XDG_STATE_HOME"])
    return sorted(str(path.relative_to(state)) for path in state.rglob("*")) if state.exists() else []


@contextlib.contextmanager
def taken(port: int):
    """Somebody else's program on a port of both loopbacks; nothing to do when the machine's port is taken anyway."""
    with contextlib.ExitStack() as stack:
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            listener = stack.enter_context(socket.socket(family))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            with contextlib.suppress(OSError):
                listener.bind((address, port))
                listener.listen()
        yield


def test_a_dry_run_leaves_nothing(world: World):
    said = world.nuages("up", "--dry-run").stdout.splitlines()
    assert said[0].startswith("juju deploy ")
    assert said[-1].startswith("juju integrate notes:")
    assert leftovers(world) == []


def test_a_taken_port_is_said_loudly_and_purge_leaves_nothing(world: World):
    with taken(18000):
        done = world.nuages("up", "--port", "18000")
    assert "PORT 18000 IS TAKEN" in done.stderr
    url = world.url
    assert ":18000" not in url
    assert Browser(url).get("/").status == 200
    again = world.nuages("up")
    assert "nothing to do" in again.stdout and "TAKEN" not in again.stderr

    world.nuages("down", "--purge")
    assert leftovers(world) == []
    with pytest.raises(OSError):
        Browser(url).get("/", timeout=5)


def test_an_up_that_is_interrupted_anywhere_is_continued(world: World):
    choice = random.Random(4711)
    for _ in range(3):
        running = world.start("up")
        time.sleep(choice.uniform(0.3, 6))  # the instant is what is tried, not a condition waited for
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert running.returncode in {0, 130}, said
        assert "Traceback" not in said
        if running.returncode == 130:
            assert "continues from here" in said

    said = world.up()
    assert world.url in said
    assert Browser(world.url).get("/").status == 200
    world.nuages("down", "--purge")
    assert leftovers(world) == []


def test_a_page_that_is_none_is_no_success(world: World):
    (settings,) = world.project.rglob("settings.py")
    before = settings.read_text()
    settings.write_text(before + "\nALLOWED_HOSTS = ['elsewhere.example']\n")
    refused = world.nuages("up", check=False)
    assert refused.returncode == 1
    assert "400" in refused.stderr and "DJANGO_ALLOWED_HOSTS" in refused.stderr

    settings.write_text(before + "\nSECURE_SSL_REDIRECT = True\n")
    redirected = world.nuages("up", check=False)
    assert redirected.returncode == 1
    assert "SECURE_SSL_REDIRECT" in redirected.stderr

    sqlite = "{'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '/tmp/db.sqlite3'}}"
    settings.write_text(before + f"\nDATABASES = {sqlite}\n")
    wrong = world.nuages("up", check=False)
    assert wrong.returncode == 1
    assert "sqlite" in wrong.stderr or "no such table" in wrong.stderr

    settings.write_text(before)
    assert world.url in world.up()


def test_the_commands_mistakes_are_one_line_with_a_mend(world: World, tmp_path: Path):
    world.up()
    for words, said in (
        (["config", "notes", "greeting"], ""),
        (["integrate", "notes", "nowhere"], "nowhere"),
        (["run", "notes/0", "create-superusr"], "create-superuser"),
        (["run", "notes/9", "rotate-secret-key"], "notes/9"),
        (["add-unit", "nots"], "notes"),
        (["ssh", "--container", "nope", "notes/0", "true"], "django-app"),
        (["deploy", "postgresql"], "postgresql-k8s"),
        (["change", "99999"], "99999"),
    ):
        done = world.nuages(*words, check=False)
        assert done.returncode == (1 if said else 0), (words, done.stderr)
        assert said in done.stderr, (words, done.stderr)
        assert len(done.stderr.splitlines()) <= 4, done.stderr
    (tmp_path / "manage.py").write_text("")
    bare = world.nuages("up", str(tmp_path), check=False)
    assert bare.returncode == 1 and "nuages init" in bare.stderr


def test_a_second_project_of_the_same_name_has_a_model_of_its_own(world: World):
    world.up()
    copy = world.project.with_name("copy")
    subprocess.run(["cp", "-a", str(world.project), str(copy)], check=True)
    done = world.nuages("up", cwd=copy)
    first, second = world.url, next(line for line in done.stdout.splitlines() if "http://" in line).split()[-1]
    assert first != second
    Browser(second).submit("/new/", title="Only here", body="")
    assert "Only here" in Browser(second).get("/").text
    assert "Only here" not in Browser(first).get("/").text
    world.nuages("down", "--purge", cwd=copy)
    eventually("the first still serves", lambda: Browser(first).get("/").status == 200, seconds=5)
