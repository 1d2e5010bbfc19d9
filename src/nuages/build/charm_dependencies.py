"""What is installed into a charm: ops and what it imports, and what the charm's own requirements add."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nuages.build import uv
from nuages.build.archive import Entry
from nuages.build.errors import BuildError
from nuages.build.files import executable, placed, text_digest, walk
from nuages.engine.programs import cache_dir

LOCK = Path(__file__).with_name("charm-requirements.txt")
REQUIREMENTS = "requirements.txt"

_PLATFORM = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.12", "--only-binary", ":all:")
"""The same wheels are picked whatever machine and Python pack; only their Python files are used."""

_IGNORED = ("__pycache__", "*.pyc", "RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", ".lock")
_LEFT_OUT = ("bin", "websocket/tests")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class Dependencies:
    """The files to put into venv/ of the charm."""

    files: dict[str, Entry]
    notes: tuple[str, ...] = ()


def dependencies(charm: Path, python: str) -> Dependencies:
    """Return what a charm needs; `python` is the minor version of its base.

    Raises:
        BuildError: the charm's requirements cannot be installed.
    """
    lock = LOCK.read_text()
    files = _entries(_installed(lock), compiled=False)
    pinned = {_normal(name): version for name, version in _PINNED.findall(lock)}
    lines = _lines(charm)
    if all(line == _name(line) and _normal(line) in pinned for line in lines):
        return Dependencies(files)
    added = _entries(_added(charm, pinned, python), compiled=True)
    added = {name: entry for name, entry in added.items() if name not in files and not _of_pyyaml(name)}
    compiled = sorted(name for name in added if name.endswith(".so"))
    files.update(added)
    notes = (
        [f"compiled code in it ({compiled[0]}): this charm runs on x86-64 with Python {python} only"]
        if compiled
        else []
    )
    return Dependencies(files, tuple(notes))


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


def _added(charm: Path, pinned: dict[str, str], python: str) -> Path:
    """Return the tree with everything that the charm's requirements name, resolved together with `pinned`."""
    named = [path.read_text(errors="replace") for path in sorted(charm.glob("*.txt"))]
    target = cache_dir() / "charm" / text_digest("added", *named, repr(sorted(pinned.items())), python)[:32]
    if not target.is_dir():
        with placed(target) as temporary, tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
            constraints.write("".join(f"{name}=={version}\n" for name, version in pinned.items()))
            constraints.flush()
            uv.install(
                "--python-platform", "x86_64-manylinux_2_28", "--python-version", python, "--only-binary", ":all:",
                "--constraint", constraints.name, "-r", REQUIREMENTS,
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
