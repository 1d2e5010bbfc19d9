"""The workload's own logs, out of each Pebble, merged as they come."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from nuages.engine.errors import EngineError, NotFound
from nuages.engine.lifecycle import application, unit
from nuages.engine.pods import Container
from nuages.engine.runner import ModelRunner

logger = logging.getLogger(__name__)

Record = dict[str, Any]
AGAIN = 1.0


async def read(
    runner: ModelRunner,
    *,
    units: list[str],
    container: str,
    service: str,
    lines: int,
    follow: bool,
) -> AsyncIterator[Record]:
    """Yield the last lines of each service, oldest first; then, when following, the coming ones.

    Followed pods may come and go: a new pod's lines follow those of the old one. It ends with the model.
    """
    history: list[Record] = []
    for name in units:
        for found in _containers(runner, name, container):
            async for record in _logs(name, found, service, lines, follow=False):
                history.append(record)
    history.sort(key=_when)
    for record in history:
        yield record
    if not follow:
        return
    newest = _when(history[-1]) if history else ""
    queue: asyncio.Queue[Record | None] = asyncio.Queue(maxsize=1000)

    async def follow_all() -> None:
        await asyncio.gather(*(_follow(runner, name, container, service, queue) for name in units))
        await queue.put(None)

    task = asyncio.create_task(follow_all())
    try:
        while record := await queue.get():
            if _when(record) > newest:
                yield record
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def chosen_units(runner: ModelRunner, application_name: str, unit_name: str) -> list[str]:
    """Return the units that a request means: one, those of an application, or all.

    Raises:
        NotFound: there is no such unit or application.
    """
    if unit_name:
        return [unit(runner.state, unit_name).name]
    if application_name:
        name = application(runner.state, application_name).name
        return [found.name for found in runner.state.units_of(name)]
    return sorted(runner.state.units)


def check_container(runner: ModelRunner, units: list[str], container: str) -> None:
    """Refuse a container that none of the units has.

    Raises:
        NotFound: with the names there are.
    """
    names = {
        one.name
        for name in units
        for one in runner.state.applications[unit(runner.state, name).application].charm.containers
    }
    if container and container not in names:
        raise NotFound(f"cannot read logs: no container {container!r}", fix=f"containers: {', '.join(sorted(names))}")


async def plans(runner: ModelRunner, name: str) -> dict[str, Any]:
    """Return the merged plan of each container of a unit, by the container's name.

    Raises:
        NotFound: there is no such unit.
        EngineError: its pod does not run.
    """
    found = _containers(runner, unit(runner.state, name).name, "")
    if not found:
        raise EngineError(f"cannot read the plan of {name}: its pod does not run", fix="nuages status")
    return {one.name: (await one.call(lambda client: client.get_plan())).to_dict() for one in found}


def _when(record: Record) -> str:
    """Return a record's time such that times compare as texts: Pebble leaves zeros at the end out."""
    return str(record["time"]).removesuffix("Z")


def _containers(runner: ModelRunner, name: str, container: str) -> list[Container]:
    pod = runner.world.pods.pod(name)
    if pod is None:
        return []
    return [found for found in pod.containers.values() if container in ("", found.name) and found.alive()]


async def _follow(
    runner: ModelRunner, name: str, container: str, service: str, queue: asyncio.Queue[Record | None]
) -> None:
    async def one(found: Container) -> None:
        async for record in _logs(name, found, service, 30, follow=True):
            await queue.put(record)

    while not runner.closed:
        found = _containers(runner, name, container)
        await asyncio.gather(*(one(each) for each in found))
        await asyncio.sleep(AGAIN)


async def _logs(name: str, container: Container, service: str, lines: int, *, follow: bool) -> AsyncIterator[Record]:
    query: dict[str, str] = {"n": str(lines)}
    if service:
        query["services"] = service
    if follow:
        query["follow"] = "true"
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await _connect(container)
        # HTTP/1.0: the body is not cut into chunks and ends with the connection
        writer.write(f"GET /v1/logs?{urlencode(query)} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        status = (await reader.readline()).split()
        while (await reader.readline()).strip():
            pass
        if len(status) < 2 or status[1] != b"200":
            logger.warning("logs of %s: %s", name, (await reader.read(1000)).decode(errors="replace"))
            return
        while line := await reader.readline():
            with contextlib.suppress(ValueError):  # a line cut short by the end of Pebble
                record = json.loads(line)
                yield {
                    "time": record["time"],
                    "unit": name,
                    "container": container.name,
                    "service": record["service"],
                    "message": record["message"],
                }
    except OSError as error:
        logger.info("logs of %s: %s", name, error)
    finally:
        if writer is not None:
            writer.close()


async def _connect(container: Container) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to Pebble's socket; reading logs needs no administrator."""
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    directory = os.open(container.socket.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        path = f"/proc/self/fd/{directory}/{container.socket.name}"
        await asyncio.get_running_loop().sock_connect(connection, path)
    except BaseException:
        connection.close()
        raise
    finally:
        os.close(directory)
    return await asyncio.open_unix_connection(sock=connection, limit=1024 * 1024)
