"""Ways in which a program gets here; each fills a directory that is renamed into the cache when complete.

Two more, for whole servers, have modules of their own: debian.py and maven.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from importlib import resources
from pathlib import Path

from nuages.engine.programs import ProgramError, cache_dir, pythons, versions, work
from nuages.engine.programs.kinds import Go, OnPath, Wheel
from nuages.engine.programs.uv import uv
from nuages.engine.programs.work import Job
from nuages.engine.sandbox import process
from nuages.engine.sandbox.errors import SandboxError

_FILES = resources.files("nuages.engine.programs")
_ENGINE = Path(__file__).parents[1]
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
_checked: dict[tuple[str, float], bool] = {}


def on_path(source: OnPath) -> Path | None:
    """Return the machine's own program when its version is good, else None."""
    found = shutil.which(source.command, path=os.environ.get("PATH", "/usr/bin:/bin") + ":" + _SBIN)
    if found is None:
        return None
    path = Path(found)
    key = (found, path.stat().st_mtime)
    if key not in _checked:
        _checked[key] = _is_good(found, source)
    return path if _checked[key] else None


def _is_good(found: str, source: OnPath) -> bool:
    try:
        result = process.run([found, *source.arguments], environment={**os.environ, "GOTOOLCHAIN": "local"}, timeout=20)
    except SandboxError:
        return False  # for another processor, or one that hangs: as if it were not there
    return result.code == 0 and versions.fits(versions.parse(result.out + result.err), source.minimum, source.below)


def locked(package: str) -> str:
    """Return the lines of lock.txt for one package: its version and the hashes of its files."""
    text = _FILES.joinpath("lock.txt").read_text()
    match = re.search(rf"^{re.escape(package)}==(?:.*\\\n)*.*$", text, re.MULTILINE)
    if match is None:
        raise ProgramError(f"cannot fetch {package}: lock.txt does not have it")
    return match[0] + "\n"


def wheel(job: Job, source: Wheel, directory: Path) -> None:
    """Install a wheel into `directory`, checked by its hash."""
    own = directory / ".uv"
    own.mkdir()
    lock = own / "lock.txt"
    lock.write_text("".join(locked(package) for package in (source.package, *source.requires)))
    # A cache of its own inside the temporary directory: its growth is the progress, and what uv unpacks there is linked
    # into place, so that nothing is on the disk twice and a kill leaves nothing elsewhere.
    argv = [
        *uv(),
        "pip",
        "install",
        "--target",
        str(directory),
        "--cache-dir",
        str(own / "cache"),
        "--python",
        sys.executable,
    ]
    argv += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-progress"]
    python = pythons.find(pythons.SERVERS) if source.native else None
    argv += ["--python-version", python.version if python else "3.13", "-r", str(lock)]

    most = 0

    def watch() -> None:
        nonlocal most
        most = max(most, work.size(own / "cache") * source.download // source.installed)
        job.say(min(most, source.download), source.download, "downloading")

    job.say(0, source.download, "downloading")
    work.run(job, argv, cwd=directory, environment=os.environ, log=own / "log", watch=watch)
    if python:
        # Once, and not at each start: no pod may write here.
        argv = [str(python.executable), "-I", "-m", "compileall", "-q", "-x", r"/\.uv/", str(directory)]
        work.run(job, argv, cwd=directory, environment=os.environ, log=own / "log")
    shutil.rmtree(own)
    (directory / ".lock").unlink(missing_ok=True)
    job.say(source.download, source.download)


def go(job: Job, sources: Sequence[Go], directory: Path, toolchain: Path) -> None:
    """Build packages of our Go modules into `directory`: nothing but what go.sum pins is downloaded or compiled."""
    build = directory / ".go"
    build.mkdir()
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -modcacherw"}
    environment |= {"GOWORK": "off", "GOTMPDIR": str(build)}  # a killed build leaves nothing in the system's own place
    environment.update(_go_caches(toolchain, environment))
    for name, flags in dict.fromkeys((source.module, source.flags) for source in sources):
        module = build / name
        shutil.copytree(_ENGINE / name, module)
        own = [source for source in sources if (source.module, source.flags) == (name, flags)]
        argv = [str(toolchain), "build", "-v", "-trimpath", f"-ldflags=-s -w {flags}".rstrip(), "-o", f"{directory}/"]
        argv += [source.package for source in own]
        log = build / "log"
        watch = partial(_say_go, job, log, max(s.download for s in own), max(s.steps for s in own))
        log.touch()
        watch()
        work.run(job, argv, cwd=module, environment=environment, log=log, watch=watch)
        log.unlink()
        shutil.rmtree(module)
    shutil.rmtree(build)
    total = max(source.download for source in sources)
    job.say(total, total)


def _say_go(job: Job, log: Path, total: int, steps: int) -> None:
    lines = log.read_text(errors="replace").splitlines()
    compiled = sum(not line.startswith("go: ") for line in lines)
    fetched = len(lines) - compiled
    done = total if compiled else total * min(fetched, 40) // 40
    percent = min(99, 100 * compiled // steps)
    compiling = compiled or not total
    job.say(done, total, f"compiling, once per machine, {percent} %" if compiling else "downloading")


def _go_caches(toolchain: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return where Go may keep what it downloads and compiles: the user's own folders if there are any, else ours."""
    result = process.run([str(toolchain), "env", "-json", "GOCACHE", "GOMODCACHE"], environment=environment)
    theirs: dict[str, str] = json.loads(result.out) if result.code == 0 else {}
    ours = {"GOCACHE": cache_dir() / "go" / "build", "GOMODCACHE": cache_dir() / "go" / "mod"}
    return {
        name: theirs[name] if theirs.get(name) and Path(theirs[name]).is_dir() else str(own)
        for name, own in ours.items()
    }
