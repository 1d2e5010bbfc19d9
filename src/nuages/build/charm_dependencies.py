"""What is installed into a charm: ops and what it imports, and what the charm's requirements and libraries add."""

from __future__ import annotations

import ast
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nuages import machine
from nuages.build import local_requirements, uv
from nuages.build.archive import Entry
from nuages.build.errors import BuildError
from nuages.build.files import executable, placed, text_digest, walk
from nuages.build.rock_project import requirement_files
from nuages.engine.programs import cache_dir

LOCK = Path(__file__).with_name("charm-requirements.txt")
REQUIREMENTS = "requirements.txt"

_PLATFORM = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.12", "--only-binary", ":all:")
"""The same wheels are picked whatever machine and Python pack; only their Python files are used."""

ARCHITECTURES = {"amd64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""Juju's name of an architecture to uv's, for those that compiled wheels can be picked for."""

_IGNORED = ("__pycache__", "*.pyc", "RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", ".lock")
_LEFT_OUT = ("bin", "websocket/tests")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class Dependencies:
    """The files to put into venv/ of the charm."""

    files: dict[str, Entry]
    compiled: str = ""
    """One of the files that run on one architecture with one Python only, "" when there is none."""
    architecture: str = ""
    """The one that compiled files are for."""


def dependencies(charm: Path, python: str, architectures: Sequence[str], own: Mapping[str, Path]) -> Dependencies:
    """Return what a charm needs.

    `python` is the minor version of its base, `architectures` those that it is to run on, `own` its own files by name.

    Raises:
        BuildError: the charm's requirements cannot be installed.
    """
    lock = LOCK.read_text()
    files = _entries(_installed(lock), compiled=False)
    pinned = {_normal(name): version for name, version in _PINNED.findall(lock)}
    lines = _lines(charm)
    named = {_normal(line) for line in lines}
    libraries = [line for line in library_requirements(own) if _normal(line) not in named]
    if all(line == _name(line) and _normal(line) in pinned for line in (*lines, *libraries)):
        return Dependencies(files)
    architecture = target(architectures)
    added = _entries(_added(charm, libraries, pinned, python, architecture), compiled=True)
    added = {name: entry for name, entry in added.items() if name not in files and not _of_pyyaml(name)}
    compiled = next((name for name in sorted(added) if name.endswith(".so")), "")
    files.update(added)
    return Dependencies(files, compiled, architecture if compiled else "")


def target(architectures: Sequence[str]) -> str:
    """Return the architecture to pick compiled wheels for: this machine's if the charm is to run on it."""
    here = machine.architecture()
    usable = [*ARCHITECTURES] if "all" in architectures else [name for name in architectures if name in ARCHITECTURES]
    return here if here in usable else usable[0] if usable else "amd64"


def library_requirements(own: Mapping[str, Path]) -> list[str]:
    """Return what the charm libraries below lib/charms say they need, in their variable PYDEPS.

    Raises:
        BuildError: a library is no Python.
    """
    found: list[str] = []
    for name, path in own.items():
        if not (name.startswith("lib/charms/") and name.endswith(".py")):
            continue
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except (SyntaxError, ValueError) as error:
            raise BuildError(
                f"cannot read {path}: {error}", fix="fetch the library anew: charmcraft fetch-libs"
            ) from None
        for node in tree.body:
            names = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(name, ast.Name) and name.id == "PYDEPS" for name in names):
                value = node.value if isinstance(node, ast.Assign) else None
                items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
                found += [
                    item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)
                ]
    return sorted(set(found))


def _of_pyyaml(name: str) -> bool:
    return name.startswith("yaml/") and name.endswith(".so")


def _installed(lock: str) -> Path:
    target = cache_dir() / "charm" / text_digest(lock, *_PLATFORM)[:32]
    if not target.is_dir():
        with placed(target) as temporary:
            uv.install(
                *_PLATFORM, "--require-hashes", "--no-deps", "-r", str(LOCK),
                python=Path(sys.executable), target=temporary,
                doing="install what every charm carries", place=LOCK.name,
            )  # fmt: skip
    return target


def _added(charm: Path, libraries: Sequence[str], pinned: dict[str, str], python: str, architecture: str) -> Path:
    """Return the tree with everything that the charm's requirements name, resolved together with `pinned`."""
    files = requirement_files(charm / REQUIREMENTS)
    named = [path.read_text(errors="replace") for path in files]
    local = local_requirements.digests(files) or []
    key = text_digest("added", *named, *local, *libraries, repr(sorted(pinned.items())), python, architecture)
    target = cache_dir() / "charm" / key[:32]
    if not target.is_dir():
        with placed(target) as temporary, tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
            constraints.write("".join(f"{name}=={version}\n" for name, version in pinned.items()))
            constraints.flush()
            uv.install(
                "--python-platform", ARCHITECTURES[architecture], "--python-version", python,
                "--only-binary", ":all:", "--constraint", constraints.name,
                *(["-r", REQUIREMENTS] if files else []), *libraries,
                python=Path(sys.executable), target=temporary, cwd=charm,
                doing="install the charm's requirements", place=str(charm / REQUIREMENTS),
            )  # fmt: skip
    return target


def _lines(charm: Path) -> list[str]:
    """Return the lines of the charm's requirements.txt that ask for something."""
    try:
        text = (charm / REQUIREMENTS).read_text()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"cannot read {charm / REQUIREMENTS}: {error}", fix="save it as readable UTF-8 text") from None
    stripped = (line.split(" #")[0].strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _name(line: str) -> str | None:
    match = _NAME.match(line)
    return match.group(1) if match else None


def _normal(line: str) -> str:
    return re.sub(r"[-_.]+", "-", _name(line) or "").lower()


def _entries(tree: Path, *, compiled: bool) -> dict[str, Entry]:
    ignored = _IGNORED if compiled else (*_IGNORED, "*.so", "*.pyd")
    left_out = {tree / path for path in _LEFT_OUT}
    return {
        path.relative_to(tree).as_posix(): Entry(path.read_bytes(), executable(path))
        for path in walk(tree, ignored, also=left_out.__contains__)
    }
