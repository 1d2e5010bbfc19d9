"""create-superuser with real Django projects, as they are in the wild: the commands run here instead of in a rock."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from nuages.charm import actions
from nuages.charm.workload import Container, Result
from nuages.contract import layout
from tests.charm.made import facts, workload

SETTINGS = """
from pathlib import Path

SECRET_KEY = "x"
INSTALLED_APPS = ["people", "django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parent / DATABASE}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MANAGE = """
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
execute_from_command_line(sys.argv)
"""
EMAIL_ONLY = """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Manager(BaseUserManager):
    def create_superuser(self, email, password):
        user = self.model(email=self.normalize_email(email))
        user.set_password(password)
        user.save()
        return user


class Person(AbstractBaseUser):
    email = models.EmailField(unique=True)
    USERNAME_FIELD = "email"
    objects = Manager()
"""
REPLACED = """
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    {body}
"""
NO_NOINPUT = REPLACED.format(body="def handle(self, *args, **options):\n        raise AssertionError")
NOBODY = REPLACED.format(
    body="""def add_arguments(self, parser):
        parser.add_argument("--noinput", action="store_true")

    def handle(self, *args, **options):
        self.stdout.write("Accounts come from the directory server.")
"""
)
PARAMS = {"username": "ana", "email": "ana@example.com"}


class Local:
    """The container, but its Python is the one that runs the tests, and its application is a folder."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: str | None = None,
        user: str = "",
        directory: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        places = {layout.PYTHON: sys.executable, layout.CLASSIC.app: str(self.project)}
        done = subprocess.run(
            [places.get(word, word) for word in command],
            input=stdin,
            cwd=places[directory],
            env={"PATH": os.environ["PATH"], **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Result(done.returncode, done.stdout, done.stderr)


def project(folder: Path, *, models: str = "", command: str = "", settings: str = "site_settings") -> Local:
    """Write a project, and migrate it."""
    (folder / "people" / "management" / "commands").mkdir(parents=True)
    for package in ("people", "people/management", "people/management/commands"):
        (folder / package / "__init__.py").write_text("")
    (folder / "manage.py").write_text(MANAGE)
    user = 'AUTH_USER_MODEL = "people.Person"\n' if models else ""
    for name in {"site_settings", settings}:
        (folder / f"{name}.py").write_text(f'DATABASE = "{name}.sqlite3"\n' + SETTINGS + user)
    (folder / "people" / "models.py").write_text(models)
    if command:
        (folder / "people" / "management" / "commands" / "createsuperuser.py").write_text(command)
    local = Local(folder)
    where = {"directory": layout.CLASSIC.app, "environment": {"DJANGO_SETTINGS_MODULE": settings}}
    migrated = local.run((layout.PYTHON, "manage.py", "migrate", "--run-syncdb"), **cast("dict[str, Any]", where))
    assert migrated.code == 0, migrated.error
    return local


def create(local: Local, environment: Mapping[str, str] | None = None, **params: str) -> str:
    web = {"command": "gunicorn", "environment": dict(environment or {})}
    now = facts(workload=workload(services={"django": web}, states={"django": "active"}))
    return actions.create_superuser(cast("Container", local), now, {**PARAMS, **params})


def accepted(local: Local, password: str, settings: str = "site_settings") -> bool:
    """Whether the account is there and takes the password, asked in Django's own words."""
    code = (
        "from django.contrib.auth import get_user_model as m\n"
        "import os; print('yes' if any(u.check_password(os.environ['P']) for u in m().objects.all()) else 'no')"
    )
    environment = {"DJANGO_SETTINGS_MODULE": settings, "P": password}
    command = (layout.PYTHON, "manage.py", "shell", "-v", "0", "-c", code)
    done = local.run(command, directory=layout.CLASSIC.app, environment=environment)
    assert done.code == 0, done.error
    return done.output.split()[-1] == "yes"


def test_the_stock_command(tmp_path: Path) -> None:
    local = project(tmp_path)
    password = create(local)
    assert accepted(local, password)
    with pytest.raises(actions.Refused, match="there is a user ana already; its password was not touched"):
        create(local)
    assert accepted(local, password)


def test_a_user_model_with_email_only(tmp_path: Path) -> None:
    local = project(tmp_path, models=EMAIL_ONLY)
    assert accepted(local, create(local))
    with pytest.raises(
        actions.Refused, match=r"user ana@example\.com already(?s:.*)another email(?s:.*) ana@example\.com$"
    ):
        create(local, username="somebody-else")


def test_a_command_without_noinput_is_told_with_its_own_words(tmp_path: Path) -> None:
    local = project(tmp_path, command=NO_NOINPUT)
    with pytest.raises(actions.Refused, match=r"cannot create the user: .*unrecognized arguments: --noinput"):
        create(local)


def test_a_command_that_creates_nobody_is_told_with_its_own_words(tmp_path: Path) -> None:
    local = project(tmp_path, command=NOBODY)
    with pytest.raises(actions.Refused, match=r"it says Accounts come from the directory server\."):
        create(local)


def test_the_settings_of_the_option_are_those_of_the_account(tmp_path: Path) -> None:
    """An option settings-module becomes DJANGO_SETTINGS_MODULE of the web service, whose environment actions take."""
    local = project(tmp_path, settings="production")
    password = create(local, {"DJANGO_SETTINGS_MODULE": "production"})
    assert accepted(local, password, "production")
    assert (tmp_path / "production.sqlite3").is_file()
    assert not (tmp_path / "site_settings.sqlite3").exists()
