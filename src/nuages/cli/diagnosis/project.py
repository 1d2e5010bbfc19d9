"""What the project's own files add: where its settings are given, which endpoints its charm has. Runs nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nuages.build import rock_project
from nuages.build.probe import Shown
from nuages.cli.diagnosis.observations import Observations
from nuages.errors import NuagesError
from nuages.extension.project import find
from nuages.extension.survey.sources import survey

SETTINGS = (
    "ALLOWED_HOSTS", "CACHES", "CELERY_BROKER_URL", "CSRF_COOKIE_DOMAIN", "CSRF_COOKIE_SECURE", "CSRF_TRUSTED_ORIGINS",
    "DATABASES", "DEBUG", "FORCE_SCRIPT_NAME", "INSTALLED_APPS", "LOGGING", "MIDDLEWARE", "ROOT_URLCONF",
    "SECURE_SSL_REDIRECT", "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_SECURE", "STATICFILES_STORAGE", "STORAGES",
)  # fmt: skip
"""Settings that a finding may name."""


def known(seen: Observations, directory: Path | None) -> Observations:
    """Return the observations with what the project in `directory` says; without one as they are.

    A project that cannot be read is `check`'s business; here it only leaves places unknown, and a note says so.
    """
    if directory is None or not (directory / "rockcraft.yaml").is_file():
        return seen
    try:
        found = survey(directory, find(directory))
        shown = Shown(found, dict(rock_project.read(directory).files()))
        requires = found.project.document.mapping("requires")
    except NuagesError as error:
        return replace(seen, notes=(*seen.notes, f"could not read the project: {error}"))
    settings = found.findings.settings if found.findings else None
    places = [("", *shown.place(settings, ""))] if settings else []
    places += [(name, *shown.place(settings, name)) for name in SETTINGS if settings and name in settings.places]
    inside = seen.inside
    if inside is not None:
        raised = (replace(one, file=shown.file(one.file) if one.file else "") for one in inside.raised)
        inside = replace(inside, raised=tuple(raised))
    application = found.application
    names = (name[len(application) :] for name in found.tree.names if name.startswith(application))
    own = {name.partition("/")[0].removesuffix(".py") for name in names if name.endswith(".py")}
    declared = ((name, str(entry.get("interface"))) for name, entry in requires.items() if isinstance(entry, dict))
    endpoints = {**dict(declared), **dict(seen.endpoints)}
    return replace(
        seen,
        inside=inside,
        places=tuple(places),
        packages=tuple(sorted(own)),
        endpoints=tuple(endpoints.items()),
    )
