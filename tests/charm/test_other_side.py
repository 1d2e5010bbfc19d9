"""The official data_interfaces library on the other side: it understands what we ask, we what it answers."""

import json
from pathlib import Path
from typing import Any

import ops
import pytest
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderEventHandler,
    ResourceProviderModel,
    ResourceRequestedEvent,
)
from ops import testing

from tests.charm.conftest import NotesCharm, World, container, peer

META = {
    "name": "postgresql-k8s",
    "provides": {"database": {"interface": "postgresql_client"}},
    "peers": {"peers": {"interface": "x"}},
}


class Provider(ops.CharmBase):
    """A PostgreSQL that answers at once, by the library."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.handler: Any = ResourceProviderEventHandler(self, "database", RequirerCommonModel)
        framework.observe(self.handler.on.resource_requested, self._answer)

    def _answer(self, event: ResourceRequestedEvent[RequirerCommonModel]) -> None:
        name = event.request.resource
        self.handler.set_response(
            event.relation.id,
            ResourceProviderModel(
                salt=event.request.salt,
                request_id=event.request.request_id,
                resource=name,
                endpoints="db:5432",
                username="relation_id_7",
                password="pw-of-it",
                uris=f"postgresql://relation_id_7:pw-of-it@db:5432/{name}",
                version="16",
            ),
        )


def test_the_library_answers_and_we_serve(context: testing.Context[NotesCharm], world: World, tmp_path: Path) -> None:
    assert world.answer == 200
    asked = testing.Relation("postgresql", id=7, remote_app_name="postgresql-k8s")
    ours = context.run(
        context.on.relation_created(asked),
        testing.State(leader=True, relations={asked, peer()}, containers={container(tmp_path)}),
    )
    request = dict(ours.get_relation(7).local_app_data)
    provider = testing.Context(Provider, meta=META, juju_version="3.6.9")
    theirs = testing.Relation("database", id=7, remote_app_name="notes", remote_app_data=request)
    relations = {theirs, testing.PeerRelation("peers", id=2)}
    answered = provider.run(provider.on.relation_changed(theirs), testing.State(leader=True, relations=relations))
    bag = dict(answered.get_relation(7).local_app_data)
    granted = {
        testing.Secret(secret.latest_content or {}, id=secret.id, owner=None)
        for secret in answered.secrets
        if secret.owner == "app" and secret.id in json.dumps(bag)
    }
    if not granted:
        pytest.fail(f"the library gave no secret: {bag}")
    relation = testing.Relation("postgresql", id=7, remote_app_name="postgresql-k8s", remote_app_data=bag)
    state = context.run(
        context.on.relation_changed(relation),
        testing.State(
            leader=True,
            relations={relation, peer()},
            containers={ours.get_container("django-app")},
            secrets=granted,
        ),
    )
    assert state.unit_status == testing.ActiveStatus()
    environment = state.get_container("django-app").plan.services["django"].environment
    assert environment["POSTGRESQL_DB_CONNECT_STRING"] == "postgresql://relation_id_7:pw-of-it@db:5432/notes"
