"""Which kind of gunicorn worker serves the application, and what the rock has to have for it.

The contract's option replaces the word behind `-k` in the rock's command. `asgi` is ours: gunicorn's own worker of
that name (since 25.0), or uvicorn's where the rock has an older gunicorn and the package uvicorn-worker.
"""

import re
from collections.abc import Collection

from nuages.charm import gunicorn, statuses
from nuages.charm.statuses import Status
from nuages.contract import layout

_NAMED = re.compile(r"((?:^|\s)(?:-k|--worker-class)(?:\s+\[\s*|\s+|=))([^\s\]]+)")

ASGI = "asgi"
GUNICORN_ASGI = "gunicorn.workers.gasgi"
UVICORN = layout.UVICORN_WORKER.partition(".")[0]
SYNCHRONOUS = ("sync", "gthread", "gevent")
"""Workers that speak WSGI."""

REQUIREMENTS = {"gevent": "gunicorn[gevent]", ASGI: "gunicorn>=25 or uvicorn-worker"}
"""By worker class: what to add to the application's requirements."""


def named(command: str) -> str:
    """Return the worker class that a command names; "" when it names none."""
    found = _NAMED.search(command)
    return found.group(2) if found else ""


def replaced(command: str, worker_class: str) -> str | None:
    """Return the command with another worker class; None when it names none that could be replaced."""
    changed, count = _NAMED.subn(lambda match: match.group(1) + worker_class, command, count=1)
    return changed if count else None


def command(original: str, option: str, modules: Collection[str], app: str) -> str | Status:
    """Return the web service's command, or why the application cannot be served so.

    Args:
        original: the rock's own command.
        option: the value of webserver-worker-class; "" when it is not set.
        modules: what the rock can import, of the modules that matter here.
        app: the application's name in Juju.
    """
    wanted = option or named(original)
    if not (option or wanted == ASGI or _protocol(original) == ASGI):
        return original
    actual, lack = _available(wanted, modules)
    if option and not named(original):
        lack = "the rock's command has no -k to change"
    protocol = "wsgi" if wanted in (*SYNCHRONOUS, "") else ASGI
    changed = _speaking(protocol, original, modules if option else ())
    module = gunicorn.application(original).partition(":")[0]
    if not lack and option and changed is None:
        lack = f"the rock serves {module}, of the other kind"
    if lack:
        if option:
            return statuses.WORKER_CLASS(worker_class=option, reason=lack, app=app)
        return statuses.ROCK_UNUSABLE(reason=f"its command says -k {wanted}, which {lack}")
    if changed is None:
        return statuses.WORKER_CLASS_MISSING(module=module, app=app)
    return changed if actual == named(original) else replaced(changed, actual) or changed


def _available(wanted: str, modules: Collection[str]) -> tuple[str, str]:
    """Return what has to stand behind `-k` for a worker class, and what the rock lacks for it."""
    if wanted == ASGI:
        actual = ASGI if GUNICORN_ASGI in modules else layout.UVICORN_WORKER if UVICORN in modules else ""
    else:
        actual = "" if wanted == "gevent" and "gevent" not in modules else wanted
    lack = f"needs {REQUIREMENTS[wanted]} in the rock" if not actual and wanted in REQUIREMENTS else ""
    return actual, lack


def _protocol(command: str) -> str:
    """Return `asgi` or `wsgi` as the module that the command serves is named; "" when its name does not say."""
    last = gunicorn.application(command).partition(":")[0].rpartition(".")[2]
    return last if last in (ASGI, "wsgi") else ""


def _speaking(protocol: str, command: str, modules: Collection[str]) -> str | None:
    """Return the command with a module that speaks `protocol`: Django makes one of each, side by side.

    None when it serves one of the other kind and has no such neighbour.
    """
    if _protocol(command) in ("", protocol):
        return command
    module = gunicorn.application(command).partition(":")[0]
    parent = module.rpartition(".")[0]
    sibling = f"{parent}.{protocol}" if parent else protocol
    return command.replace(f"{module}:", f"{sibling}:", 1) if sibling in modules else None
