"""The routes of `nuages connect`: a client in the server's container, and a port for as long as somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from nuages.engine import connections
from nuages.engine.api import requests
from nuages.engine.api.answers import body_of, document
from nuages.engine.connections import Way
from nuages.engine.daemon import Daemon
from nuages.engine.errors import EngineError
from nuages.engine.runner import ModelRunner
from nuages.errors import NuagesError

logger = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds between two signs of life to who keeps a port open: so is noticed that it has gone."""
SILENCE = 15.0
"""Seconds without one after which a port is closed whatever has happened."""


class ConnectApi:
    """The handlers."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self._held: set[asyncio.Task[None]] = set()

    async def client(self, request: Request) -> Response:
        """Answer with the host command that opens a console, and the environment that holds its credentials."""
        body = await body_of(request, requests.Connect)
        _, way = self._way(request, body.application, body.endpoint)
        argv = connections.command(way, body.argv, tty=body.tty)
        return document({"argv": argv, "environment": dict(way.console.environment)})

    async def port(self, request: Request) -> Response:
        """Publish the server, say the URL, and unpublish it when the caller goes."""
        query = request.query_params
        runner, way = self._way(request, query.get("application", ""), query.get("endpoint", ""))
        lease = Lease()
        # A task of its own, because that of the answer is cut off wherever it waits when the caller goes.
        task = asyncio.create_task(lease.hold(runner, way))
        self._held.add(task)
        task.add_done_callback(self._held.discard)
        return StreamingResponse(lease.lines(await lease.url, request), media_type="application/x-ndjson")

    def _way(self, request: Request, application: str, endpoint: str) -> tuple[ModelRunner, Way]:
        runner = self.daemon.runner(request.path_params["model"])
        if runner.state.stopped:
            raise EngineError(f"cannot connect {application} {endpoint}: the model is stopped", fix="nuages up")
        return runner, connections.find(runner.world, application, endpoint)


class Lease:
    """A port that is open while somebody reads the answer."""

    def __init__(self) -> None:
        self.url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._heard = time.monotonic()

    async def hold(self, runner: ModelRunner, way: Way) -> None:
        """Keep the port open until the reader has gone, or the model stops: its ports go with it."""
        pods = runner.world.pods
        try:
            async with connections.forwarded(runner.world, way) as url:
                relay = pods.record.relay
                self.url.set_result(url)
                while not self._closing.is_set() and time.monotonic() - self._heard < SILENCE:
                    if pods.record.relay != relay or not pods.alive():
                        break
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(self._closing.wait(), HEARTBEAT)
        except Exception as error:  # whatever it is, somebody waits for the URL
            if not self.url.done():
                self.url.set_exception(error)
            elif isinstance(error, NuagesError):
                logger.warning("closing the port of %s: %s", way.provider, error)
            else:
                raise
        finally:
            self._closing.set()

    async def lines(self, url: str, request: Request) -> AsyncIterator[bytes]:
        """Yield the URL, then signs of life for as long as the port is open."""
        try:
            yield json.dumps({"url": url}).encode() + b"\n"
            while not (self._closing.is_set() or await request.is_disconnected()):
                await asyncio.sleep(HEARTBEAT)
                self._heard = time.monotonic()
                yield b"\n"
        finally:
            self._closing.set()
