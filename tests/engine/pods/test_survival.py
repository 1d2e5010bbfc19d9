"""What is left after kill -9 of each part, and after an ordinary end: exactly what should be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import ops
import pytest

from nuages.engine.pods import Mode, Model, record
from nuages.engine.sandbox.image import Mount
from nuages.engine.sandbox.process import Process, start_time
from tests.engine.pods.conftest import MODES, PYTHON, World, eventually, execute, make_world, open_world

ENGINE = """
import asyncio, json, os, signal, sys
from pathlib import Path
from nuages.engine.pods import Mode
from nuages.engine.pods import record
from tests.engine.pods.conftest import make_world

world = make_world(Path(sys.argv[1]), Mode(sys.argv[2]))
saves, plan = 0, sys.argv[3]
real = record.save
def save(*arguments):
    global saves
    real(*arguments)
    saves += 1
    if plan == f"save {saves}":
        os.kill(os.getpid(), signal.SIGKILL)
record.save = save
world(world.model.open())
if plan == "background":  # a process that is not yet written down
    world.model.namespaces.background(["sleep", "1003"], log=Path(sys.argv[1]) / "log")
    os.kill(os.getpid(), signal.SIGKILL)
pod = world.start()
if plan == "hook":
    def told(*_):
        os.kill(os.getpid(), signal.SIGKILL)
    world(pod.run(["sh", "-c", "echo x; sleep 1004"], environment={"PATH": "/usr/bin"}, on_output=told))
print(json.dumps({"address": pod.address, "pebble": pod.containers["app"].pid, "saves": saves}), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=MODES, ids=lambda mode: mode.value)
def fresh(request, tmp_path):
    """A world of its own, for tests that break it."""
    world = open_world(tmp_path, request.param)
    yield world
    world(world.model.destroy())
    world.loop.close()
    assert not world.model.directory.exists()


def dying_engine(world: World, plan: str = "") -> dict[str, int | str]:
    """Run an engine that makes a pod and is killed; return what it said."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    argv = [sys.executable, "-c", ENGINE, str(world.directory), world.model.mode.value, plan]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return json.loads(done.stdout) if done.stdout else {}


def namespaces_of(pid: int) -> set[str]:
    return {str(path.readlink()) for path in Path(f"/proc/{pid}/ns").iterdir()}


def living_namespaces(before: int) -> set[str]:
    """Return the namespaces of processes that started before a tick: the kernel gives the numbers out again."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        started = start_time(int(path.name))
        if started and started < before:
            with contextlib.suppress(OSError):
                found |= namespaces_of(int(path.name))
    return found


class TestKilledPebble:
    def test_it_is_noticed_and_a_restart_gives_a_fresh_root_with_the_same_volumes(self, world, tmp_path):
        volume = tmp_path / "volume"
        volume.mkdir()
        pod = world.start("killed/0", volumes=(Mount(volume, "/data", writable=True),))
        container = pod.containers["app"]
        assert world.exec(container, "sh", "-c", "echo kept > /data/kept; echo lost > /srv/lost") == (0, "")

        async def kill():
            ended = asyncio.create_task(container.ended())
            await asyncio.sleep(0)
            os.kill(container.pid, signal.SIGKILL)
            await asyncio.wait_for(ended, 10)

        world(kill())
        assert not container.alive()
        assert pod.alive()
        world(container.restart())
        assert world.exec(container, "cat", "/data/kept") == (0, "kept\n")
        assert world.exec(container, "test", "-e", "/srv/lost")[0] == 1
        assert world.exec(container, "hostname", "-I")[1].split() == [pod.address]
        world(world.model.stop("killed/0"))
        assert (volume / "kept").read_text() == "kept\n"

    def test_services_stop_in_good_order_when_there_is_time(self, world, tmp_path):
        volume = tmp_path / "volume"
        volume.mkdir()
        pod = world.start("graceful/0", volumes=(Mount(volume, "/data", writable=True),))
        command = "sh -c 'trap \"echo asked > /data/asked; exit\" TERM; touch /data/up; while :; do sleep 0.05; done'"
        layer = ops.pebble.Layer({"services": {"w": {"override": "replace", "command": command, "startup": "enabled"}}})

        def serve(client):
            client.add_layer("w", layer)
            client.replan_services()

        world(pod.containers["app"].call(serve))
        eventually((volume / "up").exists)
        world(world.model.stop("graceful/0", grace=15))
        assert (volume / "asked").read_text() == "asked\n"


class TestKilledMonitor:
    def test_the_pod_does_not_care(self, fresh):
        pod = fresh.start()
        container = pod.containers["app"]
        monitor = fresh.model.record.pods["notes/0"].containers["app"].monitor
        monitor.kill()
        assert container.alive()
        assert fresh.exec(container, "echo", "there") == (0, "there\n")
        fresh.adopt()
        assert fresh.model.pod("notes/0").containers["app"].pid == container.pid


class TestKilledEngine:
    def test_the_next_one_finds_the_pods(self, fresh):
        told = dying_engine(fresh)
        fresh.adopt()
        pod = fresh.model.pod("notes/0")
        assert (pod.address, pod.containers["app"].pid) == (told["address"], told["pebble"])
        assert fresh.exec(pod.containers["app"], "echo", "there") == (0, "there\n")
        assert fresh(fresh.model.start(fresh.spec())) is pod
        os.kill(pod.containers["app"].pid, signal.SIGKILL)
        fresh(pod.containers["app"].restart())
        assert fresh.exec(pod.containers["app"], "cat", "/srv/index.html") == (0, "hello from the pod\n")

    def test_its_hook_dies_with_it(self, fresh):
        dying_engine(fresh, "hook")
        eventually(lambda: not list(commands("sleep\0001004")))
        fresh.adopt()
        assert fresh.model.pod("notes/0").containers["app"].alive()

    def test_what_it_had_not_written_down_goes(self, fresh):
        dying_engine(fresh, "background")
        assert list(commands("sleep\0001003"))
        fresh.adopt()
        assert not list(commands("sleep\0001003"))
        assert fresh.start().containers["app"].alive()

    def test_at_any_instant_of_making_a_pod(self, fresh):
        count = dying_engine(fresh)["saves"]
        fresh(fresh.model.destroy())
        for number in range(1, count + 1):
            dying_engine(fresh, f"save {number}")
            fresh.adopt()
            pod = fresh.start()
            assert fresh.exec(pod.containers["app"], "hostname", "-I")[1].split() == [pod.address]
            init = fresh.model.namespaces.init
            monitor = fresh.model.record.pods["notes/0"].containers["app"].monitor
            assert set(init.children()) == {pod.pause.pid, monitor.pid}
            fresh(fresh.model.destroy())
            assert not fresh.model.directory.exists()

    def test_an_init_that_nobody_will_look_for_ends(self, fresh):
        fresh(fresh.model.destroy())
        dying_engine(fresh, "save 1")
        init = record.load(fresh.model.directory / "model.json").init
        eventually(lambda: not init.alive())

    def test_published_ports_go_on(self, fresh):
        pod = fresh.start()
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        fresh(fresh.model.publish(listener, pod.fqdn, 9))
        fresh.adopt()
        assert fresh(fresh.model.published()) == {("127.0.0.1", port): (pod.fqdn, 9)}
        fresh(fresh.model.unpublish(port))
        socket.create_server(("127.0.0.1", port)).close()


def commands(text: str):
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if text in path.read_text():
                yield path


class TestTheEnd:
    def test_a_killed_init_takes_everything_and_the_model_starts_again(self, fresh):
        first = fresh.start()
        pids = [Process.of(first.containers["app"].pid), first.pause]
        fresh.model.namespaces.init.kill()
        eventually(lambda: not any(one.alive() for one in pids))
        assert fresh.model.pod("notes/0") is None
        assert not fresh.model.alive()
        second = fresh.start()
        assert fresh.exec(second.containers["app"], "echo", "there") == (0, "there\n")

    def test_a_closed_model_starts_again_with_the_same_volumes(self, fresh, tmp_path):
        volume = fresh.model.directory / "volumes" / "data"
        volume.mkdir(parents=True)
        spec = fresh.spec(volumes=(Mount(volume, "/data", writable=True),))
        pod = fresh(fresh.model.start(spec))
        script = "echo kept > /data/kept; chown _daemon_ /data/kept; chmod 600 /data/kept; mkdir -m 700 /data/private"
        if fresh.model.mode is not Mode.SINGLE:
            script += "; chown _daemon_ /data/private"
        assert fresh.exec(pod.containers["app"], "sh", "-c", script)[0] == 0
        fresh(fresh.model.close())
        assert not fresh.model.alive()
        assert not fresh.model.pods_directory.exists()
        pod = fresh(fresh.model.start(spec))
        assert fresh.exec(pod.containers["app"], "cat", "/data/kept", user="_daemon_") == (0, "kept\n")

    def test_twenty_pods_come_and_go_without_a_trace(self, fresh):
        children = set(Process.of(os.getpid()).children())
        links, mounts = sorted(socket.if_nameindex()), Path("/proc/self/mountinfo").read_text()
        seen, processes = set(), []
        own = namespaces_of(os.getpid())
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        for number in range(20):
            pod = fresh.start()
            if number == 0:
                fresh(fresh.model.publish(listener, pod.fqdn, 80))
            pids = [pod.pause.pid, pod.containers["app"].pid, fresh.model.namespaces.init.pid]
            processes += [Process.of(pid) for pid in pids]
            for pid in pids:
                seen |= namespaces_of(pid) - own
            fresh(fresh.model.stop("notes/0"))
        assert [path.name for path in fresh.model.pods_directory.iterdir() if path.is_dir()] == []
        assert len(fresh.model.namespaces.init.children()) == 1, "only the relay is left"
        fresh(fresh.model.destroy())
        end = int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))
        assert len(seen) > 8
        assert not any(one.alive() for one in processes)
        eventually(lambda: not seen & living_namespaces(end))
        eventually(lambda: set(Process.of(os.getpid()).children()) <= children)
        assert sorted(socket.if_nameindex()) == links
        assert Path("/proc/self/mountinfo").read_text() == mounts
        socket.create_server(("127.0.0.1", port)).close()
        assert sorted(path.name for path in fresh.directory.iterdir()) == ["image"]


class TestPaths:
    def test_deep_directories_and_a_strict_umask(self, tmp_path, request):
        deep = tmp_path / ("d" * 100) / ("e" * 60)
        before = os.umask(0o077)
        try:
            deep.mkdir(parents=True)
            world = make_world(tmp_path, MODES[0])
            world.model = Model(deep, "dev", mode=MODES[0])
            pod = world.start()
            assert world(execute(pod.containers["app"], "echo", "there", user="_daemon_")) == (0, "there\n")
            program = [str(PYTHON.executable), "-c", "import sys; sys.exit(7)"]
            assert world(pod.run(program, environment={"PATH": "/usr/bin"}, mounts=PYTHON.mounts())) == 7
            listener = socket.create_server(("127.0.0.1", 0))
            world(world.model.publish(listener, pod.fqdn, 80))
            world(world.model.destroy())
            assert not deep.exists()
        finally:
            os.umask(before)


def test_whose_files_they_are_is_known_while_the_model_is_stopped(fresh):
    users = fresh.model.namespaces.users
    path = fresh.model.directory / "model.json"
    fresh(fresh.model.close())
    found = record.load(path)
    assert (found.users, found.init) == (users, None)
    another = Model(fresh.model.directory, "dev")
    assert not another.survived()
    fresh(another.close())
    assert record.load(path).users == users
    fresh(fresh.model.open())
    assert another.survived()
    assert fresh.model.namespaces.users == users
