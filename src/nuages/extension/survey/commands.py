"""Rules on the commands of services in rockcraft.yaml: what they start is there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from nuages.extension.django.celery_apps import find as find_celery
from nuages.extension.django.findings import Findings
from nuages.extension.django.modules import Modules
from nuages.extension.django.processes import celery_app
from nuages.extension.names import nearest
from nuages.extension.problems import Problem
from nuages.extension.survey.brought import PLACES, Lack, missing, unbrought
from nuages.extension.survey.fit import opaque
from nuages.extension.survey.processes import services
from nuages.extension.survey.sources import Survey

PROGRAMS = {
    "celery": ("celery",),
    "rq": ("rq", "django-rq"),
    "rqworker": ("rq", "django-rq"),
    "rqscheduler": ("rq-scheduler",),
    "huey_consumer": ("huey",),
    "huey_consumer.py": ("huey",),
    "dramatiq": ("dramatiq",),
    "daphne": ("daphne",),
    "uvicorn": ("uvicorn",),
    "hypercorn": ("hypercorn",),
    "granian": ("granian",),
    "procrastinate": ("procrastinate",),
}
"""Commands to the packages that bring them."""

DJANGO_COMMANDS = frozenset(
    [
        "check",
        "clearsessions",
        "collectstatic",
        "compilemessages",
        "createcachetable",
        "createsuperuser",
        "changepassword",
        "dbshell",
        "diffsettings",
        "dumpdata",
        "flush",
        "inspectdb",
        "loaddata",
        "makemessages",
        "makemigrations",
        "migrate",
        "optimizemigration",
        "remove_stale_contenttypes",
        "runserver",
        "sendtestemail",
        "shell",
        "showmigrations",
        "sqlflush",
        "sqlmigrate",
        "sqlsequencereset",
        "squashmigrations",
        "startapp",
        "startproject",
        "test",
        "testserver",
    ]
)


def commands(survey: Survey) -> Iterator[Problem]:
    """What a service starts is there."""
    if survey.rock is None or survey.findings is None:
        return
    for name, words in services(survey):
        lack = _lack(survey, survey.findings, name, words)
        if lack:
            path = ("services", name, "command")
            yield survey.of(survey.rock, lack.code, path, lack.why, lack.fix, lack.severity)


def _lack(survey: Survey, findings: Findings, service: str, words: list[str]) -> Lack | None:
    """Return what a command lacks; None when nothing is known to be missing."""
    if not words:
        return Lack("worker-command", "the command is empty", "write what the service runs")
    inside = survey.rock is not None and survey.rock.get("services", service, "working-dir") in (
        None,
        survey.layout.app,
    )
    path, program = posixpath.split(words[0])
    own = _own_file(survey, words[0], inside)
    if own is not None:
        return None if own in survey.tree else _no_file(survey, own)
    if path.startswith("/") and path not in PLACES:
        return unbrought(survey, words[0])
    if program.rstrip("0123456789.") == "python":
        return _python(survey, findings, words, inside=inside)
    if program in PROGRAMS:
        return _without_package(survey, findings, program, program) or _celery(survey, findings, words)
    return None if path and not path.startswith("/") else missing(survey, findings, program)


def _python(survey: Survey, findings: Findings, words: list[str], *, inside: bool) -> Lack | None:
    if words[1:2] == ["-m"] and len(words) > 2:
        module = words[2].partition(".")[0]
        if module in PROGRAMS:
            return _without_package(survey, findings, module, f"module {module}") or _celery(survey, findings, words)
        return _module(survey, findings, words[2])
    script = words[1] if len(words) > 1 else ""
    own = _own_file(survey, script if "/" in script else "./" + script, inside)
    if not script.endswith(".py") or script.startswith("-"):
        return None
    if own is None:
        return unbrought(survey, script) if script.startswith("/") else None
    if own not in survey.tree:
        return _no_file(survey, own)
    manage = own == survey.application + "manage.py" and len(words) > 2
    return _management(survey, findings, words[2]) if manage else None


def _own_file(survey: Survey, path: str, inside: bool) -> str | None:
    """Return the file of the project that a path in the rock is; None when it is none of the application's."""
    app = survey.layout.app + "/"
    if path.startswith(app):
        return survey.application + posixpath.normpath(path[len(app) :])
    relative = not path.startswith("/") and "/" in path
    return survey.application + posixpath.normpath(path) if relative and inside else None


def _no_file(survey: Survey, name: str) -> Lack:
    return Lack("worker-command", f"there is no {survey.prefix}{name}", "name a file of the application's folder")


def _module(survey: Survey, findings: Findings, named: str) -> Lack | None:
    """Say whether a module of the project's own that `python -m` names is missing."""
    modules = Modules(survey.tree, findings.application)
    if _foreign(survey, named.partition(".")[0]) or modules.file(named):
        return None
    folder = survey.application + named.replace(".", "/")
    if survey.tree.is_directory(folder) and f"{folder}/__main__.py" in survey.tree:
        return None
    return Lack("worker-command", f"there is no module {named}", "name a module of the application's folder")


def _without_package(survey: Survey, findings: Findings, program: str, shown: str) -> Lack | None:
    packages = PROGRAMS[program]
    if findings.requirements.kind == "none" or findings.requirements.has(*packages):
        return None
    if survey.commands is not None and program in survey.commands:
        return None
    return Lack(
        "worker-command", f"{shown} is in no package of {findings.requirements.file}", f"add `{packages[0]}` to it"
    )


def _celery(survey: Survey, findings: Findings, words: list[str]) -> Lack | None:
    """Say whether what `celery -A` names has no application; one of a package's own cannot be seen."""
    if "--workdir" in " ".join(words) or opaque(survey):
        return None
    for word, after in zip(words, [*words[1:], ""], strict=True):
        named = after if word in ("-A", "--app") else word.partition("=")[2] if word.startswith("--app=") else ""
        top = named.partition(":")[0].partition(".")[0]
        if not top.isidentifier():
            continue
        modules = Modules(survey.tree, findings.application)
        known = celery_app(modules)
        fix = f"write `-A {known[0]}`" if known else "name the module with the Celery application"
        if _foreign(survey, top):
            if not findings.requirements.has(top.replace("_", "-")):
                return Lack("worker-command", f"there is no module {top} for celery -A {named}", fix)
        elif find_celery(modules, named) is False:
            return Lack("celery-app", f"celery -A {named} finds no Celery application there", fix)
    return None


def _management(survey: Survey, findings: Findings, command: str) -> Lack | None:
    """Say whether a management command is missing; commands of third-party packages cannot be seen."""
    apps = findings.settings.literals.get("INSTALLED_APPS") if findings.settings else None
    foreign = not isinstance(apps, list) or any(_foreign(survey, str(app)) for app in apps)  # type: ignore[reportUnknownArgumentType]
    ours = {
        name.rpartition("/")[2].removesuffix(".py") for name in survey.tree.names if "/management/commands/" in name
    }
    if command in DJANGO_COMMANDS or command in ours or command.startswith("-") or foreign:
        return None
    hint = nearest(command, {*ours, *DJANGO_COMMANDS} - {"__init__"})
    return Lack(
        "worker-command",
        f"there is no management command {command}{hint}",
        f"write it: APP/management/commands/{command}.py",
    )


def _foreign(survey: Survey, app: str) -> bool:
    if app.startswith("django."):
        return False
    path = survey.application + app.partition(".")[0]
    return not survey.tree.is_directory(path) and f"{path}.py" not in survey.tree


RULES = (commands,)
