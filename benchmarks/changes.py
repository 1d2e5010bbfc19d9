"""What users notice of configuration changes: latencies under traffic, with and without them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.e2e.test_load import greetings, slow_notes
from tests.e2e.traffic import traffic
from tests.e2e.world import World

LEAST = 2000


def changes(world: World) -> Iterator[str]:
    """2 000 requests during ten configuration changes and a rotation against as many without, a slow one in flight"""
    slow_notes(world)
    waits: list[float] = []

    def change() -> None:
        for number in range(10):
            world.nuages("config", "notes", f"greeting=Hello {number}")
            returned = time.monotonic()
            while set(greetings(world).values()) != {f"Hello {number}"}:
                pass
            waits.append(time.monotonic() - returned)
        world.nuages("run", "notes/leader", "rotate-secret-key")

    quiet = traffic(world.url, lambda: None, least=LEAST, slow_path="/slow/")
    busy = traffic(world.url, change, least=LEAST, slow_path="/slow/")
    for name, seen in (("quiet", quiet), ("changing", busy)):
        p50, p99 = seen.percentile(50) * 1000, seen.percentile(99) * 1000
        yield f"{name}: {len(seen.seconds)} requests, {len(seen.failed)} failed, p50 {p50:.0f} ms, p99 {p99:.0f} ms"
    yield f"p99: {busy.percentile(99) / quiet.percentile(99):.1f} x the quiet one"
    yield f"every worker on the new value at most {max(waits):.1f} s after the command returned"
