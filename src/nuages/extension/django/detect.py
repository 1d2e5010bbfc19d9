"""From a project's files to everything that can be known without running it."""

from __future__ import annotations

import posixpath
import re

from nuages.contract.endpoints import BY_NAME
from nuages.extension.django import hints, places
from nuages.extension.django import remarks as remarks_of
from nuages.extension.django.backing import integrations, missing_packages, others
from nuages.extension.django.findings import Choice, Findings, Place, Remark, Selection, Settings
from nuages.extension.django.modules import Modules
from nuages.extension.django.naming import choose_name
from nuages.extension.django.options import find_options
from nuages.extension.django.processes import find_services, installed_apps
from nuages.extension.django.python_version import choose_base, find_python
from nuages.extension.django.requirements import find_requirements
from nuages.extension.django.risks import find_risks, signs_of_debugging
from nuages.extension.django.settings import example_of, read_settings
from nuages.extension.django.static_files import find_static
from nuages.extension.django.tree import Tree
from nuages.extension.problems import ExtensionError

_USUAL_SETTINGS = ("production", "prod", "live", "deploy", "base", "common")
_BRIDGE = "charm_settings.update("
_ASGI_SERVER = re.compile(r"\b(uvicorn|daphne|hypercorn|UvicornWorker|granian)\b")


def detect(tree: Tree, folder: str = "") -> Findings:
    """Return what is known about the project in `tree`; `folder` is the name of its directory.

    Raises:
        ExtensionError: there is no Django project in it.
    """
    manage = places.choose_manage(tree)
    application = posixpath.dirname(manage.value) if manage else _without_manage(tree)
    modules = Modules(tree, application)
    selections = places.selections(modules)
    first = (
        _selected(selections, "manage") or _selected(selections, "wsgi", "asgi", "celery", "other") or _guess(modules)
    )
    manage_settings = read_settings(modules, first) if first else None
    lines = hints.lines(tree)
    wsgi = places.choose_server(modules, "wsgi", _named(manage_settings, "WSGI_APPLICATION"), first)
    asgi = places.choose_server(modules, "asgi", _named(manage_settings, "ASGI_APPLICATION"), first)
    if manage is None and wsgi is None and asgi is None:
        raise ExtensionError(
            f"cannot find a Django project in {folder or 'this directory'}: "
            "there is neither a manage.py nor a module with a WSGI application",
            fix="name the project's directory, or start one: nuages init --new NAME",
            code="no-django",
        )
    asynchronous, why_asgi = _asynchronous(wsgi, asgi, manage_settings, lines)
    served = (_selected(selections, "asgi", "wsgi") if asynchronous else _selected_in(selections, wsgi)) or first
    settings = read_settings(modules, served) if served else None
    settings = settings or manage_settings
    bridged = _bridged(modules, selections, settings)
    settings = _inside(modules, settings)
    example = "" if settings or not first else example_of(modules, first)
    production = read_settings(modules, modules.module(example)) if example else _production(modules, settings)
    others_in_force = () if bridged else _others(modules, selections, settings)
    requirements = find_requirements(tree, application)
    python = find_python(tree)
    static = find_static(tree, production, requirements, lines)
    services, service_remarks = find_services(modules, production, requirements, lines)
    related = integrations(production, requirements, hints.images(tree))
    database = BY_NAME[related[0].interface]
    options, option_remarks = find_options(production, database)
    package = _package(wsgi, asgi, settings)
    place = (wsgi or asgi or manage or Choice("", Place(""), "")).place
    base = choose_base(python)
    remarks = (
        *remarks_of.missing(manage, wsgi=wsgi, asgi=asgi, requirements=requirements),
        *(() if settings else remarks_of.without_settings(manage or wsgi, first, example)),
        *(item for item in find_risks(settings or production, database, static) if not (bridged and item.bridged)),
        *remarks_of.ambiguous(manage, wsgi, selections, settings, others_in_force),
        *remarks_of.about_python(python, base),
        *(() if bridged else remarks_of.development(settings, production)),
        *remarks_of.paths(modules, production),
        *remarks_of.about_hook(production),
        *([Remark("note", "asgi", f"ASGI is served: {why_asgi}", asgi.place)] if asynchronous and asgi else []),
        *service_remarks,
        *others(production, requirements),
        *option_remarks,
        *remarks_of.build_steps(static.steps),
    )
    return Findings(
        name=choose_name(
            tree, folder, application=application, package=package, place=place, apps=_own_apps(modules, production)
        ),
        manage=manage,
        application=application,
        wsgi=wsgi,
        asgi=asgi,
        asynchronous=asynchronous,
        selections=selections,
        settings=settings,
        production=production,
        bridged=bridged,
        others=others_in_force,
        requirements=requirements,
        python=python,
        base=base,
        services=services,
        integrations=related,
        options=options,
        packages=missing_packages(related, requirements, production, served=static.served),
        static=static,
        hints=tuple(remarks_of.hint_lines(lines)),
        remarks=tuple(remarks),
    )


def _without_manage(tree: Tree) -> str:
    """Return the directory from which the WSGI module is imported, in a project without a manage.py."""
    for file in tree.named("wsgi.py", "asgi.py"):
        directory = posixpath.dirname(file)
        while directory and f"{directory}/__init__.py" in tree:
            directory = posixpath.dirname(directory)
        if directory == posixpath.dirname(file) and directory and "__init__.py" not in file:
            return posixpath.dirname(directory)
        return directory
    return ""


def _selected(selections: tuple[Selection, ...], *where: str) -> str:
    return next((item.module for kind in where for item in selections if item.where == kind), "")


def _selected_in(selections: tuple[Selection, ...], server: Choice | None) -> str:
    if server is None:
        return ""
    return next((item.module for item in selections if item.place.file == server.place.file), "")


def _guess(modules: Modules) -> str:
    """Return the most likely settings module of a project in which no line selects one."""
    found: list[tuple[bool, int, str]] = []
    for file in modules.tree.under(modules.application):
        module = modules.module(file)
        text = modules.tree.text(file) if file.endswith(".py") and "settings" in file else ""
        if module and ("INSTALLED_APPS" in text or "ROOT_URLCONF" in text):
            found.append((module.rpartition(".")[2] not in ("settings", *_USUAL_SETTINGS), module.count("."), module))
    return min(found)[2] if found else ""


def _named(settings: Settings | None, setting: str) -> str:
    value = settings.literals.get(setting) if settings else None
    return value.rpartition(".")[0] if isinstance(value, str) else ""


def _asynchronous(
    wsgi: Choice | None, asgi: Choice | None, settings: Settings | None, lines: tuple[hints.Line, ...]
) -> tuple[bool, str]:
    if asgi is None:
        return False, ""
    if wsgi is None:
        return True, "there is no WSGI module"
    apps = installed_apps(settings)
    for app in ("daphne", "channels"):
        if app in apps:
            return True, f"INSTALLED_APPS has {app}"
    for line in lines:
        if _ASGI_SERVER.search(line.command) and "asgi" in line.command:
            return True, f"{line.place} starts it"
    return False, ""


def _package(wsgi: Choice | None, asgi: Choice | None, settings: Settings | None) -> str:
    server = wsgi or asgi
    if server is not None and "." in server.value:
        return server.value.rpartition(".")[0]
    return settings.module.partition(".")[0] if settings and "." in settings.module else ""


def _bridged(modules: Modules, selections: tuple[Selection, ...], settings: Settings | None) -> bool:
    """Whether a selected module, or one that the settings in force import, uses charm_settings."""
    files = [*(settings.files if settings else ()), *(modules.file(item.module) for item in selections)]
    for item in selections:
        line = modules.tree.text(item.place.file).splitlines()[item.place.line - 1]
        files.extend(modules.file(word) for word in re.findall(r"['\"]([\w.]+)['\"]", line))
    return any(_BRIDGE in modules.tree.text(file) for file in files if file)


def _inside(modules: Modules, settings: Settings | None) -> Settings | None:
    """Return the project's own settings: what the bridge imports, when a bridge is in force."""
    text = modules.tree.text(settings.file) if settings else ""
    match = re.search(r"^from ([\w.]+) import \*", text, re.MULTILINE) if _BRIDGE in text else None
    return (read_settings(modules, match[1]) if match else None) or settings


def _production(modules: Modules, settings: Settings | None) -> Settings | None:
    """Return the settings for production: those in force, or a neighbour of that name of ones for developers."""
    if settings is None or not signs_of_debugging(settings):
        return settings
    package = settings.module.rpartition(".")[0]
    for word in _USUAL_SETTINGS[:4]:
        for base in ("", "settings_"):
            found = read_settings(modules, ".".join(part for part in (package, base + word) if part))
            if found is not None:
                return found
    return settings


def _own_apps(modules: Modules, settings: Settings | None) -> tuple[str, ...]:
    """Return the applications in INSTALLED_APPS that are packages of the project, by their last part."""
    names = [name.partition(".apps.")[0] for name in installed_apps(settings)]
    return tuple(name.rpartition(".")[2] for name in names if modules.file(name))


def _others(modules: Modules, selections: tuple[Selection, ...], settings: Settings | None) -> tuple[Settings, ...]:
    names = dict.fromkeys(item.module for item in selections)
    found = [read_settings(modules, name) for name in names if settings is None or name != settings.module]
    return tuple(item for item in found if item is not None)
