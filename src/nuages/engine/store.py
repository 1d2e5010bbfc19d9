"""All SQL: one SQLite file per model, one transaction per commit.

The model lives in memory as one immutable value. `commit` compares the new value with the old one entity by entity (by
identity: an entity that was not touched is the same object) and writes only what differs, in one transaction.

WAL with synchronous=FULL: a hook's effects on real servers (a database user, its password) survive a power cut, so the
record of them must too. A hook takes half a second; the fsync does not show.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nuages.engine.errors import EngineError
from nuages.engine.state import Application, Change, Model, Operation, Relation, Secret, Unit

SCHEMA = 1
KEPT_CHANGES = 200

# attribute of Model -> how its values are written; the key column holds the mapping's key as text
ENTITIES: dict[str, TypeAdapter[Any]] = {
    "applications": TypeAdapter(Application),
    "units": TypeAdapter(Unit),
    "relations": TypeAdapter(Relation),
    "secrets": TypeAdapter(Secret),
    "operations": TypeAdapter(Operation),
    "changes": TypeAdapter(Change),
}
MODEL: TypeAdapter[Model] = TypeAdapter(Model)
NOTHING: dict[str, Any] = {name: {} for name in ENTITIES}

Listener = Callable[[Model, Model], None]


class Store:
    """The one place where a model's state is kept. Not for several threads: the daemon's loop owns it."""

    def __init__(self, path: Path, *, create: Model | None = None) -> None:
        """Open the model at `path`, or create it with `create` as its first value.

        Raises:
            EngineError: the file is not one that this version of Nuages reads.
        """
        self.path = path
        self.listeners: list[Listener] = []
        if create is None and not path.exists():
            raise EngineError(f"cannot open the model: {path} does not exist")
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            path.chmod(0o600)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise EngineError(f"cannot open the model: {path}: {error}") from error
        if version not in (0, SCHEMA):
            raise EngineError(
                f"cannot open the model: it was written by another version of Nuages (format {version})",
                fix="use that version, or remove the model with `nuages down --purge`",
            )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS entity"
            " (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        self._db.execute(f"PRAGMA user_version={SCHEMA}")
        if create is not None:
            self._state = replace(create, **NOTHING)
            with self._transaction():
                self._write_model(create)
            self.commit(create)
        else:
            self._state = self._load()

    @property
    def state(self) -> Model:
        """The model as last committed."""
        return self._state

    def commit(self, new: Model) -> None:
        """Make `new` the model: everything that differs is on disk when this returns."""
        old = self._state
        if new is old:
            return
        new = _forget_old_changes(new)
        with self._transaction():
            if replace(new, **NOTHING) != replace(old, **NOTHING):
                self._write_model(new)
            for kind, adapter in ENTITIES.items():
                self._write_entities(kind, adapter, getattr(old, kind), getattr(new, kind))
        self._state = new
        for listener in self.listeners:
            listener(old, new)

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _write_model(self, model: Model) -> None:
        body = MODEL.dump_json(replace(model, **NOTHING)).decode()
        self._db.execute("INSERT OR REPLACE INTO entity VALUES ('model', '', ?)", (body,))

    def _write_entities(
        self, kind: str, adapter: TypeAdapter[Any], old: Mapping[Any, Any], new: Mapping[Any, Any]
    ) -> None:
        if old is new:
            return
        for key in old.keys() - new.keys():
            self._db.execute("DELETE FROM entity WHERE kind = ? AND key = ?", (kind, str(key)))
        for key, value in new.items():
            if old.get(key) is not value:
                body = adapter.dump_json(value).decode()
                self._db.execute("INSERT OR REPLACE INTO entity VALUES (?, ?, ?)", (kind, str(key), body))

    def _load(self) -> Model:
        found: dict[str, dict[Any, Any]] = {kind: {} for kind in ENTITIES}
        model: Model | None = None
        for kind, key, body in self._db.execute("SELECT kind, key, body FROM entity"):
            if kind == "model":
                model = MODEL.validate_json(body)
            else:
                found[kind][int(key) if kind == "relations" else key] = ENTITIES[kind].validate_json(body)
        if model is None:
            raise EngineError(f"cannot open the model: {self.path} holds none")
        return replace(model, **found)


def _forget_old_changes(model: Model) -> Model:
    if len(model.changes) <= KEPT_CHANGES + 20:
        return model
    ready = sorted((change for change in model.changes.values() if change.ready), key=lambda change: int(change.id))
    gone = {change.id for change in ready[: len(model.changes) - KEPT_CHANGES]}
    return replace(
        model,
        changes={key: change for key, change in model.changes.items() if key not in gone},
        operations={key: value for key, value in model.operations.items() if value.change not in gone},
    )
