"""What a project talks to: its database, caches, queues, storages, mail; and the relations that give it these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from nuages.contract.endpoints import MONGODB, MYSQL, POSTGRESQL, RABBITMQ, REDIS, S3, SAML, SMTP, TRACING, Interface
from nuages.extension.django.findings import Choice, Integration, Place, Remark, Requirements, Settings
from nuages.extension.django.processes import installed_apps

DRIVERS = {
    POSTGRESQL.name: ("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "psycopg-c", "asyncpg"),
    MYSQL.name: ("mysqlclient", "pymysql", "mysql-connector-python"),
    MONGODB.name: ("django-mongodb-backend", "pymongo", "mongoengine", "djongo"),
    REDIS.name: ("redis", "django-redis", "valkey", "django-rq", "channels-redis"),
    S3.name: ("boto3", "django-storages", "minio"),
    RABBITMQ.name: ("pika", "celery", "kombu", "aio-pika", "dramatiq"),
}
"""By interface: packages with which Python speaks to it; the first is the one to add."""

WHEELS = {POSTGRESQL.name: "psycopg[binary]", MYSQL.name: "pymysql", MONGODB.name: "django-mongodb-backend"}
"""What to add when a database's driver is missing: no compiler and no system library needed."""

ENGINES = {"postgresql": POSTGRESQL, "postgis": POSTGRESQL, "mysql": MYSQL, "mongodb": MONGODB}


class Sign(NamedTuple):
    """Something that shows that a project talks to a service."""

    interface: Interface
    packages: tuple[str, ...]
    apps: tuple[str, ...]
    settings: str
    """A pattern over names of settings."""
    values: str
    """A pattern over literal values and defaults of variables."""


_NEVER = r"(?!)"

SIGNS = (
    Sign(
        REDIS, ("redis", "django-redis", "channels-redis", "django-rq", "hiredis", "valkey"), ("django_rq",),
        r"^RQ_QUEUES$", r"^rediss?://|RedisCache$|channels_redis",
    ),
    Sign(RABBITMQ, ("pika", "aio-pika"), (), _NEVER, r"^(amqps?|pyamqp)://"),
    Sign(
        S3, ("boto3", "django-s3-storage", "django-minio-storage"), (),
        r"^AWS_(STORAGE_BUCKET_NAME|S3_)|^MEDIA_ROOT$", r"storages\.backends\.s3|S3Boto3?Storage",
    ),
    Sign(SMTP, (), (), r"^EMAIL_(HOST|HOST_USER|CONFIG)$", r"^smtps?(\+tls|\+ssl)?://|mail\.backends\.smtp"),
    Sign(
        SAML, ("djangosaml2", "python3-saml", "pysaml2", "django-saml2-auth", "grafana-django-saml2-auth"),
        ("djangosaml2",), r"^SAML_", _NEVER,
    ),
    Sign(TRACING, ("opentelemetry-instrumentation-django", "opentelemetry-exporter-otlp"), (), r"^OTEL_", _NEVER),
)  # fmt: skip


def database(settings: Settings | None, requirements: Requirements) -> tuple[Interface, Place, str]:
    """Return the database that the charm should require, where that was seen, and why."""
    place = (settings.places.get("DATABASES") if settings else None) or Place(requirements.file)
    for read in settings.reads if settings else ():
        if read.name.startswith(("MYSQL_DB_", "MONGODB_DB_", "POSTGRESQL_DB_")):
            interface = ENGINES[read.name.partition("_")[0].lower()]
            return interface, read.place, f"the settings read {read.name}"
    for text, where in _database_texts(settings):
        for word, interface in ENGINES.items():
            if word in text or (word == "postgresql" and "postgres" in text):
                return interface, where, "its engine is " + re.sub(r"://.*", "", text)
    for name in (POSTGRESQL.name, MYSQL.name, MONGODB.name):
        package = requirements.has(*DRIVERS[name])
        if package:
            return (
                next(engine for engine in ENGINES.values() if engine.name == name),
                package.place,
                f"the requirements have {package.name}",
            )
    return POSTGRESQL, place, "Django's first choice; nothing in the project asks for another"


def _database_texts(settings: Settings | None) -> Iterator[tuple[str, Place]]:
    """Yield the engines and URLs that DATABASES is made of."""
    if settings is None:
        return
    place = settings.places.get("DATABASES", Place(settings.file))
    engine = engine_of(settings)
    if engine:
        yield engine, place
    for read in settings.reads:
        if (read.setting == "DATABASES" or read.kind == "database-url") and read.default:
            yield read.default, read.place


def engine_of(settings: Settings) -> str:
    """Return the default database's ENGINE when it is written out, else ""."""
    databases = settings.literals.get("DATABASES")
    default = cast("dict[str, object]", databases).get("default") if isinstance(databases, dict) else None
    engine = cast("dict[str, object]", default).get("ENGINE") if isinstance(default, dict) else None
    return engine if isinstance(engine, str) else ""


def integrations(
    settings: Settings | None, requirements: Requirements, images: tuple[tuple[str, Place], ...]
) -> tuple[Integration, ...]:
    """Return the relations that the charm should have; the database is the only one that it cannot do without."""
    interface, place, reason = database(settings, requirements)
    found = [Integration(interface.endpoint, interface.name, False, place, reason)]
    apps = installed_apps(settings)
    for sign in SIGNS:
        seen = _seen(sign, settings, requirements, apps)
        if seen is not None:
            found.append(Integration(sign.interface.endpoint, sign.interface.name, True, *seen))
    for image, where in images:
        name = image.rpartition("/")[2].partition(":")[0]
        known = {"redis": REDIS, "valkey": REDIS, "rabbitmq": RABBITMQ, "minio": S3}.get(name)
        if known is not None and known.name not in [item.interface for item in found]:
            found.append(Integration(known.endpoint, known.name, True, where, f"{where.file} starts {name}"))
    return tuple(found)


def _seen(  # noqa: PLR0911  one return for each kind of sign
    sign: Sign, settings: Settings | None, requirements: Requirements, apps: tuple[str, ...]
) -> tuple[Place, str] | None:
    if settings is not None:
        for name, place in settings.places.items():
            if re.search(sign.settings, name):
                return place, f"the settings have {name}"
            if any(re.search(sign.values, text) for text in _texts(settings.literals.get(name))):
                return place, f"{name} asks for it"
        for read in settings.reads:
            if read.default and re.search(sign.values, read.default):
                return read.place, f"the default of {read.name} is one"
        for app in sign.apps:
            if app in apps:
                return settings.places.get("INSTALLED_APPS", Place(settings.file)), f"INSTALLED_APPS has {app}"
    for package in requirements.packages:
        if package.name in sign.packages:
            return package.place, f"the requirements have {package.name}"
        if package.name == "celery" and f"[{sign.interface.endpoint}" in package.text:
            return package.place, f"the requirements have {package.text}"
    return None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in cast("dict[object, object]", value).values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item)


def missing_packages(
    found: tuple[Integration, ...], requirements: Requirements, settings: Settings | None, *, served: bool
) -> tuple[Choice, ...]:
    """Return packages that the rock needs besides what the project requires: the driver, who serves static files."""
    packages: list[Choice] = []
    for item in found:
        drivers = DRIVERS.get(item.interface, ())
        if item.interface in WHEELS and not requirements.has(*drivers):
            packages.append(
                Choice(
                    WHEELS[item.interface], item.place, f"the driver for {item.endpoint}; the requirements have none"
                )
            )
        if item.interface == REDIS.name and not requirements.has(*drivers):
            packages.append(Choice("redis", item.place, "the client for redis; the requirements have none"))
        if item.interface == S3.name and not requirements.has("django-storages"):
            packages.append(Choice("django-storages[s3]", item.place, "stores uploaded files in the bucket"))
    if not served and not requirements.has("whitenoise"):
        place = (settings.places.get("STATIC_URL") if settings else None) or Place(requirements.file)
        packages.append(Choice("whitenoise", place, "serves the static files, which gunicorn does not"))
    return tuple(packages)


def others(settings: Settings | None, requirements: Requirements) -> Iterator[Remark]:
    """Yield what the project talks to that no relation gives it."""
    for package, text in (
        ("elasticsearch", "Elasticsearch"), ("opensearch-py", "OpenSearch"), ("meilisearch", "Meilisearch"),
        ("pymemcache", "memcached"), ("pylibmc", "memcached"), ("python-memcached", "memcached"),
    ):  # fmt: skip
        seen = requirements.has(package)
        if seen:
            yield Remark(
                "decide",
                "no-relation",
                f"no relation of the charm gives it {text} ({package})",
                seen.place,
                "declare an option for its URL under config.options, and set that",
            )
    uploads = settings.places.get("MEDIA_ROOT") if settings else None
    if uploads:
        yield Remark(
            "decide",
            "uploads",
            "uploaded files cannot be kept beside the code, where the service may not write: storing one is an error",
            uploads,
            "relate s3: nuages deploy s3-integrator, then nuages integrate APPLICATION s3-integrator",
        )
    engine = engine_of(settings) if settings else ""
    if "gis" in engine or "django.contrib.gis" in installed_apps(settings):
        place = settings.places.get("INSTALLED_APPS", Place(settings.file)) if settings else None
        yield Remark(
            "decide",
            "gis",
            "GeoDjango needs the libraries GDAL, GEOS and PROJ in the rock, and PostGIS in the database",
            place,
            "add a part with `stage-packages: [libgdal34t64, libgeos-c1t64, libproj25]` to rockcraft.yaml",
        )
    for name in ("mysqlclient", "psycopg2", "psycopg-c"):
        seen = requirements.has(name)
        if seen:
            wheel = {"mysqlclient": "pymysql", "psycopg2": "psycopg2-binary", "psycopg-c": "psycopg[binary]"}[name]
            yield Remark(
                "decide",
                "compiled-driver",
                f"{name} is compiled when it is installed",
                seen.place,
                f"{wheel} needs no compiler and no library of the system",
            )
