"""Running one hook: a charm's `dispatch` in the pod, or a built-in application's coroutine in the daemon."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nuages.engine import podspec
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.environment import TOOLS_DIRECTORY, charm_directory, environment
from nuages.engine.hooks.server import ToolServer
from nuages.engine.pods import Pod
from nuages.engine.world import World

Line = Callable[[str, str], None]
LEVELS = {"stdout": "DEBUG", "stderr": "WARNING"}
DISPATCH = "dispatch"


@dataclass
class Outcome:
    """How a hook ended, and what it said; `reason` and `fix` when we know better than its exit code.

    `via` says what ran it in the words of Juju's log, "" when the charm has nothing for it.
    """

    code: int
    stdout: str = ""
    stderr: str = ""
    reason: str = ""
    fix: str = ""
    via: str = ""


@dataclass
class Lines:
    """Cuts a stream of bytes into lines, and keeps all of it."""

    level: str
    emit: Line
    text: str = ""
    _rest: str = ""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")(errors="replace")
    )

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take bytes; every whole line is emitted."""
        piece = self._decoder.decode(data, final)
        self.text += piece
        *lines, self._rest = (self._rest + piece).split("\n")
        if final and self._rest:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self.emit(self.level, line)


@dataclass(frozen=True)
class Execution:
    """One context's way into the charm container; `emit` gets each line of output with its level."""

    world: World
    pod: Pod
    server: ToolServer
    context: HookContext
    emit: Line

    async def hook(self) -> Outcome:
        """Run the charm's `dispatch`, or its hook file; having neither is a success."""
        unit = self.context.unit_name
        charm = self.world.unit_directory(unit) / "charm"
        program, via = DISPATCH, f"hook dispatching script: {DISPATCH}"
        if not (charm / DISPATCH).exists():
            kind = "actions" if self.context.hook.kind == "action" else "hooks"
            program, via = f"{kind}/{self.context.name}", "explicit, bespoke hook script"
            if not (charm / program).exists():
                return Outcome(0)
        return replace(await self.command([f"{charm_directory(unit)}/{program}"]), via=via)

    async def command(self, argv: list[str]) -> Outcome:
        """Run a command in the charm container with the hook context, as `juju exec` does."""
        streams = {name: Lines(level, self.emit) for name, level in LEVELS.items()}
        unit = self.context.unit_name
        built_in = self.context.application.charm.built_in
        with self.server.open(self.context) as context_id:
            code = await self.pod.run(
                argv,
                environment=environment(self.context.before, unit, self.context.hook, context_id),
                cwd=TOOLS_DIRECTORY if built_in else charm_directory(unit),
                mounts=podspec.hook_mounts(self.world, unit),
                on_output=lambda stream, data: streams[stream].feed(data),
            )
        for lines in streams.values():
            lines.feed(b"", final=True)
        return Outcome(code, streams["stdout"].text, streams["stderr"].text)
