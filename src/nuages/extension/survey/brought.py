"""What brings a program into the rock: its base, staged packages, packages of Python, parts of the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from nuages.contract.bases import EXTENSION
from nuages.extension.django.findings import Findings
from nuages.extension.in_rock import IN_BARE, IN_UBUNTU, PACKAGES, SCRIPTS
from nuages.extension.load import Value
from nuages.extension.survey.fit import opaque
from nuages.extension.survey.sources import Survey

COMMANDS = {
    "arq": "arq",
    "circusd": "circus",
    "ddtrace-run": "ddtrace",
    "django-admin": "django",
    "django-admin.py": "django",
    "flask": "flask",
    "honcho": "honcho",
    "newrelic-admin": "newrelic",
    "opentelemetry-instrument": "opentelemetry-distro",
    "scrapyd": "scrapyd",
    "supervisord": "supervisor",
    "taskiq": "taskiq",
    "uwsgi": "uwsgi",
    "watchmedo": "watchdog",
}
"""More commands of packages, whose names say nothing of it."""

PLACES = ("/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/local/sbin")
"""Where a rock's programs are."""


class Lack(NamedTuple):
    """Why a command cannot work."""

    code: str
    why: str
    fix: str
    severity: str = ""


def unbrought(survey: Survey, path: str) -> Lack | None:
    """Say whether nothing brings a file from outside the folders of programs; parts of the user's own may."""
    if any(_brings_files(survey, part, entry) for part, entry in _parts(survey)):
        return None
    why = f"nothing puts {path} into the rock: it has {survey.layout.app}, the packages of Python, and Ubuntu's"
    return Lack("missing-program", why, f"name a file in {survey.layout.app}, or bring it with a part of its own")


def missing(survey: Survey, findings: Findings, program: str) -> Lack | None:
    """Say whether nothing is known to bring a program: the base, a staged package, a package of Python, a part."""
    bare = survey.rock is not None and survey.rock.get("base") == "bare"
    known = PACKAGES.get(program, "")
    if (
        program in IN_BARE
        or (program in IN_UBUNTU and not bare)
        or program in (survey.commands or ())
        or _stages(survey, program, known)
        or any(_brings_files(survey, part, entry) for part, entry in _parts(survey))
        or (survey.commands is None and not known and _may_bring(survey, findings, program))
    ):
        return None
    fix = f"write `stage-packages: [{known or 'PACKAGE'}]` in a part"
    if survey.commands is not None or known:
        return Lack("missing-program", f"{program} is in no rock by itself, and nothing brings it", fix)
    why = f"{program} is in no rock by itself, and no package of {findings.requirements.file} is known to bring it"
    fix = f"{fix}, or `nuages check --evaluate`, which looks into the packages"
    return Lack("missing-program", why, fix, "warning")


def _stages(survey: Survey, program: str, known: str) -> bool:
    """Whether a staged package brings a program, or may: libraries bring none."""
    staged = {str(name).partition("_")[0] for _, entry in _parts(survey) for name in _staged(entry)}
    if {program, known} & staged:
        return True
    return not known and any(not name.startswith("lib") for name in staged - {"ca-certificates"})


def _may_bring(survey: Survey, findings: Findings, program: str) -> bool:
    """Whether a package of the requirements may bring a program: by its name, or unseen."""
    requirements = findings.requirements
    if requirements.kind == "none" or opaque(survey):
        return True
    package = COMMANDS.get(program)
    if package:
        return requirements.has(package) is not None
    plain = re.sub(r"[^a-z0-9]", "", program.lower())
    names = [re.sub(r"[^a-z0-9]", "", item.name.lower()) for item in requirements.packages]
    return any(plain in name or name in plain for name in names if name)


def _parts(survey: Survey) -> Iterator[tuple[str, dict[str, Value]]]:
    for part, entry in survey.rock.mapping("parts").items() if survey.rock else ():
        if isinstance(entry, dict):
            yield part, entry


def _staged(entry: dict[str, Value]) -> list[Value]:
    found: list[Value] = []
    for key in ("stage-packages", "overlay-packages", "stage-snaps"):
        value = entry.get(key)
        found += value if isinstance(value, list) else []
    return found


def _brings_files(survey: Survey, part: str, entry: dict[str, Value]) -> bool:
    """Whether a part puts files of its own anywhere: it is built, scripted, or organizes beyond the application."""
    organize = entry.get("organize")
    targets = organize.values() if isinstance(organize, dict) else ()
    own = survey.layout.app[1:]
    if any(not str(target).lstrip("/").startswith(own) for target in targets):
        return True
    if part.startswith(f"{EXTENSION}{survey.layout.separator}"):
        return any(key in entry for key in ("override-build", "override-stage", "override-prime", "overlay-script"))
    built = entry.get("plugin", "nil") != "nil" or bool(entry.get("source"))
    return built or any(key in entry for key in SCRIPTS) or "stage-snaps" in entry
