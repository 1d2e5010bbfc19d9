"""Refresh from paas-charm 1.x: what it has left behind goes on, and an application sees no other variables.

The state is what paas-charm leaves: a plain key in the peer relation, requests that have been answered, the library's
copies in unit bags, its layer over the rock's, its files in the container. What it would set is worked out here, by the
rules of its interface and not by ours.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
from ops import pebble, testing

from nuages.charm import adoption, migrations
from nuages.contract import endpoints
from tests.charm import matrix, providers
from tests.charm.conftest import ROCK, SURVEY, World, container, peer
from tests.docs import pages

KEY = "q4rLywnWk35Kh1G1or_UHIqYOkeK1XDBS_oCLpmzPer8A3pECdvBGTuiT8gBQyFnMmtNjZi7YU0Sl5AtQujOQQ"
PLAIN = {"django_secret_key": KEY}
EVERYTHING = tuple(interface.name for interface in endpoints.INTERFACES)
REQUESTED = '["username","password","tls","tls-ca","uris","read-only-uris"]'
DATABASE = {"database": "notes", "requested-secrets": REQUESTED, "provided-secrets": '["mtls-cert"]'}
TOPOLOGY = json.dumps(
    {
        "model": "shop",
        "model_uuid": matrix.MODEL.uuid,
        "application": "notes",
        "unit": "notes/0",
        "charm_name": "notes",
    }
)

ASKED: Mapping[str, Mapping[str, str]] = {
    "postgresql_client": DATABASE,
    "mysql_client": DATABASE,
    "mongodb_client": DATABASE,
    "redis": {},
    "valkey_client": {
        "version": "v1",
        "requests": '[{"resource":"*","request-id":"d0c352f7d809734b","salt":"xqbPuYzzl2iiKeyN","entity-type":null}]',
    },
    "s3": {"bucket": "notes"},
    "saml": {},
    "rabbitmq": {"username": "notes", "vhost": "/"},
    "tracing": {"receivers": '["otlp_http"]'},
    "smtp": {},
    "openfga": {"store_name": "app-store"},
    "oauth": {
        "redirect_uri": "https://notes.example/shop-notes/callback",
        "scope": "openid profile email",
        "grant_types": '["authorization_code"]',
        "audience": "[]",
        "token_endpoint_auth_method": "client_secret_basic",
    },
    "http_proxy": {"requests": '[{"auth":[],"domains":[],"requirer":"3fa85f64-5717-4562-b3fc-2c963f66afa6"}]'},
    "ingress": {
        "model": '"shop"',
        "name": '"notes"',
        "port": "8000",
        "strip-prefix": "true",
        "is_port_open": "true",
    },
    "loki_push_api": {"metadata": TOPOLOGY, "alert_rules": "{}"},
    "prometheus_scrape": {},
    "grafana_dashboard": {},
}
"""By interface, what paas-charm has written into the application's bag."""

FOLLOWS = {"ingress": {"is_port_open"}, "loki_push_api": {"alert_rules"}}
"""Keys that say how things are now rather than ask for something: they may be written anew."""


def url(prefix: str, text: str) -> dict[str, str]:
    """Return what a URL is expanded to."""
    parts = urlparse(text)
    found = {
        "CONNECT_STRING": text,
        "SCHEME": parts.scheme,
        "NETLOC": parts.netloc,
        "PATH": parts.path,
        "PARAMS": parts.params,
        "QUERY": parts.query,
        "FRAGMENT": parts.fragment,
        "USERNAME": parts.username,
        "PASSWORD": parts.password,
        "HOSTNAME": parts.hostname,
        "PORT": None if parts.port is None else str(parts.port),
    }
    if prefix.endswith("_DB") and parts.path:
        found["NAME"] = parts.path.removeprefix("/")
    return {f"{prefix}_{name}": value for name, value in found.items() if value is not None}


RABBITMQ = "amqp://notes:pw-of-rabbit@rabbitmq-k8s-endpoints.shop.svc.cluster.local:5672/%2F"
BASE = "https://notes.example/shop-notes"
PROXY = "http://pu:pw-of-squid@squid.internal:3128"
BEFORE: Mapping[str, Callable[[], dict[str, str]]] = {
    "postgresql_client": lambda: url(
        "POSTGRESQL_DB", "postgresql://relation_id_7:Zq3pQ8@postgresql-k8s-primary.shop.svc.cluster.local:5432/notes"
    ),
    "mysql_client": lambda: url(
        "MYSQL_DB",
        "mysql://relation-5_4d2a3c8e0f4c4b9e:Ab9xY2@mysql-k8s-primary.shop.svc.cluster.local.:3306/notes",
    ),
    "mongodb_client": lambda: url(
        "MONGODB_DB",
        "mongodb://relation-9:Cd8wV4@mongodb-k8s-0.mongodb-k8s-endpoints:27017/notes"
        "?replicaSet=mongodb-k8s&authSource=admin",
    ),
    "redis": lambda: url("REDIS_DB", "redis://redis-k8s-0.redis-k8s-endpoints.shop.svc.cluster.local:6379"),
    "valkey_client": lambda: {
        **url("VALKEY_DB", "valkey://relation-3-d0c352f7d809734b:pw-of-valkey@valkey-primary:6379"),
        "VALKEY_DB_READ_ONLY_ENDPOINTS": "valkey-replicas:6379",
        "VALKEY_DB_SENTINEL_ENDPOINTS": "valkey-0.valkey-endpoints:26379",
        "VALKEY_MODE": "sentinel",
        "VALKEY_VERSION": "9.0.1",
    },
    "s3": lambda: {
        "S3_ACCESS_KEY": "AKIA1",
        "S3_SECRET_KEY": "sk-of-s3",
        "S3_BUCKET": "notes",
        "S3_ENDPOINT": "http://minio.shop:9000",
        "S3_REGION": "us-east-1",
        "S3_PATH": "/media",
        "S3_URI_STYLE": "path",
        "S3_ADDRESSING_STYLE": "path",
        "S3_STORAGE_CLASS": "STANDARD",
        "S3_ATTRIBUTES": '["Cache-Control=max-age=60"]',
        "S3_TLS_CA_CHAIN": json.dumps([providers.PEM]),
    },
    "saml": lambda: {
        "SAML_ENTITY_ID": "https://idp.example.com",
        "SAML_METADATA_URL": "https://idp.example.com/saml/metadata",
        "SAML_SINGLE_SIGN_ON_REDIRECT_URL": "https://idp.example.com/saml/",
        "SAML_SIGNING_CERTIFICATE": "MIIDuz",
    },
    "rabbitmq": lambda: {
        **url("RABBITMQ", RABBITMQ),
        "RABBITMQ_VHOST": unquote("%2F"),
        "RABBITMQ_CONNECT_STRINGS": RABBITMQ,
    },
    "tracing": lambda: {
        "OTEL_SERVICE_NAME": "notes",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo.shop.svc.cluster.local:4318/",
    },
    "smtp": lambda: {
        "SMTP_HOST": "smtp.example.com",
        "SMTP_PORT": "587",
        "SMTP_USER": "joe",
        "SMTP_PASSWORD": "pw-of-joe",
        "SMTP_AUTH_TYPE": "plain",
        "SMTP_TRANSPORT_SECURITY": "starttls",
        "SMTP_DOMAIN": "example.com",
        "SMTP_SKIP_SSL_VERIFY": "False",
    },
    "openfga": lambda: {
        "FGA_STORE_ID": "01GK13VYZK62Q1T0X55Q2BHYD6",
        "FGA_TOKEN": "tok-of-fga",
        "FGA_GRPC_API_URL": "http://openfga.shop:8081",
        "FGA_HTTP_API_URL": "http://openfga.shop:8080",
    },
    "oauth": lambda: {
        "DJANGO_OIDC_CLIENT_ID": "b2c1",
        "DJANGO_OIDC_CLIENT_SECRET": "client-secret",
        "DJANGO_OIDC_API_BASE_URL": "https://iam.example.com/",
        "DJANGO_OIDC_AUTHORIZE_URL": "https://iam.example.com/oauth2/auth",
        "DJANGO_OIDC_ACCESS_TOKEN_URL": "https://iam.example.com/oauth2/token",
        "DJANGO_OIDC_USER_URL": "https://iam.example.com/userinfo",
        "DJANGO_OIDC_CLIENT_KWARGS": '{"scope": "openid profile email"}',
        "DJANGO_OIDC_JWKS_URL": "https://iam.example.com/.well-known/jwks.json",
        "DJANGO_OIDC_REDIRECT_PATH": "/callback",
        "DJANGO_OIDC_SCOPES": "openid profile email",
    },
    "http_proxy": lambda: {"http_proxy": PROXY, "HTTP_PROXY": PROXY, "https_proxy": PROXY, "HTTPS_PROXY": PROXY},
    "ingress": lambda: {"DJANGO_BASE_URL": BASE, "DJANGO_ALLOWED_HOSTS": '["notes.example"]'},
    "loki_push_api": dict,
    "prometheus_scrape": dict,
    "grafana_dashboard": dict,
}
"""By interface, the variables that paas-charm sets."""

ALWAYS = {
    "DJANGO_SECRET_KEY": KEY,
    "DJANGO_DEBUG": "false",
    "DJANGO_BASE_URL": "http://notes.shop:8000",
    "DJANGO_ALLOWED_HOSTS": '["notes.shop"]',
}

NEW = {
    "DJANGO_CSRF_TRUSTED_ORIGINS": "`DJANGO_CSRF_TRUSTED_ORIGINS` from the public URL",
    "POSTGRESQL_DB_READ_ONLY_ENDPOINTS": "`*_DB_READ_ONLY_ENDPOINTS`",
    "POSTGRESQL_DB_READ_ONLY_CONNECT_STRING": "`*_DB_READ_ONLY_CONNECT_STRING`",
    "POSTGRESQL_DB_TLS": "`*_DB_TLS`",
    "MYSQL_DB_READ_ONLY_ENDPOINTS": "`*_DB_READ_ONLY_ENDPOINTS`",
    "MYSQL_DB_READ_ONLY_CONNECT_STRING": "`*_DB_READ_ONLY_CONNECT_STRING`",
    "VALKEY_DB_TLS": "`*_DB_TLS`",
    "VALKEY_DB_MODE": "`VALKEY_DB_MODE`",
    "VALKEY_DB_VERSION": "`VALKEY_DB_VERSION`",
    "DJANGO_OIDC_USERINFO_URL": "`DJANGO_…_USERINFO_URL`",
    "SMTP_SENDER": "`SMTP_SENDER`",
    "SMTP_RECIPIENTS": "`SMTP_RECIPIENTS`",
    "SMTP_PASSWORD_ID": "`SMTP_PASSWORD_ID`",
    "HOME": "`HOME`",
}
"""Variables that our charm adds, and what the page of differences says of each."""


def before(*interfaces: str) -> dict[str, str]:
    """Return the variables under paas-charm."""
    found = dict(ALWAYS)
    for name in interfaces:
        found |= BEFORE[name]()
    return found


def answered(interface: str, number: int) -> testing.Relation:
    """Return a relation as paas-charm and its libraries leave it."""
    relation = providers.relation(interface, "full", number)
    copy = {"data": json.dumps({key: value for key, value in relation.remote_app_data.items() if key != "data"})}
    units: dict[str, dict[str, str]] = {
        "ingress": {"host": '"notes-0.notes-endpoints.shop.svc.cluster.local"', "ip": '"10.1.20.9"'}
    }
    own = units.get(interface) or (copy if endpoints.BY_NAME[interface].database or interface == "s3" else {})
    return dataclasses.replace(
        relation, local_app_data=dict(ASKED[interface]), local_unit_data={**relation.local_unit_data, **own}
    )


def worked_in(files: Path, variables: Mapping[str, str], *, migrated: str = "COMPLETED") -> testing.Container:
    """Return a container in which paas-charm has worked, and the services run."""
    found = container(files)
    state = files / "tmp" / "django" / "state"
    state.mkdir(parents=True)
    (state / "original-services.json").write_text(json.dumps(ROCK))
    (state / "database-migration-status").write_text(migrated)
    (files / "django" / "gunicorn.conf.py").write_text("bind = ['0.0.0.0:8000']\nchdir = '/django/app'\n")
    ours = ("django", "mail-worker", "beat-scheduler")
    services: dict[str, Any] = {
        name: {**service, "override": "replace", **({"environment": dict(variables)} if name in ours else {})}
        for name, service in ROCK.items()
    }
    return dataclasses.replace(
        found,
        layers={**found.layers, "charm": pebble.Layer({"services": services})},  # type: ignore[typeddict-item]
        service_statuses={name: pebble.ServiceStatus.ACTIVE for name in ROCK if name != "other"},
    )


def state(interfaces: tuple[str, ...], box: testing.Container, **changes: Any) -> testing.State:
    """Return what our charm finds after the refresh."""
    fields: dict[str, Any] = {
        "leader": True,
        "model": matrix.MODEL,
        "relations": {peer(PLAIN), *(answered(name, number) for number, name in enumerate(interfaces, matrix.FIRST))},
        "secrets": set[testing.Secret]().union(*(providers.secrets(name, "full") for name in interfaces)),
        "containers": {box},
        "opened_ports": {testing.TCPPort(8000)},
    }
    return testing.State(**{**fields, **changes})


def refresh(charm: matrix.Context, found: testing.State) -> testing.State:
    """Send what Juju sends after a refresh."""
    for name in ("upgrade_charm", "config_changed", "start"):
        found = charm.run(getattr(charm.on, name)(), found)
    return charm.run(charm.on.pebble_ready(found.get_container("django-app")), found)


def variables(found: testing.State) -> dict[str, str]:
    """Return what a worker gets: the web service has one more, for gunicorn alone."""
    return dict(found.get_container("django-app").plan.services["mail-worker"].environment)


def compare(ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    """Fail unless all variables of paas-charm are as they were, and each new one is on the page of differences."""
    assert {name: ours.get(name) for name in theirs} == dict(theirs)
    page = (pages.DOCS / "explanation" / "differences.md").read_text()
    added = ours.keys() - theirs.keys()
    assert not added - NEW.keys(), f"variables that no difference explains: {sorted(added - NEW.keys())}"
    unsaid = {name for name in added if NEW[name] not in page}
    assert not unsaid, f"not on the page of differences: {sorted(unsaid)}"


def unchanged(found: testing.State, interfaces: tuple[str, ...]) -> None:
    """Fail unless what was asked stands as it stood."""
    for number, name in enumerate(interfaces, matrix.FIRST):
        relation = found.get_relation(number)
        was = answered(name, number)
        kept = {key: value for key, value in was.local_app_data.items() if key not in FOLLOWS.get(name, ())}
        assert {key: relation.local_app_data.get(key) for key in kept} == kept, name
        if "data" in was.local_unit_data:
            assert relation.local_unit_data.get("data"), f"{name}: the copy of the answer is gone"


def test_the_table_knows_every_interface() -> None:
    assert BEFORE.keys() == ASKED.keys() == set(EVERYTHING)


@pytest.mark.parametrize("interface", EVERYTHING)
def test_an_integration_goes_on(interface: str, tmp_path: Path, world: World) -> None:
    """In a new pod, which is what a refresh gives: nothing is known of what was migrated, so one unit looks."""
    needed = {"oauth": ("postgresql_client", "ingress")}.get(interface, ("postgresql_client",))
    own = () if interface in needed else (interface,)
    interfaces = own if endpoints.BY_NAME[interface].database else (*needed, *own)
    interfaces = interfaces or needed
    charm = matrix.context(tmp_path / "charm", interfaces, optional=False)
    (tmp_path / "files").mkdir()
    after = refresh(charm, state(interfaces, container(tmp_path / "files")))
    assert after.unit_status == testing.ActiveStatus()
    compare(variables(after), before(*interfaces))
    unchanged(after, interfaces)
    assert world.calls.count("migrate") == 1


@pytest.mark.parametrize("same_container", [True, False])
def test_everything_at_once(same_container: bool, tmp_path: Path, world: World) -> None:
    charm = matrix.context(tmp_path / "charm", EVERYTHING, optional=True)
    (tmp_path / "files").mkdir()
    theirs = before(*EVERYTHING)
    box = worked_in(tmp_path / "files", theirs) if same_container else container(tmp_path / "files")
    after = refresh(charm, state(EVERYTHING, box))
    assert after.unit_status == testing.ActiveStatus()
    compare(variables(after), theirs)
    unchanged(after, EVERYTHING)
    assert world.calls.count("migrate") == (0 if same_container else 1)
    running = {name for name, info in after.get_container("django-app").services.items() if info.is_running()}
    assert running == {"django", "statsd-exporter", "mail-worker", "beat-scheduler"}


def test_key_becomes_a_secret_and_leaves_the_databag(tmp_path: Path, world: World) -> None:
    charm = matrix.context(tmp_path / "charm", ("postgresql_client",), optional=False)
    (tmp_path / "files").mkdir()
    after = refresh(charm, state(("postgresql_client",), container(tmp_path / "files")))
    secret = next(secret for secret in after.secrets if secret.owner == "app")
    assert secret.latest_content == {"value": KEY}
    assert KEY not in json.dumps(dict(after.get_relation(1).local_app_data))
    assert variables(after)["DJANGO_SECRET_KEY"] == KEY


def test_what_paas_charm_made_of_the_services_is_not_taken_for_the_rock_s(tmp_path: Path, world: World) -> None:
    """A relation that was there and is removed after the refresh leaves nothing behind."""
    interfaces = ("postgresql_client", "redis")
    charm = matrix.context(tmp_path / "charm", interfaces, optional=True)
    (tmp_path / "files").mkdir()
    after = refresh(charm, state(interfaces, worked_in(tmp_path / "files", before(*interfaces))))
    assert "REDIS_DB_CONNECT_STRING" in variables(after)
    relation = after.get_relation(matrix.FIRST + 1)
    after = charm.run(charm.on.relation_broken(relation), after)
    assert not [name for name in variables(after) if name.startswith("REDIS_")]


@pytest.mark.parametrize("how", ["FAILED", "PENDING", ""])
def test_migrations_that_had_not_ended_well_are_run(how: str, tmp_path: Path, world: World) -> None:
    charm = matrix.context(tmp_path / "charm", ("postgresql_client",), optional=False)
    (tmp_path / "files").mkdir()
    box = worked_in(tmp_path / "files", before("postgresql_client"), migrated=how)
    after = refresh(charm, state(("postgresql_client",), box))
    assert after.unit_status == testing.ActiveStatus()
    assert world.calls.count("migrate") == 1


def test_another_database_than_before_is_migrated(tmp_path: Path, world: World) -> None:
    charm = matrix.context(tmp_path / "charm", ("postgresql_client",), optional=False)
    (tmp_path / "files").mkdir()
    old = before("postgresql_client")
    old["POSTGRESQL_DB_CONNECT_STRING"] = old["POSTGRESQL_DB_CONNECT_STRING"].replace("primary", "other")
    refresh(charm, state(("postgresql_client",), worked_in(tmp_path / "files", old)))
    assert world.calls.count("migrate") == 1


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"other": {}}'])
def test_files_that_are_not_paas_charm_s_are_nothing(text: str, tmp_path: Path, world: World) -> None:
    charm = matrix.context(tmp_path / "charm", ("postgresql_client",), optional=False)
    (tmp_path / "files").mkdir()
    box = worked_in(tmp_path / "files", before("postgresql_client"))
    (tmp_path / "files" / adoption.SERVICES[1:]).write_text(text)
    after = refresh(charm, state(("postgresql_client",), box))
    assert after.unit_status == testing.ActiveStatus()


def _named(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"meta": found["metadata"], "config": found["config"], "actions": found["actions"]}


class Cluster:
    """Three units of one application, refreshed one after the other; what they share is shared."""

    def __init__(self, directory: Path, world: World, bag: Mapping[str, str], *secrets: testing.Secret) -> None:
        self.directory, self.world = directory, world
        self.app = dict(bag)
        self.units: dict[int, dict[str, str]] = {0: {}, 1: {}, 2: {}}
        self.secrets = {*secrets, *providers.secrets(matrix.DATABASE, "full")}
        self.states: dict[int, testing.State] = {}
        found = matrix.charm_documents(directory / "charm", matrix.charmcraft((matrix.DATABASE,), optional=False))
        self.charms = {
            number: testing.Context(
                matrix.NotesCharm, **_named(found), juju_version="3.6.9", unit_id=number,
            )
            for number in self.units
        }  # fmt: skip

    def refresh(self, number: int, *, leader: bool) -> testing.State:
        """Replace a unit's pod: it has the new charm now."""
        (self.directory / str(number)).mkdir()
        box = container(self.directory / str(number))
        relation = answered(matrix.DATABASE, matrix.FIRST)
        if not leader:
            relation = dataclasses.replace(relation, local_app_data={})
        self.states[number] = testing.State(
            leader=leader, model=matrix.MODEL, relations={relation, peer()}, containers={box}
        )
        for event in ("upgrade_charm", "config_changed", "start", "pebble_ready"):
            self.send(number, event)
        return self.states[number]

    def send(self, number: int, event: str) -> None:
        """Send an event to a refreshed unit, and keep what it writes for the others to see."""
        charm, found = self.charms[number], self.states[number]
        others = {other: bag for other, bag in self.units.items() if other != number}
        bag = dataclasses.replace(peer(self.app, others), local_unit_data=dict(self.units[number]))
        relations = {bag, *(each for each in found.relations if each.id != 1)}
        found = dataclasses.replace(found, relations=relations, secrets=self.secrets)
        on: Any = charm.on
        if event == "pebble_ready":
            after = charm.run(on.pebble_ready(found.get_container("django-app")), found)
        elif event == "peer_changed":
            after = charm.run(on.relation_changed(bag), found)
        else:
            after = charm.run(getattr(on, event)(), found)
        self.states[number] = after
        self.app = dict(after.get_relation(1).local_app_data) if found.leader else self.app
        own = after.get_relation(1).local_unit_data
        self.units[number] = {key: value for key, value in own.items() if not key.endswith(("address", "subnets"))}
        self.secrets = set(after.secrets)

    def settle(self) -> None:
        """Let every refreshed unit hear of the others, until nobody writes anything."""
        for _ in range(6):
            now = json.dumps([self.app, self.units])
            for number in self.states:
                self.send(number, "peer_changed")
            if json.dumps([self.app, self.units]) == now:
                return
        pytest.fail(f"they write for ever: {self.app} {self.units}")

    @property
    def keys(self) -> set[str]:
        return {variables(each)["DJANGO_SECRET_KEY"] for each in self.states.values()}


SECRET = testing.Secret({"value": KEY}, id=providers.secret("9", 9), owner="app", label="django-secret-key")


@pytest.mark.parametrize("leader", [0, 1, 2])
@pytest.mark.parametrize(("bag", "secrets"), [(PLAIN, ()), ({"another-key": SECRET.id}, (SECRET,))])
def test_three_units_one_after_the_other(
    leader: int, bag: Mapping[str, str], secrets: tuple[testing.Secret, ...], tmp_path: Path, world: World
) -> None:
    """Each unit works as soon as it is refreshed, also while the leader still is of paas-charm; one of them migrates.

    The second form of the key is that of paas-charm after 1.x: a secret with the same label as ours.
    """
    cluster = Cluster(tmp_path, world, bag, *secrets)
    for number in (2, 1, 0):  # as Kubernetes does, which goes on when the last one is ready
        after = cluster.refresh(number, leader=number == leader)
        if number > leader or number == leader:
            assert after.unit_status == testing.ActiveStatus(), number
        else:
            cluster.settle()
            assert cluster.states[number].unit_status == testing.ActiveStatus(), number
        assert cluster.keys == {KEY}
        if any(other < number for other in cluster.units) and number != 0:
            assert cluster.app.items() >= bag.items(), "the units that are left have lost their key"
    cluster.settle()
    assert cluster.keys == {KEY}
    assert world.calls.count("migrate") == 1
    assert KEY not in json.dumps([cluster.app, cluster.units])
    ours = [secret for secret in cluster.secrets if secret.owner == "app"]
    assert [secret.latest_content for secret in ours] == [{"value": KEY}]
    assert json.loads(cluster.app[migrations.KEY])["done"] == [[SURVEY["release"], "postgresql:20:notes"]]


def test_on_the_newer_base_too(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On ubuntu@26.04 container, image and peer relation have other names."""
    monkeypatch.setenv("CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS", "true")
    text = matrix.charmcraft((matrix.DATABASE,), optional=False).replace("ubuntu@24.04", "ubuntu@26.04")
    found = matrix.charm_documents(tmp_path / "charm", text)
    charm = testing.Context(
        matrix.NotesCharm,
        **_named(found),
        juju_version="3.6.9",
    )
    (tmp_path / "files").mkdir()
    box = container(tmp_path / "files", name="app")
    relation = testing.PeerRelation("peers", id=1, local_app_data=dict(PLAIN))
    after = state((matrix.DATABASE,), box)
    after = dataclasses.replace(after, relations={relation, answered(matrix.DATABASE, matrix.FIRST)})
    for event in (charm.on.upgrade_charm(), charm.on.config_changed()):
        after = charm.run(event, after)
    after = charm.run(charm.on.pebble_ready(after.get_container("app")), after)
    assert after.unit_status == testing.ActiveStatus()
    environment = after.get_container("app").plan.services["mail-worker"].environment
    theirs = {**before(matrix.DATABASE), "DJANGO_METRICS_PORT": "9102", "DJANGO_METRICS_PATH": "/metrics"}
    compare(environment, theirs)
    unchanged(after, (matrix.DATABASE,))
