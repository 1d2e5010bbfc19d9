"""Keeps an eye on one container: brings a dead Pebble back, and says what Pebble has to tell."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import ops.pebble

from nuages.engine import pebble
from nuages.engine.pods import Container
from nuages.engine.resolver import Notice
from nuages.errors import NuagesError

logger = logging.getLogger(__name__)

T = TypeVar("T")
AGAIN = 1.0
SLOWEST = 30.0
UNREACHABLE = (OSError, http.client.HTTPException, ops.pebble.Error, NuagesError)


class Watch:
    """One container's boot id and the notices nobody has handled yet."""

    def __init__(self, container: Container, after: str, changed: Callable[[], None]) -> None:
        """`after`: the time of the last notice that was handled. `changed` is called on any news."""
        self.container = container
        self.boot_id = ""
        self.notices: list[Notice] = []
        self.error = ""
        self._after: str = after
        self._changed = changed
        self._task = asyncio.create_task(self._run())

    def handled(self, at: str) -> None:
        """Forget the notices up to this time."""
        self.notices = [notice for notice in self.notices if notice.at > at]

    async def stop(self) -> None:
        """Stop watching."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        pause = AGAIN
        while True:
            try:
                await self._revive()
                self.boot_id = await self.container.call(pebble.boot_id)
                self.error = ""
                self._changed()
                pause = AGAIN
                await self._listen()
            except UNREACHABLE as error:
                self.error = str(error)
                logger.info("pebble in %s: %s", self.container.name, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, SLOWEST)

    async def _revive(self) -> None:
        if self.container.alive():
            return
        self.boot_id = ""
        self._changed()
        await self.container.restart()

    async def _listen(self) -> None:
        """Collect notices until Pebble dies."""
        after = self._after
        ended = asyncio.create_task(self.container.ended())
        poll: asyncio.Task[tuple[list[Notice], str]] | None = None
        try:
            while True:
                poll = asyncio.create_task(self._poll(after))
                await asyncio.wait({poll, ended}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    await ended
                    return
                found, after = await poll
                self._after = after
                if found:
                    self.notices += found
                    self._changed()
        finally:
            tasks: list[asyncio.Task[Any]] = [ended] if poll is None else [ended, poll]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, after: str) -> tuple[list[Notice], str]:
        return await self.container.call(lambda client: pebble.notices(client, self.container.name, after))
