"""What a pod is and does, in each user map that this user can have."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import select
import socket
import subprocess
import urllib.request
from pathlib import Path

import ops
import pytest

from nuages.engine.pods import ContainerSpec, Mode, PodSpec
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.sandbox.users import DAEMON
from tests.engine.pods.conftest import PYTHON, eventually, make_world

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
FORBIDDEN = """
import os, sys
for path in ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/dev/kmsg", "/proc/sys/vm/drop_caches"]:
    try: os.close(os.open(path, os.O_WRONLY)); print("opened", path)
    except OSError: pass
for number, path in enumerate(sys.argv[1:]):
    if os.path.lexists(path): print("sees", path)
for major, minor in [(1, 11), (1, 1), (254, 0)]:
    try: os.mknod("/tmp/node", 0o20666, os.makedev(major, minor)); os.open("/tmp/node", os.O_RDWR); print("made", major)
    except OSError: pass
for pid in os.listdir("/proc"):
    for marker in ("etc/machine-id", "boot", "home"):
        if pid.isdigit() and os.path.lexists(f"/proc/{pid}/root/{marker}"): print("escaped by", pid)
os.system("mount -t tmpfs none /srv 2>/dev/null && echo mounted")
os.system("ip link add br9 type bridge 2>/dev/null && echo linked")
os.system("hostname evil 2>/dev/null && echo renamed; chroot /proc/1/root/../.. ls /boot 2>/dev/null")
print("done")
"""


def collect(world, pod, *argv, environment=ENVIRONMENT, **options):
    output = {"stdout": b"", "stderr": b""}

    def on_output(stream, data):
        output[stream] += data

    code = world(pod.run(argv, environment=environment, on_output=on_output, **options))
    return code, output["stdout"].decode(), output["stderr"].decode()


def http(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: client.recv(4096), b""))


def serve(world, container, command, name="web"):
    layer = ops.pebble.Layer(
        {"services": {name: {"override": "replace", "startup": "enabled", "command": command, "user": "_daemon_"}}}
    )

    def work(client):
        client.add_layer(name, layer, combine=True)
        client.replan_services()

    world(container.call(work))


class TestTheContainer:
    def test_it_has_the_wanted_user_map(self, world, pod):
        root, daemon = (DAEMON, DAEMON) if world.model.mode is Mode.SINGLE else (0, DAEMON)
        container = pod.containers["app"]
        assert world.exec(container, "id", "-u") == (0, f"{root}\n")
        assert world.exec(container, "id", "-u", user="_daemon_") == (0, f"{daemon}\n")

    def test_pebble_is_pid_1_and_takes_us_for_its_administrator(self, world, pod):
        assert world.exec(pod.containers["app"], "cat", "/proc/1/comm") == (0, "pebble\n")
        assert world(pod.containers["app"].call(lambda client: client.get_system_info().version)) >= "v1.32"

    def test_files_given_away_by_the_image_belong_to_daemon(self, world, pod):
        assert world.exec(pod.containers["app"], "stat", "-c", "%U", "/srv/app") == (0, "_daemon_\n")
        assert world.exec(pod.containers["app"], "touch", "/srv/app/x", user="_daemon_")[0] == 0

    def test_everybody_may_use_tmp_and_shared_memory(self, world, pod):
        for folder in ("/tmp", "/dev/shm", "/var/tmp"):
            assert world.exec(pod.containers["app"], "touch", f"{folder}/x", user="_daemon_") == (0, "")

    def test_python_from_a_private_home_runs_as_daemon(self, world, pod):
        code, out = world.exec(pod.containers["app"], str(PYTHON.executable), "-c", "print(6 * 7)", user="_daemon_")
        assert (code, out) == (0, "42\n")

    def test_the_machine_is_out_of_reach(self, world, pod, tmp_path):
        outside = tmp_path / "outside"
        outside.write_text("")
        hidden = [str(outside), str(world.model.directory), "/sys/kernel", "/boot"]
        argv = [str(PYTHON.executable), "-c", FORBIDDEN, *hidden]
        assert world.exec(pod.containers["app"], *argv) == (0, "done\n")
        assert collect(world, pod, *argv, mounts=PYTHON.mounts()) == (0, "done\n", "")
        assert world.exec(pod.containers["app"], "touch", "/usr/x")[0] != 0
        pids = world.exec(pod.containers["app"], "sh", "-c", "ls -d /proc/[0-9]*")[1].split()
        assert len(pids) < 8, "processes of others are visible"

    def test_it_has_no_more_rights_than_on_kubernetes(self, world, pod):
        allowed = 0xA80425FB
        for out in (
            world.exec(pod.containers["app"], "grep", "CapEff", "/proc/self/status")[1],
            collect(world, pod, "grep", "CapEff", "/proc/self/status")[1],
        ):
            assert int(out.split()[1], 16) & ~allowed == 0

    def test_low_ports_are_free_for_every_user(self, world, pod):
        program = "import socket; socket.create_server(('', 80)); print('bound')"
        out = world.exec(pod.containers["app"], str(PYTHON.executable), "-c", program, user="_daemon_")
        assert out == (0, "bound\n")


class TestNames:
    def test_the_host_name_and_the_full_name(self, world, pod):
        assert world.exec(pod.containers["app"], "hostname") == (0, "shared-0\n")
        assert world.exec(pod.containers["app"], "hostname", "-f") == (0, pod.fqdn + "\n")

    def test_every_pod_learns_new_names_in_place(self, world, pod):
        other = world.start("other/0")
        world(world.model.set_names({other.address: ("database.dev", "db"), "10.77.9.9": ("elsewhere",)}))
        for one in (pod, other):
            container = one.containers["app"]
            assert world.exec(container, "getent", "hosts", "db")[1].split()[0] == other.address
            assert world.exec(container, "getent", "hosts", "elsewhere")[1].split()[0] == "10.77.9.9"
            assert world.exec(container, "getent", "hosts", one.fqdn)[1].split()[0] == one.address
        assert collect(world, pod, "getent", "hosts", "other-0")[1].split()[0] == other.address
        world(world.model.set_names({}))
        assert world.exec(pod.containers["app"], "getent", "hosts", "elsewhere")[0] == 2
        world(world.model.stop("other/0"))

    def test_a_new_pod_has_a_new_address(self, world):
        first = world.start("moving/0").address
        world(world.model.stop("moving/0"))
        assert world.model.pod("moving/0") is None
        assert world.start("moving/0").address != first
        world(world.model.stop("moving/0"))


class TestTheCharmContainer:
    def test_the_environment_is_exactly_what_was_asked_for(self, world, pod):
        wanted = {"PATH": "/usr/bin", "A": "1", "EMPTY": "", "LINES": "a\nb"}
        code, out, _ = collect(world, pod, "env", "-0", environment=wanted, cwd="/tmp")
        assert code == 0
        assert dict(line.split("=", 1) for line in out.strip("\0").split("\0")) == wanted

    def test_output_and_exit_codes_come_back(self, world, pod):
        assert collect(world, pod, "sh", "-c", "echo out; echo err >&2; exit 3") == (3, "out\n", "err\n")
        assert collect(world, pod, "sh", "-c", "kill -9 $$")[0] == 137
        assert collect(world, pod, "head", "-c", "300000", "/dev/zero")[1] == "\0" * 300000

    def test_it_talks_to_pebble_as_its_administrator(self, world, pod):
        program = (
            "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/charm/containers/app/pebble.socket');"
            "s.sendall(b'GET /v1/services HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(20))"
        )
        code, out, err = collect(world, pod, str(PYTHON.executable), "-c", program, mounts=PYTHON.mounts())
        assert (code, out.split()[1]) == (0, "200"), err

    def test_mounts_are_read_only_unless_they_are_writable(self, world, pod, tmp_path):
        charm, tools = tmp_path / "charm", tmp_path / "tools"
        for folder in (charm, tools):
            folder.mkdir(mode=0o755)
            (folder / "file").write_text("text")
        mounts = [Mount(charm, "/var/lib/juju/charm", writable=True), Mount(tools, "/opt/tools")]
        script = "cat /opt/tools/file; echo new > /var/lib/juju/charm/new; echo x > /opt/tools/x"
        code, out, _ = collect(world, pod, "sh", "-c", script, mounts=mounts, cwd="/var/lib/juju/charm")
        assert (code != 0, out, (charm / "new").read_text()) == (True, "text", "new\n")

    def test_a_socket_of_the_engine_can_be_called(self, world, pod, tmp_path):
        path = tmp_path / "agent.socket"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            path.chmod(0o600)
            server.listen()
            program = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/agent.socket'); s.send(b'hi')"
            mounts = [*PYTHON.mounts(), Mount(path, "/run/agent.socket")]
            code, _, err = collect(world, pod, str(PYTHON.executable), "-c", program, mounts=mounts)
            assert code == 0, err
            connection, _ = server.accept()
            with connection:
                assert connection.recv(10) == b"hi"

    def test_what_it_writes_stays_as_long_as_the_pod(self, world, pod):
        collect(world, pod, "sh", "-c", "echo kept > /tmp/file")
        assert collect(world, pod, "cat", "/tmp/file")[1] == "kept\n"

    def test_cancelling_kills_everything_in_it(self, world, pod, tmp_path):
        tmp_path.chmod(0o755)
        fifo = tmp_path / "shared"
        fifo.mkdir(mode=0o755)

        async def work():
            script = "sleep 1000 & echo started; wait"
            started = asyncio.Event()
            task = asyncio.create_task(
                pod.run(["sh", "-c", script], environment=ENVIRONMENT, on_output=lambda *_: started.set())
            )
            await asyncio.wait_for(started.wait(), 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        before = set(world.model.namespaces.init.children())
        world(work())
        eventually(lambda: set(world.model.namespaces.init.children()) <= before)
        eventually(lambda: "sleep\0001000" not in _commands())

    def test_nothing_of_it_outlives_its_end(self, world, pod):
        assert collect(world, pod, "sh", "-c", "sleep 1001 & echo x")[:2] == (0, "x\n")
        eventually(lambda: "sleep\0001001" not in _commands())


def _commands():
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text())
    return "\n".join(found)


class TestEntering:
    @pytest.mark.parametrize("container", ["app", None])
    def test_a_command_runs_inside(self, world, pod, container):

        argv = pod.enter(container, ["sh", "-c", "hostname; test -e /charm && echo in; read x; echo $x"], tty=False)
        done = subprocess.run(argv, input="typed\n", capture_output=True, text=True, timeout=20, check=False)
        assert (done.returncode, done.stdout) == (0, "shared-0\nin\ntyped\n"), done.stderr

    @pytest.mark.parametrize("container", ["app", None])
    def test_a_terminal_is_a_terminal_with_job_control(self, world, pod, container):

        ours, theirs = pty.openpty()
        argv = pod.enter(container, ["sh", "-im"], tty=True)
        child = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        seen = b""
        while not seen.rstrip().endswith((b"#", b"$")):
            assert select.select([ours], [], [], 20)[0], seen
            seen += os.read(ours, 4096)
        os.write(ours, b"test -t 0 && echo is-a-$((1+1))-tty; sleep 1002 & kill -9 %1; exit 5\n")
        while select.select([ours], [], [], 20)[0]:
            try:
                seen += os.read(ours, 4096)
            except OSError:
                break
        os.close(ours)
        assert child.wait(20) == 5
        assert b"is-a-2-tty" in seen
        assert b"no job control" not in seen

    def test_what_is_private_comes_by_the_environment_to_the_services_user(self, world, pod):
        script = 'echo "$(id -u) $SECRET $LANG $HOME $(env | grep -c OTHER)"; tr "\\0" " " </proc/$$/cmdline'
        argv = pod.containers["app"].enter_privately(["sh", "-c", script], given=["SECRET", "LANG"], tty=False)
        assert not any("hidden" in word for word in argv)
        environment = {"SECRET": "hidden", "LANG": "de_DE.UTF-8"}
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False, env=environment)
        first, commands = done.stdout.split("\n", 1)
        assert first == f"{DAEMON} hidden de_DE.UTF-8 /tmp 0", done.stderr
        assert "hidden" not in commands

    def test_an_unknown_container_is_an_error_that_names_the_others(self, pod):
        with pytest.raises(SandboxError, match=r"no container 'ap' .it has: app"):
            pod.enter("ap", ["sh"], tty=False)


class TestPublishing:
    def test_callers_of_the_host_reach_the_pod_and_follow_its_name(self, world, pod):
        serve(world, pod.containers["app"], f"{PYTHON.executable} -m http.server 8000 -d /srv")
        listeners = [socket.create_server(("127.0.0.1", 0))]
        port = listeners[0].getsockname()[1]
        if socket.has_ipv6:
            try:
                listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))
            except OSError as error:
                print(f"no ::1 here: {error}")
        for listener in listeners:
            world(world.model.publish(listener, pod.fqdn, 8000))
        eventually(lambda: b"hello from the pod" in http(port))
        assert world(world.model.published())[("127.0.0.1", port)] == (pod.fqdn, 8000)
        if len(listeners) == 2:
            with urllib.request.urlopen(f"http://[::1]:{port}/", timeout=5) as answer:
                assert answer.read() == b"hello from the pod\n"

        world(world.model.retarget("127.0.0.1", port, pod.address, 8001))
        with pytest.raises((ConnectionError, AssertionError)):
            assert http(port)
        world(world.model.retarget("127.0.0.1", port, pod.address, 8000))
        assert b"hello" in http(port)
        world(world.model.unpublish(port))
        assert world(world.model.published()) == {}
        with pytest.raises(ConnectionRefusedError):
            http(port)

    def test_large_and_early_data_and_half_closed_connections(self, world, pod):
        program = (
            "import socket\n"
            "server = socket.create_server(('', 7000))\n"
            "while True:\n"
            "    connection, _ = server.accept()\n"
            "    size = 0\n"
            "    while data := connection.recv(65536): size += len(data)\n"
            "    connection.sendall(str(size).encode() + b'x' * 3000000)\n"
            "    connection.close()\n"
        )
        container = pod.containers["app"]
        world(container.call(lambda client: client.push("/tmp/sink.py", program)))
        serve(world, container, f"{PYTHON.executable} /tmp/sink.py", "sink")
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        world(world.model.publish(listener, pod.hostname, 7000))
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(b"y" * 5_000_000)
            client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer == b"5000000" + b"x" * 3_000_000
        world(world.model.unpublish(port))


class TestAContainerThatCheats:
    def test_a_link_in_place_of_its_socket_is_not_followed(self, world, tmp_path):
        pod = world.start("cheat/0")
        container = pod.containers["app"]
        path = tmp_path / "other.socket"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            server.settimeout(0.2)
            world.exec(container, "ln", "-sf", str(path), "/charm/container/pebble.socket")
            with pytest.raises(ops.pebble.ConnectionError):
                world(container.call(lambda client: client.get_system_info()))
            with pytest.raises(TimeoutError):
                server.accept()
        world(container.restart())
        assert world.exec(container, "true")[0] == 0
        world(world.model.stop("cheat/0"))


class TestTwoModels:
    def test_they_do_not_see_each_other(self, world, pod, tmp_path):
        other = make_world(tmp_path, world.model.mode)
        try:
            theirs = other.start("theirs/0")
            serve(other, theirs.containers["app"], f"{PYTHON.executable} -m http.server 8765")
            probe = (
                "import socket, sys\n"
                "for last in range(1, 6):\n"
                "    try: socket.create_connection((f'10.77.0.{last}', 8765), timeout=0.3); sys.exit('reached')\n"
                "    except OSError: pass\n"
            )
            assert world.exec(pod.containers["app"], str(PYTHON.executable), "-c", probe) == (0, "")
        finally:
            other(other.model.destroy())
            other.loop.close()
            asyncio.set_event_loop(world.loop)


class TestBadImages:
    def test_a_pod_that_cannot_be_made_leaves_nothing(self, world, tmp_path):
        spec = PodSpec("bad/0", (ContainerSpec("app", Image(tmp_path / "missing")),), "bad-0.dev")
        with pytest.raises(SandboxError, match=r"cannot copy the image .*missing"):
            world(world.model.start(spec))
        assert world.model.pod("bad/0") is None
        assert not (world.model.pods_directory / "bad-0").exists()

    def test_a_start_that_is_cancelled_leaves_nothing_and_can_be_repeated(self, world):
        for pause in (0.0, 0.02, 0.05, 0.1):
            with contextlib.suppress(asyncio.TimeoutError):
                world(asyncio.wait_for(world.model.start(world.spec("hasty/0")), pause))
                world(world.model.stop("hasty/0"))
            assert world.model.pod("hasty/0") is None
            assert not (world.model.pods_directory / "hasty-0").exists()
        assert world.exec(world.start("hasty/0").containers["app"], "true")[0] == 0
        world(world.model.stop("hasty/0"))
