"""The official libraries for OAuth, OpenFGA and tracing as the other side: we understand each other."""

from collections.abc import Mapping
from typing import Any

import ops
import pytest
from charmlibs.interfaces.oauth import ClientConfig, ClientCreatedEvent, OAuthProvider
from charmlibs.interfaces.openfga import OpenFGAProvider, OpenfgaProviderAppData, OpenFGAStoreRequestEvent
from charmlibs.interfaces.tracing import RequestEvent, TracingEndpointProvider
from ops import testing

from nuages.charm.facts import Relation
from nuages.charm.interfaces import BY_NAME
from nuages.charm.interfaces.base import NotReady, Publication
from tests.charm.interfaces.examples import example
from tests.charm.made import INGRESS, facts

URL = "https://myapp.example/"
IDENTITY = {
    "issuer_url": "https://iam.example.com/",
    "authorization_endpoint": "https://iam.example.com/oauth2/auth",
    "token_endpoint": "https://iam.example.com/oauth2/token",
    "introspection_endpoint": "https://iam.example.com/admin/introspect",
    "userinfo_endpoint": "https://iam.example.com/userinfo",
    "jwks_endpoint": "https://iam.example.com/.well-known/jwks.json",
    "scope": "openid profile email",
}


class Identity(ops.CharmBase):
    """Registers a client when it is asked to; describes itself only at update-status: later than it is asked."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.provider: Any = OAuthProvider(self, "oauth")
        framework.observe(self.on.update_status, self._describe)
        framework.observe(self.provider.on.client_created, self._register)

    def _describe(self, _event: ops.EventBase) -> None:
        self.provider.set_provider_info_in_relation_data(**IDENTITY)

    def _register(self, event: ClientCreatedEvent) -> None:
        event.to_client_config().validate()
        self.provider.set_client_credentials_in_relation_data(event.relation_id, "client-1", "pw-of-client")


class Stores(ops.CharmBase):
    """Gives everybody the store asked for."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.provider: Any = OpenFGAProvider(self, "openfga")
        framework.observe(self.provider.on.openfga_store_requested, self._give)

    def _give(self, event: OpenFGAStoreRequestEvent) -> None:
        secret = self.app.add_secret({"token": "pw-of-store"})
        data = OpenfgaProviderAppData(
            store_id=f"store of {event.store_name}",
            token_secret_id=secret.id,
            grpc_api_url="http://openfga:8081",
            http_api_url="http://openfga:8080",
        )
        self.provider.update_relation_app_data(data, event.relation.id)


class Collector(ops.CharmBase):
    """Opens the receivers that are asked for."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.provider: Any = TracingEndpointProvider(self, relation_name="tracing")
        framework.observe(self.provider.on.request, self._open)

    def _open(self, event: RequestEvent) -> None:
        self.provider.publish_receivers([(name, "http://tempo:4318") for name in event.requested_receivers])


class Side:
    """A charm with one relation to us; what it writes outlives its hooks."""

    def __init__(self, charm: type[ops.CharmBase], interface: str) -> None:
        self.interface = interface
        meta = {"name": "other", "provides": {interface: {"interface": interface}}}
        self.context = testing.Context(charm, meta=meta, juju_version="3.6.9")
        self.state = testing.State(leader=True, relations={testing.Relation(interface, id=7, remote_app_name="myapp")})

    def changed(self, publication: Publication) -> None:
        """Let it see what we have published."""
        now = self.state.get_relation(7)
        assert isinstance(now, testing.Relation)
        relation = testing.Relation(
            self.interface,
            id=7,
            remote_app_name="myapp",
            remote_app_data=dict(publication.app),
            remote_units_data={0: dict(publication.unit)},
            local_app_data=now.local_app_data,
        )
        state = testing.State(leader=True, relations={relation}, secrets=self.state.secrets)
        self.state = self.context.run(self.context.on.relation_changed(relation), state)

    def tick(self) -> None:
        """Let time pass."""
        self.state = self.context.run(self.context.on.update_status(), self.state)

    def relation(self) -> Relation:
        """Return our side of the relation."""
        bag: Mapping[str, str] = dict(self.state.get_relation(7).local_app_data)
        contents = {secret.id: secret.latest_content for secret in self.state.secrets}
        found = example("saml", interface=self.interface, endpoint=self.interface, bag=bag)
        return found._replace(secrets={uri: contents.get(uri) for uri in BY_NAME[self.interface].secrets(bag)})

    def publish(self) -> Publication:
        """Return what we publish now."""
        ours = facts(app="myapp", relations=(INGRESS, self.relation()))
        return BY_NAME[self.interface].publish(ours, self.relation(), URL)

    def variables(self) -> dict[str, str]:
        """Return the variables that follow; fails when the provider has not answered."""
        relation = self.relation()
        interface = BY_NAME[self.interface]
        value = interface.settle(facts(app="myapp", relations=(INGRESS, relation)), relation, interface.parse(relation))
        assert not isinstance(value, NotReady), value
        return {variable.name: variable.value for variable in value.variables}


def test_oauth_provider_that_describes_itself_late_registers_us_all_the_same() -> None:
    side = Side(Identity, "oauth")
    first = side.publish()
    side.changed(first)
    side.tick()
    assert "client_id" not in side.relation().bag, "asked too early: the library has let it pass"
    second = side.publish()
    assert second.app == first.app
    assert second.unit != first.unit, "without a change of ours it would never look again"
    side.changed(second)
    found = side.variables()
    assert found["DJANGO_OAUTH_CLIENT_ID"] == "client-1"
    assert found["DJANGO_OAUTH_CLIENT_SECRET"] == "pw-of-client"
    assert found["DJANGO_OAUTH_ACCESS_TOKEN_URL"] == IDENTITY["token_endpoint"]
    assert "pw-of-client" not in str(side.relation().bag)
    assert side.publish() == second, "an answered request stays as it is"


def test_oauth_client_is_valid_by_the_library() -> None:
    side = Side(Identity, "oauth")
    asked = side.publish().app
    ClientConfig(asked["redirect_uri"], asked["scope"], ["authorization_code"]).validate()


def test_openfga() -> None:
    side = Side(Stores, "openfga")
    side.changed(side.publish())
    assert side.variables() == {
        "FGA_STORE_ID": "store of myapp",
        "FGA_TOKEN": "pw-of-store",
        "FGA_GRPC_API_URL": "http://openfga:8081",
        "FGA_HTTP_API_URL": "http://openfga:8080",
    }
    assert "pw-of-store" not in str(side.relation().bag)


def test_tracing() -> None:
    side = Side(Collector, "tracing")
    side.changed(side.publish())
    assert side.variables() == {
        "OTEL_SERVICE_NAME": "myapp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo:4318/",
    }


@pytest.mark.parametrize(("charm", "interface"), [(Stores, "openfga"), (Collector, "tracing")])
def test_silent_requirer_gets_nothing(charm: type[ops.CharmBase], interface: str) -> None:
    side = Side(charm, interface)
    side.changed(Publication())
    assert isinstance(BY_NAME[interface].parse(side.relation()), NotReady)
