"""What packing a charm costs: the first time on a machine, and every time after."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.measures import RUNS, nuages, pairs, seconds
from tests.e2e.world import World

MB = 1_000_000


def pack(world: World) -> Iterator[str]:
    """`pack` of the example with an empty cache and with a full one, against `python -c pass`; the file's size"""
    with tempfile.TemporaryDirectory(prefix="nu-pack-") as directory:
        out = Path(directory) / "out"
        mine = nuages("pack", "--output", str(out / "notes.charm"))
        base = statistics.median(seconds([sys.executable, "-c", "pass"], world) for _ in range(RUNS))
        cold: list[float] = []
        for number in range(3):
            empty = {"XDG_CACHE_HOME": f"{directory}/cache{number}", "UV_CACHE_DIR": f"{directory}/uv{number}"}
            cold.append(seconds(mine, replace(world, environment={**world.environment, **empty})))
        middle = statistics.median(cold)
        yield f"empty cache, wheels from PyPI: {middle:.2f} s, {middle / base:.0f} x (median of {len(cold)})"
        seconds(mine, world)
        ours, other, ratio = pairs(lambda: seconds(mine, world), lambda: seconds([sys.executable, "-c", "pass"], world))
        yield f"full cache: {ours:.3f} s against {other:.3f} s: {ratio:.1f} x (medians of {RUNS} pairs)"
        yield f"{(out / 'notes.charm').stat().st_size / MB:.2f} MB"
