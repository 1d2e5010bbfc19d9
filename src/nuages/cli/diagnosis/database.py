"""A database that is related and not used: what users write would go with the pod. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.cli.diagnosis.findings import Finding
from nuages.cli.diagnosis.observations import Observations
from nuages.contract.endpoints import BY_NAME, MONGODB, MYSQL, POSTGRESQL, prefix_of

VENDORS = {POSTGRESQL.name: "postgresql", MYSQL.name: "mysql", MONGODB.name: "mongodb"}
"""What Django calls the database that an interface brings."""


def wrong_database(seen: Observations) -> Iterator[Finding]:
    """Yield the finding for a Django that uses none of the related databases."""
    vendor = seen.inside.vendor if seen.inside else ""
    related = [(name, kind) for name, kind in seen.endpoints if kind in VENDORS and name in seen.related]
    if not vendor or not related or vendor in [VENDORS[kind] for _, kind in related]:
        return
    endpoint, kind = related[0]
    prefix = prefix_of(BY_NAME[kind], endpoint)
    what = f"{VENDORS[kind]} is related, but Django uses {vendor}"
    why = "DATABASES does not come from the charm's variables; what users write would be lost with the pod"
    fix = f"let DATABASES read {prefix}_NAME, {prefix}_HOSTNAME, …; nuages env {seen.application} lists them"
    yield Finding("wrong-database", "error", what, why, fix, "DATABASES")
