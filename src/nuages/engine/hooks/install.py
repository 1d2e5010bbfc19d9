"""The directory of hook tools that charms call: one shim under many names.

A hook calls up to twenty of them one after the other, so that their start is what counts. The compiled shim takes 1 ms
a call as seen by ops, perl 4, Python 15 and more; all speak the protocol of server.py.
"""

from __future__ import annotations

import stat
from importlib import resources
from pathlib import Path

from nuages.engine.hooks.tools import TOOLS
from nuages.engine.programs import pythons
from nuages.engine.programs.fetch import present
from nuages.engine.programs.table import PROGRAMS
from nuages.engine.sandbox import process
from nuages.engine.sandbox.errors import SandboxError

PERL = Path("/usr/bin/perl")
COMPILED = "hooktool"
MACHINES = ("x86_64", "aarch64")
"""What it has been written for: the first ten instructions are assembly."""


def worth_building(machine: str) -> tuple[str, ...]:
    """Return the compiled shim's name when it is missing and costs seconds: Go is here, or comes to build others.

    Args:
        machine: the processor, as `uname -m` has it.
    """
    if machine not in MACHINES or present(PROGRAMS[COMPILED]):
        return ()
    others = (PROGRAMS["pebble"], PROGRAMS["statsd_exporter"])
    return (COMPILED,) if not all(map(present, others)) or present(PROGRAMS["go"]) else ()


def install_tools(directory: Path, python: pythons.Python) -> Path:
    """Make a directory with every hook tool, `python3` and the same under its full name in it, and return it.

    Args:
        directory: where tools directories are kept, one for each interpreter.
        python: what `python3` is for the charm.
    """
    target = directory / f"tools-{python.version}"
    target.mkdir(mode=0o755, parents=True, exist_ok=True)
    target.chmod(0o755)
    shim = target / ".shim"
    scratch = target / ".shim.new"
    scratch.write_bytes(_shim(python))
    scratch.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    scratch.rename(shim)
    for name in TOOLS:
        _link(target / name, ".shim")
    for name in ("python3", f"python{python.version}"):  # a charm with compiled code asks for its own version
        _link(target / name, str(python.executable))
    return target


def _shim(python: pythons.Python) -> bytes:
    compiled = present(PROGRAMS[COMPILED])
    if compiled and _works(compiled):
        return compiled.read_bytes()
    source = resources.files("nuages.engine.hooks") / "shims"
    if PERL.exists():
        return (source / "shim.perl").read_bytes()
    return f"#!{python.executable} -ISE\n".encode() + (source / "shim.python").read_bytes()


def _works(compiled: Path) -> bool:
    """Try it without an agent: it does not start Go's runtime, which a later Go might not allow."""
    try:
        result = process.run([str(compiled)], environment={}, timeout=10)
    except SandboxError:
        return False
    return (result.code, result.err) == (1, "ERROR cannot reach the agent\n")


def _link(path: Path, target: str) -> None:
    if path.is_symlink() and str(path.readlink()) == target:
        return
    path.unlink(missing_ok=True)
    path.symlink_to(target)
