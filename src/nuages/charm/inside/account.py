"""Say about the user DJANGO_SUPERUSER_USERNAME: `accepts` the password, `exists` with another one, or is `missing`.

Argument: the application's directory. A user model that knows users by their e-mail only is asked for that; the word
before the answer says which of the two it was.
"""

# Here os.path saves importing pathlib, and what is printed is the answer.
# ruff: noqa: PTH118, PTH123, T201

import importlib
import os
import re
import sys
from typing import Any


def settings_module(directory: str) -> str:
    """Return the settings that manage.py names, unless the environment names others."""
    with open(os.path.join(directory, "manage.py"), encoding="utf-8") as file:
        found = re.search(r"DJANGO_SETTINGS_MODULE[\"']\s*,\s*[\"']([\w.]+)[\"']", file.read())
    if found is None:
        raise SystemExit("manage.py does not name the settings module")
    return found.group(1)


def main() -> None:
    """Print the answer as the last word."""
    directory = sys.argv[1]
    sys.path.insert(0, directory)
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings_module(directory)
    importlib.import_module("django").setup()
    model: Any = importlib.import_module("django.contrib.auth").get_user_model()
    known = "email" if "email" in model.USERNAME_FIELD.lower() else "username"
    name = os.environ[f"DJANGO_SUPERUSER_{known.upper()}"]
    user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    if user is None:
        print(known, "missing")
    else:
        print(known, "accepts" if user.check_password(os.environ["DJANGO_SUPERUSER_PASSWORD"]) else "exists")


main()
