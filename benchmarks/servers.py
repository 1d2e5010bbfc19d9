"""What each server costs: seconds until it is active, memory at rest, disk; whether they start side by side."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measures import pss
from nuages.engine.api.client import Client, model_path
from nuages.engine.programs import cache_dir, ensure
from nuages.engine.programs.fetch import home
from nuages.engine.programs.kinds import Go, OnPath, Program
from nuages.engine.programs.table import PROGRAMS
from nuages.services import REGISTRY
from tests.e2e.world import World, eventually

MB = 1_000_000
ROUNDS = 3
PATIENCE = 120.0
"""Seconds until a server has to be there."""
USUAL = ("postgresql-k8s", "redis-k8s", "rabbitmq-k8s", "smtp-integrator")
"""What one project may well want at once."""
_AROUND = {"pebble", "bwrap"}
_FETCH = "import sys; from nuages.engine.programs import ensure; ensure(sys.argv[1])"


class Measured:
    """A model of its own, with nothing in it."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.state = Path(world.environment["XDG_STATE_HOME"]) / "nuages"
        self.client = Client(self.state / "daemon.sock")

    def start(self, names: Sequence[str]) -> dict[str, float]:
        """Deploy all at once; return the seconds after which each was active."""
        began = time.monotonic()
        for name in names:
            self.client.post(model_path(self.name, "deploy"), {"charm": name})
        seconds: dict[str, float] = {}
        while len(seconds) < len(names):
            statuses = self.statuses()
            now = time.monotonic() - began
            for name in names:
                if statuses[name]["current"] == "active":
                    seconds.setdefault(name, now)
            if now > PATIENCE:
                late = {name: statuses[name] for name in names if name not in seconds}
                raise AssertionError(f"not active within {PATIENCE:.0f} s: {late}")
            time.sleep(0.02)
        self.rest()
        return seconds

    def statuses(self) -> dict[str, Any]:
        """Return the workload status of each application's first unit."""
        document: Any = self.client.get(model_path(self.name, "status"))
        found: dict[str, Any] = {name: {"current": "allocating"} for name in document["applications"]}
        for name, application in document["applications"].items():
            if unit := application["units"].get(f"{name}/0"):
                found[name] = unit["workload-status"]
        return found

    def rest(self) -> None:
        """Wait until no unit has anything to do."""
        answer: Any = self.client.get(model_path(self.name, "settled"), wait=f"{PATIENCE:g}", timeout=PATIENCE + 10)
        assert answer["settled"], f"{self.name} does not come to rest"

    def remove(self, names: Sequence[str]) -> None:
        """Remove applications, and wait until nothing of them is left."""
        for name in names:
            self.client.post(model_path(self.name, "remove-application"), {"application": name})
        eventually("the applications are gone", lambda: not set(names) & set(self.statuses()), seconds=PATIENCE)
        self.rest()

    def memory(self, name: str) -> float:
        """Megabytes of the processes in an application's first pod, without what runs them: the least of some looks.

        A ready check that runs just then is no part of a server at rest.
        """
        looks: list[float] = []
        for _ in range(5):
            found = self._namespaces(f"{name}-0")
            looks.append(sum(size for space, size in _sizes() if space in found))
            time.sleep(0.3)
        return min(looks)

    def _namespaces(self, host: str) -> set[str]:
        """Return the mount namespaces of a pod's containers; bubblewrap itself is in the model's.

        Told by Pebble's environment: servers that show what they do in the list of processes write over theirs.
        """
        found: set[str] = set()
        for entry in _processes():
            try:
                environment = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
                here = str(self.state) in (entry / "mountinfo").read_text()
                container = any(word.startswith("JUJU_CONTAINER_NAME=") for word in environment)
                outside = _name(entry) == "bwrap"
                if here and container and not outside and f"HOSTNAME={host}" in environment:
                    found.add(str((entry / "ns" / "mnt").readlink()))
            except OSError:
                continue  # it has ended
        return found


def _sizes() -> Iterator[tuple[str, float]]:
    """Yield mount namespace and megabytes of each process that is not one of those around a server."""
    for entry in _processes():
        try:
            space = str((entry / "ns" / "mnt").readlink())
            if _name(entry) not in _AROUND:
                yield space, pss(int(entry.name))
        except OSError:
            continue  # it has ended


def _name(entry: Path) -> str:
    return (entry / "comm").read_text().strip()


def _processes() -> Iterator[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())


@contextmanager
def a_model(world: World, name: str) -> Iterator[Measured]:
    """Make a model, and remove it with all that is in it."""
    world.nuages("add-model", name)
    try:
        yield Measured(world, name)
    finally:
        world.nuages("-m", name, "down", "--purge")


def servers(world: World) -> Iterator[str]:
    """seconds from `deploy` to active with full caches and an empty volume, memory (PSS) at rest, disk; all at once"""
    names = list(REGISTRY)
    for name in names:
        ensure(*REGISTRY[name].programs)
    yield f"load {load()}"
    alone: dict[str, float] = {}
    with a_model(world, "servers") as model:
        for name in names:
            rounds: list[float] = []
            memory = 0.0
            for number in range(ROUNDS + 1):
                if number:
                    model.remove([name])
                rounds.append(model.start([name])[name])
                memory = model.memory(name)
            alone[name] = statistics.median(rounds[1:])  # the first loads modules into the daemon
            model.remove([name])
            programs = ", ".join(REGISTRY[name].programs) or "none"
            yield (
                f"{name}: {alone[name]:.2f} s (the first {rounds[0]:.2f} s), {memory:.0f} MB of memory,"
                f" {sum(map(disk, REGISTRY[name].programs)):.0f} MB on disk ({programs})"
            )
        for some, what in ((USUAL, " + ".join(USUAL)), (names, f"all {len(names)}")):
            took = max(model.start(some).values())
            longest, together = max(alone[name] for name in some), sum(alone[name] for name in some)
            yield (
                f"{what} at once: {took:.2f} s, {took / longest:.2f} x the slowest alone,"
                f" {took / together:.2f} x one after the other (medians above)"
            )
            model.remove(some)
    yield f"load {load()}"
    yield from needed(world)


def needed(world: World) -> Iterator[str]:
    """Say what `up` of the example deploys."""
    world.up()
    yield f"`up` of the example deploys {', '.join(world.status()['applications'])}"
    world.nuages("down", "--purge")


def cold(world: World) -> Iterator[str]:
    """fetching each server's program with empty caches, where it is a download; `up` of the example without servers"""
    chosen = [PROGRAMS[name] for name in sorted({name for each in REGISTRY.values() for name in each.programs})]
    yield f"load {load()}"
    for program in chosen:
        source = next(each for each in program.sources if not isinstance(each, OnPath))
        megabytes = getattr(source, "download", 0) / MB
        if isinstance(source, Go):
            yield f"{program.name}: {megabytes:.1f} MB of modules, and is built: not measured here"
            continue
        with tempfile.TemporaryDirectory(prefix="nu-cold-") as directory:
            empty = {"XDG_CACHE_HOME": f"{directory}/cache", "UV_CACHE_DIR": f"{directory}/uv"}
            began = time.monotonic()
            subprocess.run(
                [sys.executable, "-c", _FETCH, program.name],
                check=True,
                capture_output=True,
                env={**world.environment, **empty},
                stdin=subprocess.DEVNULL,
            )
            took = time.monotonic() - began
            there = sum(tree(each) for each in Path(directory, "cache", "nuages", "programs").iterdir())
            yield f"{program.name}: about {megabytes:.1f} MB in {took:.1f} s, {there / MB:.0f} MB on disk"
    yield f"load {load()}"
    yield from fetched(world, chosen)


def fetched(world: World, servers: Sequence[Program]) -> Iterator[str]:
    """Say what `up` of the example fetches where no server's program is."""
    with tempfile.TemporaryDirectory(prefix="nu-cold-") as directory:
        cache = Path(directory) / "cache" / "nuages"
        cache.mkdir(parents=True)
        for entry in cache_dir().iterdir():
            if entry.name != "programs":
                (cache / entry.name).symlink_to(entry)
        (cache / "programs").mkdir()
        without = {home(program).name for program in servers}
        for entry in (cache_dir() / "programs").iterdir():
            if entry.is_dir() and entry.name not in without:
                (cache / "programs" / entry.name).symlink_to(entry)
        apart = {"XDG_CACHE_HOME": f"{directory}/cache", "XDG_STATE_HOME": f"{directory}/s"}
        own = World(world.project, {**world.environment, **apart})
        try:
            own.up()
            new = sorted(entry.name for entry in (cache / "programs").iterdir() if entry.name in without)
            yield f"`up` of the example fetches {', '.join(new) or 'nothing'}"
        finally:
            own.nuages("down", "--purge", check=False)


def disk(name: str) -> float:
    """Megabytes that a program takes in the cache; those of the machine's own file when it has one on PATH."""
    place = home(PROGRAMS[name])
    return tree(place if place.exists() else ensure(name)[name].resolve()) / MB


def tree(path: Path) -> int:
    """Bytes of the files of a folder, or of a file."""
    if path.is_file():
        return path.stat().st_size
    files = {(entry.lstat().st_ino, entry.lstat().st_size) for entry in path.rglob("*") if entry.is_file()}
    return sum(size for _, size in files)


def load() -> str:
    """Say how busy the machine is."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
