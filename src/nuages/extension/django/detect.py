"""From a project's files to everything that can be known without running it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from nuages.contract.endpoints import BY_NAME
from nuages.extension.django import hints, places
from nuages.extension.django.backing import integrations, missing_packages, others
from nuages.extension.django.findings import Choice, Findings, Place, Remark, Requirements, Selection, Settings
from nuages.extension.django.modules import Modules
from nuages.extension.django.naming import choose_name
from nuages.extension.django.options import find_options
from nuages.extension.django.processes import find_services, installed_apps
from nuages.extension.django.python_version import accepts, choose_base, find_python
from nuages.extension.django.requirements import find_requirements
from nuages.extension.django.risks import find_risks, signs_of_debugging
from nuages.extension.django.settings import example_of, read_settings
from nuages.extension.django.static_files import find_static
from nuages.extension.django.tree import Tree
from nuages.extension.names import listed
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
        *_missing(manage, wsgi=wsgi, asgi=asgi, requirements=requirements),
        *(() if settings else _without_settings(manage or wsgi, first, example)),
        *(item for item in find_risks(settings or production, database, static) if not (bridged and item.bridged)),
        *_ambiguous(manage, wsgi, selections, settings, others_in_force),
        *_about_python(python, base),
        *(() if bridged else _about_production(settings, production)),
        *_about_paths(modules, production),
        *_about_hook(production),
        *([Remark("note", "asgi", f"ASGI is served: {why_asgi}", asgi.place)] if asynchronous and asgi else []),
        *service_remarks,
        *others(production, requirements),
        *option_remarks,
        *_steps(static.steps),
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
        hints=tuple(_hints(lines)),
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


def _about_production(settings: Settings | None, production: Settings | None) -> Iterator[Remark]:
    if settings is not None and production is not None and settings.module != production.module:
        text = f"{settings.module} is in force, which is for developers; {production.module} is for production"
        yield Remark("risk", "development", text, Place(production.file), "nuages init --settings", bridged=True)


def _about_paths(modules: Modules, settings: Settings | None) -> Iterator[Remark]:
    """Yield a remark when paths are made from a directory above the one that becomes /django/app."""
    for file in settings.files if settings and modules.application else ():
        match = re.search(r"^\w*(?:BASE|ROOT|PROJECT)\w*\s*=\s*(.*__file__.*)$", modules.tree.text(file), re.MULTILINE)
        if not match:
            continue
        text = match[1]
        above = text.count(".parent") - text.count(".parents") + text.count("dirname(")
        above += sum(int(number) + 1 for number in re.findall(r"\.parents\[(\d+)\]", text)) + text.count("pardir")
        if above > posixpath.relpath(file, modules.application).count("/") + 1:
            line = modules.tree.text(file).count("\n", 0, match.start()) + 1
            text = f"paths are made from a directory above {modules.application}/, which is not in the rock"
            yield Remark("decide", "paths", text, Place(file, line), "keep what the pages need below it")


def _own_apps(modules: Modules, settings: Settings | None) -> tuple[str, ...]:
    """Return the applications in INSTALLED_APPS that are packages of the project, by their last part."""
    names = [name.partition(".apps.")[0] for name in installed_apps(settings)]
    return tuple(name.rpartition(".")[2] for name in names if modules.file(name))


def _others(modules: Modules, selections: tuple[Selection, ...], settings: Settings | None) -> tuple[Settings, ...]:
    names = dict.fromkeys(item.module for item in selections)
    found = [read_settings(modules, name) for name in names if settings is None or name != settings.module]
    return tuple(item for item in found if item is not None)


def _missing(
    manage: Choice | None, *, wsgi: Choice | None, asgi: Choice | None, requirements: Requirements
) -> Iterator[Remark]:  # fmt: skip
    if manage is None:
        yield Remark("missing", "manage", "no manage.py: migrations and actions need it", None, "init writes one")
    if wsgi is None and asgi is None:
        yield Remark(
            "missing",
            "wsgi",
            "no module with a WSGI application: nothing to serve",
            manage.place if manage else None,
            "init writes one, as Django does",
        )
    if requirements.kind == "none":
        yield Remark(
            "missing",
            "requirements",
            "no file names the packages that the project needs",
            None,
            "write requirements.txt: Django~=5.2 and what else it imports",
        )
    elif not requirements.has("django"):
        yield Remark(
            "missing",
            "django",
            f"{requirements.file} does not name Django",
            Place(requirements.file),
            "add Django~=5.2 to it",
        )
    elif requirements.kind in ("uv.lock", "poetry.lock", "Pipfile.lock"):
        text = f"requirements.txt or pyproject.toml: only {requirements.file} names the packages"
        yield Remark(
            "note", "requirements-lock", text, Place(requirements.file), "init writes requirements.txt from it"
        )


def _without_settings(place: Choice | None, selected: str, example: str) -> Iterator[Remark]:
    where = place.place if place else None
    if example:
        text = (
            f"the settings: {selected}, which is selected, is to be written by whoever installs it; {example} shows it"
        )
        yield Remark(
            "missing", "settings", text, where, "nuages init --settings lays the charm's word over that", bridged=True
        )
        return
    named = f"{selected}, which is selected, is not in the project" if selected else "no line selects a settings module"
    yield Remark("missing", "settings", f"the settings: {named}", where, "correct DJANGO_SETTINGS_MODULE there")


def _ambiguous(
    manage: Choice | None, wsgi: Choice | None, selections: tuple[Selection, ...], settings: Settings | None,
    in_force: tuple[Settings, ...],
) -> Iterator[Remark]:  # fmt: skip
    if manage and manage.others:
        yield Remark(
            "decide",
            "several-manage",
            f"other projects beside it: {listed(manage.others)}",
            manage.place,
            "for one of them: nuages init DIRECTORY",
        )
    if wsgi and wsgi.others:
        yield Remark(
            "decide",
            "several-wsgi",
            f"other WSGI modules: {listed(wsgi.others)}",
            wsgi.place,
            "give `services: django: command:` in rockcraft.yaml",
        )
    if settings is None:
        return
    for other in in_force:
        where = [item for item in selections if item.module == other.module and item.where != "other"]
        if not where:
            continue  # a script of the project's with settings of its own
        text = f"{listed(item.place.file for item in where)} select {other.module}, the web server {settings.module}"
        yield Remark(
            "decide",
            "several-settings",
            text,
            where[0].place,
            "nuages init --settings selects one under the charm in all places",
        )
    for item in selections:
        if item.form == "fixed":
            yield Remark(
                "decide",
                "fixed-settings",
                f"{item.module} is set whatever the environment says",
                item.place,
                "nuages init --settings changes the line",
            )


def _about_python(python: Choice | None, base: Choice) -> Iterator[Remark]:
    from nuages.contract.bases import BY_NAME as BASES_BY_NAME

    if python is None:
        return
    chosen = BASES_BY_NAME[base.value]
    if not accepts(python.value, chosen.python):
        yield Remark(
            "decide",
            "python",
            f"Python {python.value} is asked for, {base.value} has {chosen.python}",
            python.place,
            "try it, or change the requirement",
        )
    if chosen.experimental:
        yield Remark(
            "decide",
            "experimental-base",
            f"{base.value} is experimental in charmcraft",
            python.place,
            "CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS=1, or an older Python",
        )


def _about_hook(settings: Settings | None) -> Iterator[Remark]:
    hook = settings.hook if settings else None
    if hook is None:
        return
    if hook.required and not hook.exists:
        shown = f"; {hook.example} shows what it may hold" if hook.example else ""
        yield Remark(
            "missing",
            "hook",
            f"the settings need {hook.file}, which is not in the project{shown}",
            hook.place,
            "nuages init --settings writes it",
            bridged=True,
        )
    else:
        yield Remark("note", "hook", f"the settings leave {hook.file} to whoever installs them", hook.place)


def _steps(steps: tuple[Choice, ...]) -> Iterator[Remark]:
    for step in steps:
        text = {"npm": "files made by npm", "compilemessages": "compiled translations", "compress": "compressed files"}[
            step.value
        ]
        yield Remark(
            "decide",
            "build-step",
            f"pages need {text}: {step.reason}",
            step.place,
            "build them before packing, or add a part that does to rockcraft.yaml",
        )


def _hints(lines: tuple[hints.Line, ...]) -> Iterator[Remark]:
    for line in lines:
        if line.name:
            yield Remark("note", "process", f"{line.name}: {line.command[:90]}", line.place)
    for line in lines:
        if "gunicorn" in line.command and re.search(r"(^|\s)(-c|--config)[ =]", line.command):
            yield Remark(
                "note", "gunicorn-config", "gunicorn's own configuration file is replaced by the charm's", line.place
            )
