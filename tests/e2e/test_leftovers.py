"""What is left of a model that is gone, and what one model or one user sees of another: nothing."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest

from nuages.engine.programs import cache_dir
from nuages.engine.sandbox.process import Process
from tests.e2e.world import Browser, World, eventually

ROOT = os.geteuid() == 0
NOBODY = 65534
OWN = {
    "HOME": "h",
    "TMPDIR": "t",
    "XDG_STATE_HOME": "s",
    "XDG_CONFIG_HOME": "h/c",
    "XDG_DATA_HOME": "h/d",
    "XDG_RUNTIME_DIR": "h/r",
}
DATABASE = "postgresql-k8s-0.postgresql-k8s-endpoints"
LINKS = Path("/sys/class/net")
KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


@pytest.fixture(scope="module")
def world(world: World) -> World:
    """The same with a HOME, a TMPDIR and XDG folders of its own; only the cache is everybody's."""
    here = world.project.parent
    environment = {**world.environment, **{name: str(here / path) for name, path in OWN.items()}}
    for name in OWN:
        Path(environment[name]).mkdir(exist_ok=True, mode=0o700)
    environment["XDG_CACHE_HOME"] = str(cache_dir().parent)
    # The same interpreters as everybody, or the cache would be of no use.
    environment["PYENV_ROOT"] = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    return replace(world, environment=environment)


def processes() -> list[Process]:
    return [found for path in Path("/proc").iterdir() if path.name.isdigit() and (found := Process.of(int(path.name)))]


def started_with(pid: int, folder: Path) -> str:
    """The command of a process whose environment or arguments speak of a folder, else nothing."""
    try:
        command, environment = (Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
    except OSError:
        return ""
    return f"{pid} {command}" if os.fsencode(folder) in command + environment else ""


def namespaces(pid: int | str) -> set[str]:
    found: set[str] = set()
    for kind in KINDS:
        try:
            found.add(str(Path(f"/proc/{pid}/ns/{kind}").readlink()))
        except OSError:
            continue
    return found


def below(pid: int) -> list[Process]:
    """A process and its descendants."""
    found = Process.of(pid)
    return [found, *(one for child in found.children() for one in below(child))] if found else []


def state(world: World) -> Path:
    return Path(world.environment["XDG_STATE_HOME"]) / "nuages"


def init(world: World, model: str) -> int:
    return json.loads((state(world) / "models" / model / "model.json").read_text())["init"][0]


@dataclass(frozen=True)
class Host:
    """What of the host a model could change, as far as it is ours to compare on a machine that others use too."""

    files: frozenset[str]
    links: frozenset[str]
    mounts: frozenset[str]
    sockets: frozenset[str]
    processes: frozenset[str]

    @classmethod
    def look(cls, world: World) -> Host:
        here = world.project.parent
        mounts, sockets = (Path(path).read_text().splitlines() for path in ("/proc/self/mountinfo", "/proc/net/unix"))
        return cls(
            files=frozenset(str(path) for path in here.rglob("*")),
            links=frozenset(path.name for path in LINKS.iterdir() if re.fullmatch(r"br0|v\d+", path.name)),
            mounts=frozenset(line for line in mounts if str(here) in line),
            sockets=frozenset(line.split()[-1] for line in sockets if str(here) in line),
            processes=frozenset(command for one in processes() if (command := started_with(one.pid, here))),
        )

    def since(self, before: Host) -> dict[str, frozenset[str]]:
        """What came or went."""
        changed = {field.name: getattr(self, field.name) ^ getattr(before, field.name) for field in fields(self)}
        return {name: difference for name, difference in changed.items() if difference}


@dataclass(frozen=True)
class Living:
    """The processes of models while they ran, and their namespaces."""

    processes: frozenset[Process]
    namespaces: frozenset[str]

    @classmethod
    def look(cls, world: World) -> Living:
        found = [one for path in (state(world) / "models").iterdir() for one in below(init(world, path.name))]
        daemon = Process.of(world.daemon_pid)
        assert daemon
        inner = {name for one in found for name in namespaces(one.pid)} - namespaces("self") - namespaces(1)
        return cls(frozenset([daemon, *found]), frozenset(inner))

    def left(self) -> list[str]:
        """What still lives. A namespace's number is given again, so only older processes than we have seen count."""
        last = max(one.start for one in self.processes)
        holders = [one for one in processes() if one.start <= last and namespaces(one.pid) & self.namespaces]
        return [
            *(f"process {one.pid}" for one in self.processes if one.alive()),
            *(f"process {one.pid} is in a namespace of the model" for one in holders),
            *(f"{name} is mounted" for name in self.namespaces if name in Path("/proc/self/mountinfo").read_text()),
        ]


CONNECT = """
import os, socket, sys
try:
    os.stat(sys.argv[1])
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(sys.argv[1])
    connection.sendall(b"GET /v1/models HTTP/1.1\\r\\nHost: nuages\\r\\n\\r\\n")
    print("ok" if connection.recv(1) else "closed")
except OSError as error:
    print(type(error).__name__)
"""


def answer_of(path: Path, within: Sequence[str] = ()) -> str:
    """Ask at a Unix socket under another command; return `ok`, or why there is no answer."""
    argv = [*within, "/usr/bin/python3", "-I", "-c", CONNECT, str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
    return done.stdout.strip() or done.stderr


def in_pod(world: World, model: str, unit: str, container: str, script: str) -> str:
    return world.nuages("ssh", "-m", model, "--container", container, unit, "--", "sh", "-c", script).stdout.strip()


def test_two_models_two_users_and_nothing_left(world: World):
    before = Host.look(world)
    project = {path: path.read_bytes() for path in world.project.rglob("*") if path.is_file()}
    world.up()
    world.nuages("add-model", "other")
    world.nuages("deploy", "-m", "other", "postgresql-k8s")
    url, living = world.url, Living.look(world)
    assert len(living.processes) > 15 and len(living.namespaces) > 10

    _models_do_not_see_each_other(world, url)
    _nobody_else_reaches_anything(world)

    world.nuages("down", "-m", "other", "--purge")
    assert Browser(url).get("/").status == 200  # one model's end is not another's
    said = world.nuages("down", "--purge")
    assert "the engine is stopped and its state folder removed" in said.stderr
    assert living.left() == []
    assert Host.look(world).since(before) == {}
    assert {path: path.read_bytes() for path in world.project.rglob("*") if path.is_file()} == project


def _models_do_not_see_each_other(world: World, url: str) -> None:
    status = json.loads(world.nuages("status", "-m", "other", "--format", "json").stdout)
    assert list(status["applications"]) == ["postgresql-k8s"]
    here, there = ("notes", "notes/0", "django-app"), ("other", "postgresql-k8s/0", "postgresql")
    for (model, unit, container), stranger in ((here, there), (there, here)):
        own, foreign = (f"{DATABASE}.{name}.svc.cluster.local" for name in (model, stranger[0]))
        found = in_pod(world, model, unit, container, f"getent hosts {own}; getent hosts {foreign} || echo unknown")
        assert found.endswith("unknown") and own in found, found
    address = world.unit("notes/0")["address"]
    port = url.rstrip("/").rpartition(":")[2]
    tried = {
        where: in_pod(world, *there, f"/usr/bin/timeout 3 /bin/bash -c '</dev/tcp/{where}' && echo reached || echo not")
        for where in (f"{address}/8000", f"127.0.0.1/{port}", "127.0.0.1/5432")
    }
    assert tried == {f"{address}/8000": "not", f"127.0.0.1/{port}": "not", "127.0.0.1/5432": "reached"}
    assert "gunicorn" not in in_pod(world, *there, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def _nobody_else_reaches_anything(world: World) -> None:
    directory = state(world)
    assert directory.stat().st_mode & 0o777 == 0o700
    sockets = [path for path in directory.rglob("*") if path.is_socket()]
    kinds = {re.sub(r"\..*\d+$", "", path.name) for path in sockets}
    assert {"daemon.sock", "pebble.socket", "agent.socket", "relay.socket"} <= kinds, kinds
    postgres = [path for path in sockets if "PGSQL" in path.name]
    assert postgres
    # The pods' network is not the host's: no interface, no route leads to it.
    assert world.unit("notes/0")["address"].startswith("10.77.")
    destinations = [line.split()[1] for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    assert not any(destination.endswith("4D0A") for destination in destinations), destinations
    if not ROOT:
        return  # only root becomes another user to try the sockets; the folder's mode says the same
    stranger = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
    assert answer_of(directory / "daemon.sock") == "ok"
    assert {path: answer_of(path, stranger) for path in sockets} == dict.fromkeys(sockets, "PermissionError")
    # Even where folders were opened by mistake, the daemon answers its own user only.
    opened = [path for path in (directory, *directory.parents) if path.stat().st_mode & 0o5 != 0o5]
    modes = {path: path.stat().st_mode & 0o7777 for path in [*opened, directory / "daemon.sock"]}
    try:
        for path in modes:
            path.chmod(0o777)
        said = answer_of(directory / "daemon.sock", stranger)
        assert said in {"closed", "ConnectionResetError", "BrokenPipeError"}, said
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def test_a_daemon_whose_state_folder_is_removed_ends_with_its_pods(world: World):
    world.nuages("add-model", "doomed")
    world.nuages("deploy", "-m", "doomed", "postgresql-k8s")
    eventually(
        "PostgreSQL is active",
        lambda: "active" in world.nuages("status", "-m", "doomed", "postgresql-k8s").stdout,
        seconds=60,
    )
    living = Living.look(world)
    shutil.rmtree(state(world), ignore_errors=True)  # an ordinary user may not remove files of the pods' users
    eventually("daemon and pods have ended", lambda: not living.left(), seconds=20)
    eventually("what was left of the folder is gone", lambda: not state(world).exists(), seconds=5)
    assert "There is no model yet." in world.nuages("models").stdout


def test_a_daemon_without_its_socket_makes_room_and_its_pods_go_on(world: World):
    world.nuages("add-model", "kept")
    world.nuages("deploy", "-m", "kept", "postgresql-k8s")
    eventually(
        "PostgreSQL is active",
        lambda: "active" in world.nuages("status", "-m", "kept", "postgresql-k8s").stdout,
        seconds=60,
    )
    daemon, pod = Process.of(world.daemon_pid), Process.of(init(world, "kept"))
    assert daemon and pod
    (state(world) / "daemon.sock").unlink()
    eventually("the daemon has ended", lambda: not daemon.alive(), seconds=20)
    assert "active" in world.nuages("status", "-m", "kept", "postgresql-k8s").stdout
    assert pod.alive() and world.daemon_pid != daemon.pid
    world.nuages("down", "-m", "kept", "--purge")
    assert not state(world).exists()


@pytest.mark.slow
def test_ten_interrupted_ups_are_continued_and_leave_nothing(world: World):
    """Each is interrupted at another instant of building, deploying and starting."""
    cache = world.project.parent / "cache"
    (cache / "nuages").mkdir(parents=True)
    (cache / "nuages" / "programs").symlink_to(cache_dir() / "programs")  # what takes minutes to fetch
    there = replace(world, environment={**world.environment, "XDG_CACHE_HOME": str(cache)})
    before = Host.look(there)
    seed = random.randrange(10**6)
    choice = random.Random(seed)
    for number in range(10):
        after = choice.uniform(0.1, 2 + 1.5 * number)
        code, said = _interrupted(there, after, "up")
        assert code in {0, 130}, (seed, after, said)
        assert "Traceback" not in said and "error: " not in said, (seed, after, said)
        assert code == 0 or not said.strip() or "continues from here" in said, (seed, after, said)
    said = there.up()
    assert there.url in said, seed
    assert there.browser().get("/").status == 200
    living = Living.look(there)
    code, said = _interrupted(there, choice.uniform(0.1, 0.6), "down", "--purge")
    assert code in {0, 130}, (seed, said)
    if code:
        there.nuages("down", "--purge", check=False)  # refused only when the first one was done already
    assert living.left() == []
    half = [path for path in (cache / "nuages").glob("*/.*") if not path.name.endswith(".lock")]
    assert half == [], f"half-built things stayed in the cache (seed {seed})"
    assert _without(Host.look(there), cache).since(_without(before, cache)) == {}


def _interrupted(world: World, after: float, *words: str) -> tuple[int, str]:
    running = world.start(*words, stderr=subprocess.STDOUT)
    try:
        said, _ = running.communicate(timeout=after)  # the instant is what is tried, not a condition waited for
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGINT)
        said, _ = running.communicate(timeout=60)
    return running.returncode, said


def _without(host: Host, directory: Path) -> Host:
    return replace(host, files=frozenset(path for path in host.files if not Path(path).is_relative_to(directory)))
