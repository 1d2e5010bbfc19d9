"""The daemon's process: one per user and state directory, started on demand, found again after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import logging.handlers
import os
import signal
import socket
import stat
from collections.abc import Generator, Mapping
from pathlib import Path

import uvicorn

from nuages.engine.api.app import make_app
from nuages.engine.api.peers import OwnPeersOnly
from nuages.engine.daemon import Daemon
from nuages.engine.errors import EngineError
from nuages.engine.sandbox.users import remove
from nuages.engine.service import Service

logger = logging.getLogger(__name__)

SOCKET_NAME = "daemon.sock"
PID_NAME = "daemon.pid"
LOG_NAME = "daemon.log"
WATCH = 1.0
"""Seconds between two looks at whether the state directory is still there."""


def main(services: Mapping[str, Service], directory: Path) -> None:
    """Serve until told to stop.

    Raises:
        EngineError: the state directory is another user's, or a daemon runs already.
    """
    prepare(directory)
    with _only_one(directory / PID_NAME):
        _log_to(directory / LOG_NAME)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(services, directory))


async def serve(services: Mapping[str, Service], directory: Path) -> None:
    """Open the models, then answer on the socket."""
    server: uvicorn.Server | None = None

    def shutdown() -> None:
        if server is not None:
            server.should_exit = True

    daemon = Daemon(directory, services, shutdown)
    listener = listen(directory / SOCKET_NAME)
    ours = _identity(directory / SOCKET_NAME)
    config = uvicorn.Config(
        make_app(daemon),
        http=OwnPeersOnly,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = uvicorn.Server(config)
    watch = asyncio.create_task(_leave_when_removed(daemon))
    try:
        await daemon.open()
        logger.info("serving %s", directory)
        await server.serve(sockets=[listener])
    finally:
        watch.cancel()
        await daemon.close()
        if _identity(directory / SOCKET_NAME) == ours:
            (directory / SOCKET_NAME).unlink()
        logger.info("stopped")


async def _leave_when_removed(daemon: Daemon) -> None:
    """End the daemon when its files are gone: without its socket nobody reaches it.

    Without the state directory nobody could ever stop the pods again, so they end too.
    """
    lock, door = daemon.directory / PID_NAME, daemon.directory / SOCKET_NAME
    before = _identity(lock), _identity(door)
    while (_identity(lock), _identity(door)) == before:
        await asyncio.sleep(WATCH)
    await asyncio.sleep(WATCH)  # whoever removes the directory may be half through
    if _identity(lock) != before[0]:
        logger.error("%s was removed: the daemon and its pods end", daemon.directory)
        await daemon.abandon()
        if _identity(lock) is None:  # no other daemon came in its place
            await asyncio.to_thread(remove, daemon.directory)  # what is left are files of the pods' users
    else:
        logger.error("%s was removed: the daemon ends, its pods go on", door)
    daemon.shutdown()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def prepare(directory: Path) -> None:
    """Make the state directory, or check that it is private and ours.

    Raises:
        EngineError: it belongs to another user, as when sudo keeps HOME.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.stat()
    if found.st_uid != os.geteuid():
        raise EngineError(
            f"cannot use {directory}: it belongs to user {found.st_uid}, and you are {os.geteuid()}",
            fix="run nuages as that user, or with sudo -H, or set XDG_STATE_HOME to a directory of your own",
            code="foreign-state",
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        directory.chmod(0o700)


def listen(path: Path) -> socket.socket:
    """Return the listening socket, only for its owner."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{directory}/{path.name}")
    finally:
        os.close(directory)
    path.chmod(0o600)
    listener.listen(128)
    return listener


@contextlib.contextmanager
def _only_one(path: Path) -> Generator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            raise EngineError(f"cannot start the engine: it runs already (pid {holder})", code="running") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _log_to(path: Path) -> None:
    path.touch(mode=0o600)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=5_000_000, backupCount=2)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
