"""A new Django project with everything: one application, a test, settings that read the charm's variables."""

from __future__ import annotations

from nuages.extension.scaffold import new_texts as texts
from nuages.extension.scaffold.documents import CHARM_REQUIREMENTS, title
from nuages.extension.scaffold.planned import Planned

DJANGO = "Django~=5.2.0"
"""Of long-term support, and fit for every base and for the database charms."""


def new_project(name: str, helper: str) -> tuple[Planned, ...]:
    """Return the files of a new project; `name` is fit for a charm, `helper` the text of charm_settings.py."""
    package = name.replace("-", "_")
    cls = "".join(part.capitalize() for part in name.split("-"))
    shown = title(name)
    files = {
        "rockcraft.yaml": (texts.ROCK.format(name=name, title=shown), "how the application is built"),
        "requirements.txt": (f"{DJANGO}\npsycopg[binary]~=3.2\nwhitenoise~=6.9\n", "what is installed"),
        "charm/charmcraft.yaml": (texts.CHARMCRAFT.format(name=name, title=shown), "what it needs: options, relations"),
        "charm/src/charm.py": (texts.CHARM.format(title=shown, cls=cls), "the charm"),
        "charm/requirements.txt": (CHARM_REQUIREMENTS, "what the charm's own code imports"),
        ".gitignore": (texts.IGNORED, ""),
        f"{package}/manage.py": (texts.MANAGE.format(package=package), "Django's command line"),
        f"{package}/charm_settings.py": (helper, "Django settings from the charm's variables"),
        f"{package}/{package}/__init__.py": ("", ""),
        f"{package}/{package}/settings.py": (texts.SETTINGS.format(package=package), "settings"),
        f"{package}/{package}/urls.py": (texts.URLS, ""),
        f"{package}/{package}/wsgi.py": (
            texts.SERVER.format(package=package, kind="wsgi", upper="WSGI"),
            "what is served",
        ),
        f"{package}/{package}/asgi.py": (texts.SERVER.format(package=package, kind="asgi", upper="ASGI"), ""),
        f"{package}/guestbook/__init__.py": ("", ""),
        f"{package}/guestbook/admin.py": (texts.ADMIN, ""),
        f"{package}/guestbook/models.py": (texts.MODELS, "an application to start from"),
        f"{package}/guestbook/views.py": (texts.VIEWS, ""),
        f"{package}/guestbook/urls.py": (texts.APP_URLS, ""),
        f"{package}/guestbook/tests.py": (texts.TESTS, "its tests"),
        f"{package}/guestbook/migrations/__init__.py": ("", ""),
        f"{package}/guestbook/migrations/0001_initial.py": (texts.MIGRATION, ""),
        f"{package}/guestbook/templates/guestbook/entry_form.html": (texts.TEMPLATE.format(title=shown), ""),
        f"{package}/guestbook/static/guestbook/style.css": ("body { font-family: sans-serif; margin: 2rem; }\n", ""),
    }
    programs = ("manage.py", "charm.py")
    return tuple(Planned(path, text, why, executable=path.endswith(programs)) for path, (text, why) in files.items())
