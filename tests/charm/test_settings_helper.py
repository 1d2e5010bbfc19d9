"""charm_settings.py: what the charm says becomes Django's settings, and nothing else changes."""

import dataclasses
import importlib.util
import json
import os
import shutil
import ssl
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

import nuages.build
from nuages.charm import urls
from tests.charm import matrix, providers
from tests.charm.conftest import World
from tests.charm.matrix import Case
from tests.docs import pages

HELPER = Path(nuages.build.__file__).parent / "templates" / "charm_settings.py"
PAGE = pages.read(pages.DOCS / "how-to" / "settings.md")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("charm_settings", HELPER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


helper = load()


def environment(directory: Path, *interfaces: str) -> dict[str, str]:
    """Return the variables that our charm gives the web service with these integrations."""
    charm = matrix.context(directory, interfaces, optional=True)
    case = Case(tuple((name, "full") for name in interfaces), "pebble_ready", leader=True, reachable=True)
    after = matrix.run(charm, case, matrix.state(case))
    assert after.unit_status.name == "active"
    found = after.get_container("django-app").plan.services["django"].environment
    return {name: value for name, value in found.items() if name not in ("PYTHONDONTWRITEBYTECODE", "FROM_THE_ROCK")}


BASE = {
    "DJANGO_BASE_URL": "http://notes.shop:8000",
    "DJANGO_ALLOWED_HOSTS": '["notes.shop"]',
    "DJANGO_SECRET_KEY": "the-key",
}
POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": "notes",
    "USER": "relation_id_7",
    "PASSWORD": "Zq3pQ8",
    "HOST": "postgresql-k8s-primary.shop.svc.cluster.local",
    "PORT": "5432",
    "OPTIONS": {},
}


def test_without_a_charm_there_is_nothing() -> None:
    namespace: dict[str, Any] = {"DEBUG": True, "DATABASES": {"default": {"ENGINE": "x"}}}
    before = json.dumps(namespace)
    helper.update(namespace, {"PATH": "/bin", "HOME": "/", "AWS_BUCKET": "x", "SOME_CONNECT_STRING": "http://x"})
    assert json.dumps(namespace) == before
    assert helper.settings({}) == {}


def test_what_every_charm_says(tmp_path: Path, world: World) -> None:
    found = helper.settings(environment(tmp_path, "postgresql_client"))
    assert found["ALLOWED_HOSTS"] == ["notes.shop"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["http://notes.shop:8000"]
    assert found["SECRET_KEY"] == (matrix.KEY.tracked_content or {})["value"]
    assert found["SECRET_KEY_FALLBACKS"] == []
    assert found["DEBUG"] is False
    assert "SECURE_PROXY_SSL_HEADER" not in found
    assert "FORCE_SCRIPT_NAME" not in found
    assert found["DATABASES"]["default"] == POSTGRESQL


def test_https_and_a_path(tmp_path: Path, world: World) -> None:
    found = helper.settings(environment(tmp_path, "ingress"))
    assert found["ALLOWED_HOSTS"] == ["notes.example"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://notes.example"]
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True
    assert found["FORCE_SCRIPT_NAME"] == "/shop-notes"


EXPECTED: Mapping[str, Mapping[str, Any]] = {
    "mysql_client": {
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "notes",
                "USER": "relation-5_4d2a3c8e0f4c4b9e",
                "PASSWORD": "Ab9xY2",
                "HOST": "mysql-k8s-primary.shop.svc.cluster.local.",
                "PORT": "3306",
                "OPTIONS": {},
            },
            "replica": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "notes",
                "USER": "relation-5_4d2a3c8e0f4c4b9e",
                "PASSWORD": "Ab9xY2",
                "HOST": "mysql-k8s-replicas.shop.svc.cluster.local.",
                "PORT": "3306",
                "OPTIONS": {},
                "TEST": {"MIRROR": "default"},
            },
        }
    },
    "mongodb_client": {
        "DATABASES": {
            "default": {
                "ENGINE": "django_mongodb_backend",
                "NAME": "notes",
                "HOST": "mongodb://relation-9:Cd8wV4@mongodb-k8s-0.mongodb-k8s-endpoints:27017/notes"
                "?replicaSet=mongodb-k8s&authSource=admin",
            }
        }
    },
    "redis": {
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://redis-k8s-0.redis-k8s-endpoints.shop.svc.cluster.local:6379",
            }
        },
        "CELERY_BROKER_URL": "redis://redis-k8s-0.redis-k8s-endpoints.shop.svc.cluster.local:6379",
    },
    "valkey_client": {
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://relation-3-d0c352f7d809734b:pw-of-valkey@valkey-primary:6379",
            }
        },
    },
    "rabbitmq": {
        "CELERY_BROKER_URL": "amqp://notes:pw-of-rabbit@rabbitmq-k8s-endpoints.shop.svc.cluster.local:5672/%2F"
    },
    "smtp": {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "smtp.example.com",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "joe",
        "EMAIL_HOST_PASSWORD": "pw-of-joe",
        "EMAIL_USE_TLS": True,
        "EMAIL_USE_SSL": False,
        "DEFAULT_FROM_EMAIL": "noreply@example.com",
    },
}


@pytest.mark.parametrize("interface", [name for name in EXPECTED if name in matrix.SPOKEN])
def test_settings_of_an_integration(interface: str, tmp_path: Path, world: World) -> None:
    found = helper.settings(environment(tmp_path, interface))
    assert {name: found.get(name) for name in EXPECTED[interface]} == EXPECTED[interface]


def test_s3(tmp_path: Path, world: World) -> None:
    found = helper.settings(environment(tmp_path, "s3"))["STORAGES"]
    options = dict(found["default"]["OPTIONS"])
    authority = Path(options.pop("verify"))
    assert authority.read_text().strip() == providers.PEM
    assert stat.S_IMODE(authority.stat().st_mode) == 0o600
    assert found["default"]["BACKEND"] == "storages.backends.s3.S3Storage"
    assert options == {
        "access_key": "AKIA1",
        "secret_key": "sk-of-s3",
        "bucket_name": "notes",
        "region_name": "us-east-1",
        "endpoint_url": "http://minio.shop:9000",
        "addressing_style": "path",
        "location": "media",
        "object_parameters": {"StorageClass": "STANDARD"},
        "file_overwrite": False,
    }


def test_a_file_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper.tempfile, "gettempdir", lambda: str(tmp_path))
    variables = {"S3_BUCKET": "b", "S3_ACCESS_KEY": "a", "S3_TLS_CA_CHAIN": json.dumps([providers.PEM])}
    path = Path(helper.settings(variables)["STORAGES"]["default"]["OPTIONS"]["verify"])
    other = tmp_path / "other.pem"
    other.write_text(providers.PEM)
    path.unlink()
    path.symlink_to(other)
    assert helper.settings(variables)["STORAGES"]["default"]["OPTIONS"]["verify"] == str(path)
    assert not path.is_symlink()
    inode = path.stat().st_ino
    helper.settings(variables)
    assert path.stat().st_ino == inode, "written though it was right"
    path.write_text("something else")
    helper.settings(variables)
    assert path.read_text() == providers.PEM


def test_endpoints_of_other_names() -> None:
    found = helper.settings(
        {
            "POSTGRESQL_DB_CONNECT_STRING": "postgresql://u:p@a:5432/notes",
            "BIG_REPORTS_DB_CONNECT_STRING": "postgresql://u:p@b:5432/reports",
            "BIG_REPORTS_DB_READ_ONLY_CONNECT_STRING": "postgresql://u:p@c:5432/reports",
            "REDIS_DB_CONNECT_STRING": "redis://a:6379",
            "QUEUE_DB_CONNECT_STRING": "valkeys://u:p@b:6379,c:6379",
            "BROKER_CONNECT_STRING": "amqp://u:p@b:5672/%2F",
            "S3_BUCKET": "uploads",
            "S3_ACCESS_KEY": "a",
            "BACKUPS_BUCKET": "backups",
            "BACKUPS_ACCESS_KEY": "b",
        }
    )
    assert {name: entry["HOST"] for name, entry in found["DATABASES"].items()} == {
        "default": "a", "big_reports": "b", "big_reports_replica": "c"
    }  # fmt: skip
    assert found["DATABASES"]["big_reports_replica"]["TEST"] == {"MIRROR": "big_reports"}
    assert {name: entry["LOCATION"] for name, entry in found["CACHES"].items()} == {
        "default": "redis://a:6379", "queue": "rediss://u:p@b:6379"
    }  # fmt: skip
    assert found["CELERY_BROKER_URL"] == "amqp://u:p@b:5672/%2F"
    assert {name: entry["OPTIONS"]["access_key"] for name, entry in found["STORAGES"].items()} == {
        "default": "a", "backups": "b"
    }  # fmt: skip


def test_which_database_is_the_default() -> None:
    alone = {"MAIN_DB_CONNECT_STRING": "postgresql://u:p@a:5432/notes"}
    assert helper.settings(alone)["DATABASES"]["default"]["HOST"] == "a"
    two = {**alone, "REPORTS_DB_CONNECT_STRING": "mysql://u:hidden@b:3306/reports"}
    with pytest.raises(ImproperlyConfigured, match="main, reports") as error:
        helper.settings(two)
    assert "hidden" not in str(error.value)
    assert set(helper.settings(two, default="reports")["DATABASES"]) == {"default", "main"}
    assert helper.settings(two, default="reports")["DATABASES"]["default"]["HOST"] == "b"
    with pytest.raises(ImproperlyConfigured, match="OTHER_DB_CONNECT_STRING is not set"):
        helper.settings(two, default="other")
    usual = {**two, "POSTGRESQL_DB_CONNECT_STRING": "postgresql://u:p@c:5432/x"}
    chosen = helper.settings(usual, default="reports")["DATABASES"]
    assert {name: entry["HOST"] for name, entry in chosen.items()} == {"default": "b", "main": "a", "postgresql": "c"}


def test_tls_of_the_connect_string() -> None:
    query = "sslmode=verify-ca&sslrootcert=%2Fdjango%2Fca.pem"
    found = helper.settings(
        {
            "POSTGRESQL_DB_CONNECT_STRING": f"postgresql://u:p@a:5432/notes?{query}",
            "MYSQL_DB_CONNECT_STRING": "mysql://u:p@b:3306/notes?ssl-ca=%2Fdjango%2Fca.pem",
        }
    )["DATABASES"]
    assert found["default"]["OPTIONS"] == {"sslmode": "verify-ca", "sslrootcert": "/django/ca.pem"}
    assert found["mysql"]["OPTIONS"] == {"ssl": {"ca": "/django/ca.pem"}}


def test_tls_of_a_cache() -> None:
    """Redis' own client, which reads the URL, must understand what comes out."""
    url = "valkeys://u:p%40@cache:6379?ssl_ca_certs=%2Fdjango%2Fca.pem"
    entry = helper.settings({"VALKEY_DB_CONNECT_STRING": url})["CACHES"]["default"]
    pool = redis.ConnectionPool.from_url(entry["LOCATION"], **entry["OPTIONS"])
    connection = pool.connection_class(**pool.connection_kwargs)
    assert isinstance(connection, redis.SSLConnection)
    assert (connection.host, connection.username, connection.password) == ("cache", "u", "p@")
    assert connection.ca_certs == "/django/ca.pem"
    assert connection.cert_reqs == ssl.CERT_REQUIRED
    assert connection.check_hostname is False


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)


@given(TEXT, TEXT, TEXT)
def test_what_the_charm_encodes_is_decoded(username: str, password: str, name: str) -> None:
    url = urls.build("postgresql", username, password, "db:5432", name)
    entry = helper.settings({"POSTGRESQL_DB_CONNECT_STRING": url})["DATABASES"]["default"]
    assert (entry["USER"], entry["PASSWORD"], entry["NAME"]) == (username, password, name)
    assert (entry["HOST"], entry["PORT"]) == ("db", "5432")


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ("a:1,b:2", ("a,b", "1,2")),
        ("[::1]:5432", ("::1", "5432")),
        ("::1", ("::1", "")),
        ("db", ("db", "")),
    ],
)
def test_hosts(hosts: str, expected: tuple[str, str]) -> None:
    entry = helper.settings({"POSTGRESQL_DB_CONNECT_STRING": f"postgresql://u:p@{hosts}/n"})["DATABASES"]["default"]
    assert (entry["HOST"], entry["PORT"]) == expected


def test_what_the_project_says_stays() -> None:
    logging = {"version": 1}
    namespace: dict[str, Any] = {
        "DATABASES": {
            "default": {
                "ENGINE": "django.contrib.gis.db.backends.postgis",
                "HOST": "localhost",
                "CONN_MAX_AGE": 60,
                "OPTIONS": {"pool": True, "sslmode": "disable"},
            },
            "legacy": {"ENGINE": "django.db.backends.sqlite3"},
        },
        "CACHES": {
            "default": {"BACKEND": "django_redis.cache.RedisCache", "OPTIONS": {"X": 1}, "LOCATION": "redis://localhost"},
            "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        },
        "STATICFILES_STORAGE": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        "DEFAULT_FILE_STORAGE": "django.core.files.storage.FileSystemStorage",
        "CSRF_TRUSTED_ORIGINS": ["https://other.example"],
        "EMAIL_BACKEND": "anymail.backends.mailgun.EmailBackend",
        "LOGGING": logging,
        "SESSION_COOKIE_SECURE": False,
    }  # fmt: skip
    helper.update(
        namespace,
        {
            **BASE,
            "DJANGO_BASE_URL": "https://notes.example/",
            "DJANGO_CSRF_TRUSTED_ORIGINS": '["https://notes.example", "https://other.example"]',
            "POSTGRESQL_DB_CONNECT_STRING": "postgresql://u:p@db:5432/notes?sslmode=require",
            "REDIS_DB_CONNECT_STRING": "redis://r:6379",
            "S3_BUCKET": "b",
            "S3_ACCESS_KEY": "a",
            "SMTP_HOST": "mail",
        },
    )
    default = namespace["DATABASES"]["default"]
    assert default["ENGINE"] == "django.contrib.gis.db.backends.postgis"
    assert (default["HOST"], default["CONN_MAX_AGE"]) == ("db", 60)
    assert default["OPTIONS"] == {"pool": True, "sslmode": "require"}
    assert namespace["DATABASES"]["legacy"] == {"ENGINE": "django.db.backends.sqlite3"}
    assert namespace["CACHES"]["default"] == {
        "BACKEND": "django_redis.cache.RedisCache", "OPTIONS": {"X": 1}, "LOCATION": "redis://r:6379"
    }  # fmt: skip
    assert "local" in namespace["CACHES"]
    assert namespace["STORAGES"]["staticfiles"]["BACKEND"].startswith("whitenoise")
    assert namespace["STORAGES"]["default"]["BACKEND"].startswith("storages")
    assert not {"STATICFILES_STORAGE", "DEFAULT_FILE_STORAGE"} & namespace.keys()
    assert namespace["CSRF_TRUSTED_ORIGINS"] == ["https://other.example", "https://notes.example"]
    assert namespace["EMAIL_BACKEND"].startswith("anymail")
    assert namespace["EMAIL_HOST"] == "mail"
    assert namespace["LOGGING"] is logging
    assert namespace["SESSION_COOKIE_SECURE"] is False
    assert namespace["CSRF_COOKIE_SECURE"] is True


def test_another_engine_is_replaced_but_for_what_suits_any() -> None:
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x", "OPTIONS": {"timeout": 5}, "ATOMIC_REQUESTS": True}
    namespace: dict[str, Any] = {
        "DATABASES": {"default": sqlite},
        "EMAIL_BACKEND": "django.core.mail.backends.console.E",
    }
    helper.update(namespace, {"POSTGRESQL_DB_CONNECT_STRING": "postgresql://u:p@db:5432/notes", "SMTP_HOST": "m"})
    assert namespace["DATABASES"]["default"]["OPTIONS"] == {}
    assert namespace["DATABASES"]["default"]["ATOMIC_REQUESTS"] is True
    assert namespace["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize("text", ["notes.shop", "{}", "[1]", '"x"'])
def test_a_variable_that_is_not_the_charm_s(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DJANGO_ALLOWED_HOSTS is not a JSON list of texts"):
        helper.settings({"DJANGO_ALLOWED_HOSTS": text})


def test_mail_without_verification() -> None:
    found = helper.settings({"SMTP_HOST": "m", "SMTP_SKIP_SSL_VERIFY": "True", "SMTP_TRANSPORT_SECURITY": "tls"})
    module, _, name = found["EMAIL_BACKEND"].rpartition(".")
    assert (module, found["EMAIL_USE_SSL"], found["EMAIL_USE_TLS"]) == ("charm_settings", True, False)
    backend = getattr(helper, name)(host="m", port=25, username="", password="", use_tls=False, use_ssl=True, timeout=1,
                                    ssl_keyfile="", ssl_certfile="")  # fmt: skip
    assert backend.ssl_context.verify_mode == ssl.CERT_NONE


def test_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET_KEY", "REDIS_URL", "REDIS_DB_CONNECT_STRING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POSTGRESQL_DB_CONNECT_STRING", "postgresql://x")
    monkeypatch.setenv("DJANGO_SECRET_KEY", "charm")
    monkeypatch.setenv("SECRET_KEY", "own")
    helper.alias(
        DATABASE_URL="POSTGRESQL_DB_CONNECT_STRING", SECRET_KEY="DJANGO_SECRET_KEY", REDIS_URL="REDIS_DB_CONNECT_STRING"
    )
    assert os.environ["DATABASE_URL"] == "postgresql://x"
    assert os.environ["SECRET_KEY"] == "own"
    assert "REDIS_URL" not in os.environ


@dataclasses.dataclass
class Project:
    """A project as Django makes it, with what the how-to says."""

    folder: Path

    def run(
        self, *words: str, variables: Mapping[str, str], python: str | Path = sys.executable
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.folder), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ask(self, program: str, variables: Mapping[str, str], python: str | Path = sys.executable) -> Any:
        """Run a program with the project's settings in force; return the JSON that it prints."""
        chosen = {"DJANGO_SETTINGS_MODULE": "mysite.settings", **variables}
        done = self.run("-c", f"import django, json; django.setup()\n{program}", variables=chosen, python=python)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project") / "mysite"
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", str(folder)], check=True)
    shutil.copy(HELPER, folder / "charm_settings.py")
    settings = folder / "mysite" / "settings.py"
    text = settings.read_text()
    for block in PAGE.blocks:
        verb, _, path = block.rest.partition(" ")
        assert not path or path == "mysite/mysite/settings.py", path
        text = {"append": text + block.text, "prepend": block.text + text}.get(verb, text)
    settings.write_text("import pymysql\n\npymysql.install_as_MySQLdb()\n" + text)
    return Project(folder)


WHAT_DJANGO_SEES = """
import os
from django.conf import settings
from django.core.cache import caches
from django.core.mail import get_connection
from django.db import connections
from django.test import RequestFactory
from django.urls import reverse

def driver(name):
    found = connections[name].get_connection_params()
    return {key: found[key] for key in sorted(found) if isinstance(found[key], (str, int)) and "charset" not in key
            and key not in ("client_encoding", "client_flag", "prepare_threshold")}

mail = get_connection()
forwarded = RequestFactory().get("/", headers={"X-Forwarded-Proto": "https", "Host": "notes.example"})
print(json.dumps({
    "vendors": {name: connections[name].vendor for name in connections},
    "drivers": {name: driver(name) for name in connections if connections[name].vendor != "sqlite"},
    "cache": getattr(caches["default"], "_servers", None),
    "mail": [type(mail).__module__, getattr(mail, "host", ""), getattr(mail, "use_tls", None)],
    "storages": sorted(settings.STORAGES),
    "secure": forwarded.is_secure(),
    "debug": settings.DEBUG,
    "admin": reverse("admin:index"),
    "static": settings.STATIC_URL,
    "database_url": os.environ.get("DATABASE_URL"),
}))
"""


def test_the_how_to_without_a_charm(project: Project) -> None:
    seen = project.ask(WHAT_DJANGO_SEES, {})
    assert seen["vendors"] == {"default": "sqlite"}
    assert (seen["cache"], seen["secure"], seen["debug"], seen["admin"]) == (None, False, True, "/admin/")
    assert seen["database_url"] is None


def test_the_how_to_with_our_charm(project: Project, tmp_path: Path, world: World) -> None:
    wanted = ("postgresql_client", "mysql_client", "redis", "rabbitmq", "s3", "smtp", "ingress")
    variables = environment(tmp_path, *(name for name in wanted if name in matrix.SPOKEN))
    seen = project.ask(WHAT_DJANGO_SEES, variables)
    assert seen["vendors"] == {
        "default": "postgresql", "replica": "postgresql", "mysql": "mysql", "mysql_replica": "mysql"
    }  # fmt: skip
    assert seen["drivers"]["default"] == {
        "dbname": "notes",
        "host": "postgresql-k8s-primary.shop.svc.cluster.local",
        "password": "Zq3pQ8",
        "port": "5432",
        "user": "relation_id_7",
    }
    assert seen["drivers"]["mysql"] == {
        "database": "notes",
        "host": "mysql-k8s-primary.shop.svc.cluster.local.",
        "password": "Ab9xY2",
        "port": 3306,
        "user": "relation-5_4d2a3c8e0f4c4b9e",
    }
    assert seen["cache"] == ["redis://redis-k8s-0.redis-k8s-endpoints.shop.svc.cluster.local:6379"]
    assert seen["storages"] == ["default", "staticfiles"]
    assert (seen["secure"], seen["debug"]) == (True, False)
    assert (seen["admin"], seen["static"]) == ("/shop-notes/admin/", "/shop-notes/static/")
    assert seen["mail"] == ["django.core.mail.backends.smtp", "smtp.example.com", True]
    assert seen["database_url"] == variables["POSTGRESQL_DB_CONNECT_STRING"]


def test_django_finds_nothing_to_say_about_it(project: Project, tmp_path: Path, world: World) -> None:
    variables = environment(tmp_path, "postgresql_client", "ingress")
    done = project.run("manage.py", "check", "--deploy", variables=variables)
    assert done.returncode == 0, done.stderr
    said = {word for word in done.stderr.replace(")", " ").replace("(", " ").split() if word.startswith("security.")}
    assert said == {"security.W004", "security.W008"}, done.stderr  # HSTS and the redirect to https are the project's


LIBRARIES = ("django~=5.2.0", "django-storages[s3]", "django-mongodb-backend", "celery[redis]")

WHAT_LIBRARIES_SEE = """
import sys

sys.path.insert(0, "mysite")
from celery import Celery
from django.conf import settings
from django.core.files.storage import storages
from django.db import connections

app = Celery("mysite")
app.config_from_object("django.conf:settings", namespace="CELERY")
broker = app.connection().info()
storage = storages["default"]
client = storage.connection.meta.client
mongo = connections["mongodb"].get_connection_params()
print(json.dumps({
    "broker": [broker[key] for key in ("transport", "hostname", "port", "userid", "virtual_host")],
    "bucket": storage.bucket_name,
    "location": storage.location,
    "endpoint": client.meta.endpoint_url,
    "style": client.meta.config.s3["addressing_style"],
    "url": storage.url("a.txt").partition("?")[0],
    "mongo": [mongo["host"], connections["mongodb"].settings_dict["NAME"]],
}))
"""


@pytest.mark.slow
def test_what_the_libraries_make_of_it(project: Project, tmp_path: Path, world: World) -> None:
    """django-storages, django-mongodb-backend and Celery, from PyPI into an environment of their own."""
    uv = Path(sys.executable).parent / "uv"
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", python, *LIBRARIES, "psycopg[binary]", "pymysql"], check=True
    )
    variables = environment(tmp_path, "postgresql_client", "mongodb_client", "s3", "rabbitmq")
    variables["S3_TLS_CA_CHAIN"] = "[]"  # the example's certificate is none that OpenSSL could read
    seen = project.ask(WHAT_LIBRARIES_SEE, variables, python=python)
    assert seen == {
        "broker": ["amqp", "rabbitmq-k8s-endpoints.shop.svc.cluster.local", 5672, "notes", "/"],
        "bucket": "notes",
        "location": "media",
        "endpoint": "http://minio.shop:9000",
        "style": "path",
        "url": "http://minio.shop:9000/notes/media/a.txt",
        "mongo": [variables["MONGODB_DB_CONNECT_STRING"], "notes"],
    }
