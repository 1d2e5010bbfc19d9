"""What real providers answer: for each interface the databags and secrets that the reference has seen."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ops import testing

from nuages.contract import endpoints

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
LOKI = "loki-0.loki-endpoints.cos.svc.cluster.local"


def secret(letter: str, number: int) -> str:
    """Return the URI of a secret that is like Juju's."""
    return f"secret:d2{letter * 17}{number}"


class Answer(NamedTuple):
    """What the other side has written."""

    app: Mapping[str, str]
    units: Mapping[int, Mapping[str, str]] = {0: {}}
    secrets: Mapping[str, Mapping[str, str]] = {}


FULL: dict[str, Answer] = {
    "postgresql_client": Answer(
        {
            "database": "notes",
            "endpoints": "postgresql-k8s-primary.shop.svc.cluster.local:5432",
            "read-only-endpoints": "postgresql-k8s-replicas.shop.svc.cluster.local:5432",
            "version": "14.23",
            "secret-user": secret("a", 0),
            "secret-tls": secret("a", 1),
        },
        secrets={
            secret("a", 0): {
                "username": "relation_id_7",
                "password": "Zq3pQ8",
                "uris": "postgresql://relation_id_7:Zq3pQ8@postgresql-k8s-primary.shop.svc.cluster.local:5432/notes",
            },
            secret("a", 1): {"tls": "False"},
        },
    ),
    "mysql_client": Answer(
        {
            "database": "notes",
            "endpoints": "mysql-k8s-primary.shop.svc.cluster.local.:3306",
            "read-only-endpoints": "mysql-k8s-replicas.shop.svc.cluster.local.:3306",
            "version": "8.0.41-0ubuntu0.22.04.1",
            "secret-user": secret("a", 2),
        },
        secrets={secret("a", 2): {"username": "relation-5_4d2a3c8e0f4c4b9e", "password": "Ab9xY2"}},
    ),
    "mongodb_client": Answer(
        {
            "database": "notes",
            "endpoints": "mongodb-k8s-0.mongodb-k8s-endpoints",
            "replset": "mongodb-k8s",
            "secret-user": secret("a", 3),
        },
        secrets={
            secret("a", 3): {
                "username": "relation-9",
                "password": "Cd8wV4",
                "uris": "mongodb://relation-9:Cd8wV4@mongodb-k8s-0.mongodb-k8s-endpoints:27017/notes?replicaSet=mongodb-k8s&authSource=admin",
            }
        },
    ),
    "redis": Answer(
        {"leader-host": "redis-k8s-0.redis-k8s-endpoints.shop.svc.cluster.local"},
        {0: {"hostname": "10.1.20.5", "port": "6379"}},
    ),
    "valkey_client": Answer(
        {
            "version": "v1",
            "data": json.dumps(
                {"d0c352f7d809734b": {"resource": "*", "request-id": "d0c352f7d809734b", "salt": "xqbPuYzzl2iiKeyN"}}
            ),
            "requests": json.dumps(
                [
                    {
                        "resource": "*",
                        "request-id": "d0c352f7d809734b",
                        "salt": "xqbPuYzzl2iiKeyN",
                        "endpoints": "valkey-primary:6379",
                        "read-only-endpoints": "valkey-replicas:6379",
                        "sentinel-endpoints": "valkey-0.valkey-endpoints:26379",
                        "mode": "sentinel",
                        "version": "9.0.1",
                        "secret-user": secret("b", 0),
                        "secret-tls": secret("b", 1),
                    }
                ]
            ),
        },
        secrets={
            secret("b", 0): {"username": "relation-3-d0c352f7d809734b", "password": "pw-of-valkey"},
            secret("b", 1): {"tls": "false"},
        },
    ),
    "s3": Answer(
        {
            "data": '{"bucket":"notes"}',
            "access-key": "AKIA1",
            "secret-key": "sk-of-s3",
            "bucket": "notes",
            "endpoint": "http://minio.shop:9000",
            "region": "us-east-1",
            "path": "/media",
            "s3-uri-style": "path",
            "storage-class": "STANDARD",
            "attributes": '["Cache-Control=max-age=60"]',
            "tls-ca-chain": json.dumps([PEM]),
        }
    ),
    "saml": Answer(
        {
            "entity_id": "https://idp.example.com",
            "metadata_url": "https://idp.example.com/saml/metadata",
            "x509certs": "MIIDuz,MIIDvA",
            "single_sign_on_service_redirect_url": "https://idp.example.com/saml/",
            "single_sign_on_service_redirect_binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            "single_logout_service_redirect_url": "https://idp.example.com/+logout",
            "single_logout_service_redirect_binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
        }
    ),
    "rabbitmq": Answer({"hostname": "rabbitmq-k8s-endpoints.shop.svc.cluster.local", "password": "pw-of-rabbit"}),
    "tracing": Answer(
        {
            "receivers": '[{"protocol":{"name":"otlp_http","type":"http"},"url":"http://tempo.shop.svc.cluster.local:4318"}]'
        }
    ),
    "smtp": Answer(
        {
            "host": "smtp.example.com",
            "port": "587",
            "user": "joe",
            "password_id": secret("c", 0),
            "auth_type": "plain",
            "transport_security": "starttls",
            "domain": "example.com",
            "skip_ssl_verify": "False",
            "smtp_sender": "noreply@example.com",
        },
        secrets={secret("c", 0): {"password": "pw-of-joe"}},
    ),
    "openfga": Answer(
        {
            "store_id": "01GK13VYZK62Q1T0X55Q2BHYD6",
            "token_secret_id": secret("d", 0),
            "grpc_api_url": "http://openfga.shop:8081",
            "http_api_url": "http://openfga.shop:8080",
        },
        secrets={secret("d", 0): {"token": "tok-of-fga"}},
    ),
    "oauth": Answer(
        {
            "issuer_url": "https://iam.example.com/",
            "authorization_endpoint": "https://iam.example.com/oauth2/auth",
            "token_endpoint": "https://iam.example.com/oauth2/token",
            "introspection_endpoint": "http://hydra.iam.svc:4445/admin/oauth2/introspect",
            "userinfo_endpoint": "https://iam.example.com/userinfo",
            "jwks_endpoint": "https://iam.example.com/.well-known/jwks.json",
            "scope": "openid profile email phone",
            "jwt_access_token": "False",
            "client_id": "b2c1",
            "client_secret_id": secret("e", 0),
        },
        secrets={secret("e", 0): {"secret": "client-secret"}},
    ),
    "http_proxy": Answer(
        {
            "responses": json.dumps(
                [
                    {
                        "auth": "userpass",
                        "http_proxy": "http://squid.internal:3128/",
                        "https_proxy": "http://squid.internal:3128/",
                        "requirer": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
                        "status": "ready",
                        "user": secret("f", 0),
                    }
                ]
            )
        },
        secrets={secret("f", 0): {"username": "pu", "password": "pw-of-squid"}},
    ),
    "ingress": Answer({"ingress": '{"url": "https://Notes.example/shop-notes"}'}),
    "loki_push_api": Answer(
        {"promtail_binary_zip_url": "{}"},
        {0: {"endpoint": json.dumps({"url": f"http://{LOKI}:3100/loki/api/v1/push"}), "public_address": LOKI}},
    ),
    "prometheus_scrape": Answer({}),
    "grafana_dashboard": Answer({}),
}
"""By interface, the complete answer."""

LOCAL: dict[str, Mapping[str, str]] = {
    "valkey_client": {
        "version": "v1",
        "requests": '[{"resource":"*","request-id":"d0c352f7d809734b","salt":"xqbPuYzzl2iiKeyN"}]',
    },
    "http_proxy": {"requests": '[{"auth":[],"domains":[],"requirer":"3fa85f64-5717-4562-b3fc-2c963f66afa6"}]'},
}
"""What we had asked for, where the answer only makes sense with it."""

LEVELS = ("absent", "empty", "partial", "full")


def answer(interface: str, level: str) -> Answer:
    """Return the answer as far as the level goes; partial: every second key is there, and half of each secret."""
    full = FULL[interface]
    if level == "full":
        return full
    if level == "empty":
        return Answer({})
    return Answer(
        _half(full.app),
        {number: _half(bag) for number, bag in full.units.items()},
        {uri: _half(content) for uri, content in full.secrets.items()},
    )


def _half(bag: Mapping[str, str]) -> dict[str, str]:
    keys = list(bag)
    return {key: bag[key] for key in keys[: max(1, len(keys) // 2)]} if keys else {}


def endpoint_of(interface: str) -> str:
    """Return the usual name of the interface's endpoint."""
    return endpoints.BY_NAME[interface].endpoint or "oidc"


def relation(interface: str, level: str, number: int, **extra: Any) -> testing.Relation:
    """Return the relation, as the other side has left it."""
    said = answer(interface, level)
    return testing.Relation(
        endpoint_of(interface),
        id=number,
        remote_app_name="other-" + endpoint_of(interface),
        remote_app_data=dict(said.app),
        remote_units_data={unit: dict(bag) for unit, bag in said.units.items()},
        local_app_data=dict(LOCAL.get(interface, {})) if level == "full" else {},
        **extra,
    )


def secrets(interface: str, level: str) -> set[testing.Secret]:
    """Return the secrets that the answer names, as far as they are granted."""
    return {
        testing.Secret(dict(content), id=uri, owner=None) for uri, content in answer(interface, level).secrets.items()
    }
