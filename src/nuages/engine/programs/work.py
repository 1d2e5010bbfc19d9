"""Running the tools that fetch and build, with progress, and saying why they failed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nuages.engine.programs import ProgramError, Progress
from nuages.engine.sandbox import process

_NO_SPACE = ("No space left on device", "os error 28", "ENOSPC", "Disk quota exceeded")
_NO_NETWORK = (
    "dns error",
    "Temporary failure in name resolution",
    "Temporary failure resolving",
    "Could not resolve",
    "no such host",
    "Unknown host",
    "Network is unreachable",
    "network is unreachable",
    "Connection refused",
    "connection refused",
    "Connection timed out",
    "i/o timeout",
    "tcp connect error",
    "error sending request",
    "Failed to fetch",
    "Could not connect",
    "network connectivity is disabled",
)
_CAUSE = re.compile(r"(?:error|cause|caused by)\s*:\s*(.+)", re.IGNORECASE)


class Stopped(Exception):
    """Another program's failure or the user ended this work."""


@dataclass
class Job:
    """One piece of fetching: its name, where it reports to, and the event that ends it early."""

    program: str
    report: Callable[[Progress], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def say(self, done: int, total: int | None, note: str = "") -> None:
        """Report progress."""
        self.report(Progress(self.program, done, total, note))


def run(
    job: Job,
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: Path,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Run a tool to its end, calling `watch` some times a second.

    Raises:
        ProgramError: it failed; the message says why in one line.
        Stopped: the job was told to stop; the tool is dead.
    """
    child = process.spawn(argv, log=log, environment=environment, cwd=cwd, output=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = child.wait(0.1)
                break
            if job.stop.is_set():
                raise Stopped
            watch()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    finally:
        if child.stdin:
            child.stdin.close()
    if code:
        raise failure(job.program, log.read_text(errors="replace"))


def failure(program: str, output: str) -> ProgramError:
    """Return the error that a failed tool's output means."""
    if any(word in output for word in _NO_SPACE):
        return ProgramError(f"cannot fetch {program}: no space left", code="no-space")
    if any(word in output for word in _NO_NETWORK):
        return ProgramError(
            f"cannot fetch {program}: the package registry cannot be reached",
            fix="check the network (or the proxy and index settings), then run the same command again; "
            "what is complete is kept",
            code="no-network",
        )
    lines = [line.strip(" │├╰─▶×·") for line in output.splitlines() if line.strip()]
    # The innermost cause is the telling one; what follows it (hints, tables) is not.
    causes = [match[1] for line in lines if (match := _CAUSE.match(line))] or lines
    return ProgramError(f"cannot fetch {program}: {causes[-1] if causes else 'the tool gave no reason'}")


def no_space(program: str, place: Path, needed: int) -> ProgramError:
    """Return the error for a full disk: the path and how many MiB are missing there."""
    missing = max(needed - free(place), 1 << 20)
    return ProgramError(
        f"cannot fetch {program}: no space left in {place}, {-(-missing >> 20)} MiB more are needed",
        fix="make room there, or set XDG_CACHE_HOME to a folder with more of it, then run the same command again",
        code="no-space",
    )


def free(place: Path) -> int:
    """Return the bytes that are free where a path is or will be."""
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def size(directory: Path) -> int:
    """Return the bytes that a tree takes on disk, as far as it can be read while it grows."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(f"{folder}/{name}").st_blocks * 512
    return total
