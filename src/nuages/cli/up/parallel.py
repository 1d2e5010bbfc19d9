"""Running a few blocking builds side by side, so that the first error or Ctrl-C ends the waiting."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from nuages.engine import programs

PATIENCE = 20.0
"""Seconds to tidy up in: on a busy machine it takes eight to remove a half-installed environment of 14,000 files."""


def together(jobs: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Return each job's result; raise the error of the first that fails.

    When one fails, or on Ctrl-C, what the others have started is told to stop, and they get the time to tidy up; a
    second Ctrl-C ends the waiting for that too.
    """
    ended: SimpleQueue[tuple[str, Any, BaseException | None]] = SimpleQueue()

    def work(name: str, job: Callable[[], Any]) -> None:
        try:
            ended.put((name, job(), None))
        except BaseException as error:
            ended.put((name, None, error))

    threads = [threading.Thread(target=work, args=job, name=job[0], daemon=True) for job in jobs.items()]
    results: dict[str, Any] = {}
    try:
        for thread in threads:
            thread.start()
        while len(results) < len(jobs):
            name, result, error = ended.get()
            if error is not None:
                raise error
            results[name] = result
    except BaseException:
        _stop(threads)
        raise
    return results


def _stop(threads: list[threading.Thread]) -> None:
    programs.cancel()
    deadline = time.monotonic() + PATIENCE
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        for pid in _children():
            # Only of our own session: the daemon, which goes on, has one of its own.
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == os.getsid(0):
                    os.kill(pid, signal.SIGTERM)
        time.sleep(0.05)


def _children() -> list[int]:
    found: list[int] = []
    for listing in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in listing.read_text().split()]
    return found
