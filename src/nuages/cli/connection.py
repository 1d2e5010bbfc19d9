"""A daemon to talk to: the one that runs, or a new one, started on demand and detached."""

import fcntl
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from nuages import __version__
from nuages.cli.code import fingerprint
from nuages.cli.errors import CliError
from nuages.cli.state import make_state_dir, state_dir
from nuages.engine.api.client import SOCKET_NAME, Client, NotRunningError

START_DEADLINE = 30.0
STOP_DEADLINE = 15.0
LOG_NAME = "daemon.log"
CODE_NAME = "daemon.code"
LOG_LIMIT = 5_000_000


def connect(directory: Path | None = None) -> Client:
    """Return a client of a running daemon of our own version and code, starting one if need be.

    Raises `CliError` with the daemon's own reason when it does not come up.
    """
    directory = directory or state_dir()
    make_state_dir(directory)
    client = Client(directory / SOCKET_NAME)
    if _answers(client) and _is_ours(directory, client):
        return client
    with _starting(directory):
        if _answers(client):
            if _is_ours(directory, client):
                return client
            _stop(client)
        _start(directory, client)
    return client


def running(directory: Path | None = None) -> Client | None:
    """Return a client of the daemon if one runs, without starting any."""
    directory = directory or state_dir()
    if not directory.exists():
        return None
    make_state_dir(directory)
    client = Client(directory / SOCKET_NAME)
    return client if _answers(client) else None


def stop(client: Client) -> None:
    """Stop the daemon and wait until it is gone; pods go on. Raises `CliError` when it stays."""
    _stop(client)


def _is_ours(directory: Path, client: Client) -> bool:
    """Tell whether the daemon is of our version and was started from the code as it is now."""
    try:
        started_from = (directory / CODE_NAME).read_text()
    except FileNotFoundError:
        return False
    return client.version == __version__ and started_from == fingerprint()


def _answers(client: Client) -> bool:
    try:
        client.get("/v1/version", timeout=10)
    except NotRunningError:
        return False
    return True


@contextmanager
def _starting(directory: Path) -> Generator[None, None, None]:
    """Hold the lock under which one command starts the daemon, and others wait for it."""
    with (directory / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(directory: Path, client: Client) -> None:
    import subprocess

    log_path = directory / LOG_NAME
    (directory / CODE_NAME).write_text(fingerprint())
    if log_path.exists() and log_path.stat().st_size > LOG_LIMIT:
        log_path.replace(log_path.with_suffix(".old"))
    with log_path.open("ab") as log:
        before = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "nuages.cli.daemon", str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            close_fds=True,
        )
    deadline = time.monotonic() + START_DEADLINE
    while not _answers(client):
        code = process.poll()
        if code is not None:
            raise _not_started(log_path, before, f"it left with code {code}")
        if time.monotonic() > deadline:
            raise _not_started(log_path, before, f"it does not answer after {START_DEADLINE:g} s")
        time.sleep(0.01)
    # It outlives us: nobody waits for it, and that is meant.
    process.returncode = 0


def _not_started(log_path: Path, before: int, reason: str) -> CliError:
    with log_path.open("rb") as log:
        log.seek(before)
        lines = log.read().decode(errors="replace").strip().splitlines()
    message = next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")
    fix = next((line.removeprefix("fix:   ") for line in reversed(lines) if line.startswith("fix:   ")), "")
    if message:
        return CliError(message, fix=fix, code="daemon")
    last = f": {lines[-1]}" if lines else ""
    return CliError(f"cannot start the engine's daemon: {reason}{last}", fix=f"see {log_path}", code="daemon")


def _stop(client: Client) -> None:
    pid = int(client.get("/v1/version")["pid"])
    client.post("/v1/shutdown")
    deadline = time.monotonic() + STOP_DEADLINE
    while _alive(pid):
        if time.monotonic() > deadline:
            raise CliError(f"cannot stop the engine's daemon: process {pid} stays", fix=f"kill {pid}")
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
