"""Snapshots: the whole of a stopped model (state with secrets, volumes, charms), kept aside and put back in one step.

They lie in `snapshots/MODEL/NAME` of the state directory. What is half done has a name with a dot in front, and is
removed, undone or brought to its end when the daemon starts: a crash leaves the model as it was, or as it was to be.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from nuages.engine.copying import copy_database, explained, size, whole
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.names import is_name
from nuages.engine.pods import record
from nuages.engine.sandbox.process import flush
from nuages.engine.sandbox.users import UserMap, copy, remove
from nuages.engine.state import Model
from nuages.engine.store import Store
from nuages.errors import NuagesError

logger = logging.getLogger(__name__)

DIRECTORY = "snapshots"
BEFORE = "before-restore"
"""The snapshot that a restore makes of what it replaces; the next one replaces it."""
_DATABASE, _ABOUT, _PODS = "model.db", "snapshot.json", "model.json"
_PARTS = ("volumes", "charms")
_KEPT = (_PODS, "debug.log", "debug.log.1", "init.log")
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
    names = [path.name for path in place.iterdir() if is_name(path.name)] if place.exists() else []
    return sorted((find(state, model, name) for name in names), key=lambda snapshot: snapshot.created)


def find(state: Path, model: str, name: str) -> Snapshot:
    """Return a snapshot.

    Raises:
        NotFound: there is none of this name.
        EngineError: what is written of it is damaged.
    """
    about = _place(state, model, name) / _ABOUT
    try:
        return _SNAPSHOT.validate_json(about.read_text())
    except (OSError, ValueError) as error:
        raise EngineError(
            f"cannot read the snapshot {name}: {about}: {str(error).splitlines()[0]}",
            fix=f"nuages snapshot remove {name}",
        ) from None


def check_name(state: Path, model: str, name: str) -> None:
    """Refuse what cannot be the name of a new snapshot.

    Raises:
        EngineError: with the reason.
    """
    if not is_name(name):
        raise EngineError(
            f'cannot make snapshot "{name}": a name is made of lower case letters, digits and single dashes',
            fix="nuages snapshot create before-migration",
        )
    if name == BEFORE:
        raise EngineError(f"cannot make snapshot {name}: the next restore would replace it", fix="choose another name")
    if (directory(state, model) / name).exists():
        raise EngineError(
            f"cannot make snapshot {name}: there is one of this name",
            fix=f"choose another, or remove it first: nuages snapshot remove {name}",
            code="already-exists",
        )


def take(state: Path, source: Path, model: Model, name: str) -> Snapshot:
    """Copy a stopped model in `source` into a snapshot (blocking); there is one of the name only when all is copied.

    Raises:
        NuagesError: something cannot be copied, for lack of space for example.
    """
    place = directory(state, model.name)
    owner = _owner(source)
    temporary = place / f".{name}.tmp"
    with explained(f"cannot make snapshot {name}"), whole(temporary, owner):
        copy_database(source / _DATABASE, temporary / _DATABASE)
        for part in _PARTS:
            if (source / part).exists():
                copy(source / part, temporary / part, owner)
        found = _describe(temporary, model, name)
        flush(temporary)
        temporary.rename(place / name)
    return found


def prepare(state: Path, target: Path, snapshot: Snapshot, stopped: str) -> Path:
    """Copy a snapshot beside the model that it is to replace, and return where it is (blocking).

    Args:
        state: the state directory.
        target: the model's.
        snapshot: what to copy.
        stopped: why the model does not run, once it is the snapshot's.

    Raises:
        NuagesError: a rock that it needs is not in the cache any more; this version cannot read it; something cannot be
            copied, for lack of space for example.
    """
    for rock in snapshot.resources:
        if not Path(rock).exists():
            raise EngineError(
                f"cannot restore {snapshot.name}: the rock {Path(rock).name} is no longer in the cache",
                fix="build it again from the same source: nuages rock",
            )
    source = directory(state, target.name) / snapshot.name
    fresh = target.with_name(f".{target.name}.new")
    owner = _owner(target)
    with explained(f"cannot restore {snapshot.name}"), whole(fresh, owner):
        copy_database(source / _DATABASE, fresh / _DATABASE)
        with contextlib.closing(Store(fresh / _DATABASE)) as store:  # what cannot be opened must replace nothing
            store.commit(replace(store.state, stopped=stopped))
        for part in _PARTS:
            if (source / part).exists():
                copy(source / part, fresh / part, owner)
        for name in _KEPT:
            if (target / name).exists():
                shutil.copy2(target / name, fresh / name)
        flush(fresh)
    return fresh


def swap(state: Path, target: Path, fresh: Path) -> None:
    """Put `fresh` in the place of the model in `target`, and keep what was there as a snapshot (blocking)."""
    old = target.with_name(f".{target.name}.old")
    with explained(f"cannot restore {target.name}"):
        target.rename(old)
        fresh.rename(target)
        _keep(state, old, target)


def discard(state: Path, model: str, name: str = "") -> None:
    """Remove one snapshot of a model, or without a name all (blocking).

    Raises:
        NotFound: there is none of this name.
        SandboxError: something of it is left, under a name that nobody asks for.
    """
    place = directory(state, model)
    if not name and not place.exists():
        return
    owner = _owner(state / "models" / model)
    if name:
        gone = place / f".{name}.gone"
        _place(state, model, name).rename(gone)  # in one step: there is no half a snapshot
        remove(gone, owner)
    else:
        remove(place, owner)
    for empty in (place, place.parent):
        with contextlib.suppress(OSError):
            empty.rmdir()


def recover(state: Path) -> None:
    """Undo or end what a daemon that was killed has left half done of any model (blocking)."""
    models = state / "models"
    half = [path.name[1:].rpartition(".")[0] for path in models.glob(".*.*") if path.suffix in (".old", ".new")]
    known = [path.name for path in (state / DIRECTORY).glob("*")]
    for name in sorted({*half, *known}):
        mend(state, name)


def mend(state: Path, model: str) -> None:
    """Undo or end what is left half done of one model's snapshots (blocking).

    What cannot be mended, on a full disk for example, is written down and stays for the next time.
    """
    try:
        _mend(state, model)
    except (NuagesError, OSError, sqlite3.Error):
        logger.exception("snapshots of %s", model)


def _mend(state: Path, model: str) -> None:
    models = state / "models"
    target, old, fresh = models / model, models / f".{model}.old", models / f".{model}.new"
    if old.exists():
        if target.exists():
            _keep(state, old, target)
        else:
            old.rename(target)
    owner = _owner(target)
    remove(fresh, owner)
    for left in directory(state, model).glob(".*"):
        remove(left, owner)


def _keep(state: Path, old: Path, target: Path) -> None:
    """Make a snapshot of a model's directory that was replaced; every step may be the last, and all be said again."""
    place = directory(state, target.name)
    owner = _owner(target)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The database may have its log beside it, if it could not be folded in.
    for path in list(old.iterdir()):
        if path.name not in (*_PARTS, _ABOUT) and not path.name.startswith(_DATABASE):
            remove(path, owner)
    with contextlib.closing(Store(old / _DATABASE)) as store:
        _describe(old, store.state, BEFORE)
    gone = place / f".{BEFORE}.gone"
    if (place / BEFORE).exists():
        remove(gone, owner)
        (place / BEFORE).rename(gone)
    old.rename(place / BEFORE)
    remove(gone, owner)


def _describe(place: Path, model: Model, name: str) -> Snapshot:
    found = Snapshot(
        name,
        time.time(),
        size(place),
        {name: application.charm.name for name, application in model.applications.items()},
        tuple(sorted({path for found in model.applications.values() for path in found.resources.values()})),
    )
    (place / _ABOUT).write_bytes(_SNAPSHOT.dump_json(found))
    return found


def _place(state: Path, model: str, name: str) -> Path:
    found = directory(state, model) / name
    if not is_name(name) or not found.exists():
        raise NotFound(f"snapshot {name} of {model} not found", fix="nuages snapshot list")
    return found


def _owner(model: Path) -> UserMap | None:
    return record.load(model / _PODS).users
