"""Blocking work in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def finished(work: Awaitable[T]) -> T:
    """Await `work`; when the caller is cancelled meanwhile, the cancellation comes after its end.

    A thread cannot be stopped: whoever goes on before it has ended finds its files and processes appear later.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a thread to its end, cancelled or not."""
    return await finished(asyncio.to_thread(function, *args, **kwargs))
