"""A container as the engine makes it, without the engine: bubblewrap, the real Pebble, the service's own image."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ops.pebble
import pytest

from nuages.engine import programs
from nuages.engine.service import Service

UID = 584792  # one user for all, as in the engine's single-id mode; for the servers it is not root


class Pod:
    def __init__(self, service: Service, directory: Path) -> None:
        self.directory = directory
        found = programs.ensure("bwrap", "pebble", *service.programs)
        image = service.image(found, directory / "image")
        self.root = directory / "root"
        if not self.root.exists():
            shutil.copytree(image.root, self.root, symlinks=True)
            for name in ("bin", "sbin", "lib", "lib64"):
                (self.root / name).symlink_to(f"usr/{name}")
            for name in ("tmp", "var", "run", "usr", "proc", "dev", "charm/container", "charm/bin", "etc"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / "etc/passwd").write_text(f"_daemon_:x:{UID}:{UID}::/:/bin/sh\n")
            (self.root / "etc/group").write_text(f"_daemon_:x:{UID}:\n")
            (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.2 notes-0\n127.0.0.3 notes-1\n")
        binds = [("--ro-bind", mount.source, mount.target) for mount in image.mounts]
        for name, target in service.volumes.items():
            (directory / name).mkdir(exist_ok=True)
            binds.append(("--bind", directory / name, target))
        self.sockets = directory / "s"
        self.sockets.mkdir(exist_ok=True)
        binds.append(("--bind", self.sockets, "/charm/container"))
        binds.append(("--ro-bind", found["pebble"], "/charm/bin/pebble"))
        prefix = Path(sys.base_prefix)
        if not prefix.is_relative_to("/usr"):
            binds.append(("--ro-bind", prefix, str(prefix)))
        environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PEBBLE": "/charm/container/pebble",
            "PEBBLE_SOCKET": "/charm/container/pebble.socket",
            **image.environment,
        }
        # As the engine does for a pod: its own network, in which also _daemon_ may listen on port 80.
        network = "ip link set lo up && echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start && exec "
        argv = ["unshare", "--map-root-user", "--net", "sh", "-c", network + '"$@"', "sh"]
        argv += [str(found["bwrap"]), "--die-with-parent", "--unshare-user", "--uid", str(UID), "--gid", str(UID)]
        argv += ["--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--hostname", "pod-0"]
        argv += ["--bind", str(self.root), "/", "--ro-bind", "/usr", "/usr"]
        argv += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"]
        argv += [str(word) for bind in binds for word in bind]
        argv += ["--chdir", "/", "--clearenv"]
        argv += [word for name, value in environment.items() for word in ("--setenv", name, value)]
        argv += ["/charm/bin/pebble", "run", "--create-dirs", "--hold", "--verbose"]
        self.log = (directory / "pebble.log").open("ab")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.client = ops.pebble.Client(str(self.sockets / "pebble.socket"))
        until(self.answers, "Pebble answers")

    def answers(self) -> bool:
        try:
            self.client.get_system_info()
        except ops.pebble.Error:
            return False
        return True

    def run(self, *argv: str, stdin: str = "", environment: dict[str, str] | None = None) -> str:
        """Run a command in the pod; its error output is in the assertion when it fails."""
        process = self.client.exec(list(argv), stdin=stdin, environment=environment or {}, timeout=30, working_dir="/")
        try:
            return process.wait_output()[0]
        except ops.pebble.ExecError as error:
            raise CommandError(str(error.stderr)) from None

    def python(self, program: str, stdin: str = "") -> str:
        return self.run(str(Path(sys.executable).resolve()), "-I", "-S", "-c", program, stdin=stdin)

    def output(self) -> str:
        """Return all that Pebble and its services have printed."""
        return (self.directory / "pebble.log").read_text()

    def kill(self) -> None:
        """Kill the pod as the engine's worst moment would: every process at once."""
        self.process.kill()
        self.process.wait()
        self.log.close()


class CommandError(Exception):
    """A command in the pod failed; the text is its error output."""


def until(condition: Callable[[], bool], what: str, *, timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what}"
        time.sleep(0.05)


def needs_namespaces() -> None:
    """Skip, with the reason, where this kernel refuses what a container needs."""
    probe = ["unshare", "--map-root-user", "--net", "--mount", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no user namespaces here: {done.stderr.strip()}")


@contextmanager
def running(service: Service, directory: Path) -> Iterator[Pod]:
    needs_namespaces()
    pod = Pod(service, directory)
    try:
        yield pod
    finally:
        pod.kill()
