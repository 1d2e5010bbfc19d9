"""One task per unit: keep its pod, find its next hook, run it, commit or try again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from dataclasses import replace

from nuages.engine import lifecycle, podspec
from nuages.engine.builtin import BuiltInContext
from nuages.engine.dispatch import Execution, Outcome
from nuages.engine.errors import EngineError
from nuages.engine.hooks.context import HookContext, RemoteCache, Write
from nuages.engine.hooks.server import ToolServer
from nuages.engine.operations import ended, results
from nuages.engine.pods import Pod
from nuages.engine.resolver import Observed, hook_name, next_hook
from nuages.engine.resolver.advance import committed, failed, next_backoff, started
from nuages.engine.resolver.view import OPERATION_KINDS, WORKLOAD_KINDS
from nuages.engine.state import Hook, Model, Status, Unit
from nuages.engine.watch import Watch
from nuages.engine.world import World
from nuages.errors import NuagesError

logger = logging.getLogger(__name__)

WORKLOAD_RETRY = 5.0
STOP_GRACE = 5.0


class Agent:
    """The agent of one unit."""

    def __init__(self, world: World, unit: str) -> None:
        self.world = world
        self.name = unit
        self.server = ToolServer(world.unit_directory(unit) / "agent.socket")
        self.executing = False
        self._cache = RemoteCache()
        self._watches: dict[str, Watch] = {}
        self._held: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._pod_failures = 0
        self._resting = False
        self._task: asyncio.Task[None] | None = None

    # for the runner

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=f"agent {self.name}")

    def wake(self) -> None:
        """Look again whether there is something to do."""
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
            if watch.boot_id and self._held.get(name, 0.0) <= now
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
        if any(self._held.get(container.name, 0.0) > time.time() for container in application.charm.containers):
            return False
        if not all(container.name in self.observed().boot_ids for container in application.charm.containers):
            return False
        hook = next_hook(model, self.name, self.observed())
        return hook is None or hook.kind == "update-status"

    # the loop

    async def _run(self) -> None:
        self._fail_interrupted()
        await self.server.start()
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
                await self._pod_failed(error)
                continue
            if unit.replace:
                await self._replace(pod)
                continue
            hook = next_hook(self.world.state, self.name, self.observed())
            if hook is None:
                await self._rest()
            else:
                self.executing, self._resting = True, False
                try:
                    await self._execute(pod, hook)
                finally:
                    self.executing = False

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
        times = [until for until in self._held.values() if until > now]
        if unit.pending is not None:
            times.append(unit.pending.retry_at)
        elif unit.local.started:
            times.append(unit.local.update_status_at)
        due = [secret.rotate_at for secret in self.world.state.secrets.values() if secret.rotate_at is not None]
        seconds = max(min([*times, *due, now + 3600]) - now, 0.05)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

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
            await world.pods.stop(self.name)
            spec = await podspec.build(world, unit, lambda line: world.task_line(tasks, line))
            await podspec.fresh_charm(world, unit)
            pod = await world.pods.start(spec)
        except BaseException as error:
            world.task_line(tasks, str(error) or type(error).__name__)
            world.end_tasks(tasks, "Error")
            raise
        now = time.time()

        def write(model: Model) -> Model:
            found = replace(model.units[self.name], pod=revision, address=pod.address)
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
        status = Status("waiting", str(error), time.time())
        self.world.apply(lambda model: model.with_unit(replace(model.units[self.name], status=status)))
        self.world.fail_changes(self.name.partition("/")[0], f"cannot start {self.name}: {error}", error.fix)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._wake.wait(), delay)

    async def _replace(self, pod: Pod) -> None:
        """A new revision: the old charm's stop, then a new pod."""
        tasks = self.world.begin_tasks(self.name, "replace the pod")
        local = self.world.state.units[self.name].local
        if local.started:
            context = self._context(Hook("stop"))
            outcome = await self._dispatch(pod, context, tasks)
            if outcome.code == 0:
                self.world.apply(context.replay)
        await self._unwatch()
        await self.world.pods.stop(self.name, grace=STOP_GRACE)
        self.world.apply(lambda model: lifecycle.churn(model, self.name, time.time()))
        self.world.end_tasks(tasks, "Done")

    async def _remove(self) -> None:
        await self._unwatch()
        await self.world.pods.stop(self.name, grace=STOP_GRACE)
        await self.server.stop()
        directory = self.world.unit_directory(self.name)
        if directory.exists():
            await asyncio.to_thread(self.world.pods.remove, directory)
        self.world.apply(lambda model: lifecycle.forget_unit(model, self.name, time.time()))
        await self.world.pods.set_names(podspec.service_names(self.world))

    async def _unwatch(self) -> None:
        watches, self._watches = self._watches, {}
        for watch in watches.values():
            await watch.stop()

    # hooks

    def _context(self, hook: Hook) -> HookContext:
        state = self.world.state
        unit = state.units[self.name]
        resources = podspec.resource_paths(state.applications[unit.application], self.name)
        return HookContext(state, self.name, hook, AgentSink(self, hook), cache=self._cache, resources=resources)

    async def _execute(self, pod: Pod, hook: Hook) -> None:
        self.world.apply(lambda model: started(model, self.name, hook, time.time()))
        context = self._context(hook)
        operation = context.before.operations.get(hook.operation)
        tasks = self.world.begin_tasks(self.name, context.name, change=operation.change if operation else "")
        outcome = await self._dispatch(pod, context, tasks)
        if hook.kind in OPERATION_KINDS:
            self._end_operation(context, outcome)
            self.world.end_tasks(tasks, "Done" if outcome.code == 0 else "Error")
            return
        reason = "" if outcome.code == 0 else f"exit code {outcome.code}"
        if not reason:
            reason = self._commit(context, hook)
        if reason:
            self._fail(hook, context.name, reason, tasks)
        self.world.end_tasks(tasks, "Error" if reason else "Done")

    def _commit(self, context: HookContext, hook: Hook) -> str:
        """Write everything in one transaction; return why it was refused, "" when it was not."""
        now = time.time()

        def write(model: Model) -> Model:
            model = context.replay(model)
            model = committed(model, context.before, self.name, hook, now)
            if hook.kind == "config-changed":
                model = lifecycle.refresh_addresses(model, self.name)
            return lifecycle.settle(model, now)

        try:
            self.world.apply(write)
        except EngineError as error:
            self.world.log(self.name, "ERROR", "nuages.agent", f"cannot commit {context.name}: {error}")
            return str(error)
        if hook.notice_at and hook.container in self._watches:
            self._watches[hook.container].handled(hook.notice_at)
        return ""

    def _fail(self, hook: Hook, name: str, reason: str, tasks: list[str]) -> None:
        now = time.time()
        if hook.kind in WORKLOAD_KINDS:
            self._held[hook.container] = now + WORKLOAD_RETRY
        jitter = random.uniform(0, 0.1)  # noqa: S311  not for secrets
        self.world.apply(lambda model: failed(model, self.name, hook, now, jitter=jitter))
        pending = self.world.state.units[self.name].pending
        seconds = WORKLOAD_RETRY if pending is None else max(pending.retry_at - now, 0)
        text = f'hook "{name}" of {self.name} failed: {reason}'
        self.world.log(self.name, "ERROR", "nuages.agent", f"{text}; again in {seconds:.0f} s")
        self.world.task_line(tasks, f"{text}; again in {seconds:.0f} s")
        self.world.fail_changes(
            self.name.partition("/")[0],
            text,
            f"its output: nuages debug-log --include {self.name}; it is tried again by itself in {seconds:.0f} s",
        )

    async def _dispatch(self, pod: Pod, context: HookContext, tasks: list[str]) -> Outcome:
        name = hook_name(context.before, self.name, context.hook)

        def emit(level: str, line: str) -> None:
            self.world.log(self.name, level, f"unit.{self.name}.{name}", line)
            if level != "DEBUG":
                self.world.task_line(tasks, line)

        execution = Execution(self.world, pod, self.server, context, emit)
        operation = context.before.operations.get(context.hook.operation)
        if context.hook.kind == "exec" and operation is not None:
            return await execution.command(list(operation.argv))
        if not context.application.charm.built_in:
            return await execution.hook()
        return await self._built_in(pod, context)

    async def _built_in(self, pod: Pod, context: HookContext) -> Outcome:
        service = self.world.services[context.application.charm.name]
        sight = BuiltInContext(self.world, pod, context)
        try:
            if context.hook.kind == "action":
                operation = context.before.operations[context.hook.operation]
                context.results.update(await service.action(sight, operation.name, operation.params))
            else:
                await service.hook(sight)
        except NuagesError as error:
            context.failure = str(error)
            self.world.log(self.name, "ERROR", f"unit.{self.name}.{context.name}", str(error))
            return Outcome(1, stderr=str(error))
        except Exception as error:
            logger.exception("hook %s of %s", context.name, self.name)
            context.failure = f"{type(error).__name__}, see daemon.log"
            self.world.log(self.name, "ERROR", f"unit.{self.name}.{context.name}", context.failure)
            return Outcome(1, stderr=context.failure)
        return Outcome(0)

    def _end_operation(self, context: HookContext, outcome: Outcome) -> None:
        operation = self.world.state.operations[context.hook.operation]
        operation = results(operation, context, outcome)
        now = time.time()
        if outcome.code == 0:
            try:
                self.world.apply(lambda model: lifecycle.settle(ended(context.replay(model), operation, now), now))
                return
            except EngineError as error:
                operation = replace(operation, status="failed", message=str(error))
        self.world.apply(lambda model: ended(model, operation, now))


class AgentSink:
    """Effects of a hook that do not wait for its end."""

    def __init__(self, agent: Agent, hook: Hook) -> None:
        self._agent = agent
        self._hook = hook

    def apply(self, write: Write) -> None:
        """Commit now."""
        self._agent.world.apply(write)

    def log(self, level: str, message: str) -> None:
        """Write to the debug-log, and to the change that waits."""
        world, unit = self._agent.world, self._agent.name
        world.log(unit, level, f"unit.{unit}.juju-log", message)

    def action_log(self, message: str) -> None:
        """Add to the running action's log."""

        def write(model: Model) -> Model:
            operation = model.operations[self._hook.operation]
            return model.with_operation(replace(operation, log=(*operation.log, message)))

        self._agent.world.apply(write)
