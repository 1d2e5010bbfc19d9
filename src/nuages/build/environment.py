"""The Python environment of a rock: the project's packages, installed once for each content of the requirements.

It is made for `/`: packages in /lib/pythonX.Y/site-packages, commands in /bin, `/pyvenv.cfg` beside them, so that the
interpreter at /bin/python3 has the prefix `/`, as in a rock.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nuages.build import local_requirements, uv
from nuages.build.errors import BuildError
from nuages.build.files import content_digest, make_readable, placed, text_digest
from nuages.build.rock_project import RockProject, requirement_files
from nuages.engine.programs import Progress, cache_dir
from nuages.engine.programs.pythons import Python

LAYOUT = "3"
"""Part of every digest: changed when what this module makes changes."""


@dataclass(frozen=True)
class Environment:
    """An installed environment."""

    directory: Path
    """Holds `bin`, `lib` and `pyvenv.cfg`, to appear in `/`."""
    digest: str
    python: Python

    @property
    def site_packages(self) -> Path:
        """Where the packages are."""
        return self.directory / "lib" / f"python{self.python.version}" / "site-packages"

    @property
    def commands(self) -> frozenset[str]:
        """The programs that the packages bring, and the interpreter: all in bin/ that is not this machine's."""
        paths = (self.directory / "bin").iterdir()
        own = (path for path in paths if not path.is_symlink() or not str(path.readlink()).startswith("/usr/bin/"))
        return frozenset(path.name for path in own)


def environment(
    project: RockProject, python: Python, progress: Callable[[Progress], None] | None = None
) -> Environment:
    """Return the environment of `project`, installing it when this machine has none like it.

    Raises:
        BuildError: a requirement cannot be installed; uv's reason in one line.
    """
    digest = _digest(project, python)
    target = cache_dir() / "environments" / digest
    if not target.is_dir():
        if progress is not None:
            progress(Progress("python packages", 0, None, f"installing {project.requirements.name}"))
        with placed(target) as temporary:
            _install(project, python, Environment(temporary, digest, python))
        if progress is not None:
            progress(Progress("python packages", 1, 1, "installed"))
    return Environment(target, digest, python)


def _digest(project: RockProject, python: Python) -> str:
    files = requirement_files(project.requirements)
    texts = [path.read_text(errors="replace") for path in files]
    local = local_requirements.digests(files)
    if local is None:  # a path that only uv understands: whatever it is, it changes when the project does
        local = [content_digest(project.files())]
    return text_digest(
        LAYOUT, python.version, str(python.executable), platform.machine(), *texts, *project.packages, *(local or [""])
    )[:32]


def _install(project: RockProject, python: Python, made: Environment) -> None:
    made.site_packages.mkdir(parents=True)
    uv.install(
        "-r", str(project.requirements.resolve()), *project.packages,
        python=python.executable, target=made.site_packages, cwd=project.requirements.resolve().parent,
        doing=f"install the packages of {project.requirements}", place=str(project.requirements),
    )  # fmt: skip
    _commands(made)
    _libraries(made)
    (made.directory / "pyvenv.cfg").write_text(
        f"home = {python.executable.parent}\ninclude-system-site-packages = false\nversion = {python.version}\n"
    )
    compile_all(python, made.site_packages, made.directory, "/", "unchecked-hash")
    make_readable(made.directory)


def _commands(made: Environment) -> None:
    """Make bin/: the interpreter, the packages' commands, and links to this machine's for all else."""
    directory = made.directory / "bin"
    directory.mkdir()
    installed = made.site_packages / "bin"
    if installed.is_dir():
        for path in installed.iterdir():
            _relocate(path, directory / path.name)
        shutil.rmtree(installed)
    for name in ("python3", "python", f"python{made.python.version}"):
        (directory / name).symlink_to(made.python.executable)
    (directory / "statsd_exporter").touch(mode=0o755)  # the program is bound over it
    (directory / "pebble").symlink_to("/charm/bin/pebble")  # a rock has one too, and people type it in a shell
    for entry in os.scandir("/usr/bin"):
        link = directory / entry.name
        if not link.is_symlink() and not link.exists():
            link.symlink_to(f"/usr/bin/{entry.name}")


def _relocate(source: Path, target: Path) -> None:
    """Move a command, its first line pointing to the interpreter of the rock."""
    content = source.read_bytes()
    first, separator, rest = content.partition(b"\n")
    if first.startswith(b"#!") and b"python" in first:
        content = b"#!/bin/python3" + separator + rest
    elif content.startswith(b"#!/bin/sh\n'''exec' "):  # what installers write when the path is long
        content = b"#!/bin/python3\n" + content.split(b"\n", 3)[3]
    target.write_bytes(content)
    target.chmod(0o755)


def _libraries(made: Environment) -> None:
    """Fill lib/ with links to this machine's libraries, which the program loader looks for in /lib."""
    own = made.site_packages.parent.name
    for entry in os.scandir("/usr/lib"):
        if entry.name != own:
            (made.directory / "lib" / entry.name).symlink_to(f"/usr/lib/{entry.name}")


_COMPILE = """
import compileall, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # compileall would take it for its end
sys.exit(not compileall.main())
"""


def compile_all(python: Python, tree: Path, strip: Path, prepend: str, mode: str) -> None:
    """Compile the modules in `tree`, with their paths in the container in tracebacks.

    Files that are no valid Python (templates, other versions) stay uncompiled, as pip leaves them.

    Raises:
        BuildError: it was interrupted, so that modules are missing.
    """
    modules = sorted(os.fsencode(path) for path in tree.rglob("*.py"))
    # Not compileall's own workers: when it is killed they stay for ever.
    workers = min(os.cpu_count() or 1, -(-len(modules) // 20))
    argv = [
        str(python.executable), "-I", "-c", _COMPILE, "-q", "-q", "--invalidation-mode", mode,
        "-s", str(strip), "-p", prepend, "-i", "-",
    ]  # fmt: skip
    running = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    for number, process in enumerate(running):
        assert process.stdin
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(b"".join(module + b"\n" for module in modules[number::workers]))
    codes = [process.wait() for process in running]
    if any(code < 0 for code in codes):
        raise BuildError(f"cannot compile the modules in {prepend}: it was interrupted", fix="repeat the command")
