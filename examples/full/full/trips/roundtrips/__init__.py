"""A round trip through each integration: each function returns what it saw, or raises."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.db import connections

from trips.roundtrips import identity, messages, network, stores


class Saw(NamedTuple):
    """What one round trip saw."""

    name: str
    good: bool
    text: str
    milliseconds: int


TRIPS: dict[str, Callable[[], str]] = {
    "postgresql": stores.postgresql,
    "mysql": stores.mysql,
    "mongodb": stores.mongodb,
    "redis": stores.redis,
    "valkey": stores.valkey,
    "s3": stores.s3,
    "rabbitmq": messages.worker,
    "scheduler": messages.scheduler,
    "smtp": messages.mail,
    "saml": identity.saml,
    "oidc": identity.oidc,
    "openfga": network.openfga,
    "http-proxy": network.proxy,
}


def run(name: str) -> Saw:
    """Make one round trip; what goes wrong is what it saw."""
    start = time.monotonic()
    try:
        good, text = True, TRIPS[name]()
    except Exception as error:  # the page is there to show it
        good, text = False, f"{type(error).__name__}: {error}"
    finally:
        connections.close_all()  # a thread's own
    return Saw(name, good, text, round(1000 * (time.monotonic() - start)))


def run_all() -> list[Saw]:
    """Make every round trip, side by side."""
    with ThreadPoolExecutor(len(TRIPS)) as pool:
        return list(pool.map(run, TRIPS))
