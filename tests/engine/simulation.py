"""A model without pods: hooks that a unit would run, one after the other, as the resolver says."""

from dataclasses import replace

from nuages.engine import lifecycle
from nuages.engine.charms import build
from nuages.engine.hooks.context import HookContext, RemoteCache
from nuages.engine.resolver import Notice, Observed, hook_name, next_hook
from nuages.engine.resolver.advance import committed, started
from nuages.engine.resolver.view import OPERATION_KINDS
from nuages.engine.state import Hook, Model
from tests.engine.charms import ACTIONS, OPTIONS, metadata


def charm(name="recorder", **changes):
    return build(metadata(name, **changes), OPTIONS, ACTIONS, digest=f"digest-{name}", path="", python="3.12")


class Silent:
    def __init__(self, world):
        self.world = world
        self.lines = []

    def apply(self, write):
        self.world.model = write(self.world.model)

    def log(self, level, message):
        self.lines.append((level, message))

    def action_log(self, message):
        self.lines.append(("ACTION", message))


class World:
    """Units have a pod as soon as `pod` is called for them, and their containers boot then."""

    def __init__(self):
        self.model = Model("dev", "uuid")
        self.now = 1000.0
        self.boots = {}
        self.notices = ()
        self.caches = {}
        self.does = {}
        self.log = []

    def deploy(self, name, units=1, config=None, **changes):
        self.model = lifecycle.deploy(
            self.model, name, charm(name, **changes), resources={}, config=config or {}, units=units, trust=False, now=0
        )
        return self

    def integrate(self, one, two):
        from nuages.engine.endpoints import resolve

        self.model, number = lifecycle.integrate(self.model, resolve(self.model, (one, two)), self.now)
        return number

    def pod(self, *units):
        for name in units:
            unit = self.model.units[name]
            revision = self.model.applications[unit.application].revision
            address = f"10.77.0.{len(self.boots) + 2}"
            self.model = lifecycle.settle(self.model.with_unit(replace(unit, pod=revision, address=address)), self.now)
            self.boots[name] = f"boot-{len(self.boots)}"

    def observed(self, name):
        if name not in self.boots:
            return Observed(self.now)
        return Observed(self.now, {"work": self.boots[name]}, self.notices)

    def context(self, unit, hook=None):
        hook = hook or Hook("update-status")
        cache = self.caches.setdefault(unit, RemoteCache())
        return HookContext(self.model, unit, hook, Silent(self), cache=cache, resources={})

    def step(self, unit):
        """Run the unit's next hook; return what is written in the log, or "" when there is none."""
        hook = next_hook(self.model, unit, self.observed(unit))
        if hook is None:
            return ""
        name = hook_name(self.model, unit, hook)
        self.model = started(self.model, unit, hook, self.now)
        context = self.context(unit, hook)
        self.does.get(name, lambda context: None)(context)
        model = committed(context.replay(self.model), context.before, unit, hook, self.now)
        if hook.kind in OPERATION_KINDS:
            model = model.with_operation(replace(model.operations[hook.operation], status="completed"))
        self.model = lifecycle.settle(model, self.now)
        line = f"{unit} {name}"
        if hook.relation is not None:
            line += f" {hook.remote_unit or hook.remote_application}"
        if hook.departing_unit:
            line += f" (departing {hook.departing_unit})"
        self.log.append(line)
        return line

    def run(self, *units, most=200):
        """Let the units run, one hook each in turn, until none has anything to do; return the new lines."""
        before = len(self.log)
        names = units or sorted(self.boots)
        for _ in range(most):
            stepped = [self.step(name) for name in names if name in self.model.units]
            for name in names:
                unit = self.model.units.get(name)
                if unit and unit.life == "dying" and unit.local.removed:
                    self.model = lifecycle.forget_unit(self.model, name, self.now)
            if not any(stepped):
                return self.log[before:]
        raise AssertionError(f"no end: {self.log[-10:]}")


__all__ = ["Notice", "World", "charm"]
