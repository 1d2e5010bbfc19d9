"""An application that paas-charm has operated until now: what it leaves behind, and what follows from it.

After a refresh Kubernetes replaces one pod after the other, the highest number first, and goes on when the last one is
ready. So for a while units of both charms live side by side, and the leader may still be paas-charm's: it neither makes
our secret nor grants tickets, and a unit that waited for it would hold up the refresh for ever.
"""

import json
from collections.abc import Mapping
from typing import cast

from nuages.charm import secret_key
from nuages.charm.facts import Facts, Outcome, Peer, Service, Workload
from nuages.charm.workload import Container
from nuages.contract import layout
from nuages.contract.row import NamedTuple

SERVICES = layout.STATE_DIRECTORY + "/original-services.json"
"""Where paas-charm keeps the rock's services, by name."""
MIGRATION = layout.STATE_DIRECTORY + "/database-migration-status"
COMPLETED = "COMPLETED"


class Heritage(NamedTuple):
    """What a container knows that paas-charm has worked in."""

    services: Mapping[str, Service]
    """The services as the rock defines them, without what paas-charm made of them."""
    migrated: bool
    """Whether the migrations of this container's release have been applied to the database that it had then."""


def heritage(container: Container, services: Mapping[str, Service]) -> Heritage:
    """Return what there is to take over, in a container that our charm sees for the first time."""
    try:
        found: object = json.loads(container.read(SERVICES) or "{}")
    except ValueError:
        found = {}
    kept = cast("dict[str, Service]", found) if isinstance(found, dict) else {}
    if layout.WEB_SERVICE not in kept:
        return Heritage(services, migrated=False)
    return Heritage(kept, migrated=(container.read(MIGRATION) or "").strip() == COMPLETED)


def is_led_by_paas_charm(facts: Facts, peer: Peer) -> bool:
    """Whether the leader still is of paas-charm: there is a key, but ours would have named the secret with it."""
    there = secret_key.PLAIN in peer.bag or facts.key.content is not None
    return there and not facts.leader and secret_key.ID not in peer.bag


def outcome(workload: Workload, environment: Mapping[str, str], release: str, database: str) -> Outcome | None:
    """Return the migration that paas-charm has run in this container, if it was with the databases of now."""
    before = cast("Mapping[str, str]", workload.services[layout.WEB_SERVICE].get("environment") or {})
    if not workload.migrated or _databases(before) != _databases(environment):
        return None
    return Outcome(release, database, attempt="", code=0, error="")


def _databases(environment: Mapping[str, str]) -> dict[str, str]:
    ending = "_DB_CONNECT_STRING"
    return {name: value for name, value in environment.items() if name.endswith(ending)}
