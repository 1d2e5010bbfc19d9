"""Settings: the database is the charm's; without one, a file, with which migrations are written."""

import contextlib
import os
from pathlib import Path

with contextlib.suppress(ImportError):
    import pymysql

    pymysql.install_as_MySQLdb()

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-for-a-laptop")
ROOT_URLCONF = "orm.urls"
WSGI_APPLICATION = "orm.wsgi.application"
INSTALLED_APPS = ["suite", "django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
TEST_RUNNER = "suite.runner.InPlace"

if "DJANGO_BASE_URL" in os.environ:
    import charm_settings

    charm_settings.update(globals())
