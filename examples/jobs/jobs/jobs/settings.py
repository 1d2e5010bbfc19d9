"""Settings: what the charm says through variables, and what suits a laptop when there is no charm."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent

CHARMED = "DJANGO_BASE_URL" in os.environ
"""The charm always sets the base URL; without it this runs from a checkout."""

DEBUG = os.environ.get("DJANGO_DEBUG", "false" if CHARMED else "true") == "true"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "" if CHARMED else "only-for-a-laptop")
SECRET_KEY_FALLBACKS = json.loads(os.environ.get("DJANGO_SECRET_KEY_FALLBACKS", "[]"))
ALLOWED_HOSTS = json.loads(os.environ.get("DJANGO_ALLOWED_HOSTS", "[]"))

BASE_URL = urlsplit(os.environ.get("DJANGO_BASE_URL", "http://localhost:8000/"))
CSRF_TRUSTED_ORIGINS = json.loads(os.environ.get("DJANGO_CSRF_TRUSTED_ORIGINS", "[]")) or [
    f"{BASE_URL.scheme}://{BASE_URL.netloc}"
]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.scheme == "https"
SESSION_COOKIE_NAME = "jobs_sessionid"
CSRF_COOKIE_NAME = "jobs_csrftoken"

MOTTO = os.environ.get("DJANGO_MOTTO", "Later is soon")
EVERY = int(os.environ.get("DJANGO_EVERY", "60"))

INSTALLED_APPS = [
    "tasks",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "jobs.urls"
WSGI_APPLICATION = "jobs.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

if "POSTGRESQL_DB_NAME" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["POSTGRESQL_DB_NAME"],
            "USER": os.environ["POSTGRESQL_DB_USERNAME"],
            "PASSWORD": os.environ["POSTGRESQL_DB_PASSWORD"],
            "HOST": os.environ["POSTGRESQL_DB_HOSTNAME"],
            "PORT": os.environ["POSTGRESQL_DB_PORT"],
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    }
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# The rock runs no collectstatic: WhiteNoise serves the files from where the apps have them.
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
