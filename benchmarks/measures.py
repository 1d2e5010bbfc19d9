"""One function per benchmark: yields lines to print. Machines are noisy, so pairs are run in turn and ratios quoted."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from nuages.build import uv
from nuages.engine.api.client import Client
from nuages.engine.charms import compile_tree
from nuages.engine.hooks import environment as hookenv
from nuages.engine.hooks.tools import TOOLS
from nuages.engine.programs import cache_dir, pythons
from tests.e2e.world import World, eventually

RUNS = 15

MINIMAL = """\
#!/usr/bin/env python3
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
    units = Path(world.environment["XDG_STATE_HOME"]) / "nuages" / "models" / "notes" / "units"
    mine, other = units / "notes-0" / "charm", units / "minimal-0" / "charm"
    as_charmcraft_packs(other)
    shutil.copytree(mine, mine / "compiled", ignore=shutil.ignore_patterns("compiled", ".unit-state.db"))
    compiled_yaml(mine / "compiled")
    for event in ("config-changed", "update-status"):
        variants = (
            ("with compiled YAML", "compiled/dispatch", "1.0"),
            ("as packed, without", "dispatch", "1.1"),
        )
        measured = [
            [*(once(world, "notes/0", f"./{path}", event) for _, path, _ in variants), usual(world, event)]
            for _ in range(RUNS + 1)
        ][1:]
        for index, (variant, path, aim) in enumerate(variants):
            for part, what in ((0, "wall"), (1, "CPU")):
                ours = statistics.median(row[index][part] for row in measured)
                base = statistics.median(row[-1][part] for row in measured)
                ratio = statistics.median(row[index][part] / row[-1][part] for row in measured)
                yield (
                    f"{event}, {variant}, {what}: {ours:.3f} s against {base:.3f} s:"
                    f" {ratio:.2f} x, aim {aim} (medians of {RUNS} triples)"
                )
            calls = hook_tool_calls(world, "notes/0", mine, f"./{path}", event)
            base = usual_calls(world, other, event)
            yield f"{event}, {variant}: {calls} hook tools, aim at most 20 (the minimal charm: {base})"
    world.nuages("remove-application", "minimal")


# The minimal charm runs as charmcraft's usual `dispatch` runs it: one line of shell, site and all, no boot script.
USUAL = "PYTHONPATH=lib:venv exec ./src/charm.py"


def once(world: World, unit: str, line: str, event: str) -> tuple[float, float]:
    """Seconds (wall, CPU) of one dispatch within one hook context of its own."""
    shell = f"TIMEFORMAT='%R %U %S'; time JUJU_DISPATCH_PATH=hooks/{event} bash -c '{line}' >/dev/null 2>&1"
    said = world.nuages("exec", "--unit", unit, "--", "bash", "-c", shell)
    wall, user, system = map(float, (said.stderr + said.stdout).split()[-3:])
    return wall, user + system


def usual(world: World, event: str) -> tuple[float, float]:
    return once(world, "minimal/0", USUAL, event)


def usual_calls(world: World, charm: Path, event: str) -> int:
    return hook_tool_calls(world, "minimal/0", charm, USUAL, event)


def hook_tool_calls(world: World, unit: str, charm: Path, line: str, event: str) -> int:
    """How many hook tools one dispatch runs: each is wrapped by a script that writes a line."""
    wrapper = charm / "counted" / ".wrapper"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\necho "$0" >>/tmp/calls\nexec {hookenv.TOOLS_DIRECTORY}/"${{0##*/}}" "$@"\n')
    wrapper.chmod(0o755)
    for tool in TOOLS:
        link = wrapper.parent / tool
        link.unlink(missing_ok=True)
        link.symlink_to(".wrapper")
    shell = (
        f"rm -f /tmp/calls; PATH=$PWD/counted:$PATH JUJU_DISPATCH_PATH=hooks/{event} bash -c '{line}' >/dev/null 2>&1"
    )
    said = world.nuages("exec", "--unit", unit, "--", "bash", "-c", f"{shell}; wc -l </tmp/calls")
    return int(said.stdout)


def compiled_yaml(charm: Path) -> None:
    """Give a deployed charm PyYAML with its compiled part, as charmcraft installs it."""
    python = pythons.find("3.12")
    version = next((charm / "venv").glob("[Pp]y[Yy][Aa][Mm][Ll]-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    with tempfile.TemporaryDirectory() as directory:
        uv.install(
            "--only-binary", ":all:", f"pyyaml=={version}",
            python=python.executable, target=Path(directory), doing="install PyYAML", place="benchmarks",
        )  # fmt: skip
        shutil.copytree(Path(directory) / "yaml", charm / "venv" / "yaml", dirs_exist_ok=True)
    compile_tree(charm, python)


def as_charmcraft_packs(charm: Path) -> None:
    """Make of a charm packed by Nuages what charmcraft makes: compiled YAML, and documents in YAML's block style."""
    for name in ("metadata.yaml", "config.yaml", "actions.yaml", "manifest.yaml"):
        document = charm / name
        document.write_text(yaml.safe_dump(yaml.safe_load(document.read_text()), sort_keys=False))
    (charm / "src" / "charm.py").chmod(0o755)
    compiled_yaml(charm)


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
    "dispatch": dispatch,
    "load": load,
    "memory": memory,
}
