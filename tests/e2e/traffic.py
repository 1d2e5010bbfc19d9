"""Bounded traffic on the loopback, while something else goes on."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.e2e.world import eventually

MOST = 20_000
"""Requests that one run may send at most."""


@dataclass
class Seen:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    """Of each quick request."""
    slow: int = 0
    failed: list[str] = field(default_factory=list)

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


def traffic(url: str, work: Callable[[], None], *, least: int, slow_path: str = "") -> Seen:
    """Do `work` under traffic, and go on until `least` requests are answered.

    Two clients make a new connection for each request, two keep theirs, one always has a slow request in flight.
    """
    seen, lock, stop = Seen(), threading.Lock(), threading.Event()
    parts = urlsplit(url)

    def ask(connection: http.client.HTTPConnection, path: str, *, close: bool) -> str:
        headers = {"Connection": "close"} if close else {}
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return f"{path}: {error!r}"
        if close:
            connection.close()
        return "" if answer.status == 200 else f"{path}: {answer.status}"

    def client(path: str, close: bool) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
        while not stop.is_set():
            began = time.monotonic()
            failure = ask(connection, path, close=close)
            with lock:
                if failure:
                    seen.failed.append(failure)
                elif path == slow_path:
                    seen.slow += 1
                else:
                    seen.seconds.append(time.monotonic() - began)
                if len(seen.seconds) + len(seen.failed) >= MOST:
                    stop.set()
        connection.close()

    plans = [("/healthz", True), ("/healthz", True), ("/healthz", False), ("/healthz", False)]
    if slow_path:
        plans.append((slow_path, True))
    threads = [threading.Thread(target=client, args=plan) for plan in plans]
    for thread in threads:
        thread.start()
    try:
        work()
        while len(seen.seconds) < least and not seen.failed and not stop.wait(0.05):
            pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return seen


@dataclass
class Asked:
    """How often somebody asked, and what was wrong."""

    good: int = 0
    failed: list[str] = field(default_factory=list)

    def wait_for(self, more: int, *, seconds: float = 60) -> None:
        """Return when there are so many more good answers; at the first that was none."""
        enough = self.good + more
        eventually(f"{more} more answers", lambda: self.good >= enough or self.failed, seconds=seconds)


@contextmanager
def asking(*asks: Callable[[], str]) -> Iterator[Asked]:
    """Let clients ask, each again and again, while something else is done.

    Each call returns what was wrong with an answer, nothing when it was good; what it raises was wrong too.
    """
    asked, lock, stop = Asked(), threading.Lock(), threading.Event()

    def client(ask: Callable[[], str]) -> None:
        while not stop.wait(0.05):  # the machine is for what is done meanwhile
            try:
                wrong = ask()
            except (OSError, AssertionError) as error:
                wrong = repr(error)
            with lock:
                if wrong:
                    asked.failed.append(wrong)
                else:
                    asked.good += 1

    threads = [threading.Thread(target=client, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()
