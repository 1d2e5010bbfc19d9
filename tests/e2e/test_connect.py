"""`nuages connect`: into the database of a running application, from the terminal and with a tool of this machine."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.e2e.world import World, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(world: World) -> World:
    world.up()
    return world


def psql(world: World, *words: str) -> str:
    return world.nuages("connect", "notes", "postgresql", "--", *words).stdout.strip()


def test_connect_runs_a_statement_as_the_applications_user(running: World):
    said = psql(running, "-Atc", "SELECT current_database(), current_user <> 'postgres'")
    assert said == "notes|t"
    failed = running.nuages("connect", "notes", "postgresql", "--", "-c", "SELECT wat", check=False)
    assert failed.returncode == 1
    assert 'column "wat" does not exist' in failed.stderr
    shown = psql(running, "-Atc", r"\! id -un; ps ww -o args= -p $PPID; tr '\0' '\n' </proc/$PPID/environ")
    user, argv, *environment = shown.splitlines()
    password = next(line.partition("=")[2] for line in environment if line.startswith("PGPASSWORD="))
    assert (user, password in argv, len(password)) == ("_daemon_", False, 32)
    assert not any(line.startswith("XDG_STATE_HOME=") for line in environment)


def test_connect_prints_a_url_that_ends_with_the_command(running: World):
    for end in (signal.SIGINT, signal.SIGKILL):
        with Printing(running) as (process, url):
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT current_database()").fetchone() == ("notes",)
            process.send_signal(end)
            assert process.wait(20) == (0 if end is signal.SIGINT else -end)
        eventually("the port is closed", lambda url=url: closed(url), seconds=20)


def test_a_port_of_a_killed_daemon_is_closed_by_the_next(running: World):
    with Printing(running) as (process, url):
        os.kill(running.daemon_pid, signal.SIGKILL)
        assert process.wait(20) == 1
        assert not closed(url)
    running.nuages("status")
    eventually("the port is closed", lambda: closed(url), seconds=20)


@pytest.mark.parametrize(
    ("words", "said", "fix"),
    [
        (["wat", "postgresql"], 'application "wat" not found', "applications: notes, postgresql-k8s"),
        (["notes", "wat"], "notes has no endpoint 'wat'", "postgresql"),
        (["notes", "logging"], "it is not related", "nuages integrate notes:logging"),
        (["notes", "ingress"], "traefik-k8s is a web server", "nuages status"),
        (["postgresql-k8s", "database"], "postgresql-k8s is the server's side", "nuages connect notes postgresql"),
    ],
)
def test_connect_says_what_is_wrong(running: World, words: list[str], said: str, fix: str):
    done = running.nuages("connect", *words, check=False)
    assert done.returncode == 1
    error, mend = done.stderr.splitlines()[:2]
    assert said in error
    assert fix in mend


class Printing:
    """`nuages connect --print` in the background: the process and the URL."""

    def __init__(self, world: World) -> None:
        self.process = world.start("connect", "notes", "postgresql", "--print")

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        assert self.process.stdout and self.process.stderr
        line = self.process.stdout.readline().strip()
        assert re.fullmatch(r"postgresql://\S+:\S+@127\.0\.0\.1:\d+/notes", line), line + self.process.stderr.read()
        return self.process, line

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def closed(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) != 0
