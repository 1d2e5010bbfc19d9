"""One model at work: its agents, its rolling updates, its changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path

from nuages.engine import changes, connections, lifecycle, podspec, recovery, rollouts
from nuages.engine.agent import Agent
from nuages.engine.debuglog import DebugLog
from nuages.engine.errors import EngineError
from nuages.engine.pods import Model as Pods
from nuages.engine.service import Service
from nuages.engine.state import DOWN, PAUSED, Change, Model
from nuages.engine.store import Store
from nuages.engine.upkeep import Upkeep
from nuages.engine.world import World

logger = logging.getLogger(__name__)

REBOOTED = "since reboot"
KILLED = "because its processes were ended"
SAY_AGAIN = "run the same command again"
STOP_GRACE = 5.0
READY_POLL = 1.0


class ModelRunner:
    """A model, its pods and everybody who works on it."""

    def __init__(
        self,
        directory: Path,
        store: Store,
        services: Mapping[str, Service],
        *,
        tools: Callable[[str], Path],
        taken_ports: Callable[[], set[int]],
    ) -> None:
        self.directory = directory
        self.store = store
        self.agents: dict[str, Agent] = {}
        self.world = World(
            directory=directory,
            store=store,
            pods=Pods(directory, store.state.name),
            services=services,
            debug_log=DebugLog(directory / "debug.log"),
            tools=tools,
            taken_ports=taken_ports,
            news=self._touch,
        )
        self._dirty = asyncio.Event()
        self._passed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._lock = asyncio.Lock()
        self.closed = False
        self._upkeep = Upkeep(self.world)
        store.listeners.append(lambda old, new: self._touch())

    @property
    def state(self) -> Model:
        """The model as last committed."""
        return self.store.state

    # life

    async def open(self) -> None:
        """Take the model up where it was left: adopt living pods, or say that it stopped."""
        state = self.state
        with_pods = [unit.name for unit in state.units.values() if unit.pod]
        if not state.stopped and with_pods:
            reason = REBOOTED if await asyncio.to_thread(self.world.pods.rebooted) else ""
            if not reason:
                await self.world.pods.open()
                if not any(self.world.pods.pod(unit) for unit in with_pods):
                    await self.world.pods.close()
                    reason = KILLED
                else:
                    await connections.forget_strays(self.world)
            if reason:
                self.world.apply(lambda model: _stopped(model, reason))
        elif state.stopped and await asyncio.to_thread(self.world.pods.survived):
            await self.world.pods.close()  # an engine that was killed had not stopped all of it
        for change in self.state.changes.values():
            if change.ready is None and not change.goals:
                self._interrupted(change)
        self._tasks = [
            asyncio.create_task(self._guard(self._housekeeping), name=f"model {state.name}"),
            asyncio.create_task(self._guard(self._rollouts), name=f"rollouts {state.name}"),
        ]
        self._touch()
        if self.state.stopped == PAUSED:
            self._start()

    async def close(self) -> None:
        """Stop working on the model; its pods go on."""
        self.closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stop_agents()
        self.store.close()
        self.world.debug_log.close()

    async def abandon(self) -> None:
        """Stop working on the model and kill its pods; its files are not ours any more."""
        await self.close()
        await self.world.pods.abandon()

    async def down(self) -> str:
        """Stop all pods; data stay. Return the change."""
        async with self._alone():
            return await self._down(DOWN)

    async def start(self) -> str:
        """Start the pods of a stopped model; return the change."""
        async with self._alone():
            return self._start()

    @contextlib.asynccontextmanager
    async def paused(self) -> AsyncGenerator[str]:
        """Keep the model stopped for as long as the block runs; give why it is to be stopped afterwards, "" if not."""
        async with self._alone():
            before = self.state.stopped
            try:
                if not before:
                    await self._down(PAUSED)
                yield before
            finally:
                if not before and not self.closed:
                    self._start()

    def retry(self) -> None:
        """Try at once what failed and waits for its time: whoever asks has mended something."""
        self.world.apply(lambda model: recovery.hasten(model, time.time()))
        for agent in self.agents.values():
            agent.retry()

    async def purge(self) -> None:
        """Remove everything of the model."""
        async with self._alone():
            await self.close()
            await self.world.pods.destroy()
            if self.directory.exists():
                await asyncio.to_thread(shutil.rmtree, self.directory)

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        """Let nobody else start or stop the model meanwhile."""
        async with self._lock:
            if self.closed:
                name = self.state.name
                raise EngineError(f"cannot work in model {name}: it was put back or removed meanwhile", fix=SAY_AGAIN)
            yield

    async def _down(self, reason: str) -> str:
        state, change = changes.begin(self.state, "down", "stop the model", (), time.time())
        self.store.commit(replace(state, stopped=reason))
        await self._stop_agents()
        await self.world.pods.close(grace=STOP_GRACE)

        def write(model: Model) -> Model:
            return changes.finish(_stopped(model, reason), change, time.time())

        self.world.apply(write)
        return change

    def _start(self) -> str:
        goals = [changes.Goal("settled", application=name) for name in self.state.applications]
        state, change = changes.begin(self.state, "start", "start the model", goals, time.time())
        if not goals:
            state = changes.finish(state, change, time.time())
        self.store.commit(lifecycle.settle(replace(state, stopped=""), time.time()))
        return change

    # what others ask

    def settled(self, model: Model, unit: str) -> bool:
        """Return whether a unit has nothing left to do."""
        agent = self.agents.get(unit)
        return agent is not None and agent.settled(model)

    def quiet(self) -> bool:
        """Return whether every unit is settled or waits after a failed hook."""
        state = self.state
        if state.stopped:
            return True
        if any(len(state.units_of(name)) != found.units for name, found in state.applications.items()):
            return False
        return all(unit.failed or self.settled(state, unit.name) for unit in state.units.values())

    async def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Return whether the condition came true in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            passed = self._passed
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(passed.wait(), left)
        return True

    def change(self, change_id: str) -> Change:
        """Return a change with the lines of its running tasks.

        Raises:
            NotFound: there is none.
        """
        found = self.state.changes.get(change_id)
        if found is None:
            raise lifecycle.NotFound(f"change {change_id} not found", fix="nuages changes lists them")
        live = self.world.live
        tasks = (replace(task, log=(*task.log, *live[task.id])) if task.id in live else task for task in found.tasks)
        return replace(found, tasks=tuple(tasks))

    # the work between commits

    def _touch(self) -> None:
        self._dirty.set()

    async def _guard(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                logger.exception("model %s", self.state.name)
                await asyncio.sleep(1)

    async def _housekeeping(self) -> None:
        """After every commit: agents for new units, a look for everybody, finished changes."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if not self.state.stopped:
                for name in self.state.units:
                    if name not in self.agents or self.agents[name].done:
                        self.agents[name] = Agent(self.world, name)
                        self.agents[name].start()
            for name in [name for name, agent in self.agents.items() if agent.done and name not in self.state.units]:
                del self.agents[name]
            for agent in self.agents.values():
                agent.wake()
            self.world.apply(lambda model: changes.evaluate(model, self.settled, time.time()))
            await self._upkeep.run()
            passed, self._passed = self._passed, asyncio.Event()
            passed.set()

    async def _rollouts(self) -> None:
        while True:
            passed = self._passed
            waiting = await rollouts.step(self.world, self.settled)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(passed.wait(), READY_POLL if waiting else None)

    def _interrupted(self, change: Change) -> None:
        text = f"cannot {change.summary}: the engine was restarted meanwhile"
        self.world.apply(lambda model: changes.fail(model, change.id, text, "say it again", time.time()))

    async def _stop_agents(self) -> None:
        agents, self.agents = self.agents, {}
        await asyncio.gather(*(agent.stop() for agent in agents.values()))

    def notes(self) -> dict[str, list[str]]:
        """Return what status says about each application's images."""
        return {name: podspec.notes(self.state, found) for name, found in self.state.applications.items()}


def _stopped(model: Model, reason: str) -> Model:
    now = time.time()
    model = replace(model, stopped=reason)
    for name in model.units:
        model = lifecycle.churn(model, name, now)
    return model
