"""`nuages init --new`: whether a project of that name can be made, and its files."""

from __future__ import annotations

import keyword
import sys
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.build.init import HELPER, NAME
from nuages.extension.names import slug
from nuages.extension.scaffold.new import new_project
from nuages.extension.scaffold.planned import Planned

_TAKEN = ("django", "guestbook", "whitenoise", "psycopg", "gunicorn", "charm", "charm_settings", "test", "site")


def package(name: str) -> str:
    """Return the Python package of a project: `my-site` is my_site."""
    return name.replace("-", "_")


def plan(parent: Path, name: str) -> tuple[Planned, ...]:
    """Return the files of a new project.

    Raises:
        BuildError: the name cannot be used, or there is something of that name.
    """
    wanted = slug(name)
    if not NAME.fullmatch(name) or len(name) > 40:
        example = wanted if NAME.fullmatch(wanted) else "my-site"
        raise BuildError(
            f"cannot make a project {name!r}: a name has lower-case letters, digits and single hyphens, 40 at most",
            fix=f"nuages init --new {example}",
        )
    module = package(name)
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module in _TAKEN:
        raise BuildError(
            f"cannot make a project {name!r}: Python has a module of that name", fix=f"nuages init --new {name}-site"
        )
    root = parent / name
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BuildError(
            f"cannot make a project in {root}: there is something of that name",
            fix=f"another name, or for a Django project that is there: nuages init {root}",
        )
    return new_project(name, HELPER.read_text())
