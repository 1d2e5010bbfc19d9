"""What an engine that died has left behind, and nobody will ever ask for: it was not written down yet."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nuages.engine.pods.record import ModelRecord
from nuages.engine.sandbox.process import Process


def end_strays(init: Process, record: ModelRecord) -> None:
    """Kill the processes of a model that its record does not know (blocking)."""
    # Children of what is killed become the init's, so look again until there are none.
    while strays := _strays(init, {one.pid for one in _recorded(record)}):
        for stray in strays:
            stray.kill()


def strangers(directory: Path, known: Collection[str]) -> list[Path]:
    """Return the folders of pods that no living pod has."""
    return [path for path in directory.iterdir() if path.is_dir() and path.name not in known]


def _strays(init: Process, known: set[int]) -> list[Process]:
    found = [Process.of(pid) for pid in init.children() if pid not in known]
    return [one for one in found if one and not known.intersection(one.children())]


def _recorded(record: ModelRecord) -> list[Process]:
    found = [record.relay]
    for pod in record.pods.values():
        found += [pod.pause, pod.outward]
        for container in pod.containers.values():
            found += [container.monitor, container.pebble]
    return [one for one in found if one]
