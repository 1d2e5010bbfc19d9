"""The variables with which settings are evaluated: those that the charm sets once everything is related. Pure."""

from __future__ import annotations

import ast
import json
from typing import NamedTuple
from urllib.parse import urlsplit

from nuages.contract.endpoints import (
    BY_NAME,
    HTTP_PROXY,
    MONGODB,
    MYSQL,
    OAUTH,
    OPENFGA,
    POSTGRESQL,
    RABBITMQ,
    REDIS,
    S3,
    SAML,
    SMTP,
    TRACING,
    VALKEY,
    prefix_of,
)
from nuages.contract.options import variable_of
from nuages.extension.contribution import dynamic_options
from nuages.extension.load import Document, Value

HOST = "app.nuages.test"
URL = f"http://{HOST}/"
"""The public URL, without TLS as behind an ingress that has none."""

URLS = {
    POSTGRESQL.name: "postgresql://asker:given@database.nuages.test:5432/asked",
    MYSQL.name: "mysql://asker:given@database.nuages.test:3306/asked",
    MONGODB.name: "mongodb://asker:given@database.nuages.test:27017/asked",
    REDIS.name: "redis://cache.nuages.test:6379",
    VALKEY.name: "valkey://cache.nuages.test:6379",
    RABBITMQ.name: "amqp://asker:given@queue.nuages.test:5672/asked",
}
"""A URL for each interface that gives one."""

_IDP = "https://idp.nuages.test"
OTHERS: dict[str, dict[str, str]] = {
    S3.name: {"ACCESS_KEY": "given", "SECRET_KEY": "given", "BUCKET": "asked", "REGION": "us-east-1",
              "ENDPOINT": "http://s3.nuages.test:9000"},
    SMTP.name: {"HOST": "mail.nuages.test", "PORT": "587", "USER": "asker", "PASSWORD": "given", "AUTH_TYPE": "plain",
                "TRANSPORT_SECURITY": "starttls", "DOMAIN": "nuages.test", "SKIP_SSL_VERIFY": "False"},
    SAML.name: {"ENTITY_ID": _IDP, "METADATA_URL": _IDP + "/metadata", "SIGNING_CERTIFICATE": "given",
                "SINGLE_SIGN_ON_REDIRECT_URL": _IDP + "/sso"},
    TRACING.name: {"SERVICE_NAME": "asked", "EXPORTER_OTLP_ENDPOINT": "http://traces.nuages.test:4318/"},
    OPENFGA.name: {"STORE_ID": "asked", "TOKEN": "given", "GRPC_API_URL": "http://fga.nuages.test:8081",
                   "HTTP_API_URL": "http://fga.nuages.test:8080"},
}  # fmt: skip
"""Variables of interfaces that give no URL, without their prefix."""

OAUTH_VARIABLES = {
    "CLIENT_ID": "asked",
    "CLIENT_SECRET": "given",
    "CLIENT_KWARGS": '{"scope": "openid profile email"}',
    "API_BASE_URL": _IDP + "/",
    "AUTHORIZE_URL": _IDP + "/oauth2/auth",
    "ACCESS_TOKEN_URL": _IDP + "/oauth2/token",
    "USER_URL": _IDP + "/userinfo",
    "USERINFO_URL": _IDP + "/userinfo",
    "JWKS_URL": _IDP + "/.well-known/jwks.json",
}
"""What an endpoint of interface oauth gives, after DJANGO_ and its name."""

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
PROXY = "http://proxy.nuages.test:3128"


class Asked(NamedTuple):
    """What settings are evaluated with."""

    environment: dict[str, str]
    database: dict[str, str]
    """host, name and user of the related database; empty when the charm has no endpoint for one."""
    endpoint: str
    """That endpoint."""
    config: dict[str, Value]
    """The values of the options."""


def aliases(source: str) -> dict[str, str]:
    """Return the second names that a charm's code gives: `aliases = {"DATABASE_URL": "POSTGRESQL_DB_CONNECT_STRING"}`.

    Read, for where the charm itself cannot be asked.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        named = any(isinstance(target, ast.Name) and target.id == "aliases" for target in targets)
        value = node.value if named and isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Dict):
            pairs = zip(value.keys, value.values, strict=True)
            found.update((str(key.value), str(name.value)) for key, name in pairs
                         if isinstance(key, ast.Constant) and isinstance(name, ast.Constant))  # fmt: skip
    return found


def variables(document: Document, key: str, source: str = "") -> Asked:
    """Return the variables for the charm in `document`; `key` is its secret key, `source` its own code."""
    found = {
        "DJANGO_BASE_URL": URL,
        "DJANGO_ALLOWED_HOSTS": json.dumps([HOST]),
        "DJANGO_CSRF_TRUSTED_ORIGINS": json.dumps([URL.rstrip("/")]),
        "DJANGO_DEBUG": "false",
        "DJANGO_SECRET_KEY": key,
    }
    config: dict[str, Value] = {}
    options = {**dynamic_options(document.mapping("requires")), **document.mapping("config", "options")}
    for name, entry in options.items():
        value = entry.get("default") if isinstance(entry, dict) else None
        if value is None and isinstance(entry, dict) and entry.get("optional") is False:
            value = {"int": 1, "float": 1.0, "boolean": True}.get(str(entry.get("type")), "given")
        if value is not None and isinstance(entry, dict) and entry.get("type") != "secret":
            config[name] = value
            found.setdefault(variable_of(name), json.dumps(value) if not isinstance(value, str) else value)
    database: dict[str, str] = {}
    endpoint = ""
    for name, entry in document.mapping("requires").items():
        interface = BY_NAME.get(str(entry.get("interface"))) if isinstance(entry, dict) else None
        if interface is None:
            continue
        prefix = prefix_of(interface, name)
        url = URLS.get(interface.name, "")
        if url:
            found.update({f"{prefix}_{part}": value for part, value in _parts(url, interface.name).items()})
        found.update({f"{prefix}_{part}": value for part, value in OTHERS.get(interface.name, {}).items()})
        if interface is VALKEY:
            bare = prefix.removesuffix("_DB")
            found.update({f"{start}_{part}": "" for start in (bare, prefix) for part in ("MODE", "VERSION")})
            found.update({f"{prefix}_READ_ONLY_ENDPOINTS": "", f"{prefix}_SENTINEL_ENDPOINTS": ""})
        if interface is OAUTH:
            found.update({f"{variable_of(name)}_{part}": value for part, value in OAUTH_VARIABLES.items()})
        if interface is HTTP_PROXY:
            found.update((variable, PROXY) for variable in PROXIES)
        if interface.database and not database:
            parts = urlsplit(url)
            database = {"host": parts.hostname or "", "name": parts.path[1:], "user": parts.username or ""}
            endpoint = name
    found.update((second, found[first]) for second, first in aliases(source).items() if first in found)
    return Asked(found, database, endpoint, config)


def _parts(url: str, interface: str) -> dict[str, str]:
    split = urlsplit(url)
    found = {"CONNECT_STRING": url, "SCHEME": split.scheme, "NETLOC": split.netloc, "PATH": split.path, "PARAMS": "",
             "QUERY": split.query, "FRAGMENT": split.fragment, "HOSTNAME": split.hostname or "",
             "PORT": str(split.port or "")}  # fmt: skip
    if split.username:
        found.update(USERNAME=split.username, PASSWORD=split.password or "")
    if interface == RABBITMQ.name:
        found.update(VHOST=split.path[1:], CONNECT_STRINGS=url)
    elif split.path[1:]:
        found["NAME"] = split.path[1:]
    return found
