"""The Python interpreters of this machine."""

from __future__ import annotations

import functools
import glob
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nuages.engine.programs import ProgramError
from nuages.engine.sandbox.image import Mount

PLACES = (
    "/usr/bin/python3.*",
    "/usr/local/bin/python3.*",
    "~/.pyenv/versions/*/bin/python3.*",
    "~/.local/share/uv/python/*/bin/python3.*",
    "/opt/python*/bin/python3.*",
)
"""Where interpreters are, beside PATH. pyenv's shims on PATH are shell scripts; the real ones are in the list."""

QUESTION = (
    "import json, os, sys; print(json.dumps([sys.version_info[:3], sys.version_info.releaselevel, "
    "sys.implementation.name, os.path.realpath(sys.executable), sys.base_prefix]))"
)


@dataclass(frozen=True)
class Python:
    """An interpreter: `version` is "3.12", `executable` its real path, `prefix` its sys.base_prefix."""

    version: str
    executable: Path
    prefix: Path

    def mounts(self) -> tuple[Mount, ...]:
        """Return what a container needs bound to run it: nothing when it is below /usr, which always is."""
        if self.prefix.is_relative_to("/usr") and self.executable.is_relative_to("/usr"):
            return ()
        return (Mount(self.prefix, str(self.prefix)),)


@functools.cache
def find(preferred: str, *, minimum: str = "3.10") -> Python:
    """Return an interpreter of the `preferred` minor version ("3.12"), else the newest one of at least `minimum`.

    An interpreter counts when it runs and says so itself: CPython, a final release.

    Raises:
        ProgramError: when this machine has none.
    """
    by_minor: dict[tuple[int, int], list[Path]] = {}
    for path in _candidates():
        by_minor.setdefault(_minor(path), []).append(path)
    wanted = _pair(preferred)
    order = [wanted, *sorted((minor for minor in by_minor if minor != wanted), reverse=True)]
    for minor in order:
        if minor < _pair(minimum):
            continue
        for path in by_minor.get(minor, ()):
            found = _ask(path)
            if found and _pair(found.version) == minor:
                return found
    raise ProgramError(
        f"cannot find Python {minimum} or newer on this machine", fix="install one, e.g. `uv python install 3.12`"
    )


def _candidates() -> Iterator[Path]:
    """Yield paths whose names look right, each real file once; the system's before private ones."""
    seen: set[Path] = set()
    patterns = [*PLACES, *(f"{place}/python3.*" for place in os.environ.get("PATH", "").split(":") if place)]
    found = [Path(name) for pattern in patterns for name in sorted(_matches(pattern))]
    for path in [*found, Path(getattr(sys, "_base_executable", sys.executable))]:
        real = path.resolve()
        if path.parent.name != "shims" and _minor(path) != (0, 0) and real not in seen and os.access(path, os.X_OK):
            seen.add(real)
            yield path


def _matches(pattern: str) -> list[str]:
    return glob.glob(str(Path(pattern).expanduser()))  # noqa: PTH207  Path.glob takes no absolute pattern


def _minor(path: Path) -> tuple[int, int]:
    found = re.fullmatch(r"python3\.(\d+)", path.name) or re.fullmatch(r"python3\.(\d+)", path.resolve().name)
    return (3, int(found[1])) if found else (0, 0)


def _pair(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _ask(path: Path) -> Python | None:
    try:
        said = subprocess.run(
            [str(path), "-I", "-S", "-c", QUESTION],
            capture_output=True, text=True, timeout=20, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        version, level, implementation, executable, prefix = json.loads(said.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if level != "final" or implementation != "cpython":
        return None
    return Python(f"{version[0]}.{version[1]}", Path(executable), Path(prefix))
