"""The one place that runs uv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.build.files import full

_DECORATION = re.compile(r"^[\s×╰─▶│├·]*(?:error:\s*)?")
_SECRET = re.compile(r"(//)[^/@\s]+@")


def find_uv() -> str:
    """Return the path of uv: the one installed with us, else the one on PATH.

    Raises:
        BuildError: there is none.
    """
    beside = Path(sys.executable).with_name("uv")
    if beside.is_file():
        return str(beside)
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        pass
    found = shutil.which("uv")
    if found:
        return found
    raise BuildError("cannot find uv", fix="install it beside nuages: pip install uv")


def install(
    *arguments: str,
    python: Path,
    target: Path,
    doing: str,
    place: str,
    cwd: Path | None = None,
    as_prefix: bool = False,
) -> None:
    """Install packages into `target`; `place` is the file that names them.

    Raises:
        BuildError: `cannot DOING: uv's reason`, in one line.
    """
    where = ["--prefix", str(target)] if as_prefix else ["--target", str(target)]
    run(
        ["pip", "install", "--python", str(python), *where, *arguments],
        doing=doing,
        place=place,
        target=target,
        cwd=cwd,
    )


def run(arguments: Sequence[str], *, doing: str, place: str, target: Path, cwd: Path | None = None) -> None:
    """Run uv without output.

    Raises:
        BuildError: uv failed; its reason in one line.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PYTHON")}
    done = subprocess.run(
        [find_uv(), *arguments, "--no-progress", "--color", "never", "--no-python-downloads"],
        capture_output=True,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode == 0:
        return
    output = done.stderr.decode(errors="replace")
    if "No space left on device" in output or "os error 28" in output:
        raise full(target)
    raise BuildError(f"cannot {doing}: {reason(output)}", fix=_fix(output, place), code="requirements")


def reason(output: str) -> str:
    """Return uv's output as one line: no decoration, no credentials, no progress."""
    lines: list[str] = []
    for line in output.splitlines():
        plain = _DECORATION.sub("", line).strip()
        if plain and not plain.startswith(("Using ", "Resolved ", "Prepared ", "warning:", "Audited ")):
            lines.append(plain)
    text = re.sub(r":? cause: ", ": ", " ".join(lines))
    text = _SECRET.sub(r"\1", text) or "uv gave no reason"
    return text if len(text) <= 600 else text[:300] + " … " + text[-300:]


def _fix(output: str, place: str) -> str:
    if any(sign in output for sign in ("dns error", "error sending request", "Failed to fetch", "Connection refused")):
        return "check the network connection, then repeat the command"
    if "was not found in the package registry" in output or "No solution found" in output:
        return f"correct {place}"
    if "Failed to build" in output or "build backend" in output:
        return (
            f"in {place}, use a package that has a wheel (psycopg[binary] for psycopg), or install what its build needs"
        )
    return f"correct {place}"
