"""Making one folder of the cache: a child process at work in a temporary folder, watched, then one rename."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nuages.engine.programs import ProgramError, Progress
from nuages.engine.programs.table import Program

MIB = 1024 * 1024


class Work:
    """The making of one program's folder."""

    def __init__(
        self, program: Program, folder: Path, report: Callable[[Progress], None], stop: threading.Event
    ) -> None:
        self.program = program
        self.folder = folder
        self.scratch = folder.parent / f".{folder.name}.scratch"
        self._report = report
        self._stop = stop

    def make(self, fill: Callable[[Path], None]) -> None:
        """Let `fill` fill a temporary folder and give it its name; on any failure leave nothing behind.

        The caller holds the program's lock, so what an earlier process left under a temporary name is nobody's.
        """
        temporary = self.folder.parent / f".{self.folder.name}.tmp"
        try:
            for leftover in (temporary, self.scratch):
                shutil.rmtree(leftover, ignore_errors=True)
                leftover.mkdir(parents=True)
            fill(temporary)
            shutil.rmtree(self.folder, ignore_errors=True)
            temporary.rename(self.folder)
        except OSError as error:
            raise ProgramError(f"cannot write {self.folder}: {error.strerror}") from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(self.scratch, ignore_errors=True)

    def need(self, size: int) -> None:
        """Refuse to begin where `size` bytes do not fit: half a download helps nobody."""
        free = shutil.disk_usage(self.folder.parent).free
        if free < size:
            raise self._full(size - free)

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        size: int,
        directory: Path | None = None,
        counting: str = "",
    ) -> None:
        """Run a command to its end, reporting the growth of our folders, or with `counting` the lines it prints.

        Raises:
            ProgramError: when it fails, with its own last words; when interrupted.
        """
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                while True:
                    try:
                        process.wait(0.3)
                        break
                    except subprocess.TimeoutExpired:
                        if self._stop.is_set():
                            raise ProgramError(f"cannot get {self.program.name}: interrupted") from None
                        self._tell(size, output.fileno(), counting)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if process.returncode:
                output.seek(0)
                self._fail(output.read())
        self._report(Progress(self.program.name, size, size))

    def _tell(self, size: int, output: int, counting: str) -> None:
        if counting:
            lines = os.pread(output, 1_000_000, 0).count(b"\n")
            self._report(Progress(self.program.name, 0, None, counting.format(lines)))
            return
        grown = _size(self.scratch)
        self._report(Progress(self.program.name, min(grown, size), size))

    def _fail(self, text: str) -> None:
        if "No space left on device" in text or "Disk quota exceeded" in text:
            raise self._full(max(0, 100 * MIB - shutil.disk_usage(self.folder.parent).free))
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        reason = next(
            (line for line in reversed(lines) if "rror" in line or "ailed" in line), lines[-1] if lines else ""
        )
        raise ProgramError(reason.removeprefix("error: ").removeprefix("├─▶ ").removeprefix("╰─▶ ") or "it failed")

    def _full(self, missing: int) -> ProgramError:
        return ProgramError(
            f"cannot get {self.program.name} {self.program.version}: {self.folder.parent} is "
            f"{-(-missing // MIB)} MiB short of space",
            fix="make room there, or set XDG_CACHE_HOME to a folder with more; then run the same command again",
            code="disk-full",
        )


def _size(directory: Path) -> int:
    """Bytes of all files below a folder that another process is writing to."""
    total = 0
    stack = [directory]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(Path(entry.path))
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total
