"""A new Django project with everything: one application, a test, settings that read the charm's variables."""

from __future__ import annotations

from nuages.extension.scaffold.documents import CHARM_REQUIREMENTS, title
from nuages.extension.scaffold.planned import Planned

DJANGO = "Django~=5.2.0"
"""Of long-term support, and fit for every base and for the database charms."""

_SETTINGS = '''\
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

_URLS = '''\
"""Which view answers at which path."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("guestbook.urls")),
]
'''

_SERVER = '''\
"""The {upper} application."""

import os

from django.core.{kind} import get_{kind}_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{package}.settings")

application = get_{kind}_application()
'''

_MANAGE = '''\
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

_MODELS = '''\
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

_MIGRATION = '''\
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

_ADMIN = '''\
"""What /admin/ shows."""

from django.contrib import admin

from guestbook.models import Entry

admin.site.register(Entry)
'''

_VIEWS = '''\
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

_APP_URLS = '''\
"""Which view answers at which path."""

from django.urls import path

from guestbook.views import Book

urlpatterns = [path("", Book.as_view())]
'''

_TEMPLATE = """\
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

_TESTS = '''\
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

_ROCK = """\
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

_CHARMCRAFT = """\
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

_CHARM = '''\
#!/usr/bin/env python3
"""The charm of {title}."""

import ops

import nuages.charm


class {cls}Charm(nuages.charm.DjangoCharm):
    """Everything a Django application needs is in the class above it."""


if __name__ == "__main__":
    ops.main({cls}Charm)
'''

_IGNORED = """\
*.sqlite3
*.charm
*.rock
__pycache__/
.venv/
"""


def new_project(name: str, helper: str) -> tuple[Planned, ...]:
    """Return the files of a new project; `name` is fit for a charm, `helper` the text of charm_settings.py."""
    package = name.replace("-", "_")
    cls = "".join(part.capitalize() for part in name.split("-"))
    shown = title(name)
    texts = {
        "rockcraft.yaml": (_ROCK.format(name=name, title=shown), "how the application is built"),
        "requirements.txt": (f"{DJANGO}\npsycopg[binary]~=3.2\nwhitenoise~=6.9\n", "what is installed"),
        "charm/charmcraft.yaml": (_CHARMCRAFT.format(name=name, title=shown), "what it needs: options, relations"),
        "charm/src/charm.py": (_CHARM.format(title=shown, cls=cls), "the charm"),
        "charm/requirements.txt": (CHARM_REQUIREMENTS, "what the charm's own code imports"),
        ".gitignore": (_IGNORED, ""),
        f"{package}/manage.py": (_MANAGE.format(package=package), "Django's command line"),
        f"{package}/charm_settings.py": (helper, "Django settings from the charm's variables"),
        f"{package}/{package}/__init__.py": ("", ""),
        f"{package}/{package}/settings.py": (_SETTINGS.format(package=package), "settings"),
        f"{package}/{package}/urls.py": (_URLS, ""),
        f"{package}/{package}/wsgi.py": (_SERVER.format(package=package, kind="wsgi", upper="WSGI"), "what is served"),
        f"{package}/{package}/asgi.py": (_SERVER.format(package=package, kind="asgi", upper="ASGI"), ""),
        f"{package}/guestbook/__init__.py": ("", ""),
        f"{package}/guestbook/admin.py": (_ADMIN, ""),
        f"{package}/guestbook/models.py": (_MODELS, "an application to start from"),
        f"{package}/guestbook/views.py": (_VIEWS, ""),
        f"{package}/guestbook/urls.py": (_APP_URLS, ""),
        f"{package}/guestbook/tests.py": (_TESTS, "its tests"),
        f"{package}/guestbook/migrations/__init__.py": ("", ""),
        f"{package}/guestbook/migrations/0001_initial.py": (_MIGRATION, ""),
        f"{package}/guestbook/templates/guestbook/entry_form.html": (_TEMPLATE.format(title=shown), ""),
        f"{package}/guestbook/static/guestbook/style.css": ("body { font-family: sans-serif; margin: 2rem; }\n", ""),
    }
    programs = ("manage.py", "charm.py")
    return tuple(Planned(path, text, why, executable=path.endswith(programs)) for path, (text, why) in texts.items())
