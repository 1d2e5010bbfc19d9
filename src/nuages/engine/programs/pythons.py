"""The Python interpreters of this machine."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuages.engine.programs import ProgramError
from nuages.engine.sandbox import process
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Mount

SERVERS = "3.12"
"""The minor version that servers written in Python run on where it is to be had, else the newest there is."""
_ASK = """import json, os, sys
real = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
print(json.dumps([*sys.version_info[:2], sys.implementation.name, real, sys.base_prefix]))"""


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


def find(preferred: str, *, minimum: str = "3.10") -> Python:
    """Return the interpreter of the minor version `preferred` if there is one here, else the newest from `minimum` on.

    Raises:
        ProgramError: there is no such interpreter.
    """
    for executable in ordered(_installed(), preferred, minimum):
        if found := inspect(executable):
            return found
    raise ProgramError(
        f"cannot find Python {preferred}, nor any other from {minimum} on",
        fix=f"sudo apt install python3, or: uv python install {preferred}",
    )


def ordered(installed: Iterable[tuple[str, Path]], preferred: str, minimum: str) -> list[Path]:
    """Return the executables of fitting versions, the best first.

    The preferred minor comes first, then newer before older; of equals those below /usr, which need no mount.
    """
    low, best = _minor(minimum), _minor(preferred)
    fitting = [(version, path) for text, path in installed if (version := _minor(text)) >= low]
    fitting.sort(key=lambda found: (found[0] == best, found[0], found[1].is_relative_to("/usr")), reverse=True)
    return list(dict.fromkeys(path for _, path in fitting))


def inspect(executable: Path) -> Python | None:
    """Ask an interpreter what it is; None when it does not run or is no CPython. Shims answer for the real one."""
    try:
        result = process.run([str(executable), "-I", "-S", "-c", _ASK], environment=dict(os.environ), timeout=30)
    except SandboxError:
        return None
    if result.code:
        return None
    document: Any = json.loads(result.out)
    major, minor, implementation, real, prefix = document
    if implementation != "cpython":
        return None
    return Python(f"{major}.{minor}", Path(real).resolve(), Path(prefix).resolve())


def _minor(version: str) -> tuple[int, int]:
    parts = version.split(".")
    return int(parts[0]), int(parts[1])


def _folders() -> list[Path]:
    """Return where interpreters live: on PATH, the system's, and what pyenv, uv, asdf and mise installed."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    roots = [
        Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions",
        Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python"),
        home / ".asdf" / "installs" / "python",
        data / "mise" / "installs" / "python",
    ]
    found = [Path(sys.base_prefix) / "bin", Path("/usr/bin"), Path("/usr/local/bin")]
    found += [Path(part) for part in os.environ.get("PATH", "").split(":") if part.startswith("/")]
    for root in roots:
        if root.is_dir():
            found += [version / "bin" for version in sorted(root.iterdir(), reverse=True)]
    return found


def _installed() -> list[tuple[str, Path]]:
    """Return (minor version, executable) of what looks like an interpreter on this machine."""
    found: list[tuple[str, Path]] = []
    for folder in _folders():
        try:
            names = sorted(entry.name for entry in folder.iterdir())
        except OSError:
            continue
        for name in names:
            match = re.fullmatch(r"python(3\.\d+)", name)
            if match and os.access(folder / name, os.X_OK):
                found.append((match[1], folder / name))
    return found
