"""What to do about failed hooks: try again at once, or pass them over. Pure functions from one model to the next."""

from __future__ import annotations

from dataclasses import replace

from nuages.engine.errors import EngineError
from nuages.engine.lifecycle import settle, unit
from nuages.engine.resolver.advance import committed
from nuages.engine.state import Model


def hasten(model: Model, now: float, application: str | None = None) -> Model:
    """Return the model in which no failed hook, or none of one application, waits any longer."""
    for found in model.units_of(application) if application is not None else list(model.units.values()):
        if found.pending is not None and found.pending.retry_at > now:
            model = model.with_unit(replace(found, pending=replace(found.pending, retry_at=now)))
    return model


def resolve(model: Model, name: str, now: float, *, retry: bool) -> Model:
    """Return the model in which the unit's failed hook runs again now, or without `retry` counts as run.

    Raises:
        EngineError: no hook of it failed.
    """
    found = unit(model, name)
    if found.pending is None or not found.failed:
        raise EngineError(
            f'cannot resolve {found.name}: unit "{found.name}" is not in an error state', fix="nuages status"
        )
    pending = replace(found.pending, retry_at=now, skip=not retry)
    return model.with_unit(replace(found, pending=pending))


def pass_over(model: Model, name: str, now: float) -> Model:
    """Return the model in which the unit's failed hook counts as run, with nothing written by it."""
    pending = model.units[name].pending
    assert pending is not None
    return settle(committed(model, model, name, pending.hook, now), now)
