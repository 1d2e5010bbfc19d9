"""What is said when something is missing or broken: one line why, one how to mend it, and nothing half-done."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from nuages.cli.root import run
from nuages.engine.programs import cache_dir
from nuages.engine.sandbox import diagnosis, namespaces
from tests.e2e.world import EXAMPLE, World, eventually

ROOT = os.geteuid() == 0


@pytest.fixture
def place(tmp_path: Path) -> World:
    """A copy of examples/notes where nothing ran yet; the test leaves it that way."""
    project = tmp_path / "notes"
    shutil.copytree(EXAMPLE, project)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("JUJU_", "NUAGES_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return World(project, {**environment, "XDG_STATE_HOME": str(tmp_path / "s")})


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory with its content, but what Python itself writes there."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def refused(world: World, *words: str) -> tuple[str, str]:
    """Type a command that must fail as every command fails; return why it did, and the mend."""
    done = world.nuages(*words, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, ""), done
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("  ", "Deploying "))]  # not the progress
    assert len(lines) == 2, done.stderr
    error, fix = lines
    assert error.startswith("error: cannot ") and fix.startswith("fix:   "), done.stderr
    return error.removeprefix("error: "), fix.removeprefix("fix:   ")


def refused_untouched(world: World, *words: str) -> tuple[str, str]:
    """The same for a command after which everything is as it was: no model, no daemon, no file."""
    before = tree(world.project)
    said = refused(world, *words)
    assert not Path(world.environment["XDG_STATE_HOME"]).exists()
    assert tree(world.project) == before
    return said


def change(path: str, old: str, new: str) -> Callable[[Path], None]:
    def mutate(project: Path) -> None:
        text = (project / path).read_text()
        assert old in text
        (project / path).write_text(text.replace(old, new, 1))

    return mutate


def remove(*paths: str) -> Callable[[Path], None]:
    def mutate(project: Path) -> None:
        for path in paths:
            (project / path).unlink()

    return mutate


CHARM, ROCK = "charm/charmcraft.yaml", "rockcraft.yaml"
MISTAKES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "no charmcraft.yaml": (remove(CHARM), r"no charm/charmcraft\.yaml", r"nuages init"),
    "no charm.py": (remove("charm/src/charm.py"), r"src/charm\.py is missing", r"DjangoCharm"),
    "no rockcraft.yaml": (remove(ROCK), r"no rockcraft\.yaml", r"nuages init"),
    "no manage.py": (remove("notes/manage.py"), r"there is no manage\.py in \S+/notes/notes", r"startproject notes"),
    "no requirements": (remove("requirements.txt"), r"neither requirements\.txt", r"Django~="),
    "an empty charmcraft.yaml": (
        lambda p: (p / CHARM).write_text(""),
        r"charmcraft\.yaml:1:1: the file is empty",
        r"`name`",
    ),
    "a bracket that stays open": (change(CHARM, "type: charm", "type: [charm"), r"charmcraft\.yaml:4:6: ", r"correct"),
    "a tab": (change(CHARM, "  options:", "\toptions:"), r"charmcraft\.yaml:17:1: ", r"correct"),
    "a quote that stays open": (change(ROCK, "name: notes", 'name: "notes'), r"rockcraft\.yaml:3:11: ", r"correct"),
    "bytes that are no text": (lambda p: (p / CHARM).write_bytes(b"name: n\n\xff"), r"yaml:2:1: not UTF-8", r"UTF-8"),
    "an unknown extension": (
        change(CHARM, "django-framework", "djnago-framework"),
        r"charmcraft\.yaml:14:5: .*unknown extension 'djnago-framework'; did you mean django-framework\?",
        r"use django-framework",
    ),
    "no extension for the rock": (
        change(ROCK, "django-framework", "flask-framework"),
        r"rockcraft\.yaml:10:1: it does not use django-framework",
        r"`- django-framework`",
    ),
    "a base that is none": (
        change(CHARM, "ubuntu@24.04", "ubuntu@24.10"),
        r"charmcraft\.yaml:9:1: base: .*ubuntu@24\.10; did you mean ubuntu@24\.04\?",
        r"ubuntu@22\.04, ubuntu@24\.04",
    ),
    "a base that is none for the rock": (
        change(ROCK, "ubuntu@24.04", "debian@12"),
        r"rockcraft\.yaml:2:1: unknown base 'debian@12'",
        r"ubuntu@24\.04",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_wrong_with_a_project(place: World, mistake: str):
    mutate, why, mend = MISTAKES[mistake]
    mutate(place.project)
    error, fix = refused_untouched(place, "up")
    assert re.search(why, error), error
    assert re.search(mend, fix), fix


def test_a_requirement_that_cannot_be(place: World):
    (place.project / "requirements.txt").write_text("Django~=5.2\nDjango==99\npsycopg[binary]\n")
    error, fix = refused_untouched(place, "up")
    assert error.startswith("cannot install the packages of ")
    assert "django==99" in error and "unsatisfiable" in error  # uv's reason
    assert fix == f"correct {place.project / 'requirements.txt'}"


def test_a_requirement_that_does_not_build(place: World):
    package = place.project / "broken"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[project]\nname = "broken"\nversion = "1"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (package / "backend.py").write_text("raise SystemExit('libpq-fe.h: no such file')\n")
    (place.project / "requirements.txt").write_text("./broken\n")
    error, fix = refused_untouched(place, "up")
    assert "libpq-fe.h: no such file" in error
    assert "has a wheel" in fix


def test_where_there_is_no_model_a_question_makes_none(place: World, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for words in (["status"], ["logs"], ["config", "notes"], ["run", "notes/0", "x"], ["env", "notes"], ["changes"]):
        error, fix = refused_untouched(place, *words)
        assert "was not run yet" in error and fix.endswith(" up")
    for words in (["up"], ["up", str(empty)], ["pack"], ["expand-extensions"], ["down", "--purge"]):
        done = place.nuages(*words, check=False, cwd=empty)
        assert done.returncode == 1 and done.stderr.startswith("error: cannot "), (words, done)
        assert "\nfix:   " in done.stderr, done.stderr
    assert not Path(place.environment["XDG_STATE_HOME"]).exists()
    assert list(empty.iterdir()) == []


# -- the machine

CONFINED = """
import ctypes, os, sys
uid, gid = os.geteuid(), os.getegid()
if ctypes.CDLL(None).unshare(0x10000000):  # CLONE_NEWUSER
    sys.exit(77)
for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
    open(f"/proc/self/{name}", "w").write(text)
open("/proc/sys/user/max_user_namespaces", "w").write("0")  # of the new namespace, not of the machine
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_folders_that_cannot_be_used(place: World):
    a_file = str(place.project / "requirements.txt")
    place.environment = {**place.environment, "XDG_CACHE_HOME": a_file}
    error, fix = refused_untouched(place, "up")
    assert error == f"cannot write to the cache folder {a_file}/nuages: Not a directory"
    assert "set XDG_CACHE_HOME to" in fix
    there = replace(place, environment={**place.environment, "XDG_STATE_HOME": "/proc/nowhere"})
    for words in (["models"], ["status"]):
        assert not there.nuages(*words, check=False).stderr.startswith("error: cannot go on")
    error, fix = refused(there, "add-model", "x")
    assert error.startswith("cannot make the state folder /proc/nowhere/nuages: ") and "set XDG_STATE_HOME" in fix


@pytest.mark.skipif(not ROOT, reason="only root can be in another user's home")
def test_sudo_with_the_users_home(place: World, tmp_path: Path):
    (home := tmp_path / "home").mkdir()
    os.chown(home, 4242, 4242)
    environment = {name: value for name, value in place.environment.items() if not name.startswith("XDG_")}
    place = replace(place, environment={**environment, "HOME": str(home)})
    error, fix = refused(place, "up")
    assert error.startswith("cannot run as root in the home of uid 4242") and "sudo -H" in fix
    assert list(home.iterdir()) == []


@pytest.mark.skipif(ROOT, reason="root reads everything")
def test_a_file_that_cannot_be_read(place: World):
    path = place.project / "notes" / "secret.py"
    path.touch(mode=0o000)
    error, fix = refused(place, "up")
    assert error == f"cannot read {path}: Permission denied" and "readable" in fix


@pytest.fixture
def confined() -> list[str]:
    """A command that runs others where nobody may make namespaces."""
    confined = [sys.executable, "-c", CONFINED]
    if subprocess.run([*confined, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets nobody make a user namespace to confine the trial in")
    return confined


NO_NAMESPACES = "cannot make pods: user.max_user_namespaces is 0, so nobody may make namespaces"


def test_a_machine_without_user_namespaces(place: World, confined: list[str]):
    place.within = confined
    error, fix = refused_untouched(place, "up")
    assert error == NO_NAMESPACES
    assert "user.max_user_namespaces=10000" in fix and "sudo sysctl --system" in fix


def test_pods_that_cannot_be_made_are_tried_again_with_patience(world: World, confined: list[str]):
    there = replace(world, within=confined)
    there.nuages("add-model", "none")
    for name in ("postgresql-k8s", "traefik-k8s"):
        error, fix = refused(there, "deploy", "-m", "none", name)
        assert error.endswith(NO_NAMESPACES) and "sudo sysctl" in fix
    log = Path(world.environment["XDG_STATE_HOME"]) / "nuages" / "daemon.log"

    def tries() -> list[datetime]:
        lines = [line for line in log.read_text().splitlines() if "pod of traefik-k8s/0: " in line]
        return [datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f") for line in lines]

    eventually("the second try", lambda: len(tries()) >= 2, seconds=30)
    first, second, *_ = tries()
    assert (second - first).total_seconds() > 3  # one unit's failure does not hurry the other's
    shown = there.nuages("status", "-m", "none").stdout
    assert re.search(rf"traefik-k8s/0\*? +error .*{NO_NAMESPACES}", shown), shown
    there.nuages("down", "-m", "none", "--purge")
    assert not log.parent.exists()


def test_ubuntus_apparmor_restriction(place: World, monkeypatch, capsys):
    """There, the user namespace is made, but gives no rights: the bridge is the first thing that fails."""
    bridge = "echo RTNETLINK answers: Operation not permitted >&2; exit 2"
    monkeypatch.setattr(namespaces, "_INIT", namespaces._INIT.replace("ip link add br0 type bridge", bridge))
    monkeypatch.setattr(diagnosis, "switches", lambda: {"apparmor": "1", "limit": "60000"})
    monkeypatch.setenv("XDG_STATE_HOME", place.environment["XDG_STATE_HOME"])
    assert run(["up", str(place.project)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("error: cannot make pods: AppArmor takes the rights out of namespaces")
    assert lines[1].startswith("fix:   allow it for these three programs only")
    begin, *_, last = (line for line in lines if line.startswith("sudo "))
    path = Path(begin.split()[2])
    assert path.parent == Path("/etc/apparmor.d") and begin.endswith("<<'END'") and str(path) in last
    block = lines[lines.index(begin) + 1 : lines.index("END")]  # at the margin, or a pasted here-document never ends
    assert sum(line.startswith("profile ") for line in block) == 3
    assert sum("sudo " in line for line in lines) == 2
    assert not any("apparmor_restrict_unprivileged_userns=0" in line for line in lines)
    assert not Path(place.environment["XDG_STATE_HOME"]).exists()


def test_no_network_and_an_empty_cache(place: World, tmp_path: Path):
    if ROOT:
        place.within = ["unshare", "--net"]
    dead = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    place.environment = {**place.environment, **dead, "XDG_CACHE_HOME": str(tmp_path / "c"), "UV_HTTP_RETRIES": "0"}
    error, fix = refused_untouched(place, "up")
    assert re.search(r"cannot (fetch|install) ", error)
    assert "check the network" in fix
    programs = tmp_path / "c" / "nuages" / "programs"
    assert [path.name for path in programs.glob("*") if not path.name.endswith(".lock")] == []


# -- the disk


@contextlib.contextmanager
def small_disk(directory: Path, size: str) -> Generator[list[str]]:
    """A tmpfs of that size, in a mount namespace of its own; yields the command that runs others there."""
    directory.mkdir()
    script = 'mount -t tmpfs -o size="$1" small "$2" && echo ready && exec cat'
    holder = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script, "sh", size, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin and holder.stdout
    try:
        assert holder.stdout.readline() == b"ready\n"
        yield ["nsenter", "-t", str(holder.pid), "--mount"]
    finally:
        holder.stdin.close()
        holder.wait(10)
        holder.stdout.close()


def in_project(within: list[str], world: World) -> list[str]:
    return [*within, "sh", "-c", 'cd "$0" && exec "$@"', str(world.project)]


@pytest.mark.skipif(not ROOT, reason="only root mounts a tmpfs")
def test_a_cache_on_a_disk_of_64_mib(place: World, tmp_path: Path):
    disk = tmp_path / "small"
    with small_disk(disk, "64m") as within:
        place.within = in_project(within, place)
        place.environment = {**place.environment, "XDG_CACHE_HOME": str(disk)}
        error, fix = refused_untouched(place, "up")
    assert f"no space left in {disk}/nuages" in error
    assert re.search(r"\b\d{2,3} MiB more are needed$", error), error
    assert "XDG_CACHE_HOME" in fix and "run the same command again" in fix


@pytest.mark.slow
@pytest.mark.skipif(not ROOT, reason="only root mounts a tmpfs")
def test_a_full_disk_is_named_and_after_space_is_made_up_continues(world: World):
    disk = world.project.parent / "small"
    # What takes minutes to fetch is there already; the project's packages are what does not fit.
    (programs := cache_dir() / "programs").mkdir(parents=True, exist_ok=True)
    with small_disk(disk, "12m") as within:
        bind = ["sh", "-c", 'mkdir -p "$2" && mount --bind "$1" "$2"', "sh", str(programs), f"{disk}/nuages/programs"]
        subprocess.run([*within, *bind], check=True)
        environment = {**world.environment, "XDG_CACHE_HOME": str(disk)}
        there = replace(world, within=in_project(within, world), environment=environment)
        error, fix = refused(there, "up")
        assert re.search(rf"cannot .* {disk}/nuages: .* full, \d+ MiB free, about \d+ MiB missing", error), error
        assert "make space there" in fix
        subprocess.run([*within, "mount", "-o", "remount,size=1g", str(disk)], check=True)
        said = there.up()
        assert there.url in said
        assert there.browser().get("/").status == 200
        there.nuages("down", "--purge")


# -- what comes back


def kill_everything(world: World, *, boot: str | None = None) -> None:
    """End the daemon and all pods, as a machine does that goes down; `boot`: what the last boot was called."""
    state = Path(world.environment["XDG_STATE_HOME"]) / "nuages"
    daemon = int((state / "daemon.pid").read_text())
    os.kill(daemon, signal.SIGKILL)
    for path in (state / "models").glob("*/model.json"):
        record = json.loads(path.read_text())
        os.kill(record["init"][0], signal.SIGKILL)
        if boot:
            path.write_text(json.dumps({**record, "boot": boot}))
    eventually("the daemon ends", lambda: not Path(f"/proc/{daemon}/exe").exists(), seconds=10)


@contextlib.contextmanager
def somebody_at(port: int) -> Generator[None]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield


@pytest.mark.slow
def test_after_a_reboot_up_brings_everything_back(world: World):
    world.up()
    url = world.url
    world.browser().submit("/new/", title="Milk", body="two litres")

    kill_everything(world, boot="another-boot")
    assert world.status()["nuages"]["stopped"] == "stopped since reboot: nuages up"
    assert "stopped since reboot: nuages up" in world.nuages("status").stdout

    # Meanwhile somebody else has the port that users know.
    with somebody_at(int(url.rstrip("/").rpartition(":")[2])):
        done = world.nuages("up", check=False)
        assert done.returncode == 1
        assert re.search(r"cannot publish traefik-k8s/web on port \d+: another program uses it", done.stderr)
        assert "stop that program" in done.stderr
    world.up()
    assert world.url == url
    assert "Milk" in world.browser().get("/").text

    kill_everything(world)
    assert "stopped because its processes were ended: nuages up" in world.nuages("status").stdout
    world.up()
    assert "Milk" in world.browser().get("/").text


@pytest.mark.slow
@pytest.mark.skipif(not ROOT, reason="only root makes a network namespace of its own")
def test_what_is_in_the_cache_needs_no_network(world: World):
    world.up()
    world.nuages("down", "--purge")
    script = 'ip link set lo up && "$0" -m nuages.cli up && "$0" -m nuages.cli down --purge'
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script, sys.executable],
        cwd=world.project,
        env=dict(world.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "notes is running: http://localhost:" in done.stdout
