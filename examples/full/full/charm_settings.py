"""Django settings from the variables that a Django charm sets. The file is yours: keep it beside `manage.py`.

At the end of the settings module:

    import charm_settings

    charm_settings.update(globals())

What the charm says wins over what stands above; what it does not say stays as it is, so that without a charm nothing
changes at all. Needs Django 4.2 or newer, and nothing else. What each integration needs to be installed:

    PostgreSQL     psycopg                     Redis, Valkey   redis
    MySQL          mysqlclient or PyMySQL      S3              django-storages[s3]
    MongoDB        django-mongodb-backend      RabbitMQ        celery
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Mapping, MutableMapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

Environment = Mapping[str, str]
Settings = dict[str, Any]

ENGINES = {
    "postgresql": "django.db.backends.postgresql",
    "postgres": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
    "mongodb": "django_mongodb_backend",
    "mongodb+srv": "django_mongodb_backend",
}
"""By the scheme of the connection string."""
FAMILIES = ("postg", "mysql", "mongo")
"""An engine with such a part in its name (`...postgis`) stands for the database that the charm offers."""
CACHES = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss"}
"""Schemes of caches, and what Redis' client and Celery call them."""
USUAL = ("POSTGRESQL_DB", "MYSQL_DB", "MONGODB_DB", "REDIS_DB", "VALKEY_DB", "RABBITMQ")
"""Prefixes of the endpoints with the usual names: the first of these that is there is the default."""
READ_ONLY = "_READ_ONLY_CONNECT_STRING"
STAYS = ("ATOMIC_REQUESTS", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "TIME_ZONE", "TEST")
"""What a project says of its database stays, though the charm brings another engine."""
LOCAL_MAIL = ("console", "dummy", "filebased", "locmem")
"""Django's e-mail backends that send nothing: they give way to SMTP."""
SMTP = "django.core.mail.backends.smtp.EmailBackend"
STATIC = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
CONSOLE: Settings = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
"""The charm collects what a service prints; Django's own default prints nothing unless DEBUG is on."""


def update(namespace: MutableMapping[str, Any], environ: Environment = os.environ, *, default: str = "") -> None:
    """Lay the charm's settings over those of a settings module, whose `globals()` is `namespace`.

    Databases, caches and storages of the project under other names stay; so do its `LOGGING`, its own origins, and an
    engine, cache or e-mail backend that suits what the charm offers (PostGIS, django-redis). `default` names the
    endpoint of the default database, when there are several and none has its usual name.
    """
    found = settings(environ, default=default)
    for name in ("DATABASES", "CACHES"):
        if name in found:
            ours: dict[str, Settings] = found[name]
            theirs: dict[str, Settings] = namespace.get(name) or {}
            merge = _database_over if name == "DATABASES" else _cache_over
            found[name] = {**theirs, **{alias: merge(theirs.get(alias, {}), entry) for alias, entry in ours.items()}}
    if "STORAGES" in found:
        _storages_over(namespace, found)
    if "CSRF_TRUSTED_ORIGINS" in found:
        own: list[str] = list(namespace.get("CSRF_TRUSTED_ORIGINS") or ())
        found["CSRF_TRUSTED_ORIGINS"] = [*own, *(each for each in found["CSRF_TRUSTED_ORIGINS"] if each not in own)]
    backend = str(namespace.get("EMAIL_BACKEND", ""))
    if found.get("EMAIL_BACKEND") == SMTP and backend and backend.split(".")[-2] not in LOCAL_MAIL:
        del found["EMAIL_BACKEND"]
    for name in ("LOGGING", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        if name in namespace:
            found.pop(name, None)
    namespace.update(found)


def settings(environ: Environment = os.environ, *, default: str = "") -> Settings:
    """Return the settings that follow from the charm's variables alone; none when there is no charm.

    Raises:
        ImproperlyConfigured: when a variable is not what the charm writes, or the default database is not clear.
    """
    found: Settings = {}
    if "DJANGO_BASE_URL" in environ:
        found |= _site(environ)
    for name in ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS"):
        if f"DJANGO_{name}" in environ:
            found[name] = _list(environ, f"DJANGO_{name}")
    if "DJANGO_DEBUG" in environ:
        found["DEBUG"] = environ["DJANGO_DEBUG"] == "true"
    if "DJANGO_SECRET_KEY" in environ:
        found["SECRET_KEY"] = environ["DJANGO_SECRET_KEY"]
        found["SECRET_KEY_FALLBACKS"] = _list(environ, "DJANGO_SECRET_KEY_FALLBACKS")
    if databases := _databases(environ, default):
        found["DATABASES"] = databases
    caches = _named(environ, CACHES)
    if caches:
        found["CACHES"] = {_alias(prefix, caches): _cache(url) for prefix, url in caches.items()}
    # Not Valkey: its charm lets nobody run scripts, which Celery needs of its broker.
    redis = {prefix: _redis_url(url) for prefix, url in _named(environ, ("redis", "rediss")).items()}
    if brokers := _named(environ, ("amqp", "amqps")) or redis:
        found["CELERY_BROKER_URL"] = next(iter(brokers.values()))
    storages = [name.removesuffix("_BUCKET") for name in sorted(environ) if name.endswith("_BUCKET")]
    storages = [prefix for prefix in storages if f"{prefix}_ACCESS_KEY" in environ]
    if storages:
        found["STORAGES"] = {"default" if each == "S3" else each.lower(): _s3(environ, each) for each in storages}
    if "SMTP_HOST" in environ:
        found |= _mail(environ)
    return found


def alias(**names: str) -> None:
    """Set variables that the project reads under names of its own, before its settings are imported.

    `alias(DATABASE_URL="POSTGRESQL_DB_CONNECT_STRING")` sets DATABASE_URL when the charm has set the other one; what
    is set already stays.
    """
    for name, variable in names.items():
        if variable in os.environ:
            os.environ.setdefault(name, os.environ[variable])


def _site(environ: Environment) -> Settings:
    """Return what follows from the public URL."""
    url = urlsplit(environ["DJANGO_BASE_URL"])
    found: Settings = {"LOGGING": CONSOLE, "CSRF_TRUSTED_ORIGINS": [f"{url.scheme}://{url.netloc}"]}
    if url.scheme == "https":
        # The ingress ends TLS and says so in this header. Without TLS nobody sets it but a client who lies.
        found["SECURE_PROXY_SSL_HEADER"] = ("HTTP_X_FORWARDED_PROTO", "https")
        found["SESSION_COOKIE_SECURE"] = found["CSRF_COOKIE_SECURE"] = True
    if path := url.path.rstrip("/"):
        found["FORCE_SCRIPT_NAME"] = path  # the ingress takes the path off requests; links have to have it
    return found


def _list(environ: Environment, variable: str) -> list[str]:
    try:
        value: object = json.loads(environ.get(variable) or "[]")
    except ValueError:
        value = None
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(item, str) for item in items):
        raise ImproperlyConfigured(f"{variable} is not a JSON list of texts")
    return cast("list[str]", items)


def _named(environ: Environment, schemes: Collection[str]) -> dict[str, str]:
    """Return the connection strings with one of the schemes by prefix (`REPORTS_DB`), the usual ones first."""
    suffix = "_CONNECT_STRING"
    found = {
        name.removesuffix(suffix): url
        for name, url in environ.items()
        if name.endswith(suffix) and not name.endswith(READ_ONLY) and url.partition("://")[0] in schemes
    }
    usual = [prefix for prefix in USUAL if prefix in found]
    return {prefix: found[prefix] for prefix in (*usual, *sorted(found.keys() - set(usual)))}


def _alias(prefix: str, found: Mapping[str, str]) -> str:
    """Return what Django calls it: the default, when it has the usual name or is alone; else its endpoint's name."""
    first = prefix == next(iter(found)) and (prefix in USUAL or len(found) == 1)
    return "default" if first else _name(prefix)


def _name(prefix: str) -> str:
    return prefix.removesuffix("_DB").lower()


def _databases(environ: Environment, default: str) -> dict[str, Settings]:
    found = _named(environ, ENGINES)
    first = default.upper().replace("-", "_") + "_DB" if default else ""
    if first and found and first not in found:
        raise ImproperlyConfigured(f"no database of the endpoint {default}: {first}_CONNECT_STRING is not set")
    if not first and len(found) > 1 and next(iter(found)) not in USUAL:
        names = ", ".join(prefix.removesuffix("_DB").lower().replace("_", "-") for prefix in found)
        raise ImproperlyConfigured(f"which database is the default? Say charm_settings.update(default=...): {names}")
    databases: dict[str, Settings] = {}
    for prefix, url in found.items():
        name = _alias(prefix, found) if not first else "default" if prefix == first else _name(prefix)
        databases[name] = _database(url)
        if replica := environ.get(f"{prefix}{READ_ONLY}"):
            beside = "replica" if name == "default" else f"{name}_replica"
            databases[beside] = {**_database(replica), "TEST": {"MIRROR": name}}
    return databases


def _database(url: str) -> Settings:
    scheme, _, rest = url.partition("://")
    engine = ENGINES[scheme]
    netloc, _, path = rest.partition("/")
    path, _, query = path.partition("?")
    name = unquote(path)
    if engine == ENGINES["mongodb"]:
        return {"ENGINE": engine, "NAME": name, "HOST": url}
    user, _, hosts = netloc.rpartition("@")
    username, _, password = user.partition(":")
    places = [_place(host) for host in hosts.split(",")]
    options: Settings = dict(parse_qsl(query))
    if engine == ENGINES["mysql"]:
        places = places[:1]  # its drivers know one host; libpq tries one after the other
        if ca := options.pop("ssl-ca", ""):
            options["ssl"] = {"ca": ca}
    return {
        "ENGINE": engine,
        "NAME": name,
        "USER": unquote(username),
        "PASSWORD": unquote(password),
        "HOST": ",".join(host for host, _ in places),
        "PORT": ",".join(port for _, port in places),
        "OPTIONS": options,
    }


def _place(text: str) -> tuple[str, str]:
    """Split `host:port`, `[::1]:port` or a bare IPv6 address."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def _redis_url(url: str) -> str:
    """Return the URL as Redis' client reads it: its own scheme, and one host."""
    scheme, _, rest = url.partition("://")
    netloc, slash, path = rest.partition("/")
    user, at, hosts = netloc.rpartition("@")
    return f"{CACHES[scheme]}://{user}{at}{hosts.split(',')[0]}{slash}{path}"


def _cache(url: str) -> Settings:
    entry: Settings = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _redis_url(url)}
    if "ssl_ca_certs=" in url:
        # The authority is the deployment's own, and its certificates rarely name the service that one connects to.
        entry["OPTIONS"] = {"ssl_check_hostname": False}
    return entry


def _s3(environ: Environment, prefix: str) -> Settings:
    """Return the storage of uploaded files, for django-storages."""
    names = {
        "access_key": "ACCESS_KEY",
        "secret_key": "SECRET_KEY",
        "bucket_name": "BUCKET",
        "region_name": "REGION",
        "endpoint_url": "ENDPOINT",
        "addressing_style": "ADDRESSING_STYLE",
    }
    start = f"{prefix}_"
    values = {name[len(start) :]: value for name, value in environ.items() if value and name.startswith(start)}
    options: Settings = {option: values[name] for option, name in names.items() if name in values}
    options["file_overwrite"] = False  # as Django's own storage: a second upload of a name gets another name
    if path := values.get("PATH", "").strip("/"):
        options["location"] = path
    if version := {"2": "s3", "4": "s3v4"}.get(values.get("API_VERSION", "").lower().removeprefix("s3v")):
        options["signature_version"] = version
    if storage_class := values.get("STORAGE_CLASS"):
        options["object_parameters"] = {"StorageClass": storage_class}
    if chain := _list(environ, f"{prefix}_TLS_CA_CHAIN"):
        options["verify"] = _file("\n".join(chain))
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def _mail(environ: Environment) -> Settings:
    security = environ.get("SMTP_TRANSPORT_SECURITY", "")
    unverified = environ.get("SMTP_SKIP_SSL_VERIFY", "").lower() == "true"
    found: Settings = {
        "EMAIL_BACKEND": f"{__name__}.UnverifiedEmailBackend" if unverified else SMTP,
        "EMAIL_HOST": environ["SMTP_HOST"],
        "EMAIL_HOST_USER": environ.get("SMTP_USER", ""),
        "EMAIL_HOST_PASSWORD": environ.get("SMTP_PASSWORD", ""),
        "EMAIL_USE_TLS": security == "starttls",
        "EMAIL_USE_SSL": security == "tls",
    }
    if sender := environ.get("SMTP_SENDER"):
        found["DEFAULT_FROM_EMAIL"] = sender
    if port := environ.get("SMTP_PORT", ""):
        found["EMAIL_PORT"] = int(port)
    return found


def _database_over(theirs: Settings, ours: Settings) -> Settings:
    engine = str(theirs.get("ENGINE", ""))
    if any(family in engine and family in ours["ENGINE"] for family in FAMILIES):
        options = {**theirs.get("OPTIONS", {}), **ours.get("OPTIONS", {})}
        return {**theirs, **ours, "ENGINE": engine, **({"OPTIONS": options} if options else {})}
    return {**{key: theirs[key] for key in STAYS if key in theirs}, **ours}


def _cache_over(theirs: Settings, ours: Settings) -> Settings:
    return {**theirs, "LOCATION": ours["LOCATION"]} if "redis" in str(theirs.get("BACKEND", "")) else ours


def _storages_over(namespace: MutableMapping[str, Any], found: Settings) -> None:
    """Keep the project's static files where they are; Django wants both named, and refuses the old settings beside."""
    old: str | None = namespace.pop("STATICFILES_STORAGE", None)
    namespace.pop("DEFAULT_FILE_STORAGE", None)
    theirs: dict[str, Settings] = namespace.get("STORAGES") or {"staticfiles": {"BACKEND": old} if old else STATIC}
    found["STORAGES"] = {**theirs, **found["STORAGES"]}


def _file(pem: str) -> str:
    """Return the path of a file with these certificates, which is what libraries want."""
    path = Path(tempfile.gettempdir()) / f"charm-ca-{os.getuid()}-{hashlib.sha256(pem.encode()).hexdigest()[:16]}.pem"
    if not _is_own(path, pem):
        descriptor, temporary = tempfile.mkstemp(suffix=".pem", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(pem)
        Path(temporary).replace(path)
    return str(path)


def _is_own(path: Path, pem: str) -> bool:
    """Whether the file is there, ours and right: in a folder that everybody may write to it could be anybody's."""
    try:
        return not path.is_symlink() and path.stat().st_uid == os.getuid() and path.read_text(encoding="utf-8") == pem
    except OSError:
        return False


def __getattr__(name: str) -> Any:
    """Make the e-mail backend when Django asks for it: it can only be imported when the settings are complete."""
    if name != "UnverifiedEmailBackend":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    import ssl
    from functools import cached_property

    from django.core.mail.backends.smtp import EmailBackend

    class UnverifiedEmailBackend(EmailBackend):
        """Django's own, for a server whose certificate is not to be verified: the operator said so."""

        @cached_property
        def ssl_context(self) -> ssl.SSLContext:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context

    return UnverifiedEmailBackend
