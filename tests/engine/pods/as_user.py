"""Runs a command as an ordinary user whom this machine need not have, from root: nothing of the host is touched.

A private mount namespace gets a passwd, subuid and subgid of its own, and what the tests need of root's private folders
(the interpreter, the checkout) is made reachable in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nuages.engine import programs

USER, UID, FIRST = "nuages-test", 54321, 700_000
REPOSITORY = Path(__file__).resolve().parents[3]


def available() -> str:
    """Return why a command cannot be run as the user, "" when it can."""
    if os.geteuid():
        return "only root can become another user"
    for tool in ("unshare", "setpriv", "mount"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
    return probe.stderr.strip() if probe.returncode else ""


def _private_folders(paths: list[Path]) -> dict[Path, list[Path]]:
    """Return the topmost private folders above `paths` and what is needed below each."""
    found: dict[Path, list[Path]] = {}
    for path in paths:
        for parent in reversed(path.parents):
            if not parent.stat().st_mode & 0o001:
                found.setdefault(parent, []).append(path)
                break
    return found


def run(
    argv: list[str],
    environment: dict[str, str],
    *,
    timeout: float,
    cwd: Path = Path("/"),
    within: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command as the user, with a range of sub-ids; `within` is what root starts it with, "{}" a free path."""
    needed = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), REPOSITORY, programs.cache_dir().resolve()]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        home = scratch / "home"
        home.mkdir()
        os.chown(home, UID, UID)
        script = ["set -e"]
        passwd = Path("/etc/passwd").read_text() + f"{USER}:x:{UID}:{UID}::{home}:/bin/sh\n"
        ids = f"{USER}:{FIRST}:65536\n"
        for file, text in {"passwd": passwd, "subuid": ids, "subgid": ids}.items():
            (scratch / file).write_text(text)
            (scratch / file).chmod(0o644)
            script.append(f"mount --bind {scratch}/{file} /etc/{file}")
        for number, (folder, paths) in enumerate(_private_folders(needed).items()):
            for index, path in enumerate(paths):
                (scratch / f"{number}-{index}").mkdir()
                script.append(f"mount --bind '{path}' {scratch}/{number}-{index}")
            script.append(f"mount -t tmpfs -o mode=755 tmpfs '{folder}'")
            for index, path in enumerate(paths):
                script += [f"mkdir -p '{path}'", f"mount --bind {scratch}/{number}-{index} '{path}'"]
        script.append('exec "$@"')
        become = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups"]
        command = ["unshare", "-m", "--propagation", "slave", "--", "sh", "-c", "\n".join(script), "sh"]
        command += [*(word.format(scratch / "within") for word in within), *become, "--", *argv]
        return subprocess.run(
            command,
            env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd,
            check=False,
        )
