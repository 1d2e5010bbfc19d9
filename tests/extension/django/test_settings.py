"""What settings read, from which variables and in which format; what is written out."""

# ruff: noqa: E501 -- a whole file on one line reads best beside what it gives

import pytest

from nuages.contract.endpoints import POSTGRESQL
from nuages.extension.django.aliases import alias_of
from tests.extension.django.trees import codes, found, manage, project, remark


def reads(text, **more):
    findings = found(project(text, **more))
    assert findings.settings
    return findings.settings.variables()


@pytest.mark.parametrize(
    ("line", "name", "kind", "required", "default"),
    [
        ('X = os.environ["A"]', "A", "text", True, None),
        ('X = os.environ.get("A")', "A", "text", False, None),
        ('X = os.getenv("A", "b")', "A", "text", False, "b"),
        ('X = int(os.environ.get("A", "3"))', "A", "integer", False, "3"),
        ('X = json.loads(os.environ["A"])', "A", "json", True, None),
        ('X = os.environ.get("A", "").split(",")', "A", "commas", False, ""),
        ('X = os.environ.get("A", "").split()', "A", "blanks", False, ""),
        ('X = [h.strip() for h in os.environ["A"].split(",")]', "A", "commas", True, None),
        ('X = os.environ.get("A") == "true"', "A", "boolean", False, None),
        ('env = environ.Env()\nX = env("A")', "A", "text", True, None),
        ('env = environ.Env(A=(bool, False))\nX = env("A")', "A", "boolean", False, "False"),
        ('env = environ.Env()\nX = env.list("A", default=[])', "A", "commas", False, "..."),
        ("env = environ.Env()\nX = env.db()", "DATABASE_URL", "database-url", True, None),
        ('env = environ.Env()\nX = env.db("A", default=f"sqlite:///{B}")', "A", "database-url", False, "sqlite:///..."),
        ('env = environ.Env()\nX = env.cache("A")', "A", "cache-url", True, None),
        ("X = dj_database_url.config(conn_max_age=60)", "DATABASE_URL", "database-url", False, None),
        ('X = dj_database_url.parse(os.environ["A"])', "A", "database-url", True, None),
        ('X = config("A", default=5, cast=int)', "A", "integer", False, "5"),
        ('X = config("A", cast=Csv())', "A", "commas", True, None),
        ('X = config("A", cast=bool)', "A", "boolean", True, None),
        (
            'def get(name, default=None):\n    return os.environ.get(name, default)\nX = get("A", "b")',
            "A",
            "text",
            False,
            "b",
        ),
        ('if "A" in os.environ:\n    pass', "A", "text", False, None),
    ],
)
def test_readers(line, name, kind, required, default):
    (read,) = reads(line + "\n").values()
    assert (read.name, read.kind, read.required, read.default) == (name, kind, required, default)


@pytest.mark.parametrize(
    ("line", "true", "false"),
    [
        ('DEBUG = os.environ.get("D") == "True"', "True", "False"),
        ('DEBUG = os.environ.get("D", "").lower() in ("yes", "1")', "yes", "false"),
        ('DEBUG = os.environ.get("D") == "1"', "1", "0"),
        ('DEBUG = bool(int(os.environ.get("D", "0")))', "1", "0"),
        ('DEBUG = bool(os.environ.get("D"))', "1", ""),
        ('env = environ.Env()\nDEBUG = env.bool("D")', "true", "false"),
    ],
)
def test_what_a_boolean_is_written_as(line, true, false):
    read = reads(line + "\n")["D"]
    alias = alias_of(read, POSTGRESQL)
    assert alias and (alias.form, read.true, read.false) == ("boolean", true, false)


def test_stars_are_followed_in_order_and_the_last_word_wins():
    files = project(**{
        "site_one/settings/__init__.py": "",
        "site_one/settings/base.py": 'DEBUG = True\nSECRET_KEY = "x"\nINSTALLED_APPS = ["a"]\n',
        "site_one/settings/live.py": 'from .base import *\nDEBUG = False\nINSTALLED_APPS += ["b"]\n',
    })  # fmt: skip
    del files["site_one/settings.py"]
    files["manage.py"] = manage("site_one.settings.live")
    files["site_one/wsgi.py"] = files["site_one/wsgi.py"].replace("site_one.settings", "site_one.settings.live")
    findings = found(files)
    settings = findings.settings
    assert settings and settings.files == ("site_one/settings/live.py", "site_one/settings/base.py")
    assert settings.literals["DEBUG"] is False
    assert settings.literals["INSTALLED_APPS"] == ["a", "b"]
    assert "debug" not in codes(findings)
    assert str(remark(findings, "public-key").place) == "site_one/settings/base.py:2"


@pytest.mark.parametrize(
    ("name", "setting", "source"),
    [
        ("DATABASE_URL", "DATABASES", "POSTGRESQL_DB_CONNECT_STRING"),
        ("POSTGRES_HOST", "", "POSTGRESQL_DB_HOSTNAME"),
        ("PGUSER", "", "POSTGRESQL_DB_USERNAME"),
        ("SHOP_DB_PASSWORD", "", "POSTGRESQL_DB_PASSWORD"),
        ("DB_PORT", "", "POSTGRESQL_DB_PORT"),
        ("POSTGRES_DB", "", "POSTGRESQL_DB_NAME"),
        ("SECRET_KEY", "SECRET_KEY", "DJANGO_SECRET_KEY"),
        ("REDIS_URL", "", "REDIS_DB_CONNECT_STRING"),
        ("CELERY_BROKER_URL", "", "REDIS_DB_CONNECT_STRING"),
        ("EMAIL_HOST_PASSWORD", "", "SMTP_PASSWORD"),
        ("DJANGO_EMAIL_HOST", "", "SMTP_HOST"),
        ("AWS_STORAGE_BUCKET_NAME", "", "S3_BUCKET"),
        ("SITE_URL", "", "DJANGO_BASE_URL"),
    ],
)
def test_names_of_their_own(name, setting, source):
    read = reads(f'{setting or "X"} = os.environ["{name}"]\n')[name]
    alias = alias_of(read, POSTGRESQL)
    assert alias and (alias.source, alias.form) == (source, "text")


def test_an_amqp_default_is_rabbitmq_and_a_file_queue_is_left_alone():
    found_ = reads(
        'X = os.getenv("BROKER_URL", "amqp://localhost")\nY = os.getenv("CELERY_BROKER_URL", "filesystem://")\n'
    )
    alias = alias_of(found_["BROKER_URL"], POSTGRESQL)
    assert alias and alias.source == "RABBITMQ_CONNECT_STRING"
    assert alias_of(found_["CELERY_BROKER_URL"], POSTGRESQL) is None


def test_the_charm_s_own_names_need_no_bridge():
    text = (
        'DEBUG = os.environ.get("DJANGO_DEBUG") == "true"\nSECRET_KEY = os.environ["DJANGO_SECRET_KEY"]\n'
        'ALLOWED_HOSTS = json.loads(os.environ["DJANGO_ALLOWED_HOSTS"])\n'
        'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["POSTGRESQL_DB_NAME"]}}\n'
        'MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]\n'
    )
    findings = found(project(text))
    assert findings.remarks == ()
    assert [alias_of(read, POSTGRESQL) for read in findings.settings.reads] == [None] * 4


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("DEBUG = True\n", "debug", 3),
        ('DEBUG = os.environ.get("DEBUG", "1") == "1"\n', "debug", 3),
        ('SECRET_KEY = "x"\n', "public-key", 3),
        ('SECRET_KEY = os.environ.get("SECRET_KEY", "x")\n', "public-key", 3),
        ('SECRET_KEY = os.environ["SECRET_KEY"]\n', "key", 3),
        ("SECRET_KEY = made_up()\n", "key", 3),
        ('DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}\n', "sqlite", 3),
        ('DATABASES = {"default": dj_database_url.config(default="sqlite:///x")}\n', "sqlite", 3),
        ('DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "db"}}\n', "database", 3),
        ('ALLOWED_HOSTS = ["example.com"]\n', "hosts", 3),
        ('ALLOWED_HOSTS = os.environ["DJANGO_ALLOWED_HOSTS"].split(",")\n', "hosts-format", 3),
        ('DEBUG = os.environ.get("DJANGO_DEBUG") == "1"\n', "debug-format", 3),
        ("SECURE_SSL_REDIRECT = True\n", "https-redirect", 3),
        ('STATICFILES_STORAGE = "whitenoise.storage.CompressedManifestStaticFilesStorage"\n'
         'MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]\n', "manifest", 3),
        ("STATIC_URL = 'x'\n", "static", 3),
    ],
)  # fmt: skip
def test_why_it_is_not_ready(text, code, line):
    told = remark(found(project(text)), code)
    assert (told.kind, told.bridged, told.place) == ("risk", True, ("site_one/settings.py", line))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DEBUG = False\n", "debug"),
        ('DEBUG = os.environ.get("DEBUG", "") == "1"\n', "debug"),
        ('DEBUG = os.environ.get("DJANGO_DEBUG") == "true"\n', "debug-format"),
        ("SECURE_SSL_REDIRECT = False\n", "https-redirect"),
        ('ALLOWED_HOSTS = json.loads(os.environ["DJANGO_ALLOWED_HOSTS"])\n', "hosts"),
        ('ALLOWED_HOSTS = json.loads(os.environ["DJANGO_ALLOWED_HOSTS"])\n', "hosts-format"),
        ('X = os.environ["POSTGRESQL_DB_NAME"]\n', "sqlite"),
        ('SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "x")\n', "public-key"),
        ('STATICFILES_STORAGE = "storages.backends.s3.S3Storage"\n', "static"),
    ],
)
def test_near_misses(text, code):
    assert code not in codes(found(project(text)))


def test_a_key_that_other_settings_are_made_from_cannot_be_bridged():
    told = remark(found(project('SECRET_KEY = "x"\nSIMPLE_JWT = {"SIGNING_KEY": SECRET_KEY}\n')), "key-used")
    assert (told.kind, told.bridged) == ("decide", False)


def test_development_settings_in_force_beside_production_ones():
    files = project(
        **{
            "site_one/production.py": 'import os\nSECRET_KEY = os.environ["SECRET_KEY"]\n',
            "site_one/development.py": "DEBUG = True\n",
        }
    )
    for name in ("manage.py", "site_one/wsgi.py"):
        files[name] = files[name].replace("site_one.settings", "site_one.development")
    findings = found(files)
    assert findings.settings and findings.settings.module == "site_one.development"
    assert findings.production and findings.production.module == "site_one.production"
    assert {"development", "debug"} <= codes(findings, "risk")


@pytest.mark.parametrize(
    ("text", "more", "required", "exists", "last"),
    [
        ("from .local_settings import *\n", {"site_one/local_settings.py.example": ""}, True, False, True),
        ("try:\n    from .local_settings import *\nexcept ImportError:\n    pass\n", {}, False, False, True),
        ("from . import configuration\nDEBUG = configuration.DEBUG\n", {"site_one/configuration_example.py": ""}, True, False, False),
        ("from .local import *\n", {"site_one/local.py": "", ".gitignore": "local.py\n"}, True, True, True),
        ("from .local_settings import *\nDEBUG = False\n", {"site_one/local_settings.py.dist": ""}, True, False, False),
    ],
)  # fmt: skip
def test_the_hook_that_a_project_leaves_to_others(text, more, required, exists, last):
    hook = found(project(text, **more)).settings.hook
    assert hook and (hook.required, hook.exists, hook.last) == (required, exists, last)


@pytest.mark.parametrize("text", ["import os\n", "from .base import *\n", "from django.conf import global_settings\n"])
def test_what_is_no_hook(text):
    assert found(project(text, **{"site_one/base.py": ""})).settings.hook is None


def test_options_from_variables():
    text = (
        'GREETING = os.environ.get("DJANGO_GREETING", "Hi")\nSIZE = int(os.environ.get("DJANGO_PAGE_SIZE", "10"))\n'
        'TOKEN = os.environ["PAYMENT_TOKEN"]\nREGION = os.environ["REGION"]\nFLAG = os.environ.get("FLAG", "")\n'
        'CHAT = env.bool("DJANGO_CHAT", default=False)\n'
    )
    options = {option.name: option for option in found(project(text)).options}
    assert (options["greeting"].type, options["greeting"].default) == ("string", "Hi")
    assert (options["page-size"].type, options["page-size"].default) == ("int", 10)
    assert (options["chat"].type, options["chat"].default) == ("boolean", False)
    payment = options["payment"]
    assert (payment.type, payment.key, payment.variable, payment.required) == (
        "secret",
        "token",
        "DJANGO_PAYMENT_TOKEN",
        True,
    )
    assert "flag" not in options
    assert "FLAG" in remark(found(project(text)), "variables").text


def test_any_python_is_read_without_running_it():
    text = "import os\nos.remove('/')\n" + "X = " + "(" * 50 + "1" + ")" * 50 + "\n" + "def f(:\n"
    findings = found(project(text))
    assert findings.settings and findings.settings.reads == ()


def test_uploads_need_a_place_that_is_not_the_rock():
    files = project('from pathlib import Path\nMEDIA_ROOT = Path(__file__).parent / "media"\n')
    findings = found(files)
    assert "s3" in {item.interface for item in findings.integrations if item.optional}
    assert "may not write" in remark(findings, "uploads").text
    assert "uploads" not in codes(found(project()))
