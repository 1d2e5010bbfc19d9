"""Trying what a model needs; nothing of a trial stays on the machine."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nuages.engine.programs import ProgramError, cache_dir, pythons, work
from nuages.engine.programs.fetch import needed, present
from nuages.engine.programs.table import PROGRAMS
from nuages.engine.sandbox import diagnosis, process, users
from nuages.engine.sandbox.errors import NamespacesError, SandboxError
from nuages.engine.sandbox.namespaces import Namespaces, tail
from nuages.engine.sandbox.users import Mode, UserMap

TOOLS = ("unshare", "nsenter", "ip", "hostname", "setpriv", "mount", "rm")
"""Programs of the system without which there is no pod."""
COMMANDS = ("git", "juju", "rockcraft", "charmcraft")
FIRST_PORT = 8000


@dataclass(frozen=True)
class Refusal:
    """Why something cannot be done, and what to type."""

    reason: str
    fix: str = ""


@dataclass(frozen=True)
class Steps:
    """The single steps of a model's making, each by itself: "" when it works, else the reason."""

    namespace: str = ""
    bridge: str = ""
    proc: str = ""


@dataclass(frozen=True)
class Facts:
    """What the trials found."""

    system: str
    machine: str
    linux: bool
    root: bool
    missing_tools: Mapping[str, Refusal] = field(default_factory=dict[str, Refusal])
    mode: Mode | None = None
    """The user map that a model got, None when there was none."""
    refused: Refusal = Refusal("")
    """Why there was none."""
    steps: Steps = Steps()
    sub_ids: Refusal | None = None
    """Why a user's sub-ids cannot be used."""
    bubblewrap: Refusal | None = None
    programs: Mapping[str, Path | None] = field(default_factory=dict[str, "Path | None"])
    """Each program that may be needed, and where it is."""
    needed: int = 0
    """Bytes that those take which are not here yet."""
    folders: Mapping[Path, Refusal | None] = field(default_factory=dict[Path, "Refusal | None"])
    free: Mapping[Path, int] = field(default_factory=dict[Path, int])
    port: int | None = FIRST_PORT
    """The first free port from 8000 on."""
    taken: str = ""
    python: str = ""
    commands: Mapping[str, str] = field(default_factory=dict[str, str])
    """Path of each command, "" when it is not here."""


def examine(names: Sequence[str], state: Path, preferred_python: str) -> Facts:
    """Try what this machine can do; `names` are the programs of interest, `state` is where models are kept."""
    missing = {name: refusal for name in TOOLS if (refusal := _refused(lambda name=name: process.tool(name)))}
    programs = {name: present(PROGRAMS[name]) for name in names}
    linux = platform.system() == "Linux"
    mode, refused, steps, bubblewrap, sub_ids = (None, Refusal(""), Steps(), None, None)
    if linux and not missing:
        mode, refused, steps, bubblewrap, sub_ids = _model(programs.get("bwrap"))
    port, taken = _port()
    folders = {path: _writable(path) for path in (cache_dir(), state)}
    return Facts(
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        linux=linux,
        root=os.geteuid() == 0,
        missing_tools=missing,
        mode=mode,
        refused=refused,
        steps=steps,
        sub_ids=sub_ids,
        bubblewrap=bubblewrap,
        programs=programs,
        needed=needed([PROGRAMS[name] for name, path in programs.items() if path is None]),
        folders=folders,
        free={path: work.free(path) for path, refusal in folders.items() if refusal is None},
        port=port,
        taken=taken,
        python=_python(preferred_python),
        commands={name: shutil.which(name) or "" for name in COMMANDS},
    )


def _model(bwrap: Path | None) -> tuple[Mode | None, Refusal, Steps, Refusal | None, Refusal | None]:
    """Make a model as `up` does, and a container in it."""
    failures: list[str] = []
    sub_ids: Refusal | None = None
    maps = users.candidates()
    with tempfile.TemporaryDirectory(prefix="nuages-") as scratch:
        log = Path(scratch) / "log"
        for candidate in maps:
            try:
                namespaces = Namespaces.create(Path(scratch), [candidate], log)
            except NamespacesError as error:
                failures.append(str(error))
                if candidate.mode is Mode.RANGE:
                    sub_ids = Refusal(tail(log) if log.exists() else str(error))
                continue
            try:
                return candidate.mode, Refusal(""), Steps(), _bubblewrap(namespaces, bwrap, log), sub_ids
            finally:
                namespaces.kill()
    error = diagnosis.explain(failures)
    return None, Refusal(str(error), error.fix), _steps(maps[-1] if maps else None), None, sub_ids


def _bubblewrap(namespaces: Namespaces, bwrap: Path | None, log: Path) -> Refusal | None:
    """Start a container in a model; None when it works or there is no bubblewrap yet."""
    if bwrap is None:
        return None
    words = ["--ro-bind", "/usr", "/usr", "--unshare-pid", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"]
    words += ["--symlink", "usr/bin", "/bin"]
    words += ["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "/usr/bin/env", "true"]
    try:
        result = process.run([*namespaces.enter(), namespaces.inside(bwrap), *words], log=log, timeout=20)
    except SandboxError as error:
        return Refusal(str(error), error.fix)
    if result.code:
        return Refusal(tail(log), "sudo apt install --reinstall bubblewrap")
    return None


def _steps(users_: UserMap | None) -> Steps:
    """Try the parts of a model one by one, to name the one that is refused."""
    if users_ is None:
        return Steps(namespace="no map of users fits into this machine's ids")
    try:
        with users.holder(users_) as pid:
            enter = [process.tool("nsenter"), "-t", str(pid), *users_.enter(), "--", process.tool("unshare")]
            bridge = "ip link set lo up && ip link add br0 type bridge && ip link set br0 up"
            return Steps(
                bridge=_tried([*enter, "--net", "sh", "-c", bridge]),
                proc=_tried([*enter, "--pid", "--fork", "--mount", "--mount-proc", "true"]),
            )
    except SandboxError as error:
        return Steps(namespace=str(error))


def _tried(words: Sequence[str]) -> str:
    result = process.run(words, timeout=20)
    return "" if result.code == 0 else result.err.strip() or f"exit code {result.code}"


def _refused(action: Callable[[], object]) -> Refusal | None:
    try:
        action()
    except SandboxError as error:
        return Refusal(str(error), error.fix)
    return None


def _writable(folder: Path) -> Refusal | None:
    """Write into a folder, or the one above that it would be made in; what is written goes again."""
    place = folder
    while not os.path.lexists(place):
        place = place.parent
    owner = place.stat().st_uid
    if place == folder and owner != os.geteuid():
        return Refusal(f"belongs to user {owner}", f"sudo chown -R $USER {folder}")
    if os.geteuid() == 0 and owner != 0:
        return Refusal(f"would be root's in the folder of user {owner}", "run nuages without sudo, or with sudo -H")
    try:
        with tempfile.NamedTemporaryFile(dir=place) as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        return Refusal(error.strerror or str(error), f"make {place} writable for you")
    return None


def _port() -> tuple[int | None, str]:
    """Return the first port from 8000 on that this user can listen at on the loopback, and why 8000 is not it."""
    taken = ""
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket() as listener:
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", port))
                listener.listen()
            except OSError as error:
                taken = taken or ("in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error))
                continue
            return port, taken
    return None, taken


def _python(preferred: str) -> str:
    try:
        return pythons.find(preferred).version
    except ProgramError:
        return ""
