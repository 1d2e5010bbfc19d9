"""Where a project begins: manage.py, the WSGI and ASGI modules, and the lines that select the settings."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator
from typing import Literal

from nuages.extension.django.findings import Choice, Place, Selection
from nuages.extension.django.modules import Modules, constant, dotted, global_names, parse
from nuages.extension.django.toml import line_of
from nuages.extension.django.tree import Tree

VARIABLE = "DJANGO_SETTINGS_MODULE"
_WHERE: dict[str, Literal["manage", "wsgi", "asgi"]] = {"manage.py": "manage", "wsgi.py": "wsgi", "asgi.py": "asgi"}
_TESTS = ("test", "tests", "testing", "docs", "doc", "examples", "example")


def manage_files(tree: Tree) -> tuple[str, ...]:
    """Return the files called manage.py that are Django's, the nearest to the root first."""
    found = tree.named("manage.py", depth=5)
    return tuple(name for name in found if _is_django(tree.text(name)) and not _is_aside(name))


def choose_manage(tree: Tree) -> Choice | None:
    """Return the manage.py to start from."""
    found = manage_files(tree)
    if not found:
        return None

    def rank(name: str) -> tuple[bool, int, str]:
        directory = posixpath.dirname(name)
        modules = Modules(tree, directory)
        resolved = any(modules.file(selection.module) for selection in selections_in(modules, name))
        return not resolved, name.count("/"), name

    best, *others = sorted(found, key=rank)
    reason = "the only manage.py" if not others else "its settings module is there, and it is nearest to the root"
    place = Place(best, line_of(tree.text(best), VARIABLE))
    return Choice(best, place, reason, tuple(others))


def servers(modules: Modules, kind: str) -> list[tuple[str, Place]]:
    """Return the modules that hold a WSGI or ASGI application (`kind` is wsgi or asgi), with their place."""
    found: list[tuple[str, Place]] = []
    call = f"get_{kind}_application"
    for name in modules.tree.under(modules.application):
        base = name.rpartition("/")[2]
        if not name.endswith(".py") or _is_aside(posixpath.relpath(name, modules.application or ".")):
            continue
        text = modules.tree.text(name)
        if base != f"{kind}.py" and call not in text:
            continue
        tree = modules.parse(name)
        module = modules.module(name)
        if module and tree is not None and "application" in global_names(tree):
            found.append((module, Place(name, line_of(text, "application", "="))))
    return found


def choose_server(modules: Modules, kind: str, named: str, settings: str) -> Choice | None:
    """Return the WSGI or ASGI module.

    `named` is what the settings' WSGI_APPLICATION says, `settings` the settings module of manage.py.
    """
    found = servers(modules, kind)
    if not found:
        return None
    package = settings.partition(".")[0]

    def rank(candidate: tuple[str, Place]) -> tuple[bool, bool, bool, int, str]:
        module, place = candidate
        beside = module.split(".")[0] == package
        usual = place.file.rpartition("/")[2] == f"{kind}.py"
        return module != named, not beside, not usual, module.count("."), module

    (module, place), *others = sorted(found, key=rank)
    if module == named:
        reason = f"the settings name it as {kind.upper()}_APPLICATION"
    elif not others:
        reason = f"the only module with {'a WSGI' if kind == 'wsgi' else 'an ASGI'} application"
    else:
        reason = "it is beside the settings" if module.split(".")[0] == package else "nearest to manage.py"
    return Choice(module, place, reason, tuple(other for other, _ in others))


def selections(modules: Modules) -> tuple[Selection, ...]:
    """Return every line of the application that selects a settings module; those of tests are left out."""
    found: list[Selection] = []
    for name in modules.tree.under(modules.application):
        inside = posixpath.relpath(name, modules.application or ".")
        if name.endswith(".py") and not _is_aside(inside) and VARIABLE in modules.tree.text(name):
            found.extend(selections_in(modules, name))
    order = ("manage", "wsgi", "asgi", "celery", "other")
    return tuple(sorted(found, key=lambda selection: (order.index(selection.where), selection.place)))


def selections_in(modules: Modules, name: str) -> Iterator[Selection]:
    """Yield the lines of one file that select a settings module."""
    tree = modules.parse(name)
    for node in ast.walk(tree) if tree else ():
        value: ast.AST | None = None
        form = "default"
        if isinstance(node, ast.Call) and dotted(node.func).endswith("environ.setdefault") and len(node.args) == 2:
            value = node.args[1] if constant(node.args[0]) == VARIABLE else None
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            if dotted(target.value).endswith("environ") and constant(target.slice) == VARIABLE:
                value, form = node.value, "fixed"
        if value is None or not isinstance(node, ast.Call | ast.Assign):
            continue
        module = _module(modules, value)
        if module:
            kind = "default" if form == "default" else "fixed"
            yield Selection(_where(name), module, Place(name, node.lineno), kind)


def _module(modules: Modules, value: ast.AST) -> str:
    """Return the module that an expression gives: itself, or the last one that is there of several."""
    texts = [text for node in ast.walk(value) if (text := constant(node)) and text != VARIABLE]
    there = [text for text in texts if modules.file(text)]
    if there:
        return there[-1]
    return texts[-1] if texts and "." in texts[-1] else ""


def _where(name: str) -> Literal["manage", "wsgi", "asgi", "celery", "other"]:
    base = name.rpartition("/")[2]
    if base in _WHERE:
        return _WHERE[base]
    return "celery" if "celery" in base else "other"


def _is_django(text: str) -> bool:
    return "django" in text.lower() and parse(text) is not None


def _is_aside(name: str) -> bool:
    """Whether a file belongs to tests or documentation."""
    *directories, base = name.split("/")
    return base.startswith("test_") or base == "conftest.py" or any(part in _TESTS for part in directories)
