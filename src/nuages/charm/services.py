"""The rock's services as the charm wants them: with the application's environment."""

import re
from collections.abc import Mapping
from typing import cast

from nuages.charm.facts import Service
from nuages.contract import layout

ADOPTED = frozenset(
    (
        "environment",
        "kill-delay",
        "startup",
        "summary",
        "description",
        "on-success",
        "on-failure",
        "on-check-failure",
        "backoff-delay",
        "backoff-factor",
        "backoff-limit",
        "after",
        "before",
        "requires",
        "override",
    )
)
"""What a running service takes over without a restart when it is `started` again. Anything else needs one."""

DURATIONS = frozenset(("kill-delay", "backoff-delay", "backoff-limit"))
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")

PATIENCE = "60s"
"""How long a worker may take to finish its task before it is killed."""


def is_worker(name: str) -> bool:
    """Whether the service gets the application's environment on every unit."""
    return name.lower().endswith(layout.WORKER_SUFFIX)


def is_scheduler(name: str) -> bool:
    """Whether the service gets the application's environment on unit 0, and runs nowhere else."""
    return name.lower().endswith(layout.SCHEDULER_SUFFIX)


def is_ours(name: str) -> bool:
    """Whether the service is part of the application: stopped when a required integration is missing."""
    return name == layout.WEB_SERVICE or is_worker(name) or is_scheduler(name)


def target(
    original: Mapping[str, Service],
    environment: Mapping[str, str],
    *,
    command: str,
    kill_delay: str,
    first_unit: bool,
) -> dict[str, Service]:
    """Return the application's services as they shall be; those of the rock's that are none are left out.

    What the rock says stays; of variables set in both places the charm's wins.
    """
    result: dict[str, Service] = {}
    for name, service in original.items():
        if not is_ours(name):
            continue
        wanted: dict[str, object] = {**service, "override": "replace"}
        if is_scheduler(name) and not first_unit:
            result[name] = {**wanted, "startup": "disabled"}
            continue
        variables = {"HOME": home(original, service), **environment_of(service), **environment}
        if name == layout.WEB_SERVICE:
            wanted["command"] = command
            wanted.setdefault("kill-delay", kill_delay)
            # gunicorn imports its configuration file with Python's bytecode cache, which takes two files of equal
            # size written within a second for the same. The file removes the variable again for the application.
            variables[layout.WEB_SERVER_VARIABLE] = "1"
        else:
            wanted.setdefault("kill-delay", PATIENCE)
        result[name] = {**wanted, "environment": dict(sorted(variables.items()))}
    return result


def home(original: Mapping[str, Service], service: Service) -> str:
    """Return a directory that the service's user can write: the web service's own, for that user and for root."""
    user = service.get("user")
    ours = user in (None, "", "root", original.get(layout.WEB_SERVICE, {}).get("user"))
    return layout.HOME_DIRECTORY if ours else "/tmp"  # noqa: S108  whoever that is, it can write there


def environment_of(service: Service) -> dict[str, str]:
    """Return the variables that a service's definition sets."""
    return dict(cast("Mapping[str, str]", service.get("environment") or {}))


def normal(service: Service | None) -> dict[str, object]:
    """Return a definition in the form in which two that mean the same are equal.

    Pebble leaves empty fields out, and writes durations anew: `60s` comes back as `1m0s`.
    """
    return {
        key: seconds(str(value)) if key in DURATIONS else value
        for key, value in (service or {}).items()
        if value not in (None, "", {}, [])
    }


def seconds(duration: str) -> float | str:
    """Return what a duration of Go's form (`1m30s`, `500ms`) is in seconds; the text itself when it is none."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        return duration
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def needs_restart(now: Service | None, wanted: Service, *, reads_environment: bool = True) -> bool:
    """Whether a running service only takes `wanted` over by a restart.

    gunicorn takes its environment from its configuration file (`reads_environment=False`), others from their start.
    """
    old, new = normal(now), normal(wanted)
    keys = (old.keys() | new.keys()) - ADOPTED
    if reads_environment:
        keys.add("environment")
    return any(old.get(key) != new.get(key) for key in keys)


def same(now: Service | None, wanted: Service) -> bool:
    """Whether the plan has the service as wanted."""
    return normal(now) == normal(wanted)
