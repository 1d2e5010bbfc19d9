"""One task per unit: keep its pod, find its next hook, run it, commit or try again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace

from nuages.engine import lifecycle, podspec, recovery
from nuages.engine.hookrun import HookRunner
from nuages.engine.hooks.server import ToolServer
from nuages.engine.operations import ended
from nuages.engine.pods import Pod
from nuages.engine.resolver import Observed, next_hook
from nuages.engine.resolver.advance import next_backoff
from nuages.engine.rotation import next_expiry
from nuages.engine.state import Model, Pending, Status, Unit
from nuages.engine.threads import finished
from nuages.engine.watch import Watch
from nuages.engine.world import World
from nuages.errors import NuagesError

logger = logging.getLogger(__name__)

STOP_GRACE = 5.0


class Agent:
    """The agent of one unit."""

    def __init__(self, world: World, unit: str) -> None:
        self.world = world
        self.name = unit
        self.server = ToolServer(world.unit_directory(unit) / "agent.socket")
        self.hooks = HookRunner(world, unit, self.server)
        self.executing = False
        self._watches: dict[str, Watch] = {}
        self._wake = asyncio.Event()
        self._pod_failures = 0
        self._retries = 0
        self._resting = False
        self._task: asyncio.Task[None] | None = None

    # for the runner

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=f"agent {self.name}")

    def wake(self) -> None:
        """Look again whether there is something to do."""
        self._wake.set()

    def retry(self) -> None:
        """Try at once what failed and waits for its time."""
        self._retries += 1
        self._wake.set()

    @property
    def done(self) -> bool:
        """Whether the unit is gone."""
        return self._task is not None and self._task.done()

    async def stop(self) -> None:
        """Stop at once; a running hook is killed and repeats when an agent looks after the unit again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._unwatch()
        await self.server.stop()

    def observed(self) -> Observed:
        """Return what is known of the pod now."""
        now = time.time()
        ready = {
            name: watch.boot_id
            for name, watch in self._watches.items()
            if watch.boot_id and self.hooks.held.get(name, 0.0) <= now
        }
        notices = tuple(notice for watch in self._watches.values() for notice in watch.notices)
        return Observed(now, ready, notices)

    def settled(self, model: Model) -> bool:
        """Return whether the unit has its pod, is alive, and nothing is left to do but update-status."""
        unit = model.units.get(self.name)
        application = model.applications.get(self.name.partition("/")[0])
        if unit is None or application is None or self.executing or unit.pending is not None or unit.replace:
            return False
        if unit.life != "alive" or unit.pod != application.revision:
            return False
        if any(self.hooks.held.get(container.name, 0.0) > time.time() for container in application.charm.containers):
            return False
        if not all(container.name in self.observed().boot_ids for container in application.charm.containers):
            return False
        hook = next_hook(model, self.name, self.observed())
        return hook is None or hook.kind == "update-status"

    # the loop

    async def _run(self) -> None:
        """Work for ever; a bug of ours is written down and does not make the unit spin."""
        self._fail_interrupted()
        await self.server.start()
        failures = 0
        while True:
            try:
                await self._loop()
            except Exception as error:
                failures += 1
                logger.exception("agent of %s", self.name)
                text = f"cannot look after {self.name}: internal error ({type(error).__name__})"
                self.world.fail_changes(self.name.partition("/")[0], text, "its traceback is in daemon.log")
                await asyncio.sleep(next_backoff(failures))
            else:
                return

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            unit = self.world.state.units.get(self.name)
            if unit is None:
                return
            if unit.life == "dying" and (not unit.local.installed or unit.local.removed):
                await self._remove()
                return
            try:
                pod = await self._pod(unit)
            except NuagesError as error:
                if unit.life == "dying":
                    self.world.log(self.name, "WARNING", "nuages.pod", f"removed without its last hooks: {error}")
                    await self._remove()
                    return
                await self._pod_failed(error)
                continue
            if unit.replace:
                await self._replace(pod)
                continue
            if unit.pending is not None and unit.pending.skip and not unit.pending.running:
                self._pass_over(unit.pending)
                continue
            hook = next_hook(self.world.state, self.name, self.observed())
            if hook is None:
                await self._rest()
            else:
                self.executing, self._resting = True, False
                try:
                    await self.hooks.run(pod, hook)
                finally:
                    self.executing = False
                self._forget_notices()

    def _pass_over(self, pending: Pending) -> None:
        """The user resolved the failed hook without a retry, or removes the unit by force."""
        self.world.log(self.name, "WARNING", "nuages.agent", f"failed {pending.hook.kind} hook passed over")
        self.world.apply(lambda model: recovery.pass_over(model, self.name, time.time()))

    def _news(self) -> None:
        self._resting = False
        self._wake.set()

    async def _rest(self) -> None:
        if not self._resting:
            self._resting = True
            self.world.news()
        await self._wait()

    async def _wait(self) -> None:
        """Wait for news, or for the time of the next retry or update-status."""
        unit = self.world.state.units[self.name]
        now = time.time()
        times = [until for until in self.hooks.held.values() if until > now]
        if unit.pending is not None:
            times.append(unit.pending.retry_at)
        elif unit.local.started:
            times.append(unit.local.update_status_at)
        for secret in self.world.state.secrets.values():
            expiry = next_expiry(secret, unit.local.secrets)
            times += [at for at in (secret.rotate_at, expiry and expiry[0]) if at is not None and at > now]
        seconds = max(min([*times, now + 3600]) - now, 0.05)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    def _forget_notices(self) -> None:
        unit = self.world.state.units.get(self.name)
        for name, at in unit.local.notices.items() if unit else ():
            if name in self._watches:
                self._watches[name].handled(at)

    def _fail_interrupted(self) -> None:
        """Operations that ran when the daemon died are not repeated: they may have had effects."""

        def write(model: Model) -> Model:
            for operation in list(model.operations.values()):
                if operation.unit == self.name and operation.status == "running":
                    message = f"{operation.kind} terminated: the engine was restarted"
                    model = ended(model, replace(operation, status="failed", message=message), time.time())
            return model

        self.world.apply(write)

    # the pod

    async def _pod(self, unit: Unit) -> Pod:
        pod = self.world.pods.pod(self.name) if unit.pod else None
        if pod is None:
            pod = await self._make_pod(unit)
        for container in pod.containers.values():
            if container.name not in self._watches:
                after = self.world.state.units[self.name].local.notices.get(container.name, "")
                self._watches[container.name] = Watch(container, after, self._news)
        self._pod_failures = 0
        return pod

    async def _make_pod(self, unit: Unit) -> Pod:
        world = self.world
        await self._unwatch()
        if unit.pod or unit.local.installed:
            world.apply(lambda model: lifecycle.churn(model, self.name, time.time()))
        tasks = world.begin_tasks(self.name, "start the pod")
        revision = world.state.applications[unit.application].revision
        try:
            await world.pods.open()
            await finished(world.pods.stop(self.name))
            spec = await podspec.build(world, unit, lambda line: world.task_line(tasks, line))
            await finished(podspec.fresh_charm(world, unit))
            pod = await finished(world.pods.start(spec))
        except BaseException as error:
            world.task_line(tasks, str(error) or type(error).__name__)
            world.end_tasks(tasks, "Error")
            raise
        now = time.time()

        def write(model: Model) -> Model:
            agent = Status("allocating", "", now)
            found = replace(model.units[self.name], pod=revision, address=pod.address, agent=agent)
            return lifecycle.settle(model.with_unit(found), now)

        world.apply(write)
        await world.pods.set_names(podspec.service_names(world))
        world.end_tasks(tasks, "Done")
        return pod

    async def _pod_failed(self, error: NuagesError) -> None:
        self._pod_failures += 1
        delay = next_backoff(self._pod_failures)
        logger.warning("pod of %s: %s", self.name, error)
        self.world.log(self.name, "ERROR", "nuages.pod", str(error))
        if error.fix:
            self.world.log(self.name, "ERROR", "nuages.pod", f"fix: {error.fix}")
        agent = Status("error", str(error), time.time())
        self.world.apply(lambda model: model.with_unit(replace(model.units[self.name], agent=agent)))
        self.world.fail_changes(self.name.partition("/")[0], f"cannot start {self.name}: {error}", error.fix)
        await self._pause(delay)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless something else is wanted of the unit, or its pod can only now be made.

        Not for any news: writing down that a pod failed is news too, for the other units whose pods fail.
        """
        wanted = self._wanted()
        until = time.monotonic() + seconds
        while self._wanted() == wanted and (left := until - time.monotonic()) > 0:
            self._wake.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)

    def _wanted(self) -> tuple[object, ...]:
        unit = self.world.state.units.get(self.name)
        application = self.world.state.applications.get(self.name.partition("/")[0])
        return unit and unit.life, unit and unit.replace, application and application.revision, self._retries

    async def _replace(self, pod: Pod) -> None:
        """A new revision: the old charm's stop, then a new pod."""
        tasks = self.world.begin_tasks(self.name, "replace the pod")
        local = self.world.state.units[self.name].local
        if local.started:
            await self.hooks.stop_hook(pod, tasks)
        await self._unwatch()
        await finished(self.world.pods.stop(self.name, grace=STOP_GRACE))
        self.world.apply(lambda model: lifecycle.churn(model, self.name, time.time()))
        self.world.end_tasks(tasks, "Done")

    async def _remove(self) -> None:
        await self._unwatch()
        await finished(self.world.pods.stop(self.name, grace=STOP_GRACE))
        await self.server.stop()
        directory = self.world.unit_directory(self.name)
        if directory.exists():
            await finished(asyncio.to_thread(self.world.pods.remove, directory))
        self.world.apply(lambda model: lifecycle.forget_unit(model, self.name, time.time()))
        await self.world.pods.set_names(podspec.service_names(self.world))

    async def _unwatch(self) -> None:
        watches, self._watches = self._watches, {}
        for watch in watches.values():
            await watch.stop()
