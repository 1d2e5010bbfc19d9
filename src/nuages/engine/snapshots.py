"""Snapshots: the whole of a stopped model (state with secrets, volumes, charms), kept aside and put back in one step.

They lie in `snapshots/MODEL/NAME` of the state directory. What is half done has a name with a dot in front, and is
removed, or undone, when the daemon starts: a crash leaves the model as it was, stopped at worst.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from nuages.engine.errors import EngineError, NotFound
from nuages.engine.pods import record
from nuages.engine.sandbox.users import UserMap, copy, remove
from nuages.engine.state import Model

DIRECTORY = "snapshots"
BEFORE = "before-restore"
"""The snapshot that a restore makes of what it replaces; the next one replaces it."""
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DATABASE, _ABOUT, _PODS = "model.db", "snapshot.json", "model.json"
_PARTS = ("volumes", "charms")
_KEPT = (_PODS, "debug.log", "init.log")
"""What a restored model goes on with: whose its files are, and what was logged."""


@dataclass(frozen=True)
class Snapshot:
    """What is known of a snapshot. `created` is in seconds since 1970, `size` in bytes on disk."""

    name: str
    created: float
    size: int
    applications: Mapping[str, str] = field(default_factory=dict[str, str])
    """Application to its charm's name."""
    resources: tuple[str, ...] = ()
    """Folders of rocks; they are in the cache, not in the snapshot."""


_SNAPSHOT = TypeAdapter(Snapshot)


def directory(state: Path, model: str) -> Path:
    """Return where a model's snapshots are, whether it has any or not."""
    return state / DIRECTORY / model


def listing(state: Path, model: str) -> list[Snapshot]:
    """Return a model's snapshots, the oldest first."""
    place = directory(state, model)
    names = [path.name for path in place.iterdir() if NAME.fullmatch(path.name)] if place.exists() else []
    return sorted((find(state, model, name) for name in names), key=lambda snapshot: snapshot.created)


def find(state: Path, model: str, name: str) -> Snapshot:
    """Return a snapshot.

    Raises:
        NotFound: there is none of this name.
        EngineError: what is written of it is damaged.
    """
    about = directory(state, model) / name / _ABOUT
    if not NAME.fullmatch(name) or not about.exists():
        raise NotFound(f"snapshot {name} of {model} not found", fix="nuages snapshot list")
    try:
        return _SNAPSHOT.validate_json(about.read_text())
    except (OSError, ValidationError) as error:
        raise EngineError(
            f"cannot read the snapshot {name}: {about}: {str(error).splitlines()[0]}",
            fix=f"rm -r {about.parent}",
        ) from None


def check_name(state: Path, model: str, name: str) -> None:
    """Refuse what cannot be the name of a new snapshot.

    Raises:
        EngineError: with the reason.
    """
    if not NAME.fullmatch(name) or len(name) > 63:
        raise EngineError(
            f'cannot make snapshot "{name}": a name is made of lower case letters, digits and single dashes'
        )
    if (directory(state, model) / name).exists():
        raise EngineError(
            f"cannot make snapshot {name}: there is one of this name",
            fix=f"choose another, or remove it first: nuages snapshot remove {name}",
            code="already-exists",
        )


def take(state: Path, source: Path, model: Model, name: str) -> Snapshot:
    """Copy a stopped model in `source` into a snapshot (blocking); there is one of the name only when all is copied.

    Raises:
        SandboxError: something cannot be copied, for lack of space for example.
    """
    place = directory(state, model.name)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = place / f".{name}.tmp"
    owner = record.load(source / _PODS).users
    remove(temporary, owner)
    try:
        temporary.mkdir(mode=0o700)
        _copy_database(source / _DATABASE, temporary / _DATABASE)
        for part in _PARTS:
            if (source / part).exists():
                copy(source / part, temporary / part, owner)
        found = _describe(temporary, model, name)
        temporary.rename(place / name)
    except BaseException:
        remove(temporary, owner)
        raise
    return found


def prepare(state: Path, target: Path, snapshot: Snapshot) -> Path:
    """Copy a snapshot beside the model that it is to replace, and return where it is (blocking).

    Raises:
        EngineError: a rock that it needs is not in the cache any more.
        SandboxError: something cannot be copied, for lack of space for example.
    """
    for rock in snapshot.resources:
        if not Path(rock).exists():
            raise EngineError(
                f"cannot restore {snapshot.name}: the rock {Path(rock).name} is no longer in the cache",
                fix="build it again from the same source: nuages rock",
            )
    source = directory(state, target.name) / snapshot.name
    fresh = target.with_name(f".{target.name}.new")
    owner = record.load(target / _PODS).users
    remove(fresh, owner)
    try:
        fresh.mkdir(mode=0o700)
        for part in _PARTS:
            if (source / part).exists():
                copy(source / part, fresh / part, owner)
        _copy_database(source / _DATABASE, fresh / _DATABASE)
        for name in _KEPT:
            if (target / name).exists():
                shutil.copy2(target / name, fresh / name)
    except BaseException:
        remove(fresh, owner)
        raise
    return fresh


def swap(state: Path, target: Path, fresh: Path, model: Model) -> None:
    """Put `fresh` in the place of the model in `target`, and keep what was there as a snapshot (blocking)."""
    old = target.with_name(f".{target.name}.old")
    target.rename(old)
    fresh.rename(target)
    _keep(state, old, model)


def discard(state: Path, model: str, name: str = "") -> None:
    """Remove one snapshot of a model, or without a name all (blocking)."""
    place = directory(state, model)
    if not place.exists():
        return
    owner = _owner(state / "models" / model)
    if name:
        find(state, model, name)
        gone = place / f".{name}.gone"
        (place / name).rename(gone)  # in one step: there is no half a snapshot
        remove(gone, owner)
    else:
        remove(place, owner)
    for empty in (place, place.parent):
        with contextlib.suppress(OSError):
            empty.rmdir()


def recover(state: Path) -> None:
    """Undo what a daemon that was killed has left half done (blocking)."""
    models = state / "models"
    for old in models.glob(".*.old"):
        target = models / old.name[1 : -len(".old")]
        if target.exists():
            with contextlib.suppress(EngineError, sqlite3.Error):
                _keep(state, old, _load(old))
            remove(old, _owner(old))
        else:
            old.rename(target)
    for fresh in models.glob(".*.new"):
        remove(fresh, _owner(fresh))
    for left in (state / DIRECTORY).glob("*/.*"):
        remove(left, _owner(models / left.parent.name))


def _keep(state: Path, old: Path, model: Model) -> None:
    place = directory(state, model.name)
    owner = _owner(old)
    temporary = place / f".{BEFORE}.tmp"
    remove(temporary, owner)
    temporary.mkdir(mode=0o700)
    for part in (*_PARTS, _DATABASE):
        if (old / part).exists():
            (old / part).rename(temporary / part)
    _describe(temporary, model, BEFORE)
    remove(place / BEFORE, owner)
    temporary.rename(place / BEFORE)
    remove(old, owner)


def _describe(place: Path, model: Model, name: str) -> Snapshot:
    found = Snapshot(
        name,
        time.time(),
        _size(place),
        {name: application.charm.name for name, application in model.applications.items()},
        tuple(sorted({path for found in model.applications.values() for path in found.resources.values()})),
    )
    (place / _ABOUT).write_bytes(_SNAPSHOT.dump_json(found))
    return found


def _load(source: Path) -> Model:
    from nuages.engine.store import Store

    store = Store(source / _DATABASE)
    try:
        return store.state
    finally:
        store.close()


def _copy_database(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as two:
        one.backup(two)
    target.chmod(0o600)


def _owner(model: Path) -> UserMap | None:
    return record.load(model / _PODS).users


def _size(place: Path) -> int:
    # Folders of the pods' users may be closed to us; du says what it saw all the same.
    from nuages.engine.sandbox import process

    words = process.run([process.tool("du"), "-sk", "--", str(place)], timeout=600).out.split()
    return int(words[0]) * 1024 if words else 0
