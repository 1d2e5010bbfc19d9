"""What to call the application: charm, rock and model have one name."""

from __future__ import annotations

from nuages.extension.django import toml
from nuages.extension.django.findings import Choice, Place
from nuages.extension.django.tree import Tree
from nuages.extension.names import slug

_GENERAL = (
    "app", "apps", "backend", "base", "conf", "config", "core", "django", "django-app", "django-project", "main",
    "project", "server", "settings", "site", "src", "web", "website", "code",
)  # fmt: skip
"""Names that say nothing about a project."""


def choose_name(
    tree: Tree, folder: str, *, application: str, package: str, place: Place, apps: tuple[str, ...]
) -> Choice:
    """Return the application's name.

    Rockcraft's convention first (NAME/NAME/wsgi.py), then the package, pyproject.toml, the directory's own name, the
    first of the project's own `apps`.
    """
    if application and application == package:
        return Choice(fit(package), place, f"the project is in {package}/{package}/, where rockcraft looks for it")
    text = tree.text("pyproject.toml")
    document = toml.load(text)
    declared = toml.table(document, "project").get("name") or toml.table(document, "tool", "poetry").get("name")
    top = package.partition(".")[0]
    if top and fit(top) not in _GENERAL:
        return Choice(fit(top), place, "the name of the package with the settings")
    if isinstance(declared, str) and fit(declared) not in _GENERAL:
        return Choice(
            fit(declared), Place("pyproject.toml", toml.line_of(text, "name", declared)), "its name in pyproject.toml"
        )
    if fit(folder) not in ("", *_GENERAL):
        return Choice(fit(folder), Place(""), "the name of the directory")
    own = [app for app in apps if fit(app) not in _GENERAL]
    if own:
        return Choice(fit(own[0]), place, "its first application; package and directory have general names")
    return Choice(fit(top or folder) or "site", place, "nothing in the project has a name that says more")


def fit(name: str) -> str:
    """Return the nearest name that a charm and a rock can have: lower case, digits, single hyphens, a letter first."""
    text = slug(name)
    return text if not text or text[0].isalpha() else f"app-{text}"
