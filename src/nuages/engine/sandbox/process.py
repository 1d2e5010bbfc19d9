"""The one funnel for subprocesses of the sandbox, and the identity of processes.

A process is a pid *and* its start time: a pid alone may belong to somebody else by tomorrow.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nuages.engine.sandbox.errors import SandboxError

logger = logging.getLogger(__name__)

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PACKAGES = {"ip": "iproute2", "hostname": "hostname", "bwrap": "bubblewrap"}
ENVIRONMENT = {"PATH": _SYSTEM_PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Result:
    """What a finished command left."""

    code: int
    out: str
    err: str


def tool(name: str) -> str:
    """Return the absolute path of a system tool.

    Raises:
        SandboxError: it is not installed; the fix names the Debian package.
    """
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":" + _SYSTEM_PATH)
    if path is None:
        raise SandboxError(
            f"cannot make pods: `{name}` is not installed",
            fix=f"sudo apt install {_PACKAGES.get(name, 'util-linux')}",
            code="missing-tool",
        )
    return path


def spawn(
    argv: Sequence[str],
    *,
    log: Path | None = None,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    cwd: Path = Path("/"),
    output: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own with a pipe at stdin, `output` as stdout, and stderr in `log`."""
    logger.debug("spawn %s", argv)
    errors: IO[bytes] | int = log.open("ab") if log else subprocess.PIPE
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=errors,
            env=dict(ENVIRONMENT if environment is None else environment),
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            umask=0o022,
            cwd=cwd,
        )
    except OSError as error:
        raise SandboxError(f"cannot run {argv[0]}: {error.strerror}") from None
    finally:
        if not isinstance(errors, int):
            errors.close()


def run(
    argv: Sequence[str],
    *,
    log: Path | None = None,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Result:
    """Run a command to the end of its output (a process it left behind may go on) and return what it printed.

    Raises:
        SandboxError: it cannot be started, or has not ended after `timeout` seconds and was killed.
    """
    process = spawn(argv, log=log, pass_fds=pass_fds, environment=environment)
    try:
        out, err = process.communicate(b"", timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise SandboxError(f"cannot run {Path(argv[0]).name}: no end after {timeout:.0f} s") from None
    return Result(process.returncode, out.decode(errors="replace"), (err or b"").decode(errors="replace"))


def flush(place: Path) -> None:
    """Have what was written to a file system on its disk: a power cut may not leave names without their data.

    Raises:
        SandboxError: the disk refuses.
    """
    result = run([tool("sync"), "-f", "--", str(place)], timeout=600)
    if result.code:
        raise SandboxError(
            f"cannot write {place}: {result.err.strip()}", fix="see what `df` and `dmesg` say of that disk"
        )


async def start(argv: Sequence[str], *, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start a command whose output is read as it comes; call it on the thread of the event loop.

    The kernel's parent-death signal follows the thread that forked, so no worker thread may do this.
    """
    logger.debug("start %s", argv)
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
            umask=0o022,
            cwd="/",
        )
    except OSError as error:
        raise SandboxError(f"cannot run {argv[0]}: {error.strerror}") from None


def start_time(pid: int) -> int | None:
    """Return when the process started, in clock ticks since boot; None when there is none (or only its zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


@dataclass(frozen=True)
class Process:
    """A process that can be recognised after a restart of the engine."""

    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Return the process that has this pid now, if any."""
        started = start_time(pid)
        return None if started is None else cls(pid, started)

    def alive(self) -> bool:
        """Return whether it still runs: the same pid with the same start time."""
        return start_time(self.pid) == self.start

    def children(self) -> list[int]:
        """Return the pids of its children."""
        found: list[int] = []
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                found += [int(word) for word in (task / "children").read_text().split()]
        return found

    def kill(self, *, timeout: float = 15) -> None:
        """Kill it with SIGKILL and wait until it is gone; nothing happens when it already is.

        Raises:
            SandboxError: it is not gone after `timeout` seconds (stuck in the kernel).
        """
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if not self.alive():
                return
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            if not select.select([handle], [], [], timeout)[0]:
                raise SandboxError(f"cannot stop process {self.pid}: it does not die")
        except ProcessLookupError:
            return
        finally:
            os.close(handle)


def inner_pids(pid: int) -> tuple[int, ...]:
    """Return the pid as each namespace sees it, the host's first; () when the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return ()
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return tuple(int(word) for word in line.split()[1:])
    return ()


def boot_id() -> str:
    """Return the name of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def deadline(seconds: float, *, first: float = 0.002, most: float = 0.05) -> Iterator[None]:
    """Yield again and again, pausing a little longer each time, until `seconds` have passed."""
    end = time.monotonic() + seconds
    pause = first
    while True:
        yield
        if time.monotonic() >= end:
            return
        time.sleep(pause)
        pause = min(pause * 1.5, most)
