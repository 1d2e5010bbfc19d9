"""Everything the charm can know when it decides: filled by `gather`, read by `decide`, made by hand in tests."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from nuages.charm.record import record
from nuages.contract import bases, layout
from nuages.contract.row import NamedTuple

if TYPE_CHECKING:
    from nuages.charm.interfaces.base import Interface
    from nuages.charm.variables import Variable

Value = str | int | float | bool
Bag = Mapping[str, str]
Content = Mapping[str, str]
"""What is in a Juju secret."""


class Option(NamedTuple):
    """One option of the charm's config.yaml."""

    name: str
    type: str
    required: bool = False


class Endpoint(NamedTuple):
    """One `requires` endpoint of the charm's metadata."""

    name: str
    interface: str
    required: bool


class Relation(NamedTuple):
    """One relation to another application."""

    endpoint: str
    interface: str
    id: int
    app: str
    bag: Bag
    units: Mapping[str, Bag]
    """Remote units' bags; empty bags unless the interface reads them."""
    secrets: Mapping[str, Content | None]
    """By URI as it stands in the bag; None for one that cannot be read."""
    local_app: str = ""
    """This application's name: what it asked for carries it."""


class Peer(NamedTuple):
    """The relation between the units of this application."""

    id: int
    bag: Bag
    units: Mapping[str, Bag]
    """The other units' bags; empty bags when this unit is not the leader, who alone needs them."""


class SecretKey(NamedTuple):
    """What is known of the application's own secret with the key."""

    content: Content | None = None
    """None: no such secret, or not readable yet."""
    id: str = ""
    """Its URI; "" when there is none."""
    fresh: str = ""
    """A newly made key, for the leader to use should there be none."""


NO_KEY = SecretKey()


class Survey(NamedTuple):
    """What the container's own Python said about the rock, asked once in the life of a container."""

    release: str
    """Digest of the rock's metadata and of every migration file: differs when migrations may have to run."""
    version: str
    """The rock's version."""
    environment: Mapping[str, str]
    """The variables of the container itself, which Pebble hands to every service."""
    files: tuple[str, ...]
    """Names of the migration programs found in the application's directory."""
    modules: tuple[str, ...]
    """Which optional modules can be imported (`gevent`)."""


class Outcome(NamedTuple):
    """How the last migration in this container ended."""

    release: str
    database: str
    attempt: str
    """Digest of command and environment."""
    code: int
    error: str
    """The last line of what it said, when it failed."""


class Paas(NamedTuple):
    """What paas-config.yaml beside the charm's metadata says."""

    port: int = layout.WEB_PORT
    """Where the web service listens."""
    metrics_port: int = layout.METRICS_PORT
    metrics_path: str = layout.METRICS_PATH
    json_logs: bool = False
    """`framework_logging_format: json`."""
    scrape_configs: tuple[Mapping[str, object], ...] = ()
    """More jobs for Prometheus, as they stand there."""


PLAIN = Paas()


class Custom(NamedTuple):
    """The user's own rules and dashboards, from cos_custom/: by path, parsed."""

    prometheus_alert_rules: Mapping[str, object] = {}
    loki_alert_rules: Mapping[str, object] = {}
    grafana_dashboards: Mapping[str, object] = {}


NO_CUSTOM = Custom()


Service = Mapping[str, object]
"""A service as Pebble's plan writes it."""


@record
class Workload:
    """The workload container, as Pebble shows it."""

    original: Mapping[str, Service]
    """The services as the rock defines them."""
    survey: Survey
    services: Mapping[str, Service]
    """The services in the plan now."""
    checks: Mapping[str, Mapping[str, object]]
    states: Mapping[str, str]
    """By service: `active`, `inactive`, `backoff`, `error`."""
    targets: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    """The log targets in the plan now."""
    answering: bool = False
    """The ready check is up and has succeeded at least once as it is defined now."""
    gunicorn: str | None = None
    """The web server's configuration file; None when there is none yet."""
    outcome: Outcome | None = None
    migrated: bool = False
    """Whether paas-charm has applied the migrations of this very container, before our charm came."""


class Added(NamedTuple):
    """What the charm's own src/charm.py adds; see `nuages.charm.DjangoCharm`."""

    interfaces: Mapping[str, "Interface"] = {}
    """By name; one that we speak as well is replaced."""
    aliases: Mapping[str, str] = {}
    """A variable's second name to its first."""
    variables: Callable[["Facts", Mapping[str, str]], Iterable["Variable"]] = lambda _facts, _environment: ()
    """More variables, from what is known and from the environment so far."""


NOTHING_ADDED = Added()


@record
class Facts:
    """What the charm knows about itself, its model, its relations and its container at one event."""

    event: str
    """As in ops: `config_changed`, `postgresql_relation_joined`."""
    app: str
    unit: str
    model: str
    leader: bool
    container: str
    peer_endpoint: str
    model_uuid: str = ""
    charm: str = ""
    """The charm's name, as in its metadata."""
    options: tuple[Option, ...] = ()
    config: Mapping[str, Value] = field(default_factory=dict[str, Value])
    option_secrets: Mapping[str, Content | None] = field(default_factory=dict[str, "Content | None"])
    """By option of type secret that is set; None for a secret that is not granted, empty when there is none."""
    endpoints: tuple[Endpoint, ...] = ()
    relations: tuple[Relation, ...] = ()
    related: frozenset[str] = frozenset()
    """Endpoints that have a relation, as far as they were asked for."""
    peer: Peer | None = None
    key: SecretKey = NO_KEY
    proxies: Mapping[str, str] = field(default_factory=dict[str, str])
    """The model's proxies: http, https, no."""
    paas: Paas = PLAIN
    forwards_logs: bool = True
    """Whether this Juju's Pebble knows log targets."""
    custom: Custom = NO_CUSTOM
    """Nothing unless it is to be published at this event."""
    address: str = ""
    """This unit's address; "" unless it is to be published at this event."""
    fqdn: str = ""
    added: Added = NOTHING_ADDED
    workload: Workload | str | None = None
    """None: Pebble does not answer; a text: why the container cannot be used."""

    @property
    def layout(self) -> layout.Layout:
        """Where things are in the rock, which depends on the base as the container's name does."""
        return bases.BY_CONTAINER[self.container].layout

    @property
    def number(self) -> int:
        """The unit's number: 2 for `notes/2`."""
        return int(self.unit.rpartition("/")[2])

    def fqdn_of(self, unit: str) -> str:
        """Return the name in the cluster of a unit of this application."""
        return f"{unit.replace('/', '-')}.{self.app}-endpoints.{self.model}.svc.cluster.local"

    @property
    def repairs(self) -> bool:
        """Whether own bags are compared at this event, though their relation works already: that costs two calls each.

        It is when what they say may differ: our own address, another leader, another charm, a relation's beginning.
        """
        return repairs(self.event)

    @property
    def opens_ports(self) -> bool:
        """Whether the opened ports are compared now. They outlive the pod; only another charm changes them."""
        return self.event in ("install", "start", "upgrade_charm", "pebble_ready")


def repairs(event: str) -> bool:
    """Whether an event is one at which everything is compared, whatever is remembered."""
    return event in REPAIR_EVENTS or event.endswith(("_relation_created", "_relation_joined"))


REPAIR_EVENTS = frozenset(("install", "start", "upgrade_charm", "config_changed", "leader_elected", "pebble_ready"))
"""Juju sends config-changed when a pod's address changes, upgrade-charm when the pod is replaced."""
