"""The texts of a new project: templates for `str.format`, or as they are."""

SETTINGS = '''\
"""Settings: those of a laptop, and over them what the charm says."""

from pathlib import Path

import charm_settings

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "only-for-a-laptop"
DEBUG = True
ALLOWED_HOSTS = []

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guestbook",
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

ROOT_URLCONF = "{package}.urls"
WSGI_APPLICATION = "{package}.wsgi.application"

TEMPLATES = [
    {{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {{
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        }},
    }},
]

DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# WhiteNoise serves static files from where the applications have them: nothing has to be collected.
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

# What the charm says wins: key, hosts, database. Without its variables nothing changes.
charm_settings.update(globals())
'''

URLS = '''\
"""Which view answers at which path."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("guestbook.urls")),
]
'''

SERVER = '''\
"""The {upper} application."""

import os

from django.core.{kind} import get_{kind}_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{package}.settings")

application = get_{kind}_application()
'''

MANAGE = '''\
#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    """Run a command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{package}.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
'''

MODELS = '''\
"""What is kept in the database."""

from django.db import models


class Entry(models.Model):
    """One line in the guest book."""

    text = models.CharField(max_length=200)
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-written"]

    def __str__(self) -> str:
        return self.text
'''

MIGRATION = '''\
"""The first table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes the entries."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=200)),
                ("written", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ["-written"]},
        ),
    ]
'''

ADMIN = '''\
"""What /admin/ shows."""

from django.contrib import admin

from guestbook.models import Entry

admin.site.register(Entry)
'''

VIEWS = '''\
"""The pages."""

from django.views.generic import CreateView

from guestbook.models import Entry


class Book(CreateView):
    """Shows what was written, and takes one line more."""

    model = Entry
    fields = ["text"]
    success_url = "/"
    extra_context = {"entries": Entry.objects.all()}
'''

APP_URLS = '''\
"""Which view answers at which path."""

from django.urls import path

from guestbook.views import Book

urlpatterns = [path("", Book.as_view())]
'''

TEMPLATE = """\
{{% load static %}}<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>{title}</title>
  <link rel="stylesheet" href="{{% static 'guestbook/style.css' %}}">
</head>
<body>
  <h1>{title}</h1>
  <form method="post">{{% csrf_token %}}{{{{ form.text }}}} <button>Write</button></form>
  <ul>
    {{% for entry in entries.all %}}<li>{{{{ entry.text }}}}</li>
    {{% empty %}}<li>Nothing was written yet.</li>
    {{% endfor %}}
  </ul>
</body>
</html>
"""

TESTS = '''\
"""Without a charm: on SQLite, with `python manage.py test`."""

from django.test import TestCase

from guestbook.models import Entry


class BookTest(TestCase):
    """What a visitor sees."""

    def test_what_is_written_is_shown(self) -> None:
        self.assertContains(self.client.get("/"), "Nothing was written yet.")
        answer = self.client.post("/", {"text": "Hello"}, follow=True)
        self.assertContains(answer, "Hello")
        self.assertEqual(Entry.objects.count(), 1)

    def test_the_style_is_served(self) -> None:
        self.assertContains(self.client.get("/"), "guestbook/style.css")
'''

ROCK = """\
name: {name}
base: ubuntu@24.04
version: "0.1"
summary: {title}.
description: |
  {title}: a Django application.
platforms:
  amd64:
  arm64:

extensions:
  - django-framework
"""

CHARMCRAFT = """\
name: {name}
type: charm

title: {title}
summary: {title}.
description: |
  {title}: a Django application.

base: ubuntu@24.04
platforms:
  amd64:
  arm64:

extensions:
  - django-framework

requires:
  postgresql:
    interface: postgresql_client
    optional: false
    limit: 1
"""

CHARM = '''\
#!/usr/bin/env python3
"""The charm of {title}."""

import ops

import nuages.charm


class {cls}Charm(nuages.charm.DjangoCharm):
    """Everything a Django application needs is in the class above it."""


if __name__ == "__main__":
    ops.main({cls}Charm)
'''

IGNORED = """\
*.sqlite3
*.charm
*.rock
__pycache__/
.venv/
"""
