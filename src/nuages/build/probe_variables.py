"""The variables with which settings are evaluated: those that the charm sets once everything is related. Pure."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import urlsplit

from nuages.contract.endpoints import BY_NAME, MONGODB, MYSQL, POSTGRESQL, RABBITMQ, REDIS, S3, SMTP, VALKEY, prefix_of
from nuages.contract.options import variable_of
from nuages.extension.load import Document

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

OTHERS = {
    S3.name: {"ACCESS_KEY": "given", "SECRET_KEY": "given", "BUCKET": "asked", "ENDPOINT": "http://s3.nuages.test:9000",
              "REGION": "us-east-1"},
    SMTP.name: {"HOST": "mail.nuages.test", "PORT": "587", "USER": "asker", "PASSWORD": "given",
                "AUTH_TYPE": "plain", "TRANSPORT_SECURITY": "starttls", "DOMAIN": "nuages.test"},
    "saml": {"ENTITY_ID": "https://idp.nuages.test", "METADATA_URL": "https://idp.nuages.test/metadata",
             "SINGLE_SIGN_ON_REDIRECT_URL": "https://idp.nuages.test/sso", "SIGNING_CERTIFICATE": "given"},
}  # fmt: skip
"""Variables of interfaces that give no URL, without their prefix."""


class Asked(NamedTuple):
    """What settings are evaluated with."""

    environment: dict[str, str]
    database: dict[str, str]
    """host, name and user of the related database; empty when the charm has no endpoint for one."""
    endpoint: str
    """That endpoint."""


def variables(document: Document, key: str) -> Asked:
    """Return the variables for the charm in `document`; `key` is its secret key."""
    found = {
        "DJANGO_BASE_URL": URL,
        "DJANGO_ALLOWED_HOSTS": json.dumps([HOST]),
        "DJANGO_CSRF_TRUSTED_ORIGINS": json.dumps([URL.rstrip("/")]),
        "DJANGO_DEBUG": "false",
        "DJANGO_SECRET_KEY": key,
    }
    for name, entry in document.mapping("config", "options").items():
        value = entry.get("default") if isinstance(entry, dict) else None
        if value is None and isinstance(entry, dict) and entry.get("optional") is False:
            value = {"int": 1, "float": 1.0, "boolean": True}.get(str(entry.get("type")), "given")
        if value is not None and isinstance(entry, dict) and entry.get("type") != "secret":
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
        if interface.database and not database:
            parts = urlsplit(url)
            database = {"host": parts.hostname or "", "name": parts.path[1:], "user": parts.username or ""}
            endpoint = name
    return Asked(found, database, endpoint)


def _parts(url: str, interface: str) -> dict[str, str]:
    split = urlsplit(url)
    found = {"CONNECT_STRING": url, "SCHEME": split.scheme, "NETLOC": split.netloc, "PATH": split.path, "PARAMS": "",
             "QUERY": split.query, "FRAGMENT": split.fragment, "HOSTNAME": split.hostname or "",
             "PORT": str(split.port or "")}  # fmt: skip
    if split.username:
        found.update(USERNAME=split.username, PASSWORD=split.password or "")
    if interface == RABBITMQ.name:
        found["VHOST"] = split.path[1:]
    elif split.path[1:]:
        found["NAME"] = split.path[1:]
    return found
