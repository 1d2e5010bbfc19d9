"""Charmhub's s3-integrator and its requirers as far as the databag goes, made with the official library."""

from __future__ import annotations

from typing import Any

import ops
from object_storage import S3Provider, S3Requirer, StorageConnectionInfoRequestedEvent
from ops import testing

ENDPOINT = "s3-credentials"
RELATION = 7


def provided(request: dict[str, str], info: dict[str, Any]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what the library's provider with this connection writes, and the content of its secrets by URI."""

    class Provider(ops.CharmBase):
        def __init__(self, framework: ops.Framework) -> None:
            super().__init__(framework)
            self.provider: Any = S3Provider(self, ENDPOINT)
            framework.observe(self.provider.on.storage_connection_info_requested, self._answer)

        def _answer(self, event: StorageConnectionInfoRequestedEvent) -> None:
            # As the charm does it: what its options leave open is the requirer's choice.
            asked = self.provider.fetch_relation_data([event.relation.id])[event.relation.id]
            told = {"bucket": asked.get("bucket", "")} | info
            self.provider.set_storage_connection_info(event.relation.id, told)

    meta = {
        "name": "s3-integrator",
        "provides": {ENDPOINT: {"interface": "s3"}},
        "peers": {"peers": {"interface": "x"}},
    }
    context = testing.Context(Provider, meta=meta, juju_version="3.6.9")
    relation = testing.Relation(ENDPOINT, id=RELATION, remote_app_name="notes", remote_app_data=request)
    peers = testing.PeerRelation("peers", id=2)
    created = context.run(
        context.on.relation_created(relation), testing.State(leader=True, relations={relation, peers})
    ).get_relation(RELATION)
    out = context.run(
        context.on.relation_changed(created, remote_unit=0), testing.State(leader=True, relations={created, peers})
    )
    return dict(out.get_relation(RELATION).local_app_data), {
        secret.id: dict(secret.latest_content or {}) for secret in out.secrets
    }


class Requirer(ops.CharmBase):
    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.seen: list[Any] = []
        self.requirer: Any = S3Requirer(self, ENDPOINT, bucket="media")
        framework.observe(self.requirer.on.storage_connection_info_changed, self._changed)

    def _changed(self, event: Any) -> None:
        self.seen.append(self.requirer.get_storage_connection_info(event.relation))


META = {"name": "notes", "requires": {ENDPOINT: {"interface": "s3"}}, "peers": {"peers": {"interface": "x"}}}


def asked() -> dict[str, str]:
    """Return what the official requirer asks for."""
    context = testing.Context(Requirer, meta=META, juju_version="3.6.9")
    relation = testing.Relation(ENDPOINT, id=RELATION, remote_app_name="s3-integrator")
    peers = testing.PeerRelation("peers", id=2)
    created = context.run(
        context.on.relation_created(relation), testing.State(leader=True, relations={relation, peers})
    ).get_relation(RELATION)
    out = context.run(
        context.on.relation_joined(created, remote_unit=0), testing.State(leader=True, relations={created, peers})
    )
    return dict(out.get_relation(RELATION).local_app_data)


def read(request: dict[str, str], bag: dict[str, str], contents: dict[str, dict[str, str]]) -> list[Any]:
    """Return what the official requirer makes of our databag and secrets (content by URI)."""
    context = testing.Context(Requirer, meta=META, juju_version="3.6.9")
    relation = testing.Relation(
        ENDPOINT, id=RELATION, remote_app_name="s3-integrator", local_app_data=request, remote_app_data=bag
    )
    state = testing.State(
        leader=True,
        relations={relation, testing.PeerRelation("peers", id=2)},
        secrets=[testing.Secret(content, id=uri) for uri, content in contents.items()],
        model=testing.Model(name="dev"),
    )
    with context(context.on.relation_changed(relation, remote_unit=0), state) as manager:
        manager.run()
        return manager.charm.seen
