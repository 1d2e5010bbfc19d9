"""One function per benchmark: yields lines to print. Machines are noisy, so pairs are run in turn and ratios quoted."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nuages.engine.programs import cache_dir
from tests.e2e.world import World, eventually

RUNS = 15

LOAD = """\
import http.client, sys, threading, time
host, port, name, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
def client():
    for _ in range(count // 4):
        connection = http.client.HTTPConnection(host, port, timeout=30)
        connection.request("GET", "/healthz", headers={"Host": name})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        connection.close()
threads = [threading.Thread(target=client) for _ in range(4)]
started = time.monotonic()
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(count / (time.monotonic() - started))
"""


PEAK = """\
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", 1, 0)])
_, status, used = os.wait4(pid, 0)
print(used.ru_maxrss)
sys.exit(status != 0)
"""


def seconds(command: list[str], world: World) -> float:
    """Wall time of one run of a command, which must succeed."""
    started = time.monotonic()
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        cwd=world.project,
        env=dict(world.environment),
        stdin=subprocess.DEVNULL,
    )
    return time.monotonic() - started


def pairs(one: Callable[[], float], other: Callable[[], float], runs: int = RUNS) -> tuple[float, float, float]:
    """Run both in turn; return the medians of each and the median of the ratios one/other."""
    measured = [(one(), other()) for _ in range(runs + 1)][1:]
    return (
        statistics.median(a for a, _ in measured),
        statistics.median(b for _, b in measured),
        statistics.median(a / b for a, b in measured),
    )


def nuages(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "nuages.cli", *arguments]


def peak(command: list[str], world: World) -> float:
    """Peak resident memory of one run, in MiB; started by a small process, whose own would count otherwise."""
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PEAK, *command],
        check=True, capture_output=True, text=True, cwd=world.project, env=dict(world.environment),
    )  # fmt: skip
    return int(said.stdout.split()[-1]) / 1024


def charmcraft() -> list[str] | None:
    """Command that expands with the real charmcraft, which knows no --project-dir; None when it is not installed."""
    own = cache_dir() / "charmcraft" / "bin" / "charmcraft"
    found = str(own) if own.exists() else shutil.which("charmcraft")
    return ["/bin/sh", "-c", 'cd charm && exec "$0" expand-extensions', found] if found else None


def expand(world: World) -> Iterator[str]:
    """`expand-extensions` against `python -c pass`, and against charmcraft's when it is installed; peak memory"""
    mine = nuages("expand-extensions")
    ours, base, ratio = pairs(lambda: seconds(mine, world), lambda: seconds([sys.executable, "-c", "pass"], world))
    yield f"{ours:.3f} s against {base:.3f} s: {ratio:.1f} x (medians of {RUNS} pairs)"
    memory = statistics.median(peak(mine, world) for _ in range(3))
    yield f"{memory:.0f} MiB at its peak"
    theirs = charmcraft()
    if theirs is None:
        yield "charmcraft is not installed: `make charmcraft`"
        return
    ours, other, ratio = pairs(lambda: seconds(mine, world), lambda: seconds(theirs, world), runs=5)
    yield f"{ours:.3f} s against charmcraft's {other:.3f} s: {ratio:.3f} x (medians of 5 pairs)"
    larger = statistics.median(peak(theirs, world) for _ in range(3))
    yield f"{memory:.0f} MiB against charmcraft's {larger:.0f} MiB: {memory / larger:.2f} x"


def check(world: World) -> Iterator[str]:
    """`check` of the example without evaluation, against `python -c pass`"""
    ours, base, ratio = pairs(
        lambda: seconds(nuages("check"), world), lambda: seconds([sys.executable, "-c", "pass"], world)
    )
    yield f"{ours:.3f} s against {base:.3f} s: {ratio:.1f} x (medians of {RUNS} pairs)"


def up(world: World) -> Iterator[str]:
    """`up` from purged with full caches, with nothing to do, from stopped; against `python -c pass`"""
    world.up()
    world.nuages("down", "--purge")
    base = statistics.median(seconds([sys.executable, "-c", "pass"], world) for _ in range(RUNS))
    rows: list[tuple[str, list[float]]] = [("purged, caches full", []), ("nothing to do", []), ("stopped", [])]
    for _ in range(3):
        rows[0][1].append(seconds(nuages("up"), world))
        rows[1][1].append(seconds(nuages("up"), world))
        world.nuages("down")
        rows[2][1].append(seconds(nuages("up"), world))
        world.nuages("down", "--purge")
    for name, times in rows:
        middle = statistics.median(times)
        yield f"{name}: {middle:.2f} s, {middle / base:.0f} x `python -c pass` (median of {len(times)})"


def status(world: World) -> Iterator[str]:
    """`status` of a running model against `python -c pass`"""
    world.up()
    ours, base, ratio = pairs(
        lambda: seconds(nuages("status"), world), lambda: seconds([sys.executable, "-c", "pass"], world)
    )
    yield f"{ours:.3f} s against {base:.3f} s: {ratio:.1f} x (medians of {RUNS} pairs)"


def load(world: World) -> Iterator[str]:
    """requests per second, a new connection each: through ingress from the host, against gunicorn inside its pod"""
    world.up()
    address = world.url.split("//")[1].strip("/")
    host, _, port = address.partition(":")

    def through() -> float:
        said = subprocess.run(
            [sys.executable, "-c", LOAD, "127.0.0.1", port or "80", address, "400"],
            capture_output=True,
            text=True,
            check=True,
        )
        return float(said.stdout)

    def direct() -> float:
        said = world.nuages(
            "ssh", "--container", "django-app", "notes/0", "--", "python3", "-c", LOAD, "127.0.0.1", "8000", host, "400"
        )
        return float(said.stdout)

    ingress, gunicorn, ratio = pairs(through, direct, runs=5)
    yield f"{ingress:.0f}/s through ingress, {gunicorn:.0f}/s directly: {ratio:.2f} x (5 pairs of 400)"


def memory(world: World) -> Iterator[str]:
    """proportional set size (PSS) of the daemon, and of each pod's processes"""
    world.up()
    eventually("the model to be idle", lambda: world.workload("notes/0")[0] == "active", seconds=60)
    daemon = pss(world.daemon_pid)
    yield f"daemon: {daemon:.0f} MB"
    by_name: dict[str, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            mark = re.search(rb"JUJU_CONTAINER_NAME=([^\0]+)", (entry / "environ").read_bytes())
            ours = world.project.parent.name in (entry / "mountinfo").read_text()
            if mark and ours:
                by_name[mark[1].decode()] = by_name.get(mark[1].decode(), 0) + pss(int(entry.name))
        except OSError:
            continue
    for name, size in sorted(by_name.items()):
        yield f"container {name}: {size:.0f} MB, {size / daemon:.1f} x the daemon"


def pss(pid: int) -> float:
    """Megabytes of one process, shared pages counted by share."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return int(found[1]) / 1000 if found else 0.0


ALL: dict[str, Callable[[World], Iterator[str]]] = {
    "expand": expand,
    "check": check,
    "up": up,
    "status": status,
    "load": load,
    "memory": memory,
}
