"""One function per benchmark: yields lines to print. Machines are noisy, so pairs are run in turn and ratios quoted."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nuages.engine.api.client import Client
from nuages.engine.programs import cache_dir
from tests.e2e.world import World, eventually

RUNS = 15

MINIMAL = """\
import ops


class Minimal(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        for event in (self.on.config_changed, self.on.update_status, self.on.start):
            framework.observe(event, self._reconcile)

    def _reconcile(self, event: ops.EventBase):
        self.unit.status = ops.ActiveStatus()


if __name__ == "__main__":
    ops.main(Minimal)
"""

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


def expand(world: World) -> Iterator[str]:
    """`expand-extensions` against `python -c pass`"""
    ours, base, ratio = pairs(
        lambda: seconds(nuages("expand-extensions"), world), lambda: seconds([sys.executable, "-c", "pass"], world)
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


def dispatch(world: World) -> Iterator[str]:
    """one dispatch of this charm against a minimal ops charm: same charmcraft.yaml, engine and hook tools"""
    world.up()
    minimal = world.project / "minimal"
    (minimal / "src").mkdir(parents=True, exist_ok=True)
    (minimal / "src" / "charm.py").write_text(MINIMAL)
    text = (world.project / "charm" / "charmcraft.yaml").read_text()
    (minimal / "charmcraft.yaml").write_text(re.sub(r"^name: .*$", "name: minimal", text, count=1, flags=re.M))
    packed = world.project / "minimal.charm"
    world.nuages("pack", "--project-dir", str(minimal), "--output", str(packed))
    socket = Path(world.environment["XDG_STATE_HOME"]) / "nuages" / "daemon.sock"
    observed: Any = Client(socket).get("/v1/models/notes/observed")
    image = cache_dir() / "images" / observed["applications"]["notes"]["resources"]["django-app-image"]
    world.nuages("deploy", str(packed), "minimal", "--resource", f"django-app-image={image}")
    # The minimal charm runs as most charms do: one line of shell, site and all, no boot script.
    usual = "PYTHONPATH=venv:lib:src exec python3 src/charm.py"
    ours = "exec ./dispatch"

    def once(unit: str, line: str, event: str) -> tuple[float, float]:
        shell = f"TIMEFORMAT='%R %U %S'; time JUJU_DISPATCH_PATH=hooks/{event} bash -c '{line}' >/dev/null 2>&1"
        said = world.nuages("exec", "--unit", unit, "--", "bash", "-c", shell)
        wall, user, system = map(float, (said.stderr + said.stdout).split()[-3:])
        return wall, user + system

    for event in ("config-changed", "update-status"):
        measured = [(once("notes/0", ours, event), once("minimal/0", usual, event)) for _ in range(RUNS + 1)][1:]
        for index, what in ((0, "wall"), (1, "CPU")):
            mine = statistics.median(a[index] for a, _ in measured)
            base = statistics.median(b[index] for _, b in measured)
            ratio = statistics.median(a[index] / b[index] for a, b in measured)
            yield f"{event}, {what}: {mine:.3f} s against {base:.3f} s: {ratio:.2f} x (medians of {RUNS} pairs)"
    world.nuages("remove-application", "minimal")


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
    "up": up,
    "status": status,
    "dispatch": dispatch,
    "load": load,
    "memory": memory,
}
