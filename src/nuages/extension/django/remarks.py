"""What a person should know about a project, beyond why it is not ready: not found, to decide, to know."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from nuages.contract.bases import BY_NAME
from nuages.extension.django import hints
from nuages.extension.django.findings import Choice, Place, Remark, Requirements, Selection, Settings
from nuages.extension.django.modules import Modules
from nuages.extension.django.python_version import accepts
from nuages.extension.names import listed


def development(settings: Settings | None, production: Settings | None) -> Iterator[Remark]:
    """Yield that settings for developers are in force."""
    if settings is not None and production is not None and settings.module != production.module:
        text = f"{settings.module} is in force, which is for developers; {production.module} is for production"
        yield Remark("risk", "development", text, Place(production.file), "nuages init --settings", bridged=True)


def paths(modules: Modules, settings: Settings | None) -> Iterator[Remark]:
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


def missing(
    manage: Choice | None, *, wsgi: Choice | None, asgi: Choice | None, requirements: Requirements
) -> Iterator[Remark]:  # fmt: skip
    """Yield what was looked for in vain."""
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


def without_settings(place: Choice | None, selected: str, example: str) -> Iterator[Remark]:
    """Yield that the settings are not there, and what shows them."""
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


def ambiguous(
    manage: Choice | None, wsgi: Choice | None, selections: tuple[Selection, ...], settings: Settings | None,
    in_force: tuple[Settings, ...],
) -> Iterator[Remark]:  # fmt: skip
    """Yield choices that a person may make otherwise."""
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


def about_python(python: Choice | None, base: Choice) -> Iterator[Remark]:
    """Yield what does not fit between the project's Python and the base."""
    if python is None:
        return
    chosen = BY_NAME[base.value]
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


def about_hook(settings: Settings | None) -> Iterator[Remark]:
    """Yield the module of settings that is left to whoever installs the project."""
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


def build_steps(steps: tuple[Choice, ...]) -> Iterator[Remark]:
    """Yield what has to be built for the pages."""
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


def hint_lines(lines: tuple[hints.Line, ...]) -> Iterator[Remark]:
    """Yield what Procfile, compose files and scripts say."""
    for line in lines:
        if line.name:
            yield Remark("note", "process", f"{line.name}: {line.command[:90]}", line.place)
    for line in lines:
        if "gunicorn" in line.command and re.search(r"(^|\s)(-c|--config)[ =]", line.command):
            yield Remark(
                "note", "gunicorn-config", "gunicorn's own configuration file is replaced by the charm's", line.place
            )
