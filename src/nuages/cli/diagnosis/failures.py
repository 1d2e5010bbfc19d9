"""What an exception or a line of a log means: a package, a server or a table that is not there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from nuages.cli.diagnosis.observations import Line, Observations, Raised
from nuages.contract.endpoints import MONGODB, MYSQL, POSTGRESQL, RABBITMQ, REDIS, S3, SMTP, VALKEY, Interface


@dataclass(frozen=True)
class Server:
    """A kind of server that applications speak to."""

    name: str
    ports: tuple[int, ...]
    modules: tuple[str, ...]
    """Where its clients' exceptions come from."""
    schemes: tuple[str, ...]
    interfaces: tuple[Interface, ...]


SERVERS = (
    Server("PostgreSQL", (5432,), ("psycopg", "psycopg2", "asyncpg"), ("postgres", "postgresql"), (POSTGRESQL,)),
    Server("MySQL", (3306,), ("MySQLdb", "pymysql"), ("mysql",), (MYSQL,)),
    Server("MongoDB", (27017,), ("pymongo",), ("mongodb",), (MONGODB,)),
    Server("Redis", (6379,), ("redis", "django_redis", "channels_redis"), ("redis", "rediss"), (REDIS, VALKEY)),
    Server("RabbitMQ", (5672, 5671), ("pika", "amqp", "kombu"), ("amqp", "amqps", "pyamqp"), (RABBITMQ,)),
    Server("S3", (9000,), ("botocore", "boto3"), ("s3",), (S3,)),
    Server("the mail server", (25, 465, 587, 1025), ("smtplib",), ("smtp",), (SMTP,)),
    Server("Memcached", (11211,), ("pymemcache", "pylibmc"), ("memcached",), ()),
)
"""The modules are told before the ports of a URL in the settings, kombu's last: it wraps its transports' errors."""

PACKAGES = {
    "redis": "redis", "django_redis": "django-redis", "channels_redis": "channels-redis", "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "pymysql": "PyMySQL", "pymongo": "pymongo",
    "django_mongodb_backend": "django-mongodb-backend", "storages": "django-storages[s3]", "boto3": "boto3",
    "pika": "pika", "celery": "celery", "pymemcache": "pymemcache", "pylibmc": "pylibmc", "whitenoise": "whitenoise",
    "environ": "django-environ", "decouple": "python-decouple", "environs": "environs", "PIL": "Pillow",
    "rest_framework": "djangorestframework", "debug_toolbar": "django-debug-toolbar", "corsheaders":
    "django-cors-headers", "crispy_forms": "django-crispy-forms", "django_celery_beat": "django-celery-beat",
    "dj_database_url": "dj-database-url", "django_extensions": "django-extensions", "yaml": "PyYAML",
}  # fmt: skip
"""Module to the name under which PyPI has it; any other module is likely called like its package."""

MISSING_MODULE = re.compile(r"No module named '?([\w.]+)'?")
MISSING_DRIVER = re.compile(r"Error loading (psycopg2|psycopg|MySQLdb)\b")
MISSING_ENTRY = re.compile(r"Missing staticfiles manifest entry for '([^']*)'")
MISSING_TABLE = re.compile(
    r"""(?:relation|column) "([\w.]+)".* does not exist|no such (?:table|column): ([\w.]+)|Table '([\w.]+)' doesn't"""
    r"""|Unknown column '([\w.]+)'"""
)
"""As PostgreSQL, SQLite and MySQL say it."""
REFUSED = re.compile(
    r"Connection refused|Errno 111|could not translate host name|Name or service not known|name resolution"
    r"|No address associated|Connection to \S+ timed out|not be reached"
)
_ADDRESSES = (
    re.compile(r"[\w+]+://(?:[^/@\s]*@)?(?P<host>[\w.-]+):(?P<port>\d+)"),
    re.compile(
        r"connect(?:ing|ion)? to (?:server at )?\"?(?P<host>[\w.-]+)\"?(?: \([^)]*\))?(?::|, port )(?P<port>\d+)"
    ),
    re.compile(r"(?P<host>localhost|127\.0\.0\.1|[\w-]+(?:\.[\w-]+)+):(?P<port>\d+)"),
    re.compile(r"host name \"(?P<host>[\w.-]+)\"(?P<port>)"),
)
_LAST_LINE = re.compile(r"^(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Exit|NotFound|Misconfigured)): (?P<text>.+)$")
"""How a traceback ends."""
_FRAME = re.compile(r'^\s+File "(?:/django)?/app/(?P<file>[^"]+)", line (?P<line>\d+)')


def missing_module(raised: Raised, seen: Observations) -> str:
    """Return the module that could not be imported and is none of the project's, or ""."""
    for _, text in raised.chain:
        found = MISSING_MODULE.search(text) or MISSING_DRIVER.search(text)
        if found and found[1].partition(".")[0] not in seen.packages:
            return found[1]
    return ""


def missing_table(raised: Raised) -> str:
    """Return the table or column that the database does not have, or ""."""
    for _, text in raised.chain:
        found = MISSING_TABLE.search(text)
        if found:
            return next(name for name in found.groups() if name)
    return ""


def missing_entry(raised: Raised) -> str:
    """Return the static file that is in no manifest, or ""."""
    found = [match[1] for _, text in raised.chain if (match := MISSING_ENTRY.search(text))]
    return found[0] if found else ""


def refused(raised: Raised, seen: Observations) -> tuple[Server | None, str] | None:
    """Return the kind of server that did not answer and its address, None when that is not what was raised."""
    if not any(REFUSED.search(text) or kind == "ConnectionRefusedError" for kind, text in raised.chain):
        return None
    address = next((found for _, text in raised.chain if (found := _address(text))), "")
    host, _, port = address.partition(":")
    server = next((server for server in SERVERS if port and int(port) in server.ports), None)
    if server is None:
        modules = [kind.partition(".")[0] for kind, _ in raised.chain]
        server = next((server for server in SERVERS if set(modules) & set(server.modules)), None)
    if not address and server is not None and seen.inside is not None:
        wanted = (urlsplit(url) for _, url in seen.inside.services)
        address = next((parts.netloc for parts in wanted if parts.scheme in server.schemes), "")
    return server, address if port else address or host


def server_of(url: str) -> Server | None:
    """Return the kind of server that a URL is for."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    return next((server for server in SERVERS if scheme in server.schemes), None)


def _address(text: str) -> str:
    for pattern in _ADDRESSES:
        if found := pattern.search(text):
            host = "localhost" if found["host"] == "127.0.0.1" else found["host"]
            return ":".join(part for part in (host, found["port"]) if part)
    return ""


def printed(lines: tuple[Line, ...]) -> Iterator[Raised]:
    """Yield what services printed that they raised: each traceback's end, and Celery's one line for a lost broker."""
    places: dict[str, tuple[str, int]] = {}
    for line in lines:
        text = line.message.rstrip()
        if frame := _FRAME.match(text):
            places[line.service] = (frame["file"], int(frame["line"]))
        elif found := _LAST_LINE.match(text):
            file, number = places.pop(line.service, ("", 0))
            yield Raised(found["type"], found["text"], service=line.service, file=file, line=number)
        elif "Cannot connect to " in text:
            yield Raised(
                "kombu.exceptions.OperationalError", text.partition("Cannot connect to ")[2], service=line.service
            )
