"""The hook tools' end in the daemon: a Unix socket per unit.

A request is a row of parts, each a letter, a length, a newline and that many bytes; `.` ends it:

    c  context id        t  tool's name        a  argument
    i  what `--file` reads                     f  the content of the file that the argument before names

Files are read by the shim, since their paths mean something only in the charm container. The reply is a line
`CODE OUT ERR` (exit code, lengths), the bytes for stdout, the bytes for stderr.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import secrets
import socket
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from nuages.engine.charm import empty
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.tools import Reply, run

logger = logging.getLogger(__name__)

LARGEST = 64 * 1024 * 1024


@dataclass
class Request:
    """One call of a hook tool as the shim sent it. `attached`: argument to the content of the file it names."""

    context: str = ""
    tool: str = ""
    argv: list[str] = field(default_factory=list[str])
    attached: dict[str, bytes] = field(default_factory=empty)
    stdin: bytes | None = None


class ToolServer:
    """Serves the hook tools of one unit. Only the context that is open now is served, by its random id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server: asyncio.Server | None = None
        self._current: tuple[str, HookContext] | None = None

    async def start(self) -> None:
        """Listen; the socket may be reached by whoever reaches its directory, which is private."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        directory = os.open(self.path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            # A Unix socket's address holds 107 bytes, and state directories can be deep.
            listener.bind(f"/proc/self/fd/{directory}/{self.path.name}")
        finally:
            os.close(directory)
        listener.setblocking(False)
        self.path.chmod(0o600)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        self.path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def open(self, context: HookContext) -> Generator[str]:
        """Serve this context for the duration of a hook; yield its id."""
        number = f"{context.unit_name}-{context.name}-{secrets.token_hex(8)}"
        self._current = (number, context)
        try:
            yield number
        finally:
            self._current = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            reply = self._answer(request)
            out, err = reply.out.encode(), reply.err.encode()
            writer.write(b"%d %d %d\n" % (reply.code, len(out), len(err)) + out + err)
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError) as error:
            logger.warning("hook tool of %s: broken request: %s", self.path, error)
        finally:
            writer.close()

    def _answer(self, request: Request) -> Reply:
        # One call at a time: this runs on the daemon's loop and never waits.
        current = self._current
        if current is None or not hmac.compare_digest(current[0].encode(), request.context.encode()):
            return Reply(1, err="ERROR no such hook context: hook tools work only while the hook runs\n")
        try:
            return run(current[1], request.tool, request.argv, request.attached, request.stdin)
        except Exception:
            logger.exception("hook tool %s", request.tool)
            return Reply(1, err=f"ERROR {request.tool}: internal error, see the daemon's log\n")


async def _read(reader: asyncio.StreamReader) -> Request:
    request, total = Request(), 0
    while True:
        head = (await reader.readuntil(b"\n"))[:-1]
        if head == b".":
            return request
        kind, length = head[:1], int(head[1:])
        total += length
        if total > LARGEST:
            raise ValueError("too large")
        value = await reader.readexactly(length)
        if kind == b"c":
            request.context = value.decode()
        elif kind == b"t":
            request.tool = value.decode()
        elif kind == b"a":
            request.argv.append(value.decode(errors="replace"))  # a database holds text, not bytes
        elif kind == b"i":
            request.stdin = value
        elif kind == b"f" and request.argv:
            request.attached[request.argv[-1]] = value
        else:
            raise ValueError(f"unknown part {kind!r}")
