"""A model's debug-log: lines of JSON in a file, and whoever follows them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from nuages.engine.loglevels import LEVELS

LARGEST = 10 * 1024 * 1024
Record = dict[str, Any]


class DebugLog:
    """Append-only; the file before the present one is kept as `<name>.1`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._followers: set[asyncio.Queue[Record | None]] = set()
        path.touch(mode=0o600)
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")

    def write(self, level: str, entity: str, module: str, message: str) -> None:
        """Write one record: `entity` is a unit (`unit-notes-0`), `module` says who speaks."""
        record: Record = {
            "time": time.time(),
            "level": level,
            "entity": entity,
            "module": module,
            "message": message,
        }
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()
        if self._file.tell() > LARGEST:
            self._rotate()
        for follower in self._followers:
            if follower.qsize() < 10000:
                follower.put_nowait(record)

    async def read(
        self, *, lines: int | None, follow: bool, level: str = "", include: tuple[str, ...] = ()
    ) -> AsyncIterator[Record]:
        """Yield the last `lines` records that match (all when None), then the coming ones until the log is closed."""
        queue: asyncio.Queue[Record | None] = asyncio.Queue()
        self._followers.add(queue)
        try:
            for record in self._tail(lines, level, include):
                yield record
            while follow and (record := await queue.get()):
                if _matches(record, level, include):
                    yield record
        finally:
            self._followers.discard(queue)

    def close(self) -> None:
        """Close the file, and end what follows it."""
        self._file.close()
        for follower in self._followers:
            follower.put_nowait(None)

    def _tail(self, lines: int | None, level: str, include: tuple[str, ...]) -> list[Record]:
        found: deque[Record] = deque(maxlen=lines)
        for path in (self.path.with_name(self.path.name + ".1"), self.path):
            with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
                for line in file:
                    with contextlib.suppress(ValueError):  # a line cut short by a full disk
                        record: Record = json.loads(line)
                        if _matches(record, level, include):
                            found.append(record)
        return list(found)

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(self.path.name + ".1"))
        self.path.touch(mode=0o600)
        self._file = self.path.open("a", encoding="utf-8", errors="backslashreplace")


def entity_name(unit: str) -> str:
    """Return `unit-notes-0` for `notes/0`."""
    return f"unit-{unit.replace('/', '-')}"


def _matches(record: Record, level: str, include: tuple[str, ...]) -> bool:
    if level and LEVELS.index(record["level"]) < LEVELS.index(level):
        return False
    entity = str(record["entity"])
    return not include or any(entity == _entity(name) or entity.startswith(f"{_entity(name)}-") for name in include)


def _entity(name: str) -> str:
    """Accept `notes/0`, `unit-notes-0` and `notes`."""
    if "/" in name or not name.startswith(("unit-", "model-")):
        return entity_name(name)
    return name
