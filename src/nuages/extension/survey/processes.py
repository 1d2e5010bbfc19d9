"""Rules on what rockcraft.yaml starts: services, their commands and variables, the migration script."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from nuages.contract.endpoints import BY_NAME as INTERFACES
from nuages.contract.endpoints import prefix_of
from nuages.contract.layout import (
    APP_DIRECTORY,
    MIGRATION_COMMANDS,
    SCHEDULER_SUFFIX,
    STATSD_SERVICE,
    WEB_SERVICE,
)
from nuages.contract.options import variable_of
from nuages.extension.django.findings import Findings, Place
from nuages.extension.names import nearest
from nuages.extension.problems import Problem
from nuages.extension.survey.fit import opaque
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


def services(survey: Survey) -> Iterator[tuple[str, list[str]]]:
    """Yield the services besides the web server, with the words of their commands."""
    entries = survey.rock.mapping("services") if survey.rock else {}
    for name, entry in entries.items():
        command = entry.get("command") if isinstance(entry, dict) else None
        if name in (WEB_SERVICE, STATSD_SERVICE) or not isinstance(command, str):
            continue
        try:
            words = shlex.split(command)
        except ValueError:
            words = command.split()
        yield name, [word for word in words if word not in ("[", "]")]


def commands(survey: Survey) -> Iterator[Problem]:
    """What a service starts is there."""
    if survey.rock is None or survey.findings is None:
        return
    for name, words in services(survey):
        lack = _lack(survey, survey.findings, words)
        if lack:
            yield survey.of(survey.rock, "worker-command", ("services", name, "command"), *lack)


def _lack(survey: Survey, findings: Findings, words: list[str]) -> tuple[str, str] | None:  # noqa: PLR0911  one return for each form
    """Return what a command lacks, and what to do; None when nothing is known to be missing."""
    program = words[0].rpartition("/")[2] if words else ""
    if not words:
        return "the command is empty", "write what the service runs"
    if program.rstrip("0123456789.") == "python" and len(words) > 1:
        if words[1] == "-m" and len(words) > 2:
            module = words[2].partition(".")[0]
            if module not in PROGRAMS:
                return None
            return _without_package(findings, module, f"module {module}") or _celery(survey, findings, words)
        file = words[1].removeprefix(APP_DIRECTORY + "/")
        if file.endswith(".py") and not file.startswith(("/", "-")):
            if survey.application + posixpath.normpath(file) not in survey.tree:
                return f"there is no {survey.application}{file}", "name a file of the application's folder"
            if file == "manage.py" and len(words) > 2:
                return _management(survey, findings, words[2])
        return None
    if program in PROGRAMS:
        return _without_package(findings, program, program) or _celery(survey, findings, words)
    own = words[0].removeprefix(APP_DIRECTORY + "/")
    if (
        words[0].startswith(("./", APP_DIRECTORY + "/"))
        and survey.application + posixpath.normpath(own) not in survey.tree
    ):
        return f"there is no {survey.application}{posixpath.normpath(own)}", "name a file of the application's folder"
    return None


def _without_package(findings: Findings, program: str, shown: str) -> tuple[str, str] | None:
    packages = PROGRAMS[program]
    if findings.requirements.kind == "none" or findings.requirements.has(*packages):
        return None
    return f"{shown} is in no package of {findings.requirements.file}", f"add `{packages[0]}` to it"


def _celery(survey: Survey, findings: Findings, words: list[str]) -> tuple[str, str] | None:
    """Say whether the application that `celery -A` names is nowhere; one of a package's own cannot be seen."""
    if "--workdir" in " ".join(words) or opaque(survey):
        return None
    for word, after in zip(words, [*words[1:], ""], strict=True):
        named = after if word in ("-A", "--app") else word.partition("=")[2] if word.startswith("--app=") else ""
        top = named.partition(":")[0].partition(".")[0]
        if top.isidentifier() and _foreign(survey, top) and not findings.requirements.has(top.replace("_", "-")):
            return f"there is no module {top} for celery -A {named}", "name the module with the Celery application"
    return None


def _management(survey: Survey, findings: Findings, command: str) -> tuple[str, str] | None:
    """Say whether a management command is missing; commands of third-party packages cannot be seen."""
    apps = findings.settings.literals.get("INSTALLED_APPS") if findings.settings else None
    foreign = not isinstance(apps, list) or any(_foreign(survey, str(app)) for app in apps)  # type: ignore[reportUnknownArgumentType]
    ours = {
        name.rpartition("/")[2].removesuffix(".py") for name in survey.tree.names if "/management/commands/" in name
    }
    if command in DJANGO_COMMANDS or command in ours or command.startswith("-") or foreign:
        return None
    hint = nearest(command, {*ours, *DJANGO_COMMANDS} - {"__init__"})
    return f"there is no management command {command}{hint}", f"write it: APP/management/commands/{command}.py"


def _foreign(survey: Survey, app: str) -> bool:
    if app.startswith("django."):
        return False
    path = survey.application + app.partition(".")[0]
    return not survey.tree.is_directory(path) and f"{path}.py" not in survey.tree


def beats(survey: Survey) -> Iterator[Problem]:
    """What starts periodic tasks runs once."""
    if survey.rock is None:
        return
    for name, words in services(survey):
        programs = [word.rpartition("/")[2] for word in words]
        beat = "celery" in programs and any(word in ("beat", "-B", "--beat") for word in words)
        if (beat or "rqscheduler" in programs) and not name.lower().endswith(SCHEDULER_SUFFIX):
            combined = "beat" not in words and beat
            yield survey.of(
                survey.rock,
                "two-beats",
                ("services", name),
                "starts periodic tasks, and runs in every unit: each task would be started once per unit",
                "take -B away and add a service whose name ends in -scheduler, with `celery ... beat`"
                if combined
                else f"call it {name.removesuffix('-worker')}-scheduler: it then runs in one unit",
            )


def variables(survey: Survey) -> Iterator[Problem]:
    """Nothing in rockcraft.yaml sets what the charm sets."""
    if survey.rock is None or survey.project.base is None:
        return
    document = survey.project.document
    own = {variable_of(name): f"option {name}" for name in document.mapping("config", "options")}
    taken = {**own, **survey.project.base.variables, "DJANGO_CSRF_TRUSTED_ORIGINS": "the public URL"}
    prefixes: dict[str, str] = {}
    for name, entry in document.mapping("requires").items():
        interface = INTERFACES.get(str(entry.get("interface"))) if isinstance(entry, dict) else None
        prefix = prefix_of(interface, name) if interface else ""
        if prefix:
            prefixes[prefix + "_"] = f"endpoint {name}"
    for service in survey.rock.mapping("services"):
        for variable in survey.rock.mapping("services", service, "environment"):
            origin = taken.get(variable) or next(
                (origin for prefix, origin in prefixes.items() if variable.startswith(prefix)), ""
            )
            if origin:
                path = ("services", service, "environment", variable)
                why = f"the charm sets it too, from {origin}: this value is never seen"
                yield survey.of(survey.rock, "shadowed-variable", path, why, "remove it here")


def migrations(survey: Survey) -> Iterator[Problem]:
    """The migration script that is there is the one that runs."""
    if survey.findings is None:
        return
    folder = survey.application
    names = [name for name, _ in MIGRATION_COMMANDS if name != "manage.py"]
    there = [name for name in names if folder + name in survey.tree]
    if folder + "migrate" in survey.tree and folder + "migrate" not in survey.executable:
        place = Place(folder + "migrate", 1)
        why = "it runs as a program, and may not be executed"
        yield survey.at("migrate-script", place, "migrate", why, f"chmod +x {survey.prefix}{folder}migrate")
    for name in there[:1]:
        why = "it runs instead of manage.py migrate; under paas-charm, the runtime that charmcraft packs, it is ignored"
        fix = "have `manage.py migrate` do the same, or silence this if only Nuages packs the charm"
        yield survey.at("migrate-script", Place(folder + name, 1), name, why, fix)
    for name in there[1:]:
        why = f"{folder}{there[0]} is there too, and comes first: this one never runs"
        yield survey.at("migrate-script", Place(folder + name, 1), name, why, "keep one of the two")
    for name in names if folder else ():
        if name in survey.tree and name not in there:
            why = f"it is not in {folder}, where the charm looks: it never runs"
            yield survey.at("migrate-script", Place(name, 1), name, why, f"move it to {survey.prefix}{folder}{name}")


RULES = (commands, beats, variables, migrations)
