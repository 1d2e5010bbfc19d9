"""Running a unit's hooks one after the other: dispatch, then commit everything or nothing."""

from __future__ import annotations

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
from nuages.engine.resolver import hook_name
from nuages.engine.resolver.advance import committed, failed, started
from nuages.engine.resolver.view import OPERATION_KINDS, WORKLOAD_KINDS
from nuages.engine.state import Hook, Model
from nuages.engine.world import World
from nuages.errors import NuagesError

logger = logging.getLogger(__name__)

WORKLOAD_RETRY = 5.0
SHOWN_LEVELS = ("WARNING", "ERROR", "CRITICAL")
UNITER = "juju.worker.uniter.operation"
"""The module under which Juju's agent logs the hooks that it ran; tools that read its log look for it."""


class HookRunner:
    """What runs one unit's hooks. `held` says until when a container's hooks wait after one failed."""

    def __init__(self, world: World, unit: str, server: ToolServer) -> None:
        self.world = world
        self.name = unit
        self.server = server
        self.held: dict[str, float] = {}
        self.tasks: list[str] = []
        self._cache = RemoteCache()

    async def stop_hook(self, pod: Pod, tasks: list[str]) -> None:
        """Run the stop hook of a pod that is about to be replaced; when it fails the pod goes all the same."""
        context = self._context(Hook("stop"))
        outcome = await self._dispatch(pod, context, tasks)
        if outcome.code != 0:
            return
        try:
            self.world.apply(context.replay)
        except EngineError as error:
            self.world.log(self.name, "ERROR", "nuages.agent", f"cannot commit {context.name}: {error}")
        else:
            self._ran(context.name, outcome)

    def _context(self, hook: Hook) -> HookContext:
        state = self.world.state
        unit = state.units[self.name]
        resources = podspec.resource_paths(state.applications[unit.application], self.name)
        return HookContext(state, self.name, hook, HookSink(self, hook), cache=self._cache, resources=resources)

    async def run(self, pod: Pod, hook: Hook) -> None:
        """Run a hook and record how it ended."""
        self.world.apply(lambda model: started(model, self.name, hook, time.time()))
        context = self._context(hook)
        operation = context.before.operations.get(hook.operation)
        tasks = self.world.begin_tasks(self.name, context.name, change=operation.change if operation else "")
        outcome = await self._dispatch(pod, context, tasks)
        if hook.kind in OPERATION_KINDS:
            self._end_operation(context, outcome)
            self.world.end_tasks(tasks, "Done" if outcome.code == 0 else "Error")
            return
        if outcome.code == 0 and (refused := self._commit(context, hook)):
            outcome = Outcome(1, reason=refused)
        if outcome.code != 0:
            self._fail(hook, context.name, outcome, tasks)
        else:
            self._ran(context.name, outcome)
            self.world.end_tasks(tasks, "Done")
        if context.application.charm.built_in and context.before.units[self.name].status != context.unit.status:
            await self.world.pods.set_names(
                podspec.service_names(self.world)
            )  # replicas' lead to those that are active

    def _ran(self, name: str, outcome: Outcome) -> None:
        """Log a hook that has run, in Juju's words and at its level."""
        text = f'ran "{name}" hook (via {outcome.via})' if outcome.via else f'skipped "{name}" hook (missing)'
        self.world.log(self.name, "INFO", UNITER, text)

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
        return ""

    def _fail(self, hook: Hook, name: str, outcome: Outcome, tasks: list[str]) -> None:
        now = time.time()
        if hook.kind in WORKLOAD_KINDS:
            self.held[hook.container] = now + WORKLOAD_RETRY
        jitter = random.uniform(0, 0.1)  # noqa: S311  not for secrets
        self.world.apply(lambda model: failed(model, self.name, hook, now, jitter=jitter))
        pending = self.world.state.units[self.name].pending
        seconds = WORKLOAD_RETRY if pending is None else max(pending.retry_at - now, 0)
        text = f'hook "{name}" of {self.name} failed: {outcome.reason or f"exit code {outcome.code}"}'
        self.world.log(self.name, "ERROR", "nuages.agent", f"{text}; again in {seconds:.0f} s")
        self.world.task_line(tasks, f"{text}; again in {seconds:.0f} s")
        self.world.end_tasks(tasks, "Error")
        self.world.fail_changes(
            self.name.partition("/")[0],
            text,
            outcome.fix
            or f"its output: nuages debug-log --include {self.name}; it is tried again by itself in {seconds:.0f} s",
        )

    async def _dispatch(self, pod: Pod, context: HookContext, tasks: list[str]) -> Outcome:
        self.tasks = tasks
        name = hook_name(context.before, self.name, context.hook)

        def emit(level: str, line: str) -> None:
            self.world.log(self.name, level, f"unit.{self.name}.{name}", line)
            if level in SHOWN_LEVELS:
                self.world.task_line(tasks, line)

        execution = Execution(self.world, pod, self.server, context, emit)
        operation = context.before.operations.get(context.hook.operation)
        try:
            if context.hook.kind == "exec" and operation is not None:
                return await execution.command(list(operation.argv))
            if not context.application.charm.built_in:
                return await execution.hook()
        except NuagesError as error:  # the pod went away, or cannot be entered
            emit("ERROR", str(error))
            return Outcome(1, stderr=str(error), reason=str(error), fix=error.fix)
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
                if context.application.version != service.version:
                    context.set_version(service.version)
        except NuagesError as error:
            context.failure = str(error)
            for line in (str(error), *([f"fix: {error.fix}"] if error.fix else [])):
                self.world.log(self.name, "ERROR", f"unit.{self.name}.{context.name}", line)
            return Outcome(1, stderr=str(error), reason=str(error), fix=error.fix)
        except Exception as error:
            logger.exception("hook %s of %s", context.name, self.name)
            context.failure = f"{type(error).__name__}, see daemon.log"
            self.world.log(self.name, "ERROR", f"unit.{self.name}.{context.name}", context.failure)
            return Outcome(1, stderr=context.failure, reason=context.failure)
        return Outcome(0, via="the built-in application")

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


class HookSink:
    """Effects of a hook that do not wait for its end."""

    def __init__(self, runner: HookRunner, hook: Hook) -> None:
        self._runner = runner
        self._hook = hook

    def apply(self, write: Write) -> None:
        """Commit now."""
        self._runner.world.apply(write)

    def log(self, level: str, message: str) -> None:
        """Write to the debug-log, and to the change that waits."""
        world, unit = self._runner.world, self._runner.name
        world.log(unit, level, f"unit.{unit}.juju-log", message)
        if level in SHOWN_LEVELS:
            for line in message.splitlines():
                world.task_line(self._runner.tasks, line)

    def action_log(self, message: str) -> None:
        """Add to the running action's log."""

        def write(model: Model) -> Model:
            operation = model.operations[self._hook.operation]
            return model.with_operation(replace(operation, log=(*operation.log, message)))

        self._runner.world.apply(write)
