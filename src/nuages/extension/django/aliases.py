"""Which of the charm's variables is the one that a project reads under a name, or in a format, of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nuages.contract.endpoints import Interface
from nuages.extension.django.findings import Read, Settings

_DATABASE = re.compile(
    r"^(?:\w+_)?(?:DB|DATABASE|POSTGRES|POSTGRESQL|PSQL|PG|SQL|MYSQL|RDS)_?"
    r"(?P<part>NAME|DB|DATABASE|DBNAME|DB_NAME|USER|USERNAME|USER_NAME|PASSWORD|PASS|PWD|HOST|HOSTNAME|SERVER|PORT|ENGINE)$"
)
_PARTS = {
    "NAME": "NAME", "DB": "NAME", "DATABASE": "NAME", "DBNAME": "NAME", "DB_NAME": "NAME", "USER": "USERNAME",
    "USERNAME": "USERNAME", "USER_NAME": "USERNAME", "PASSWORD": "PASSWORD", "PASS": "PASSWORD", "PWD": "PASSWORD",
    "HOST": "HOSTNAME", "HOSTNAME": "HOSTNAME", "SERVER": "HOSTNAME", "PORT": "PORT",
}  # fmt: skip
_SMTP = {
    "HOST": "SMTP_HOST", "PORT": "SMTP_PORT", "USER": "SMTP_USER", "USERNAME": "SMTP_USER",
    "HOST_USER": "SMTP_USER", "PASSWORD": "SMTP_PASSWORD", "HOST_PASSWORD": "SMTP_PASSWORD",
}  # fmt: skip
_S3 = {
    "ACCESS_KEY_ID": "S3_ACCESS_KEY", "S3_ACCESS_KEY_ID": "S3_ACCESS_KEY", "SECRET_ACCESS_KEY": "S3_SECRET_KEY",
    "S3_SECRET_ACCESS_KEY": "S3_SECRET_KEY", "STORAGE_BUCKET_NAME": "S3_BUCKET", "S3_ENDPOINT_URL": "S3_ENDPOINT",
    "S3_REGION_NAME": "S3_REGION", "DEFAULT_REGION": "S3_REGION", "REGION": "S3_REGION",
}  # fmt: skip
_URLS = ("SITE_URL", "BASE_URL", "PUBLIC_URL", "SITE_BASE_URL", "APP_URL", "ROOT_URL", "WEBSITE_URL", "SITE_ROOT_URL")
_OURS = re.compile(r"^(POSTGRESQL_DB|MYSQL_DB|MONGODB_DB|REDIS_DB|VALKEY_DB|RABBITMQ|S3|SAML|SMTP|OTEL|FGA)_")
_BUILT_IN = (
    "DJANGO_DEBUG", "DJANGO_ALLOWED_HOSTS", "DJANGO_SECRET_KEY", "DJANGO_SECRET_KEY_FALLBACKS", "DJANGO_BASE_URL",
    "DJANGO_PEER_FQDNS", "DJANGO_CSRF_TRUSTED_ORIGINS", "DJANGO_SETTINGS_MODULE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
_SURROUNDINGS = (
    "HOME", "PATH", "USER", "PYTHONPATH", "LANG", "TZ", "TMPDIR", "HOSTNAME", "PORT", "PYTEST_CURRENT_TEST", "CI",
    "VIRTUAL_ENV", "STATIC_ROOT", "MEDIA_ROOT", "RUN_MAIN", "DYNO",
)  # fmt: skip


@dataclass(frozen=True)
class Alias:
    """A variable to set before the settings are imported."""

    read: Read
    source: str
    """The charm's variable; for `constant` the value itself."""
    form: str
    """text, boolean, commas, blanks, constant: how the value is written for the project."""
    replaces: bool = False
    """Whether it has the charm's name, but wants another format."""


def alias_of(read: Read, database: Interface) -> Alias | None:
    """Return what gives the project's variable its value, None when the charm has nothing for it."""
    for find in (_django, _of_database, _of_services):
        found = find(read, database)
        if found is not None:
            return found
    return None


def _django(read: Read, database: Interface) -> Alias | None:  # noqa: PLR0911  one return for each variable
    form = read.kind if read.kind in ("commas", "blanks") else "text"
    if read.setting == "SECRET_KEY" and read.name != "DJANGO_SECRET_KEY":
        return Alias(read, "DJANGO_SECRET_KEY", "text")
    if read.setting == "DEBUG" or read.name == "DJANGO_DEBUG":
        if read.name == "DJANGO_DEBUG" and _takes_true(read):
            return None
        return Alias(read, "DJANGO_DEBUG", "boolean", replaces=read.name == "DJANGO_DEBUG")
    if read.setting == "ALLOWED_HOSTS" or read.name == "DJANGO_ALLOWED_HOSTS":
        if read.name == "DJANGO_ALLOWED_HOSTS" and read.kind == "json":
            return None
        same = read.name == "DJANGO_ALLOWED_HOSTS"
        return Alias(read, "DJANGO_ALLOWED_HOSTS", "commas" if form == "text" else form, replaces=same)
    if read.setting == "CSRF_TRUSTED_ORIGINS" and read.name != "DJANGO_CSRF_TRUSTED_ORIGINS":
        return Alias(read, "DJANGO_CSRF_TRUSTED_ORIGINS", "text" if read.kind == "json" else "commas")
    if re.sub(r"^DJANGO_", "", read.name) in _URLS and read.name != "DJANGO_BASE_URL":
        return Alias(read, "DJANGO_BASE_URL", "text")
    return None


def _takes_true(read: Read) -> bool:
    """Whether the project's parser takes the charm's `true` for true, and `false` for false."""
    return read.true == "true" and read.false != "" and read.kind == "boolean"


def _of_database(read: Read, database: Interface) -> Alias | None:
    prefix = database.prefix
    if _OURS.match(read.name):
        return None
    if read.kind == "database-url" or re.search(r"(^|_)(DATABASE|DB|POSTGRES|POSTGRESQL)_URL$", read.name):
        return Alias(read, f"{prefix}_CONNECT_STRING", "text")
    part = (
        read.key
        if read.setting == "DATABASES" and read.key in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "ENGINE")
        else ""
    )
    if not part:
        match = _DATABASE.match(read.name)
        part = match["part"] if match else ""
    if part == "ENGINE":
        engine = {"MYSQL_DB": "mysql"}.get(prefix, "postgresql")
        value = f"django.db.backends.{engine}" if (read.default or "django.db").startswith("django.db") else engine
        return Alias(read, value, "constant")
    return Alias(read, f"{prefix}_{_PARTS[part]}", "text") if part in _PARTS else None


def _of_services(read: Read, database: Interface) -> Alias | None:  # noqa: PLR0911  one return for each service
    name = re.sub(r"^DJANGO_", "", read.name)
    default = read.default or ""
    if _OURS.match(read.name):
        return None
    broker = re.search(
        r"(BROKER|RESULT_BACKEND|CACHE|REDIS|CHANNEL\w*|QUEUE|RQ)\w*_UR[LI]$|^CELERY_(BROKER|RESULT_BACKEND)\w*$", name
    )
    if re.match(r"(amqps?|pyamqp)://", default) or re.search(r"(RABBIT\w*|AMQP|CLOUDAMQP)_UR[LI]$", name):
        return Alias(read, "RABBITMQ_CONNECT_STRING", "text")
    if (
        re.match(r"rediss?://", default)
        or read.kind == "cache-url"
        or (broker and not re.match(r"\w+\+?\w*://", default))
    ):
        return Alias(read, "REDIS_DB_CONNECT_STRING", "text")
    match = re.search(r"(?:^|_)REDIS_(HOST|HOSTNAME|PORT|PASSWORD)$", name)
    if match:
        return Alias(read, "REDIS_DB_" + {"HOST": "HOSTNAME"}.get(match[1], match[1]), "text")
    match = re.match(r"(?:EMAIL|SMTP|MAIL)_(\w+)$", name)
    if match and match[1] in _SMTP:
        return Alias(read, _SMTP[match[1]], "text")
    match = re.match(r"AWS_(\w+)$", name)
    if match and match[1] in _S3:
        return Alias(read, _S3[match[1]], "text")
    return None


def aliases(settings: Settings, database: Interface) -> tuple[Alias, ...]:
    """Return what has to be set before the settings are imported, each variable once."""
    found: dict[str, Alias] = {}
    for read in settings.reads:
        alias = alias_of(read, database)
        if alias is not None and read.name not in _SURROUNDINGS:
            old = found.get(read.name)
            # The read that says most about the format wins: a test for the name alone says nothing.
            if old is None or (old.read.kind == "text" and read.kind != "text"):
                found[read.name] = alias
    return tuple(found.values())


def is_given(name: str) -> bool:
    """Whether the charm, or the container, has a variable of that name anyway."""
    return bool(_OURS.match(name)) or name in _BUILT_IN or name in _SURROUNDINGS
