"""Calls to a Pebble whose administrator this process is not.

In mode ROOT the daemon's uid 0 has no place in the model's user map, so Pebble takes it for nobody. A thread may have
credentials of its own: it becomes the container's root as far as the peer can see, and keeps its rights otherwise.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import threading
from collections.abc import Callable
from typing import TypeVar

from nuages.engine.sandbox.errors import SandboxError

T = TypeVar("T")

_PR_SET_SECUREBITS = 28
_NO_SETUID_FIXUP = 1 << 2
# glibc's own setresuid() changes every thread of the process, the bare system call one.
_SETRESUID = {"x86_64": 117, "aarch64": 147}


def become(uid: int) -> None:
    """Give the calling thread, and only it, the effective uid `uid` without taking its capabilities.

    Raises:
        SandboxError: the kernel refuses, or this machine's system call number is not known.
    """
    number = _SETRESUID.get(platform.machine())
    if number is None:
        raise SandboxError(
            f"cannot talk to Pebble as root on {platform.machine()}", fix="run nuages as an ordinary user"
        )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0):
        raise SandboxError(f"cannot talk to Pebble as root: {os.strerror(ctypes.get_errno())}")
    if libc.syscall(ctypes.c_long(number), ctypes.c_long(-1), ctypes.c_long(uid), ctypes.c_long(-1)):
        raise SandboxError(f"cannot talk to Pebble as root: {os.strerror(ctypes.get_errno())}")


async def call(function: Callable[[], T], *, uid: int | None) -> T:
    """Run a blocking function in a thread of its own (as `uid` when given) and return its result.

    A thread for each call: a long poll never keeps others waiting, and none holds up the end of the process.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  None only with an error
        else:
            future.set_exception(error)

    def work() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            if uid is not None:
                become(uid)
            result = function()
        except BaseException as error:
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            return  # the loop has closed: nobody is waiting any more

    threading.Thread(target=work, name="pebble", daemon=True).start()
    return await future
