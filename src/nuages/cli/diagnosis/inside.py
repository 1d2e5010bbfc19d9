"""Asking Django itself, in the unit's container and with the web service's own environment."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from nuages.cli.diagnosis.observations import Inside, Raised
from nuages.cli.session import Session
from nuages.contract import bases, layout
from nuages.errors import NuagesError

TIMEOUT = 60
"""Seconds."""
MARK = "nuages-answer="
PEBBLE = "/charm/bin/pebble"
PROGRAM = Path(__file__).with_name("ask_django.py")

_OPEN = re.compile(r"^(PATH|HOME|DJANGO_(BASE_URL|ALLOWED_HOSTS|CSRF_TRUSTED_ORIGINS|DEBUG|SETTINGS_MODULE)|"
                   r"\w+_(HOSTNAME|NAME|PORT|SCHEME|PATH))$")  # fmt: skip
"""Variables that hold no secret; any other may."""
_CREDENTIALS = re.compile(r"://[^/@\s'\"]+@")
_SHORTEST = 6
_SETTLED = 5.0
"""Seconds after which a service that runs has got over what stopped it the last time."""


@dataclass(frozen=True)
class WebService:
    """A unit's web service, with the environment that holds secrets."""

    unit: str
    container: str
    command: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    others: tuple[str, ...] = ()
    """The application's other services in the container."""


class Silent(NuagesError):
    """The application could not be asked from inside."""

    code = "silent"


def web_service(session: Session, unit: str) -> WebService:
    """Return the unit's web service as its Pebble plan has it.

    Raises `NuagesError` when the pod does not run or has no such service.
    """
    document: dict[str, Any] = session.get("plan", unit=unit)
    for container, entry in document["containers"].items():
        services: dict[str, Any] = entry.get("services") or {}
        if layout.WEB_SERVICE in services:
            service: dict[str, Any] = services[layout.WEB_SERVICE]
            others = tuple(name for name in services if name not in (layout.WEB_SERVICE, layout.STATSD_SERVICE))
            environment: dict[str, Any] = service.get("environment") or {}
            known = {name: str(value) for name, value in environment.items()}
            return WebService(unit, str(container), str(service.get("command", "")), known, others)
    raise Silent(f"{unit} has no service {layout.WEB_SERVICE!r}")


def started(session: Session, web: WebService) -> dict[str, float]:
    """Return since when, in seconds of the epoch, each service runs, but for those just started.

    The table is that of `pebble services --abs-time`: name, startup, current, since.
    """
    body = {"unit": web.unit, "container": web.container, "argv": [PEBBLE, "services", "--abs-time"], "tty": False}
    argv: list[str] = session.post("enter", body=body)["argv"]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise Silent(f"Pebble did not answer within {TIMEOUT} s") from None
    found: dict[str, float] = {}
    for row in (line.split() for line in done.stdout.splitlines()):
        since = seconds(row[3]) if len(row) == 4 and row[2] == "active" else None
        if since is not None and time.time() - since > _SETTLED:
            found[row[0]] = since
    return found


def seconds(stamp: str) -> float | None:
    """Return an RFC 3339 time in UTC as seconds of the epoch, None when it is no time."""
    try:
        return datetime.fromisoformat(stamp[:19] + "+00:00").timestamp()  # Python 3.10 reads neither Z nor nanoseconds
    except ValueError:
        return None


def _places(container: str) -> layout.Layout:
    """Return where things are in the rock of a container of that name."""
    base = bases.BY_CONTAINER.get(container)
    return base.layout if base else layout.CLASSIC


def ask(session: Session, web: WebService, url: str, paths: Sequence[str]) -> Inside:
    """Ask Django about its settings, and what the pages at `paths` raise.

    Raises `Silent` with Python's own last words when there is no answer.
    """
    parts = urlsplit(url)
    question = {
        "mark": MARK,
        "application": layout.served(web.command) or "wsgi:application",
        "host": parts.hostname or "",
        "netloc": parts.netloc,
        "scheme": parts.scheme,
        "prefix": parts.path.rstrip("/"),
        "paths": list(paths),
    }
    words = [layout.PYTHON, "-c", PROGRAM.read_text(), json.dumps(question)]
    options = [f"--context={layout.WEB_SERVICE}", f"--timeout={TIMEOUT}s", "-w", _places(web.container).app]
    body = {
        "unit": web.unit,
        "container": web.container,
        "argv": [PEBBLE, "exec", *options, "--", *words],
        "tty": False,
    }
    argv: list[str] = session.post("enter", body=body)["argv"]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=TIMEOUT + 10
        )
    except subprocess.TimeoutExpired:
        raise Silent(f"no answer within {TIMEOUT} s") from None
    found = next((line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)), None)
    if found is None:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Silent(masked(last, web.environment))
    return parse(json.loads(found), web.environment)


def parse(answer: Mapping[str, Any], environment: Mapping[str, str]) -> Inside:
    """Return the answer with its secrets taken out."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return masked(value, environment)
        return tuple(clean(item) for item in cast("list[Any]", value)) if isinstance(value, list) else value

    known: dict[str, Any] = {name: clean(value) for name, value in answer.items() if name != "raised"}
    raised = (Raised(**{name: clean(value) for name, value in entry.items()}) for entry in answer["raised"])
    return Inside(**known, raised=tuple(raised))


def masked(text: str, environment: Mapping[str, str]) -> str:
    """Return a text without the values of variables, which may be secret, and without credentials in URLs."""
    for name, value in sorted(environment.items(), key=lambda item: -len(item[1])):
        if not _OPEN.match(name) and len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return _CREDENTIALS.sub("://***@", text)
