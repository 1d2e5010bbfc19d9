"""Lines on disk, in SQLite: a push is acknowledged when it is kept; the oldest lines go when there is no room."""

from __future__ import annotations

import heapq
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .wire import Entry, Labels, Stream

_SCHEMA = """
CREATE TABLE IF NOT EXISTS streams (id INTEGER PRIMARY KEY, labels TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, time INTEGER NOT NULL, line TEXT NOT NULL, metadata TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS of_stream ON entries (stream, time);
CREATE INDEX IF NOT EXISTS oldest ON entries (time);
"""
_FORWARD = """
SELECT time, line, metadata FROM entries WHERE stream = ? AND time >= ? AND time < ? ORDER BY time, id
"""
_BACKWARD = """
SELECT time, line, metadata FROM entries WHERE stream = ? AND time >= ? AND time < ? ORDER BY time DESC, id DESC
"""
_BATCH = 500


@dataclass(frozen=True)
class Line:
    """An entry with the labels of its stream."""

    labels: Labels
    entry: Entry


class Store:
    """One file; written by one at a time, read by any number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._writer = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")  # kept is kept, also when the machine goes down
        self._writer.execute("PRAGMA journal_size_limit = 4000000")
        self._writer.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the writer; readers are closed when they have read."""
        self._writer.close()

    def push(self, streams: Iterable[Stream]) -> None:
        """Keep lines. One that is there already, with its time, is the same one: pushes are repeated after errors."""
        with self._lock, _Transaction(self._writer) as write:
            for stream in streams:
                text = json.dumps(stream.labels)
                write.execute("INSERT OR IGNORE INTO streams (labels) VALUES (?)", (text,))
                (number,) = write.execute("SELECT id FROM streams WHERE labels = ?", (text,)).fetchone()
                write.executemany(
                    "INSERT INTO entries (stream, time, line, metadata) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS "
                    "(SELECT 1 FROM entries WHERE stream = ?1 AND time = ?2 AND line = ?3)",
                    [(number, e.time, e.line, json.dumps(e.metadata) if e.metadata else "") for e in stream.entries],
                )

    def streams(self, start: int, end: int) -> list[Labels]:
        """Return the labels of every stream with a line in [start, end]."""
        with closing(self._reader()) as read:
            return [labels for number, labels in _streams(read) if _has(read, number, start, end)]

    def lines(
        self, wanted: Callable[[Labels], bool], start: int, end: int, *, backward: bool = False
    ) -> Iterator[Line]:
        """Yield the lines in [start, end) of the streams that are `wanted`, in the order of time."""
        with closing(self._reader()) as read:
            read.execute("BEGIN")  # one state of the store for all streams
            cursors = [
                _of(read, number, labels, start, end, backward=backward)
                for number, labels in _streams(read)
                if wanted(labels)
            ]
            yield from heapq.merge(*cursors, key=lambda line: line.entry.time, reverse=backward)

    def prune(self, *, before: int, most: int) -> int:
        """Remove lines older than `before`, then the oldest until the file is within `most` bytes; return how many."""
        with self._lock:
            with _Transaction(self._writer) as write:
                gone = write.execute("DELETE FROM entries WHERE time < ?", (before,)).rowcount
                size = self._size()
                if size > most:
                    (count,) = write.execute("SELECT count(*) FROM entries").fetchone()
                    # A tenth less than there is room for, so that not each push removes something.
                    excess = count - int(count * most * 0.9 / size)
                    gone += write.execute(
                        "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY time, id LIMIT ?)", (excess,)
                    ).rowcount
                if gone:
                    write.execute("DELETE FROM streams WHERE id NOT IN (SELECT DISTINCT stream FROM entries)")
            if gone:
                self._writer.execute("PRAGMA incremental_vacuum").fetchall()
        return gone

    def size(self) -> int:
        """Return how many bytes are in use."""
        with self._lock:
            return self._size()

    def _size(self) -> int:
        (pages,), (free,), (page,) = (
            self._writer.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * page

    def _reader(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)


class _Transaction:
    """All of what is written, or nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self.connection.execute("BEGIN IMMEDIATE")
        return self.connection

    def __exit__(self, kind: object, *_: object) -> None:
        self.connection.execute("ROLLBACK" if kind else "COMMIT")


def _streams(read: sqlite3.Connection) -> list[tuple[int, Labels]]:
    rows = read.execute("SELECT id, labels FROM streams ORDER BY labels").fetchall()
    return [(number, _labels(text)) for number, text in rows]


def _has(read: sqlite3.Connection, number: int, start: int, end: int) -> bool:
    query = "SELECT 1 FROM entries WHERE stream = ? AND time BETWEEN ? AND ? LIMIT 1"
    return read.execute(query, (number, start, end)).fetchone() is not None


def _of(
    read: sqlite3.Connection, number: int, labels: Labels, start: int, end: int, *, backward: bool
) -> Iterator[Line]:
    cursor = read.execute(_BACKWARD if backward else _FORWARD, (number, start, end))
    while rows := cursor.fetchmany(_BATCH):
        for time, line, metadata in rows:
            yield Line(labels, Entry(time, line, _labels(metadata) if metadata else ()))


def _labels(text: str) -> Labels:
    pairs: Sequence[tuple[str, str]] = json.loads(text)
    return tuple((name, value) for name, value in pairs)
