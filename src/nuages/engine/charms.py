"""A packed charm: reading its documents into a `Charm`, and unpacking it for a unit."""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import shutil
import stat
import subprocess
import tempfile
import time
import zipfile
import zlib
from collections.abc import Collection, Generator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from nuages.engine import foreign, metadata
from nuages.engine.charm import Charm
from nuages.engine.errors import CharmError
from nuages.engine.metadata import build
from nuages.engine.programs import pythons
from nuages.engine.programs.leftovers import sweep
from nuages.engine.service import Service

__all__ = [
    "CharmError",
    "build",
    "compile_tree",
    "forget",
    "interpreter",
    "interpreter_for",
    "keep",
    "of_service",
    "prepare",
    "read",
    "unpack",
]

BASE_PYTHONS = {"20.04": "3.8", "22.04": "3.10", "24.04": "3.12", "26.04": "3.14"}
DOCUMENTS = ("metadata.yaml", "config.yaml", "actions.yaml", "manifest.yaml")
LONGEST_LINK = 4096
UNUSED = 600.0
"""Seconds after which a file that no application has is nobody's: it may be one that is about to be deployed."""


def read(path: Path) -> Charm:
    """Read a .charm file.

    Raises:
        CharmError: there is no such file, it is no charm, a document in it is wrong, or an entry points outside.
    """
    documents: dict[str, foreign.Document] = {name: {} for name in DOCUMENTS}
    with _opened(path, "read the charm") as archive:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        for entry in archive.infolist():
            _check_entry(archive, entry, path.name)
            if entry.filename in documents:
                if entry.file_size > foreign.LARGEST:
                    raise CharmError(f"cannot read {entry.filename} in {path.name}: it has {entry.file_size} bytes")
                documents[entry.filename] = foreign.load(archive.read(entry), f"{entry.filename} in {path.name}")
    if not documents["metadata.yaml"]:
        raise CharmError(f"cannot read the charm: {path} holds no metadata.yaml", fix="pack it: nuages pack")
    return build(
        documents["metadata.yaml"],
        metadata.options_of(documents["config.yaml"]),
        documents["actions.yaml"],
        digest=digest,
        path=str(path),
        python=BASE_PYTHONS.get(metadata.base(documents["manifest.yaml"]), ""),
    )


def of_service(service: Service) -> Charm:
    """Return the charm that a built-in application plays."""
    return build(service.metadata, service.options, service.actions, digest="built-in", path="", python="")


def keep(charm: Charm, path: Path, directory: Path) -> Charm:
    """Copy the .charm at `path` below `directory` and return the charm of that copy. Blocking."""
    directory.mkdir(mode=0o700, exist_ok=True)
    kept = directory / f"{charm.digest}.charm"
    if kept.exists():
        kept.touch()
    else:
        descriptor, scratch = tempfile.mkstemp(dir=directory, prefix=".part-")
        try:
            with path.open("rb") as source, os.fdopen(descriptor, "wb") as sink:
                shutil.copyfileobj(source, sink)
            Path(scratch).rename(kept)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
    return replace(charm, path=str(kept))


def forget(directory: Path, digests: Collection[str]) -> None:
    """Remove what was kept of charms with other digests, unless that was a moment ago. Blocking."""
    if not directory.exists():
        return
    used = {*(f"{digest}.charm" for digest in digests), *(digest[:16] for digest in digests)}
    for path in list(directory.iterdir()):
        if path.name not in used and path.stat().st_mtime < time.time() - UNUSED:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def prepare(charm: Charm, directory: Path) -> Path:
    """Unpack the charm once below `directory` and compile it; return the tree. Blocking.

    The .pyc files are checked by the source's hash, not its time: a copy of the tree keeps them valid. They are made
    by the interpreter that will run the charm, since another one would not read them.
    """
    target = directory / charm.digest[:16]
    if target.exists():
        return target
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(directory, prefix=".unpack-")
    scratch = Path(tempfile.mkdtemp(dir=directory, prefix=".unpack-"))
    try:
        unpack(Path(charm.path), scratch)
        compile_tree(scratch, interpreter(charm))
        scratch.chmod(0o755)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def interpreter(charm: Charm) -> pythons.Python:
    """Return the Python that runs the charm: its base's, else the newest that serves."""
    return interpreter_for(charm.python)


def interpreter_for(version: str) -> pythons.Python:
    """Return the Python of this minor version, else the newest that serves; "" when the charm does not care."""
    return pythons.find(version or "3.12")


def unpack(path: Path, directory: Path) -> None:
    """Unpack a .charm with modes and symbolic links; nothing lands outside `directory`.

    Links are made last, so that no file is ever written through one, and only stay if they lead to inside.

    Raises:
        CharmError: an entry or a link points outside, or the file is damaged.
    """
    with _opened(path, "unpack") as archive:
        links: list[zipfile.ZipInfo] = []
        for entry in archive.infolist():
            inside = _check_entry(archive, entry, path.name)
            if _is_link(entry):
                links.append(entry)
            elif entry.is_dir():
                (directory / inside).mkdir(parents=True, exist_ok=True)
            else:
                _write(archive, entry, directory / inside)
        for entry in links:
            target = directory / PurePosixPath(entry.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            _check_inside(target.parent, directory, entry, path.name)
            target.symlink_to(archive.read(entry).decode())
        for entry in links:
            _check_inside(directory / PurePosixPath(entry.filename), directory, entry, path.name)
    dispatch = directory / "dispatch"
    if dispatch.exists():
        dispatch.chmod(0o755)


def compile_tree(directory: Path, python: pythons.Python) -> None:
    """Compile every module of the tree with `python`; a module that does not compile is left as it is."""
    argv = [str(python.executable), "-I", "-S", "-m", "compileall", "-q", "-q"]
    argv += ["--invalidation-mode", "checked-hash", str(directory)]
    # exit code 1 means that some file does not compile (a template, a test): the interpreter would say so on import
    environment = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
    subprocess.run(argv, check=False, capture_output=True, env=environment)


@contextlib.contextmanager
def _opened(path: Path, doing: str) -> Generator[zipfile.ZipFile]:
    """Open a .charm; whatever is wrong with it is an error that names the file.

    Raises:
        CharmError: there is no such file, or it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError as error:
        if path.exists():
            raise CharmError(f"cannot {doing}: {path}: {error.strerror}") from error
        raise CharmError(f"cannot {doing}: {path} does not exist", fix="pack it: nuages pack") from None
    except OSError as error:
        raise CharmError(f"cannot {doing}: {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError) as error:
        # RuntimeError: encrypted, or compressed in a way that Python does not know
        raise CharmError(f"cannot {doing}: {path}: {error or 'it is damaged'}", fix="pack it: nuages pack") from error


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)
    executable = entry.external_attr >> 16 & stat.S_IXUSR
    target.chmod(0o755 if executable else 0o644)


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> PurePosixPath:
    """Return the entry's path inside the charm.

    Raises:
        CharmError: it is not inside, or the entry is a link that obviously leads outside.
    """
    inside = PurePosixPath(entry.filename)
    if inside.is_absolute() or ".." in inside.parts:
        raise CharmError(f"cannot unpack {name}: {entry.filename} points outside the charm")
    if _is_link(entry):
        if entry.file_size > LONGEST_LINK:
            raise CharmError(f"cannot unpack {name}: the link {entry.filename} is too long")
        depth = len(inside.parts) - 1
        for part in PurePosixPath(archive.read(entry).decode()).parts:
            depth += -1 if part == ".." else 1
            if depth < 0 or part == "/":
                raise CharmError(f"cannot unpack {name}: the link {inside} points outside the charm")
    return inside


def _check_inside(path: Path, directory: Path, entry: zipfile.ZipInfo, name: str) -> None:
    """Links may lead through links: only the file system knows where to."""
    if not path.resolve().is_relative_to(directory.resolve()):
        raise CharmError(f"cannot unpack {name}: the link {entry.filename} points outside the charm")
