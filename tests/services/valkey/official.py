"""Charmhub's valkey as far as its databag goes, made with the official library: what it answers to a requirer."""

from __future__ import annotations

from typing import Any

import ops
from dpcharmlibs.interfaces import (
    BulkResourcesRequestedEvent,
    RequirerCommonModel,
    ResourceCreatedEvent,
    ResourceProviderEventHandler,
    ResourceRequestedEvent,
    ResourceRequirerEventHandler,
    ValkeyResponseModel,
)
from ops import testing

ENDPOINT = "valkey-client"
RELATION = 7


class Provider(ops.CharmBase):
    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.handler: Any = ResourceProviderEventHandler(self, ENDPOINT, RequirerCommonModel, bulk_event=True)
        framework.observe(self.handler.on.bulk_resources_requested, self._answer)
        framework.observe(self.handler.on.resource_requested, self._answer)

    def _answer(
        self, event: BulkResourcesRequestedEvent[RequirerCommonModel] | ResourceRequestedEvent[RequirerCommonModel]
    ) -> None:
        requests = [event.request] if isinstance(event, ResourceRequestedEvent) else event.requests
        responses: list[ValkeyResponseModel] = []
        for request in requests:
            end = f"-{request.request_id}" if request.request_id else ""
            responses.append(
                ValkeyResponseModel(
                    username=f"relation-{event.relation.id}{end}",
                    password="pw-of-it",
                    request_id=request.request_id,
                    resource=request.resource,
                    salt=request.salt,
                    endpoints="valkey-primary:6379",
                    read_only_endpoints="valkey-replicas:6379",
                    sentinel_endpoints="valkey-0.valkey-endpoints:26379",
                    mode="sentinel",
                    tls=False,
                    tls_ca=None,
                    version="9.1.2",
                )
            )
        self.handler.set_responses(event.relation.id, responses)


def provided(request: dict[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the library's databag, and the content of its secrets by URI."""
    meta = {
        "name": "valkey",
        "provides": {ENDPOINT: {"interface": "valkey_client"}},
        "peers": {"peers": {"interface": "x"}},
    }
    context = testing.Context(Provider, meta=meta, juju_version="3.6.9")
    relation = testing.Relation(ENDPOINT, id=RELATION, remote_app_name="notes", remote_app_data=request)
    state = testing.State(leader=True, relations={relation, testing.PeerRelation("peers", id=2)})
    out = context.run(context.on.relation_changed(relation, remote_unit=0), state)
    bag = dict(out.get_relation(RELATION).local_app_data)
    assert "data" in bag, "the library did not answer"
    return bag, {secret.id: dict(secret.latest_content or {}) for secret in out.secrets}


class Requirer(ops.CharmBase):
    seen: list[Any]

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.seen = []
        self.handler: Any = ResourceRequirerEventHandler(
            self, ENDPOINT, [RequirerCommonModel(resource="*")], ValkeyResponseModel
        )
        framework.observe(self.handler.on.resource_created, self._created)

    def _created(self, event: ResourceCreatedEvent[ValkeyResponseModel]) -> None:
        self.seen.append(event.response)


META = {
    "name": "notes",
    "requires": {ENDPOINT: {"interface": "valkey_client"}},
    "peers": {"peers": {"interface": "x"}},
}


def asked() -> dict[str, str]:
    """Return what the official requirer asks for."""
    context = testing.Context(Requirer, meta=META, juju_version="3.6.9")
    relation = testing.Relation(ENDPOINT, id=RELATION, remote_app_name="valkey")
    state = testing.State(leader=True, relations={relation, testing.PeerRelation("peers", id=2)})
    return dict(context.run(context.on.relation_created(relation), state).get_relation(RELATION).local_app_data)


def read(request: dict[str, str], bag: dict[str, str], contents: dict[str, dict[str, str]]) -> list[Any]:
    """Return what the official requirer makes of our databag and secrets (content by URI)."""
    context = testing.Context(Requirer, meta=META, juju_version="3.6.9")
    relation = testing.Relation(
        ENDPOINT, id=RELATION, remote_app_name="valkey", local_app_data=request, remote_app_data=bag
    )
    secrets = [testing.Secret(content, id=uri) for uri, content in contents.items()]
    state = testing.State(
        leader=True,
        relations={relation, testing.PeerRelation("peers", id=2)},
        secrets=secrets,
        model=testing.Model(name="dev"),
    )
    with context(context.on.relation_changed(relation, remote_unit=0), state) as manager:
        manager.run()
        return manager.charm.seen
