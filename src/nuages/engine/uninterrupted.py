"""Work that a cancelled task must not leave behind half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def uninterrupted(work: Awaitable[T]) -> T:
    """Await `work`; when the caller is cancelled meanwhile, the cancellation waits for its end.

    A thread cannot be stopped: without this, what it writes would come after the directory was removed.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
