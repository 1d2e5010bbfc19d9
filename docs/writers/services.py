"""reference/applications.md: the built-in applications, from their own declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docs.writers.markdown import code, listed, page, table
from nuages.engine.service import Service
from nuages.services import REGISTRY

DIFFERENCES: Mapping[str, tuple[str, ...]] = {
    "hydra": (
        "Charmhub's hydra is Ory Hydra with a login page, users and a database in charms of their own; this one is one "
        "server, made with authlib, with test users, whom `show-users` shows with their passwords. There is no consent "
        "page and no registering of users.",
        "The issuer is `http://APPLICATION.localhost:PORT`, from 4444 on, for the browser on this machine and for the "
        "applications in the model alike. There is no TLS: a library that insists on https for the token endpoint has "
        "to be told (`OAUTHLIB_INSECURE_TRANSPORT=1` for requests-oauthlib).",
        "Grants are authorization code (with or without PKCE, by S256), refresh token (with the scope "
        "`offline_access`) and client credentials. A client authenticates in the way that it registered, as in "
        "production.",
        "The introspection endpoint asks for the client's credentials and tells it about its own tokens; Hydra's tells "
        "everybody who can reach it.",
        "Of the actions that manage clients by hand there are those that show them. `jwt_access_tokens` is the one "
        "option; `dev`, `log_level` and limits of resources are not there.",
    ),
    "loki-k8s": (
        "This is not Loki, and `status` says so: a log store of our own. It takes what Loki takes (JSON, and protobuf "
        "in snappy, with Loki's limits) and answers the part of the API that log panels use: `query_range`, `query`, "
        "`labels`, `label/NAME/values`, `series`, and the rules and alerts below `/prometheus/api/v1`.",
        "Of LogQL there are selectors, line filters, `json` and `logfmt` without parameters, filters of labels, "
        "`count_over_time`, `rate`, `bytes_over_time`, `bytes_rate`, `absent_over_time`, `sum`, `avg`, `min`, `max`, "
        "`count`, `topk`, `bottomk`, arithmetic and comparisons. Anything else is an error that says so.",
        "Alert rules are evaluated as far as that goes; one beyond it is refused, the unit is blocked and says which. "
        "There is no Alertmanager: alerts are on its page, which `show-page` publishes, in its API and in its log.",
        "Whoever asks needs the user and password that `show-page` shows; in production there are none. Pushing needs "
        "them too, but for the pods of related applications, known by where they come from: the interface has no field "
        "for a password. In production every pod may push.",
        "Lines are kept for ever, but no more than `retention-size` of them. An acknowledged line survives a killed "
        "server and a crash of the machine.",
        "`promtail_binary_zip_url` names no promtail: Pebble itself sends the lines, as from Juju 3.4 on. There is no "
        "Grafana source, no ingress and no TLS; of the options `cpu`, `memory` and `reporting-enabled` are not there.",
    ),
    "mongodb-k8s": (
        "The server is FerretDB on SQLite, which speaks MongoDB's protocol and says that it is MongoDB 7.0; Charmhub's "
        "mongodb-k8s runs MongoDB itself, as a replica set. Reading, writing, unique indexes, simple aggregations and "
        "GridFS work, by pymongo and by MongoEngine.",
        "What does not work is refused with FerretDB's own error: `$lookup`, `$facet`, `$out`, `$merge` and other "
        "stages, `$avg`, `$cond`, `$expr`, updates by pipeline, transactions, change streams, views; TTL, text and "
        "partial indexes. Django's models by `django-mongodb-backend` need several of these: they migrate and query "
        "only on MongoDB itself, hence on Juju.",
        "There is no replica set: neither `replset` in the databag nor `replicaSet=` in the URL.",
        "FerretDB knows logins, but no rights. A small program of Nuages around it adds them: an application's user "
        "may do on its own database what MongoDB's role `readWrite` allows, and nothing on any other. The user role "
        "`admin` is not there.",
        "`rotate-password` is there only here. It makes a new user, since one user has one password: `relation-3` and "
        "`relation-3-2` take turns.",
        "One unit; no TLS, no sharding, no backup, and none of the options of Charmhub's.",
        "A killed server loses no acknowledged write; a crash of the whole machine may lose the last ones.",
    ),
    "mysql-k8s": (
        "Charmhub's mysql-k8s runs MySQL 8.0; this is MariaDB, as `version()`, `status` and Django say (10.11 from "
        "Debian 12's packages; another release, or the jar on a machine without apt, brings another). Run your tests "
        "on a MySQL before you rely on what follows.",
        "JSON: MariaDB keeps it as text with a check, `utf8mb4_bin`; there are no `->` and `->>`, no comparison or "
        "`CAST(… AS JSON)`, no multi-valued index. Django's `JSONField` works on both. Written in SQL of your own, "
        "`JSON_EXTRACT` and `JSON_VALUE` do too.",
        "Collation: MySQL's default `utf8mb4_0900_ai_ci` is not there; a migration that names it fails here. The "
        "default, `utf8mb4_unicode_520_nopad_ci`, tells neither case nor accents apart either, but sorts by an older "
        "table.",
        "Logins: `mysql_native_password` here, `caching_sha2_password` there, for which PyMySQL needs the package "
        "`cryptography` (`pymysql[rsa]`). No TLS.",
        "Only here: `RETURNING`, sequences, the type `uuid` (Django 5 uses it for `UUIDField`; in MySQL that is a "
        "`char(32)`). Only there: `LATERAL`, indexes on expressions (Django leaves them out here), `INSERT … AS new ON "
        "DUPLICATE KEY`, the schema `sys`. Django's lookup `regex` compares bytes here: `.` is half an `é`. Tables of "
        "time zones are empty, so that Django's `Trunc` and the like know UTC only.",
        "The default `sql_mode` is MySQL's. MariaDB does not see that a column depends on the key that `GROUP BY` "
        "names: a query of your own which MySQL takes can be refused here.",
        "One unit: no cluster, no failover, no backup, no router. The read-only endpoint is the same server. Of the "
        "options there are the two above; those for the legacy interface `mysql`, audit, logs and replication are not.",
        "`rotate-password` is there only here: production changes such a password by removing and making the relation.",
        "A killed server loses no acknowledged write; a crash of the whole machine may lose the last second.",
    ),
    "openfga-k8s": (
        "It is OpenFGA itself, as a library in a small program of Nuages, with its data in SQLite; in production it "
        "keeps them in the PostgreSQL that it is related to.",
        "OpenFGA's own preshared keys open every store. Here each application has a token that opens the store that is "
        "its own and no other; `ListStores` names that one, `CreateStore` is refused.",
        "One unit; no TLS, no playground, no metrics, and none of the options of Charmhub's.",
        "`rotate-password` is there only here.",
        "A killed server loses no acknowledged write; a crash of the whole machine may lose the last ones.",
    ),
    "nginx-ingress-integrator": (
        "The server is Traefik: annotations, rewrites and the like of nginx are not there, nor their options. "
        "Charmhub's makes an Ingress resource of Kubernetes and needs an ingress controller in the cluster.",
        "It serves one application. Without `service-hostname` that is at `http://localhost:PORT/`; with it, "
        "`http://NAME:PORT/`, where you have to give NAME the loopback's address yourself unless it ends in "
        "`.localhost`.",
        "TLS comes with `self-signed-certificates`, as for traefik-k8s.",
    ),
    "postgresql-k8s": (
        "Charmhub's postgresql-k8s runs PostgreSQL 14 (channel `14/stable`) or 16; this one 18. Do not rely on what "
        "only the newer one has: the same migrations have to pass there.",
        "Unit 0 is the primary, each further unit a streaming replica to read from (`add-unit postgresql-k8s`). No "
        "failover, no backup: when unit 0 is away, so are writes.",
        "TLS with the certificate of `self-signed-certificates`. This build of PostgreSQL has none of its own: a small "
        "proxy in the pod ends it, and a connection without TLS is taken as well.",
        "Most contributed extensions of PostgreSQL are there (citext, hstore, pg_trgm, unaccent, …) and pgvector; "
        "pgcrypto, uuid-ossp and PostGIS are not. Of the options there are those that put extensions into databases, "
        "as in channel `14/stable`.",
        "`rotate-password` is there only here, and gives the application another user: PostgreSQL knows one password "
        "for each.",
        "The data is a folder of the model's state: it outlives the pod and `down`, and goes with `down --purge`.",
    ),
    "prometheus-k8s": (
        "Real Prometheus, as the machine's Debian or Ubuntu packages it: 2.42 in Debian 12, while Charmhub's has a "
        "newer one. Its page is the old one.",
        "Nothing leaves it: there is no Alertmanager, no Grafana source, no remote write, no ingress and no TLS. "
        "Alerts are on its page, which `show-page` publishes, and in its API; both want the user and password that the "
        "action shows. In production there is no password.",
        "Jobs that do not say how often are scraped each 15 seconds instead of each minute: `scrape_interval`.",
        "A broken rule or job is refused by itself, and the unit is blocked and says which; Charmhub's drops all rules "
        "of that application. An expression is evaluated as it is written; Charmhub's adds matchers of the "
        "application where it has none.",
        "`maximum_retention_size` is a size, not a percentage of the volume. `cpu` and `memory` are not there.",
    ),
    "rabbitmq-k8s": (
        "Charmhub's rabbitmq-k8s runs RabbitMQ 3.12; this one is your system's package, 3.10 in Debian 12, and needs a "
        "machine with apt. Classic and quorum queues are there, streams too.",
        "One unit: no cluster, and none of the options and actions about members and replicas of queues. No TLS.",
        "The user and the virtual host are those that the charm asks for, as in production, and a Django charm asks "
        "for `/`: two such applications on one broker may use each other's queues. Where they must not, give each a "
        "virtual host of its own by the [option `rabbitmq-vhost`](options.md), here and in production, or a broker. "
        "A user whom another application has is refused.",
        "The management page starts when `show-management` asks for it, and is there from then on: it takes memory. "
        "Queues, messages and virtual hosts stay when a relation goes; its user goes.",
        "`rotate-password` is there only here.",
        "A message that was confirmed, or taken by a transaction, outlives a killed server when it is persistent and "
        "its queue durable; publishers wait when the broker takes more than 400 MB.",
    ),
    "redis-k8s": (
        "The server is Valkey, which speaks Redis' protocol and says that it is Redis 7.2.4; Charmhub's redis-k8s runs "
        "Redis 7 with Sentinel. Modules of Redis are not there.",
        "The interface `redis` has no field for a password, and in production the server wants none from any pod while "
        "an application is related. Here the pods of related applications need none, known by where they come from; "
        "everybody else needs the one that `get-initial-admin-password` shows. When a relation goes, the application's "
        "connections are closed. Related applications reach the same keys: where they must not, use `valkey`.",
        "A program of Nuages before the server does this; `CLIENT LIST` shows its connections, and the command `RESET` "
        "ends the login that it made.",
        "The options `enable-tls` and `enable-replication` are not there: one unit, no TLS.",
        "A killed server loses no acknowledged write; a crash of the whole machine may lose the last half minute.",
    ),
    "saml-integrator": (
        "Charmhub's saml-integrator runs no server: it reads the metadata of the provider that its options name, or "
        "blocks without one. Without `entity_id` and `metadata_url` this one is an identity provider itself, for "
        "development: test users, whom `show-users` shows with their passwords, a login page, responses and assertions "
        "signed by RSA-SHA256. With the options it does what Charmhub's does.",
        "Its address is `http://APPLICATION.localhost:PORT`, from 4480 on, for the browser on this machine and for the "
        "applications in the model alike. There is no TLS.",
        "Applications are not registered, as the interface carries nothing to register. Assertions go to this machine "
        "(`localhost` and names under it), to related applications' names in the model and to the hosts in "
        "`acs_hosts`; a request for another place is refused. Signatures of requests are not looked at.",
        "No single logout: the provider does not know where applications take it. `/logout` ends its own session.",
        "Assertions are not encrypted, and have `uid`, `email`, `givenName`, `sn` and `groups`.",
    ),
    "s3-integrator": (
        "Charmhub's s3-integrator runs no server: it hands on the store that its options name, or blocks without one. "
        "Without `endpoint` this one has a store of its own, Versity's S3 gateway, and makes for each relation the "
        "bucket that it asks for, with keys that open no other. With `endpoint` it does what Charmhub's does, but "
        "looks for no bucket there and makes none.",
        "The store is at `http://APP.localhost:PORT/`, in the pods as in a browser on this machine (port 9000 or the "
        "next free one, of the loopback): so the signed URLs that django-storages makes for media can be opened. "
        "Tools that do not resolve such names by themselves, as curl and browsers do, use `127.0.0.1`.",
        "With the certificate of `self-signed-certificates` it is at `https://APP.localhost:PORT/` (port 9443 or the "
        "next free one), and `tls-ca-chain` names the authority; Charmhub's, which runs no server, has no endpoint "
        "`certificates`. After a change the earlier address, or the earlier authority's certificate, serves for "
        "another minute at least, so that no request fails.",
        "Versions, uploads in parts, presigned URLs (signatures of version 4), tags and CORS are there; `PutObjectAcl` "
        "and lifecycle rules are refused; ACLs of uploads, storage classes and encryption are accepted and not "
        "followed. An application may not change its bucket's policy or delete the bucket. As on a file system, an "
        "object `a` and an object `a/b` cannot both be.",
        "The options are those of the tracks 1 and 2 together. `get-s3-credentials` is not there: "
        "`nuages connect APPLICATION s3 --print` shows a relation's keys.",
        "Who asks for secrets gets version 1 of the interface, others the keys in the databag, as track 2 does it. A "
        "bucket asked for by version 0 is honoured here; track 2 drops it and needs the option `bucket`.",
        "A killed server loses no acknowledged write. Objects go with `down --purge`.",
    ),
    "self-signed-certificates": (
        "`validity-unit` is not there: days. The authority is valid for ten years unless told otherwise, and its "
        "certificates are renewed by it when a third of their time is left.",
        "The endpoint `send-ca-cert` is not there: `get-ca-certificate` shows the authority's certificate.",
        "It signs by the machine's openssl.",
    ),
    "smtp-integrator": (
        "Charmhub's smtp-integrator runs no server: it hands on the host that its options name, or blocks without one. "
        "Without `host` this one catches the mails itself: it keeps them as files, delivers none, and shows them on "
        "a web page whose address `show-mails` prints. With `host` it does what Charmhub's does.",
        "The catcher gives each relation a user of its own. With `transport_security` it makes its own certificate, so "
        "`skip_ssl_verify` is `True`.",
        "The option `password_secret` is not there: use `password`.",
    ),
    "squid-forward-proxy": (
        "Charmhub's squid-forward-proxy runs on a machine, outside Kubernetes; this one in a pod, and it has the only "
        "way out of the model: see [Reach the outside](../how-to/reach-the-outside.md). The server is your system's "
        "package, 5.7 in Debian 12, and needs a machine with apt.",
        "A Django charm's request names no hosts and no authentication, which Charmhub's squid-forward-proxy cannot "
        "answer: in production http-proxy-configurator stands between and fills them in from its options. Here the "
        "proxy answers it directly, with a user and a password, and `http-proxy-domains` is an option of its own.",
        "This machine's own addresses and private networks are refused, whatever name leads there; `private-hosts` "
        "permits some. Charmhub's has no such rule, nor that option.",
        "`rotate-password` is there only here. Nothing is cached and no request is logged.",
    ),
    "traefik-k8s": (
        "It listens on this machine's loopback only, on port 8000 or the next free one, chosen once. In production the "
        "URL has the host that `external_hostname` names, or the cluster's load balancer.",
        "Without `external_hostname` the first application is at `http://localhost:PORT/` and each further one at "
        "`http://APP.localhost:PORT/`; in production they are at `http://HOST/MODEL-APP`. Set `external_hostname` to "
        "see that shape here.",
        "`routing_mode=port` is there only here: each application at a port of this machine.",
        "One unit. With the certificate of `self-signed-certificates` URLs begin with `https:`; http goes on beside "
        "it, and leads there for an application that asks for it.",
    ),
    "valkey": (
        "One unit: Sentinel watches the one server, and there is nothing to fail over to. The read-only endpoint is "
        "the same server.",
        "No TLS: `tls` is `false`, and there is no certificate to give. Of the options there is `system-users`; LDAP "
        "and backups are not there.",
        "The users of applications may do what Charmhub's let them: reading, writing, transactions, publishing; no "
        "`SELECT`, no scripts, no `CLIENT`.",
        "`rotate-password` is there only here: production changes such a password by removing and making the relation.",
        "A killed server loses no acknowledged write; a crash of the whole machine may lose the last half minute.",
    ),
}
"""How each differs from Charmhub's application of the same name."""


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    yield (
        "applications.md",
        page(
            "Built-in applications",
            "Real servers in pods of their own. `nuages up` deploys those that your charm needs; "
            "`nuages deploy NAME` any other. They have the names, endpoints and databags of Charmhub's, so that "
            "nothing in your project says which of the two it talks to.",
            *(_section(REGISTRY[name]) for name in sorted(REGISTRY)),
        ),
    )


def _section(service: Service) -> str:
    endpoints = [
        (code(f"{service.name}:{name}"), role, code(entry["interface"]))
        for role in ("provides", "requires", "peers")
        for name, entry in service.metadata.get(role, {}).items()
    ]
    options = [
        (code(name), str(entry["type"]), _default(entry), str(entry.get("description", "")))
        for name, entry in service.options.items()
    ]
    actions = [
        (code(name), str(entry.get("description", "")), _parameters(entry.get("params", {})))
        for name, entry in service.actions.items()
    ]
    containers = listed(map(code, service.metadata["containers"]))
    blocks = [
        f"## {service.name}",
        f"{service.summary}. Version {service.version}, in the container {containers}.",
        table(("endpoint", "role", "interface"), endpoints),
        table(("option", "type", "default", "what it is"), options) if options else "It has no options.",
        table(("action", "what it does", "parameters"), actions) if actions else "It has no actions.",
        "Kept when the pod goes: " + listed(map(code, service.volumes.values())) + "." if service.volumes else "",
        "Other than in production:\n\n" + "\n".join(f"* {line}" for line in DIFFERENCES[service.name]),
    ]
    return "\n\n".join(block for block in blocks if block)


def _default(entry: Mapping[str, Any]) -> str:
    return code(entry["default"]) if "default" in entry else "–"


def _parameters(params: Mapping[str, Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{code(name)}: {entry.get('description', entry.get('type', ''))}"
        + (f" (default {code(entry['default'])})" if "default" in entry else "")
        for name, entry in params.items()
    )
