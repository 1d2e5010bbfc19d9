"""Hooks without pods: the real runner, store and tool server; a charm's `dispatch` is a plain subprocess."""

import asyncio
import shutil
from contextlib import asynccontextmanager
from dataclasses import replace

from nuages.engine import lifecycle
from nuages.engine.debuglog import DebugLog
from nuages.engine.hookrun import HookRunner
from nuages.engine.hooks.environment import SOCKET, TOOLS_DIRECTORY, charm_directory
from nuages.engine.hooks.install import install_tools
from nuages.engine.hooks.server import ToolServer
from nuages.engine.programs import pythons
from nuages.engine.resolver import Observed, next_hook
from nuages.engine.store import Store
from nuages.engine.world import World


class Pod:
    """Runs what a hook runs on this machine, with the container's paths replaced by the host's."""

    def __init__(self, stage, unit):
        directory = stage.world.unit_directory(unit)
        self.places = {
            charm_directory(unit): str(directory / "charm"),
            TOOLS_DIRECTORY: str(stage.tools),
            SOCKET: str(directory / "agent.socket"),
        }
        self.environment = {}

    def here(self, text):
        for inside, outside in self.places.items():
            text = text.replace(inside, outside)
        return text

    async def run(self, argv, *, environment, cwd, mounts, on_output):
        self.environment = environment
        process = await asyncio.create_subprocess_exec(
            *map(self.here, argv),
            env={key: self.here(value) for key, value in environment.items()},
            cwd=self.here(cwd),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

        async def pass_on(stream, name):
            while piece := await stream.read(65536):
                on_output(name, piece)

        await asyncio.gather(pass_on(process.stdout, "stdout"), pass_on(process.stderr, "stderr"))
        return await process.wait()


class Stage:
    """A model on disk whose units run real hooks; `charms` are unpacked ones by application."""

    def __init__(self, directory, model, charms=None):
        self.charms = charms or {}
        self.tools = install_tools(directory / "tools", pythons.find("3.12"))
        self.path = directory / "model.db"
        self.world = World(
            directory=directory,
            store=Store(self.path, create=model),
            pods=None,
            services={},
            debug_log=DebugLog(directory / "debug.log"),
            tools=lambda version: self.tools,
            taken_ports=set,
            news=lambda: None,
        )
        self.runners = {}
        self.pods = {}

    @property
    def model(self):
        return self.world.state

    def apply(self, write):
        self.world.apply(write)

    @asynccontextmanager
    async def unit(self, name):
        """Yield the runner of a unit whose tool server listens."""
        directory = self.world.unit_directory(name)
        tree = self.charms.get(name.partition("/")[0])
        if tree is not None and not (directory / "charm").exists():
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copytree(tree, directory / "charm", symlinks=True)
        runner = self.runners.get(name)
        if runner is None:
            runner = self.runners[name] = HookRunner(self.world, name, ToolServer(directory / "agent.socket"))
            self.pods[name] = Pod(self, name)
        await runner.server.start()
        try:
            yield runner
        finally:
            await runner.server.stop()

    def next(self, unit, *, now=1e12, boot=None):
        """Return the hook that is due, or would be if all waiting were over; `boot`: what Pebble says now."""
        local = self.model.units[unit].local
        boots = {name: boot or known for name, known in local.ready.items()}
        return next_hook(self.model, unit, Observed(now, boots))

    def run(self, unit, hook):
        """Run one hook to its end."""

        async def work():
            async with self.unit(unit) as runner:
                await runner.run(self.pods[unit], hook)

        asyncio.run(work())

    def records(self):
        """Return the debug-log as (level, message)."""

        async def work():
            return [(r["level"], r["message"]) async for r in self.world.debug_log.read(lines=None, follow=False)]

        return asyncio.run(work())

    def reopened(self):
        """Return the model as a new daemon would read it."""
        self.world.store.close()
        store = Store(self.path)
        self.world.store = store
        return store.state


def grown(world):
    """Return the model of a simulation after everything that is due has run."""
    world.run()
    return lifecycle.settle(replace(world.model, stopped=""), world.now)
