"""What goes when nobody has it any more: the volumes, charms and ports of applications that are gone."""

from __future__ import annotations

import asyncio

from nuages.engine import charms
from nuages.engine.threads import finished
from nuages.engine.world import World


class Upkeep:
    """One model's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ports = set(world.state.published.values())
        self._digests = frozenset[str]()

    async def run(self) -> None:
        """Look for it, as after every commit."""
        await self._volumes()
        await self._charms()
        await self._unpublish()

    async def _volumes(self) -> None:
        """Volumes go with their application, not with a unit: a unit that comes back finds its data."""
        world = self._world
        for kind in ("volumes", "services"):
            directory = world.directory / kind
            if not directory.exists() or world.state.stopped or not world.pods.alive():
                continue
            for path in list(directory.iterdir()):
                if path.name.rpartition("-")[0] not in world.state.applications:
                    await finished(asyncio.to_thread(world.pods.remove, path))

    async def _charms(self) -> None:
        """A charm goes with its last application: each `up` after a change of the charm brings another."""
        digests = frozenset(application.charm.digest for application in self._world.state.applications.values())
        if digests != self._digests:
            await finished(asyncio.to_thread(charms.forget, self._world.directory / "charms", digests))
            self._digests = digests

    async def _unpublish(self) -> None:
        """A port goes with its application."""
        ports = set(self._world.state.published.values())
        gone, self._ports = self._ports - ports, ports
        for port in gone:
            await self._world.pods.unpublish(port)
