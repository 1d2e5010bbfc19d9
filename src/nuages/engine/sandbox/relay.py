"""The relay of published ports: a program of its own that runs inside a model, with the standard library only.

It holds listeners of the host's loopback (handed over a Unix socket) and connects each caller to an address inside the
model. It outlives the daemon and dies with the model. Start: `python3 -I -S relay.py CONTROL_FD NAMES_FILE`, where
NAMES_FILE is JSON {name: address}, read again whenever it has changed.

Requests on the control socket are one JSON object each: {"do": "publish", "host": …, "port": …} with a listener
attached, {"do": "retarget" | "unpublish", "address": …, "listen": …}, {"do": "list"}. The answer is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

_CHUNK = 65536
_CONNECT_TIMEOUT = 10.0


class Names:
    """The model's names, as the engine last wrote them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = (0, 0)
        self._names: dict[str, str] = {}

    def address(self, host: str) -> str:
        """Return the address of a name; what is not a name of the model is returned as it is."""
        try:
            info = self._path.stat()
            if (info.st_mtime_ns, info.st_ino) != self._stamp:
                self._names = json.loads(self._path.read_text())
                self._stamp = (info.st_mtime_ns, info.st_ino)
        except (OSError, ValueError) as error:
            print(f"cannot read the names: {error}", file=sys.stderr, flush=True)  # noqa: T201  the relay's log
        return self._names.get(host, host)


class Relay:
    """The published listeners and where each leads."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._servers: dict[tuple[str, int], asyncio.Server] = {}
        self._targets: dict[tuple[str, int], tuple[str, int]] = {}

    async def answer(self, request: dict[str, Any], listeners: list[socket.socket]) -> dict[str, Any]:
        """Do what a request asks and return the answer."""
        action = request["do"]
        if action == "publish":
            [listener] = listeners
            key = self._key(listener.getsockname())
            self._targets[key] = (str(request["host"]), int(request["port"]))
            await self._close(key)
            listener.setblocking(False)
            self._servers[key] = await asyncio.start_server(
                lambda r, w: self._carry(key, r, w), sock=listener, limit=_CHUNK
            )
        elif action == "retarget":
            key = (str(request["address"]), int(request["listen"]))
            if key not in self._servers:
                return {"error": "not published"}
            self._targets[key] = (str(request["host"]), int(request["port"]))
        elif action == "unpublish":
            for key in [key for key in self._servers if key[1] == int(request["listen"])]:
                await self._close(key)
                del self._targets[key]
        return {"published": [[*key, *self._targets[key]] for key in self._servers]}

    @staticmethod
    def _key(name: tuple[Any, ...]) -> tuple[str, int]:
        return str(name[0]), int(name[1])

    async def _close(self, key: tuple[str, int]) -> None:
        server = self._servers.pop(key, None)
        if server:
            server.close()

    async def _carry(self, key: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The caller's early data waits in `reader` (bounded) until the other side is connected.
        host, port = self._targets.get(key, ("", 0))
        try:
            opening = asyncio.open_connection(self._names.address(host), port, limit=_CHUNK)
            far_reader, far_writer = await asyncio.wait_for(opening, _CONNECT_TIMEOUT)
        except (OSError, asyncio.TimeoutError):
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            writer.close()
            far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes until the sender is done, then say so to the receiver (who may still answer)."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()  # a reset on one side is a reset on the other


async def _serve(control: socket.socket, names: Path) -> None:
    relay = Relay(Names(names))
    loop = asyncio.get_running_loop()
    control.setblocking(False)
    while True:
        connection, _ = await loop.sock_accept(control)
        listeners: list[socket.socket] = []
        try:
            connection.settimeout(2)
            message, descriptors, _, _ = socket.recv_fds(connection, _CHUNK, 4)
            listeners = [socket.socket(fileno=descriptor) for descriptor in descriptors]
            answer = await relay.answer(json.loads(message), listeners)
            listeners = []  # they are served from now on, also when who asked has died
            connection.sendall(json.dumps(answer).encode())
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"cannot answer a request: {error!r}", file=sys.stderr, flush=True)  # noqa: T201  the relay's log
            for listener in listeners:
                listener.close()
        finally:
            connection.close()


if __name__ == "__main__":
    asyncio.run(_serve(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])))
