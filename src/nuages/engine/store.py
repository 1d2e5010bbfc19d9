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

from pydantic import TypeAdapter, ValidationError

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


def holds_model(path: Path) -> bool:
    """Return whether there is a model in the file: a daemon that was killed while it made one may leave none."""
    if not path.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            return database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return True  # opening it will say what is wrong


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
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            path.chmod(0o600)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._check_version()
            self._state = self._load() if create is None else self._create(create)
        except (sqlite3.Error, ValidationError) as error:
            self._db.close()
            reason = str(error) if isinstance(error, sqlite3.Error) else "what it holds is damaged"
            raise EngineError(f"cannot open the model: {path}: {reason}") from error
        except BaseException:
            self._db.close()
            raise

    @property
    def state(self) -> Model:
        """The model as last committed."""
        return self._state

    def commit(self, new: Model) -> None:
        """Make `new` the model: everything that differs is on disk when this returns.

        Raises:
            EngineError: it cannot be written; the model is the old one.
        """
        old = self._state
        if new is old:
            return
        new = _forget_old_changes(new)
        try:
            with self._transaction():
                if replace(new, **NOTHING) != replace(old, **NOTHING):
                    self._write_model(new)
                self._write_all(old, new)
        except sqlite3.Error as error:
            raise EngineError(
                f"cannot save the model: {self.path}: {error}", fix=f"see what `df {self.path.parent}` says"
            ) from error
        self._state = new
        for listener in self.listeners:
            listener(old, new)

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        self._db.close()

    def _check_version(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA):
            raise EngineError(
                f"cannot open the model: it was written by another version of Nuages (format {version})",
                fix="use that version, or remove the model with `nuages down --purge`",
            )

    def _create(self, model: Model) -> Model:
        """Make the tables and the first state in one step: there is no model without its row."""
        with self._transaction():
            self._db.execute(
                "CREATE TABLE entity (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
            )
            self._db.execute(f"PRAGMA user_version={SCHEMA}")
            self._write_model(model)
            self._write_all(replace(model, **NOTHING), model)
        return model

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("ROLLBACK")
            raise

    def _write_model(self, model: Model) -> None:
        body = MODEL.dump_json(replace(model, **NOTHING)).decode()
        self._db.execute("INSERT OR REPLACE INTO entity VALUES ('model', '', ?)", (body,))

    def _write_all(self, old: Model, new: Model) -> None:
        for kind, adapter in ENTITIES.items():
            self._write_entities(kind, adapter, getattr(old, kind), getattr(new, kind))

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
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'entity'").fetchone():
            raise EngineError(f"cannot open the model: {self.path} holds none")
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
