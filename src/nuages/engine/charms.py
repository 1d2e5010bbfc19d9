"""A packed charm: reading its documents into a `Charm`, and unpacking it for a unit."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast

import yaml

from nuages.engine.errors import EngineError
from nuages.engine.programs import pythons
from nuages.engine.service import Service
from nuages.engine.state import Action, Charm, Container, Endpoint, Option, Role

BASE_PYTHONS = {"20.04": "3.8", "22.04": "3.10", "24.04": "3.12", "26.04": "3.14"}
ROLES: dict[str, Role] = {"provides": "provider", "requires": "requirer", "peers": "peer"}
OPTION_TYPES = ("string", "int", "float", "boolean", "secret")
Document = Mapping[str, Any]


class CharmError(EngineError):
    """A charm that cannot be read."""

    code = "charm"


def read(path: Path) -> Charm:
    """Read a .charm file.

    Raises:
        CharmError: there is no such file, it is no charm, or a document in it is wrong.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            documents = {
                name: _document(archive.read(name), f"{name} in {path.name}") if name in names else {}
                for name in ("metadata.yaml", "config.yaml", "actions.yaml", "manifest.yaml")
            }
    except FileNotFoundError:
        raise CharmError(f"cannot read the charm: {path} does not exist", fix="pack it: nuages pack") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise CharmError(f"cannot read the charm: {path}: {error}") from error
    if not documents["metadata.yaml"]:
        raise CharmError(f"cannot read the charm: {path} holds no metadata.yaml", fix="pack it: nuages pack")
    base = _base(documents["manifest.yaml"])
    return build(
        documents["metadata.yaml"],
        _mapping(documents["config.yaml"].get("options")),
        documents["actions.yaml"],
        digest=digest,
        path=str(path),
        python=BASE_PYTHONS.get(base, ""),
    )


def of_service(service: Service) -> Charm:
    """Return the charm that a built-in application plays."""
    return build(service.metadata, service.options, service.actions, digest="built-in", path="", python="")


def build(metadata: Document, options: Document, actions: Document, *, digest: str, path: str, python: str) -> Charm:
    """Make a `Charm` of its documents.

    Raises:
        CharmError: a part that the engine needs is missing or wrong.
    """
    name = str(metadata.get("name") or "")
    if not name:
        raise CharmError("cannot read the charm: metadata.yaml has no name")
    resources = {key: str(value.get("type", "")) for key, value in _entries(metadata, "resources")}
    return Charm(
        name=name,
        digest=digest,
        path=path,
        python=python,
        summary=str(metadata.get("summary") or ""),
        endpoints={endpoint.name: endpoint for endpoint in _endpoints(metadata)},
        containers=tuple(_container(key, value) for key, value in _entries(metadata, "containers")),
        options={key: _option(key, _mapping(value)) for key, value in options.items()},
        actions={key: _action(key, _mapping(value)) for key, value in actions.items()},
        resources=resources,
        storage={key: str(value.get("location") or "") for key, value in _entries(metadata, "storage")},
    )


def prepare(charm: Charm, directory: Path) -> Path:
    """Unpack the charm once below `directory` and compile it; return the tree. Blocking.

    The .pyc files are checked by the source's hash, not its time: a copy of the tree keeps them valid. They are made
    by the interpreter that will run the charm, since another one would not read them.
    """
    target = directory / charm.digest[:16]
    if target.exists():
        return target
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
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

    Raises:
        CharmError: an entry or a link points outside.
    """
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            inside = PurePosixPath(entry.filename)
            if inside.is_absolute() or ".." in inside.parts:
                raise CharmError(f"cannot unpack {path.name}: {entry.filename} points outside the charm")
            mode = entry.external_attr >> 16
            target = directory / inside
            if stat.S_ISLNK(mode):
                link = archive.read(entry).decode()
                _check_link(inside, link, path.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(link)
            elif entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
                target.chmod(stat.S_IMODE(mode) | 0o644 if mode else 0o644)
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


def _check_link(inside: PurePosixPath, link: str, name: str) -> None:
    depth = len(inside.parts) - 1
    for part in PurePosixPath(link).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or part == "/":
            raise CharmError(f"cannot unpack {name}: the link {inside} points outside the charm")


def _document(content: bytes, name: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        raise CharmError(f"cannot read {name}: {str(error).splitlines()[0]}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CharmError(f"cannot read {name}: it is not a mapping")
    return cast("dict[str, Any]", value)


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, Mapping) else {}


def _entries(document: Document, key: str) -> Iterable[tuple[str, dict[str, Any]]]:
    return [(name, _mapping(value)) for name, value in _mapping(document.get(key)).items()]


def _endpoints(metadata: Document) -> Iterable[Endpoint]:
    for key, role in ROLES.items():
        for name, value in _entries(metadata, key):
            if not value.get("interface"):
                raise CharmError(f"cannot read the charm: endpoint {name} in {key} names no interface")
            yield Endpoint(
                name=name,
                role=role,
                interface=str(value["interface"]),
                limit=int(value.get("limit") or 0),
                optional=value.get("optional"),
                scope="container" if value.get("scope") == "container" else "global",
            )


def _container(name: str, value: Document) -> Container:
    mounts = tuple((str(mount.get("storage")), str(mount.get("location"))) for mount in value.get("mounts") or ())
    uid, gid = value.get("uid"), value.get("gid")
    return Container(name=name, resource=str(value.get("resource") or ""), mounts=mounts, uid=uid, gid=gid)


def _option(name: str, value: Document) -> Option:
    kind = str(value.get("type") or "string")
    if kind not in OPTION_TYPES:
        raise CharmError(f"cannot read the charm: option {name} has type {kind!r}: one of {', '.join(OPTION_TYPES)}")
    return Option(name=name, type=kind, default=value.get("default"), description=str(value.get("description") or ""))


def _action(name: str, value: Document) -> Action:
    return Action(
        name=name,
        description=str(value.get("description") or ""),
        params=_mapping(value.get("params")),
        required=tuple(str(item) for item in value.get("required") or ()),
        additional=value.get("additionalProperties", True) is not False,
    )


def _base(manifest: Document) -> str:
    """Return the base's version of a manifest: `24.04`, or "" when it names none."""
    for base in manifest.get("bases") or ():
        return str(_mapping(base).get("channel") or "").partition("/")[0]
    return ""
