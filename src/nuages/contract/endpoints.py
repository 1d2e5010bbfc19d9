"""The relation interfaces of the contract: endpoints that the extension contributes and those that a user may add."""

from nuages.contract.row import NamedTuple


class Interface(NamedTuple):
    """One relation interface that the charm speaks."""

    name: str
    role: str
    """`requires`, `provides` or `peers`: the charm's side."""
    endpoint: str
    """The endpoint's usual name; "" when any name is as good (`oauth`)."""
    prefix: str = ""
    """What its variables start with, without the last underscore: `POSTGRESQL_DB`; "" when it sets none of its own."""
    database: bool = False
    """Whether it satisfies Django's need of a database."""
    contributed: bool = False
    """Whether the extension declares the endpoint itself."""
    limit: int | None = None
    """`limit` of the contributed endpoint."""


POSTGRESQL = Interface("postgresql_client", "requires", "postgresql", "POSTGRESQL_DB", database=True)
MYSQL = Interface("mysql_client", "requires", "mysql", "MYSQL_DB", database=True)
MONGODB = Interface("mongodb_client", "requires", "mongodb", "MONGODB_DB", database=True)
REDIS = Interface("redis", "requires", "redis", "REDIS_DB")
VALKEY = Interface("valkey_client", "requires", "valkey", "VALKEY_DB")
S3 = Interface("s3", "requires", "s3", "S3")
SAML = Interface("saml", "requires", "saml", "SAML")
RABBITMQ = Interface("rabbitmq", "requires", "rabbitmq", "RABBITMQ")
TRACING = Interface("tracing", "requires", "tracing", "OTEL")
SMTP = Interface("smtp", "requires", "smtp", "SMTP")
OPENFGA = Interface("openfga", "requires", "openfga", "FGA")
OAUTH = Interface("oauth", "requires", "")
HTTP_PROXY = Interface("http_proxy", "requires", "http-proxy")
LOGGING = Interface("loki_push_api", "requires", "logging", contributed=True)
INGRESS = Interface("ingress", "requires", "ingress", contributed=True, limit=1)
METRICS = Interface("prometheus_scrape", "provides", "metrics-endpoint", contributed=True)
DASHBOARD = Interface("grafana_dashboard", "provides", "grafana-dashboard", contributed=True)

INTERFACES = (
    POSTGRESQL,
    MYSQL,
    MONGODB,
    REDIS,
    VALKEY,
    S3,
    SAML,
    RABBITMQ,
    TRACING,
    SMTP,
    OPENFGA,
    OAUTH,
    HTTP_PROXY,
    LOGGING,
    INGRESS,
    METRICS,
    DASHBOARD,
)
"""All but the peer relation, which depends on the base. Contributed ones are in charmcraft's order within each role."""

BY_NAME = {interface.name: interface for interface in INTERFACES}


def prefix_of(interface: Interface, endpoint: str) -> str:
    """Return the prefix of the variables of `endpoint`: the interface's own for the usual name, else the endpoint's.

    A database keeps its `_DB`: `reports` gives `REPORTS_DB`.
    """
    if endpoint == interface.endpoint:
        return interface.prefix
    name = endpoint.upper().replace("-", "_")
    return name + "_DB" if interface.prefix.endswith("_DB") else name
