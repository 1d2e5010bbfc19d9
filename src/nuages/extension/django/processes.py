"""Processes beside the web server: task queues, their schedulers, management commands that never end."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple, cast

from nuages.extension.django.findings import Place, Remark, Requirements, Service, Settings
from nuages.extension.django.hints import Line
from nuages.extension.django.modules import Modules, dotted

PYTHON = "/bin/python3"
BEAT_FILE = "/tmp/celerybeat-schedule"  # noqa: S108  a path inside the container, where the service's user may write


class Queue(NamedTuple):
    """A task queue whose worker is a management command."""

    kind: str
    apps: tuple[str, ...]
    """What INSTALLED_APPS holds of it."""
    command: str
    """The management command."""
    name: str
    """The service's."""


QUEUES = (
    Queue("rq", ("django_rq",), "rqworker", "rq-worker"),
    Queue("huey", ("huey.contrib.djhuey", "bx_django_utils.huey"), "run_huey", "huey-worker"),
    Queue("dramatiq", ("django_dramatiq",), "rundramatiq", "dramatiq-worker"),
    Queue("django-q", ("django_q",), "qcluster", "django-q-worker"),
    Queue("procrastinate", ("procrastinate.contrib.django",), "procrastinate worker", "procrastinate-worker"),
    Queue("django-tasks", ("django_tasks_db", "django_tasks.backends.database"), "db_worker", "tasks-worker"),
)


def find_services(
    modules: Modules, settings: Settings | None, requirements: Requirements, lines: tuple[Line, ...]
) -> tuple[tuple[Service, ...], tuple[Remark, ...]]:
    """Return the services that the rock should have, and what a person should know about them."""
    apps = installed_apps(settings)
    found: list[Service] = []
    remarks: list[Remark] = []
    app = celery_app(modules)
    if app is not None:
        found.extend(_celery(app, modules, settings, apps, lines))
        if requirements.kind != "none" and not requirements.has("celery"):
            remarks.append(
                Remark(
                    "missing",
                    "celery",
                    "a Celery application, but celery is not in the requirements",
                    app[1],
                    "add celery to them",
                )
            )
    for queue in QUEUES:
        if set(queue.apps) & set(apps):
            place = (settings.places.get("INSTALLED_APPS") if settings else None) or Place("")
            command = f"{PYTHON} manage.py {queue.command}{_queues(queue, settings)}"
            found.append(Service(queue.name, command, place, f"INSTALLED_APPS has {queue.apps[0]}", queue.kind))
            if queue.kind == "huey":
                remarks.append(
                    Remark(
                        "decide",
                        "huey",
                        "every unit's huey runs periodic tasks too: with several units, each task runs several times",
                        place,
                        "keep to one unit, or run `run_huey --no-periodic` in the -worker and add a -scheduler",
                    )
                )
    for name, place in endless_commands(modules):
        worker = re.search(r"work|consum|listen|process|queue", name) is not None
        service = f"{name.replace('_', '-')}-{'worker' if worker else 'scheduler'}"
        service = re.sub(r"-(worker|scheduler)-\1$", r"-\1", service)
        found.append(
            Service(
                service,
                f"{PYTHON} manage.py {name}",
                place,
                "a management command with a loop that never ends",
                "command",
            )
        )
        remarks.append(
            Remark(
                "decide",
                "endless-command",
                f"{name} runs on " + ("every unit" if worker else "one unit only"),
                place,
                "a name that ends in -worker runs on every unit, in -scheduler on one",
            )
        )
    return tuple(_distinct(found)), tuple(remarks)


def installed_apps(settings: Settings | None) -> tuple[str, ...]:
    """Return what is written out in INSTALLED_APPS, and in lists that are added up for it."""
    if settings is None:
        return ()
    names: list[str] = []
    for setting, value in settings.literals.items():
        if setting.endswith("APPS") and isinstance(value, list):
            names.extend(item for item in cast("list[object]", value) if isinstance(item, str))
    return tuple(names)


def celery_app(modules: Modules) -> tuple[str, Place] | None:
    """Return what `celery -A` takes, and where the application is made."""
    found: list[tuple[str, Place]] = []
    for file in modules.tree.under(modules.application):
        if not file.endswith(".py") or "Celery(" not in modules.tree.text(file) or "/tests/" in f"/{file}":
            continue
        tree = modules.parse(file)
        for node in tree.body if tree else ():
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and isinstance(node.targets[0], ast.Name)
            ):
                module = modules.module(file)
                if dotted(node.value.func).rpartition(".")[2] == "Celery" and module:
                    name = node.targets[0].id
                    usual = name in ("app", "celery")
                    found.append((module if usual else f"{module}:{name}", Place(file, node.lineno)))
    return min(found, key=lambda item: (item[0].count("."), item[0])) if found else None


def _celery(
    app: tuple[str, Place], modules: Modules, settings: Settings | None, apps: tuple[str, ...], lines: tuple[Line, ...]
) -> Iterator[Service]:
    target, place = app
    base = f"{PYTHON} -m celery -A {target}"
    workers = [line for line in lines if line.name and "celery" in _program(line) and "worker" in line.words]
    seen: set[str] = set()
    for line in workers:
        arguments = _after(line, "worker", drop=("-B", "--beat"))
        if arguments in seen:
            continue
        seen.add(arguments)
        name = "celery-worker" if len(seen) == 1 else f"{line.name.removesuffix('-worker').replace('_', '-')}-worker"
        yield Service(name, f"{base} worker{arguments}", line.place, f"as {line.place.file} runs it", "celery")
    if not workers:
        yield Service("celery-worker", f"{base} worker --loglevel INFO", place, "a Celery application", "celery")
    beat = next(
        (line for line in lines if "celery" in _program(line) and ("beat" in line.words or "-B" in line.words)), None
    )
    database = "django_celery_beat" in apps
    seen_at = _beat_place(modules, settings)
    if beat is None and not database and seen_at is None:
        return
    extra = " --scheduler django_celery_beat.schedulers:DatabaseScheduler" if database else f" --schedule {BEAT_FILE}"
    where = beat.place if beat else seen_at or place
    reason = (
        f"{where.file} runs it" if beat else "INSTALLED_APPS has django_celery_beat" if database else "a beat schedule"
    )
    yield Service("celery-beat-scheduler", f"{base} beat --loglevel INFO{extra}", where, reason, "celery-beat")


def _beat_place(modules: Modules, settings: Settings | None) -> Place | None:
    for setting in ("CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE"):
        if settings and setting in settings.places:
            return settings.places[setting]
    for file in modules.tree.under(modules.application):
        text = modules.tree.text(file) if file.endswith(".py") else ""
        match = re.search(r"\.(conf\.)?beat_schedule\b|\.add_periodic_task\(", text)
        if match:
            return Place(file, text.count("\n", 0, match.start()) + 1)
    return None


def endless_commands(modules: Modules) -> Iterator[tuple[str, Place]]:
    """Yield the management commands with a `while True` that nothing leaves."""
    for file in modules.tree.under(modules.application):
        match = re.search(r"(?:^|/)management/commands/(\w+)\.py$", file)
        if not match or match[1].startswith("_"):
            continue
        tree = modules.parse(file)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.While) and _always(node.test) and not _left(node):
                yield match[1], Place(file, node.lineno)
                break


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _left(loop: ast.While) -> bool:
    """Whether the loop has a `break` or `return` of its own that is not inside an exception's handler."""
    waiting: list[ast.AST] = list(loop.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Break | ast.Return):
            return True
        if not isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.ExceptHandler):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _queues(queue: Queue, settings: Settings | None) -> str:
    if queue.kind != "rq":
        return ""
    names = settings.literals.get("RQ_QUEUES") if settings else None
    known = [str(name) for name in cast("dict[object, object]", names)] if isinstance(names, dict) else ["default"]
    return "".join(f" {shlex.quote(name)}" for name in known)


def _program(line: Line) -> str:
    return " ".join(word.rpartition("/")[2] for word in line.words[:6])


def _after(line: Line, word: str, *, drop: tuple[str, ...]) -> str:
    """Return what follows `word` in a command, options of the shell and `drop` left out."""
    rest = line.words[line.words.index(word) + 1 :]
    kept: list[str] = []
    for item in rest:
        if item in ("&&", "||", ";", "|", "&", ">", "2>&1"):
            break
        if item not in drop and "$" not in item:
            kept.append(item)
    return "".join(f" {shlex.quote(item)}" for item in kept)


def _distinct(services: list[Service]) -> Iterator[Service]:
    seen: set[str] = set()
    for service in services:
        if service.name not in seen:
            seen.add(service.name)
            yield service
