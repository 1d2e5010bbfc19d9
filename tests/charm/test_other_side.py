"""Whole conversations with the official libraries: our charm asks, theirs answers, until nobody has more to say."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import ops
import pytest
from charmlibs.interfaces.oauth import OAuthProvider
from charmlibs.interfaces.openfga import OpenFGAProvider, OpenfgaProviderAppData
from charmlibs.interfaces.tracing import TracingEndpointProvider
from dpcharmlibs.interfaces import RequirerCommonModel, ResourceProviderEventHandler, ResourceProviderModel
from object_storage import S3Provider
from ops import testing

from nuages.contract import endpoints
from tests.charm import matrix, providers
from tests.charm.conftest import World, container, peer

RELATION = 50
TURNS = 8
NOISE = ("egress-subnets", "ingress-address", "private-address")


class Database(ops.CharmBase):
    """A database that answers at once."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.handler: Any = ResourceProviderEventHandler(self, "data", RequirerCommonModel)
        framework.observe(self.handler.on.resource_requested, self._answer)

    def _answer(self, event: Any) -> None:
        name = event.request.resource
        answer = ResourceProviderModel(
            salt=event.request.salt,
            request_id=event.request.request_id,
            resource=name,
            endpoints="db:5432",
            username="relation_id_7",
            password="pw-of-it",
            version="16",
        )
        self.handler.set_response(event.relation.id, answer)


class Bucket(ops.CharmBase):
    """An object storage that answers at once."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.provider: Any = S3Provider(self, "data")
        framework.observe(self.provider.on.storage_connection_info_requested, self._answer)

    def _answer(self, event: Any) -> None:
        asked = self.provider.fetch_relation_data([event.relation.id])[event.relation.id]
        info = {"access-key": "12345", "secret-key": "pw-of-it", "bucket": asked["bucket"], "region": "eu-1"}
        self.provider.set_storage_connection_info(event.relation.id, info)


class Tempo(ops.CharmBase):
    """A tracing backend that opens what is asked for."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.tracing = TracingEndpointProvider(self, relation_name="data")
        framework.observe(self.tracing.on.request, self._answer)

    def _answer(self, event: Any) -> None:
        ports = {"otlp_http": "4318", "otlp_grpc": "4317"}
        asked = sorted(self.tracing.requested_protocols())
        self.tracing.publish_receivers([(protocol, f"http://tempo:{ports[protocol]}") for protocol in asked])


class Permissions(ops.CharmBase):
    """An OpenFGA that makes the store which is asked for."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.openfga = OpenFGAProvider(self, "data")
        framework.observe(self.openfga.on.openfga_store_requested, self._answer)

    def _answer(self, event: Any) -> None:
        try:
            secret = self.model.get_secret(label="token")
        except ops.SecretNotFoundError:
            secret = self.app.add_secret({"token": "pw-of-it"}, label="token")
        answer = OpenfgaProviderAppData(
            store_id=f"id-of-{event.store_name}",
            token_secret_id=secret.id or secret.get_info().id,
            grpc_api_url="http://openfga:8081",
            http_api_url="http://openfga:8080",
        )
        self.openfga.update_relation_app_data(answer, event.relation.id)


class Hydra(ops.CharmBase):
    """An identity provider. It describes itself at `DESCRIBES`, and registers clients as its library tells it."""

    DESCRIBES = "relation_created"

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.oauth = OAuthProvider(self, "data")
        framework.observe(getattr(self.on["data"], self.DESCRIBES), self._describe)
        framework.observe(self.oauth.on.client_created, self._register)

    def _describe(self, _event: Any) -> None:
        self.oauth.set_provider_info_in_relation_data(
            issuer_url="https://iam.example.com/",
            authorization_endpoint="https://iam.example.com/auth",
            token_endpoint="https://iam.example.com/token",
            introspection_endpoint="https://iam.example.com/introspect",
            userinfo_endpoint="https://iam.example.com/userinfo",
            jwks_endpoint="https://iam.example.com/jwks",
            scope="openid profile email",
        )

    def _register(self, event: Any) -> None:
        assert event.redirect_uri == "https://notes.example/shop-notes/callback"
        assert event.scope == "openid profile email"
        self.oauth.set_client_credentials_in_relation_data(event.relation_id, "client-1", "pw-of-it")


class LateHydra(Hydra):
    """One that describes itself only after it has looked at our side: our request came before its description."""

    DESCRIBES = "relation_changed"


class Conversation:
    """Two charms and the relation between them; a turn is one hook here and one there."""

    def __init__(self, directory: Path, interface: str, other: type[ops.CharmBase], *besides: str) -> None:
        self.interface = interface
        self.endpoint = providers.endpoint_of(interface)
        self.charm = matrix.context(directory / "charm", (interface,), optional=False)
        (directory / "files").mkdir()
        meta = {"name": "other", "provides": {"data": {"interface": interface}}, "peers": {"peers": {"interface": "x"}}}
        self.provider = testing.Context(other, meta=meta, juju_version="3.6.9")
        helpers = besides if endpoints.BY_NAME[interface].database else (matrix.DATABASE, *besides)
        board = json.dumps({"version": 1, "done": [["r1", "postgresql:20:notes"]]})
        self.others = {
            peer({"secret-key-id": matrix.KEY.id, "migration": board}),
            *(providers.relation(name, "full", number) for number, name in enumerate(helpers, matrix.FIRST)),
        }
        self.state = testing.State(
            leader=True,
            model=matrix.MODEL,
            relations={*self.others, testing.Relation(self.endpoint, id=RELATION, remote_app_name="other")},
            secrets={matrix.KEY}.union(*(providers.secrets(name, "full") for name in helpers)),
            containers={container(directory / "files")},
        )
        theirs = testing.Relation("data", id=RELATION, remote_app_name="notes", remote_units_data={0: {}})
        self.theirs = testing.State(leader=True, relations={theirs, testing.PeerRelation("peers", id=2)})

    def talk(self) -> None:
        """Take turns; as in Juju, a side hears of the other only when that one has written something new."""
        self._here("relation_created")
        self._there("relation_created")
        self._there("relation_joined")
        for _ in range(TURNS):
            if not (self._there("relation_changed") or self._here("relation_changed")):
                return
        pytest.fail(f"they talk for ever: {self.asked}")

    def _here(self, event: str) -> bool:
        """Send our charm the relation's event if there is news; return whether there was."""
        mine, theirs = self.state.get_relation(RELATION), self.theirs.get_relation(RELATION)
        assert isinstance(mine, testing.Relation)
        bag = dict(theirs.local_app_data)
        if event == "relation_changed" and bag == mine.remote_app_data:
            return False
        granted = {
            testing.Secret(secret.latest_content or {}, id=secret.id, owner=None)
            for secret in self.theirs.secrets
            if RELATION in secret.remote_grants
        }
        ids = {secret.id for secret in granted}
        mine = dataclasses.replace(mine, remote_app_data=bag)
        state = dataclasses.replace(
            self._with(self.state, mine),
            secrets=granted.union(secret for secret in self.state.secrets if secret.id not in ids),
        )
        self.state = self.charm.run(getattr(self.charm.on, event)(mine), state)
        return True

    def _there(self, event: str) -> bool:
        """Send their charm the relation's event if there is news; return whether there was."""
        mine, theirs = self.state.get_relation(RELATION), self.theirs.get_relation(RELATION)
        assert isinstance(theirs, testing.Relation)
        heard = dataclasses.replace(
            theirs, remote_app_data=dict(mine.local_app_data), remote_units_data={0: _own(mine.local_unit_data)}
        )
        if event == "relation_changed" and heard == theirs:
            return False
        events = ("relation_joined", "relation_changed") if event == "relation_joined" else (event,)
        for each in events:  # Juju sends relation-changed after every relation-joined
            heard = self.theirs.get_relation(RELATION) if each != events[0] else heard
            self.theirs = self.provider.run(getattr(self.provider.on, each)(heard), self._with(self.theirs, heard))
        return True

    @staticmethod
    def _with(state: testing.State, relation: testing.Relation) -> testing.State:
        others = {each for each in state.relations if each.id != relation.id}
        return dataclasses.replace(state, relations={*others, relation})

    @property
    def asked(self) -> dict[str, str]:
        return dict(self.state.get_relation(RELATION).local_app_data)

    @property
    def variables(self) -> dict[str, str]:
        assert self.state.unit_status == testing.ActiveStatus()
        return self.state.get_container("django-app").plan.services["django"].environment


def _own(bag: Any) -> dict[str, str]:
    return {key: value for key, value in bag.items() if key not in NOISE}


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "mongodb"])
def test_database(engine: str, tmp_path: Path, world: World) -> None:
    conversation = Conversation(tmp_path, f"{engine}_client", Database)
    conversation.talk()
    found = conversation.variables
    assert found[f"{engine.upper()}_DB_CONNECT_STRING"] == f"{engine}://relation_id_7:pw-of-it@db:5432/notes"
    assert conversation.asked["database"] == "notes"


def test_valkey(tmp_path: Path, world: World) -> None:
    conversation = Conversation(tmp_path, "valkey_client", Database)
    conversation.talk()
    assert conversation.variables["VALKEY_DB_CONNECT_STRING"] == "valkey://relation_id_7:pw-of-it@db:5432"


def test_s3(tmp_path: Path, world: World) -> None:
    conversation = Conversation(tmp_path, "s3", Bucket)
    conversation.talk()
    found = conversation.variables
    assert (found["S3_ACCESS_KEY"], found["S3_SECRET_KEY"]) == ("12345", "pw-of-it")
    assert (found["S3_BUCKET"], found["S3_REGION"]) == ("notes", "eu-1")


def test_tracing(tmp_path: Path, world: World) -> None:
    conversation = Conversation(tmp_path, "tracing", Tempo)
    conversation.talk()
    assert conversation.variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://tempo:4318/"
    assert conversation.variables["OTEL_SERVICE_NAME"] == "notes"


def test_openfga(tmp_path: Path, world: World) -> None:
    conversation = Conversation(tmp_path, "openfga", Permissions)
    conversation.talk()
    found = conversation.variables
    assert {name: value for name, value in found.items() if name.startswith("FGA_")} == {
        "FGA_STORE_ID": "id-of-notes",
        "FGA_TOKEN": "pw-of-it",
        "FGA_GRPC_API_URL": "http://openfga:8081",
        "FGA_HTTP_API_URL": "http://openfga:8080",
    }


@pytest.mark.parametrize("other", [Hydra, LateHydra])
def test_oauth(other: type[Hydra], tmp_path: Path, world: World) -> None:
    """Whoever speaks first: the library registers a client only when our side changes after its description."""
    conversation = Conversation(tmp_path, "oauth", other, "ingress")
    conversation.talk()
    found = conversation.variables
    assert (found["DJANGO_OIDC_CLIENT_ID"], found["DJANGO_OIDC_CLIENT_SECRET"]) == ("client-1", "pw-of-it")
    assert found["DJANGO_OIDC_AUTHORIZE_URL"] == "https://iam.example.com/auth"
    assert found["DJANGO_OIDC_CLIENT_KWARGS"] == '{"scope": "openid profile email"}'
