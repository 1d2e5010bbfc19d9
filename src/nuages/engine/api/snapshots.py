"""The routes of snapshots."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from nuages.engine import snapshots
from nuages.engine.api.answers import document
from nuages.engine.daemon import Daemon


class SnapshotsApi:
    """The handlers."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    async def list(self, request: Request) -> Response:
        """List a model's snapshots."""
        name = self._model(request)
        found = await asyncio.to_thread(snapshots.listing, self.daemon.directory, name)
        return document([asdict(snapshot) for snapshot in found])

    async def take(self, request: Request) -> Response:
        """Make one."""
        return document(asdict(await self.daemon.snapshot(self._model(request), request.path_params["snapshot"])))

    async def restore(self, request: Request) -> Response:
        """Put the model back to one."""
        return document(asdict(await self.daemon.restore(self._model(request), request.path_params["snapshot"])))

    async def remove(self, request: Request) -> Response:
        """Remove one."""
        await self.daemon.remove_snapshot(self._model(request), request.path_params["snapshot"])
        return document({})

    def _model(self, request: Request) -> str:
        """Return the model's name; there is one."""
        return self.daemon.runner(request.path_params["model"]).state.name
