"""Settings: what suits a laptop first, then what the charm says, by charm_settings beside manage.py."""

import os
from pathlib import Path

import charm_settings

BASE_DIR = Path(__file__).resolve().parent.parent

CHARMED = "DJANGO_BASE_URL" in os.environ
"""The charm always sets the base URL; without it this runs from a checkout."""

DEBUG = not CHARMED
SECRET_KEY = "" if CHARMED else "only-for-a-laptop"
ALLOWED_HOSTS: list[str] = []
OUTSIDE = os.environ.get("DJANGO_OUTSIDE", "")

INSTALLED_APPS = [
    "trips",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "full.urls"
WSGI_APPLICATION = "full.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DATABASE_ROUTERS = ["trips.router.Router"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_COOKIE_NAME = "full_sessionid"
CSRF_COOKIE_NAME = "full_csrftoken"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# The rock runs no collectstatic: WhiteNoise serves the files from where the apps have them.
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

charm_settings.update(globals())
# The documents are read with pymongo, not as models.
DATABASES.pop("mongodb", None)
CACHES.setdefault("valkey", CACHES["default"])
DATABASES.setdefault("mysql", {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "second.sqlite3"})

CELERY_TASK_DEFAULT_QUEUE = "full"
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {"tick": {"task": "trips.tasks.tick", "schedule": 5.0}}
# The home is the one folder that services may write to.
CELERY_BEAT_SCHEDULE_FILENAME = str(Path("~/celerybeat-schedule").expanduser())
