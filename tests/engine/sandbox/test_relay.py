"""The relay by itself: what it publishes stays published, whoever asked for it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from nuages.engine.sandbox import relay


def with_relay(tmp_path: Path, work: Callable[[Path], Awaitable[None]]) -> None:
    """Run `work` with the path of a relay's control socket."""

    async def run() -> None:
        path, names = tmp_path / "control", tmp_path / "names.json"
        names.write_text('{"web": "127.0.0.1"}')
        with socket.socket(socket.AF_UNIX) as control:
            control.bind(str(path))
            control.listen()
            task = asyncio.create_task(relay._serve(control, names))
            await work(path)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(run(), 30))


def ask(path: Path, request: dict[str, Any], listener: socket.socket | None = None, *, answer: bool = True) -> Any:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        socket.send_fds(connection, [json.dumps(request).encode()], [listener.fileno()] if listener else [])
        return json.loads(connection.recv(65536)) if answer else None


def test_a_port_stays_when_who_asked_for_it_died_meanwhile(tmp_path: Path) -> None:
    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async def work(path: Path) -> None:
        server = await asyncio.start_server(hello, "127.0.0.1", 0)
        request = {"do": "publish", "host": "web", "port": server.sockets[0].getsockname()[1]}
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            ask(path, request, listener, answer=False)
        found = await asyncio.to_thread(ask, path, {"do": "list"})
        assert found["published"] == [["127.0.0.1", port, "web", request["port"]]]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 10) == b"hello"
        writer.close()
        await asyncio.to_thread(ask, path, {"do": "unpublish", "listen": port})
        with socket.create_server(("127.0.0.1", port)):
            pass  # it is free again
        server.close()

    with_relay(tmp_path, work)


def test_a_request_that_is_none_harms_nobody(tmp_path: Path) -> None:
    async def work(path: Path) -> None:
        for request in ({}, {"do": "publish"}, {"do": "unpublish"}, {"do": "retarget", "address": 1}):
            await asyncio.to_thread(lambda request=request: ask(path, request, answer=False))
        assert (await asyncio.to_thread(ask, path, {"do": "list"})) == {"published": []}

    with_relay(tmp_path, work)
