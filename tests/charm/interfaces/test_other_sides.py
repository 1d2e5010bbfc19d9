"""The official libraries as the other side: they understand what we ask, and we what they answer."""

from collections.abc import Mapping
from typing import Any

import ops
import pytest
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderEventHandler,
    ResourceProviderModel,
    ResourceRequestedEvent,
)
from object_storage import S3Provider, StorageConnectionInfoRequestedEvent
from ops import testing

from nuages.charm.facts import Relation
from nuages.charm.interfaces import BY_NAME
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import AUTHORITY, example
from tests.charm.made import facts

RELATION = 7

ENDPOINTS = {
    "postgresql_client": "postgresql",
    "mysql_client": "mysql",
    "mongodb_client": "mongodb",
    "valkey_client": "valkey",
    "s3": "s3",
}


class Databases(ops.CharmBase):
    """A provider that answers at once, by the data platform's library."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.handler: Any = ResourceProviderEventHandler(self, "data", RequirerCommonModel)
        framework.observe(self.handler.on.resource_requested, self._answer)

    def _answer(self, event: ResourceRequestedEvent[RequirerCommonModel]) -> None:
        self.handler.set_response(
            event.relation.id,
            ResourceProviderModel(
                salt=event.request.salt,
                request_id=event.request.request_id,
                resource=event.request.resource,
                endpoints="db:1234",
                read_only_endpoints="replicas:1234",
                username="relation_id_7",
                password="pw-of-it",
                tls=True,
                tls_ca=AUTHORITY,
                version="16",
            ),
        )


class Buckets(ops.CharmBase):
    """A provider that answers at once, by the object storage library."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.provider: Any = S3Provider(self, "data")
        framework.observe(self.provider.on.storage_connection_info_requested, self._answer)

    def _answer(self, event: StorageConnectionInfoRequestedEvent) -> None:
        asked = self.provider.fetch_relation_data([event.relation.id])[event.relation.id]
        self.provider.set_storage_connection_info(
            event.relation.id,
            {
                "access-key": "12345",
                "secret-key": "pw-of-it",
                "bucket": asked.get("bucket", ""),
                "endpoint": "https://s3.example",
                "s3-uri-style": "host",
                "tls-ca-chain": [AUTHORITY],
            },
        )


def answer(charm: type[ops.CharmBase], interface: str, request: Mapping[str, str]) -> Relation:
    """Return our relation when the library has answered a request."""
    meta = {"name": "other", "provides": {"data": {"interface": interface}}, "peers": {"peers": {"interface": "x"}}}
    context = testing.Context(charm, meta=meta, juju_version="3.6.9")
    theirs = testing.Relation("data", id=RELATION, remote_app_name="myapp")
    relations = {theirs, testing.PeerRelation("peers", id=2)}
    created = context.run(context.on.relation_created(theirs), testing.State(leader=True, relations=relations))
    asked = testing.Relation(
        "data",
        id=RELATION,
        remote_app_name="myapp",
        remote_app_data=dict(request),
        local_app_data=dict(created.get_relation(RELATION).local_app_data),
    )
    relations = {asked, testing.PeerRelation("peers", id=2)}
    answered = context.run(context.on.relation_changed(asked), testing.State(leader=True, relations=relations))
    bag = dict(answered.get_relation(RELATION).local_app_data)
    secrets = {secret.id: secret.latest_content for secret in answered.secrets}
    ours = example("redis", interface=interface, endpoint=ENDPOINTS[interface], bag=bag, units={})
    return ours._replace(secrets={uri: secrets.get(uri) for uri in BY_NAME[interface].secrets(bag)})


def requested(interface: str) -> Mapping[str, str]:
    relation = example("redis", interface=interface, endpoint=ENDPOINTS[interface], bag={}, units={})
    return BY_NAME[interface].publish(facts(app="myapp", model_uuid="m"), relation, "").app


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "mongodb"])
def test_databases(engine: str) -> None:
    interface = f"{engine}_client"
    relation = answer(Databases, interface, requested(interface))
    assert "pw-of-it" not in str(relation.bag)
    value = BY_NAME[interface].parse(relation)
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    prefix = engine.upper() + "_DB"
    url = f"{engine}://relation_id_7:pw-of-it@db:1234/myapp?"
    assert found[f"{prefix}_CONNECT_STRING"].startswith(url)
    assert found[f"{prefix}_READ_ONLY_ENDPOINTS"] == "replicas:1234"
    assert found[f"{prefix}_TLS"] == "true"
    assert [file.text for file in BY_NAME[interface].files(value)] == [AUTHORITY + "\n"]
    again = BY_NAME[interface].parse(answer(Databases, interface, requested(interface)))
    assert again == value


def test_valkey() -> None:
    relation = answer(Databases, "valkey_client", requested("valkey_client"))
    assert relation.bag["version"] == "v1"
    assert len(relation.secrets) == 2
    value = BY_NAME["valkey_client"].parse(relation)
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    assert found["VALKEY_DB_CONNECT_STRING"].startswith("valkeys://relation_id_7:pw-of-it@db:1234?ssl_ca_certs=")
    assert found["VALKEY_VERSION"] == "16"
    assert found["VALKEY_DB_READ_ONLY_ENDPOINTS"] == "replicas:1234"
    assert found["VALKEY_DB_TLS"] == "true"


def test_valkey_provider_of_version_0() -> None:
    relation = answer(Databases, "valkey_client", {"database": "*", "requested-secrets": '["username","password"]'})
    assert "requests" not in relation.bag
    value = BY_NAME["valkey_client"].parse(relation)
    assert not isinstance(value, NotReady), value
    assert value.variables[0].value.startswith("valkey")


def test_s3() -> None:
    relation = answer(Buckets, "s3", requested("s3"))
    assert relation.bag["version"] == "1"  # what was `lib-version` in the library before it
    assert "pw-of-it" not in str(relation.bag)
    value = BY_NAME["s3"].parse(relation)
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    assert found["S3_ACCESS_KEY"] == "12345"
    assert found["S3_SECRET_KEY"] == "pw-of-it"
    assert found["S3_BUCKET"] == "myapp"
    assert found["S3_ADDRESSING_STYLE"] == "virtual"
    assert AUTHORITY.splitlines()[0] in found["S3_TLS_CA_CHAIN"]


def test_s3_as_the_runtime_before_ours_had_asked() -> None:
    relation = answer(Buckets, "s3", {"bucket": "myapp"})
    value = BY_NAME["s3"].parse(relation)
    assert isinstance(value, NotReady)
    assert value.reason == "no bucket"  # the provider's library discards the name that version 0 asks for
    assert value.partial is not None
