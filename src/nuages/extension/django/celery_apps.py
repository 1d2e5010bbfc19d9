"""What `celery -A NAME` finds. Facts from celery.app.utils.find_app of Celery 5.

NAME is imported; of a module its `app`, its `celery`, else any Celery application in it is taken, and of a package also
what is in its module `celery`. `NAME:attribute` names one outright.
"""

from __future__ import annotations

import ast

from nuages.extension.django.modules import Modules

USUAL = ("app", "celery")


def find(modules: Modules, named: str) -> bool | None:
    """Whether `celery -A named` finds an application in the project; None when only running it would tell."""
    target, _, attribute = named.partition(":")
    if not all(part.isidentifier() for part in target.split(".")):
        return None
    if not modules.file(target) and not attribute and "." in target:  # the last word may be an attribute
        parent, _, last = target.rpartition(".")
        if modules.file(parent) and not _is_folder(modules, target):
            return _has(modules, parent, last)
    if attribute:
        return _has(modules, target, attribute.partition(".")[0])
    return _in(modules, target)


def _in(modules: Modules, target: str) -> bool | None:
    file = modules.file(target)
    inner = f"{target}.celery"
    below = _in(modules, inner) if modules.file(inner) and (not file or file.endswith("/__init__.py")) else False
    if not file:
        return below
    tree = modules.parse(file)
    if tree is None:
        return None
    names = _names(tree)
    if names & {*USUAL} or below:
        return True
    if "*" in names or "__getattr__" in names or below is None:
        return None
    # Any application in the module would do: one made here, or brought from a module that may have made it.
    return None if "Celery" in modules.tree.text(file) or _brings(modules, file, tree) else False


def _has(modules: Modules, module: str, attribute: str) -> bool | None:
    file = modules.file(module)
    tree = modules.parse(file) if file else None
    if tree is None:
        return None if file else False
    names = _names(tree)
    if attribute in names:
        return True
    return None if names & {"*", "__getattr__"} else False


def _brings(modules: Modules, file: str, tree: ast.Module) -> bool:
    """Whether a module imports names from one of the project's that has to do with Celery."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            origin = modules.file(modules.absolute(node, file))
            if origin and "elery" in modules.tree.text(origin):
                return True
    return False


def _names(tree: ast.Module) -> set[str]:
    """Return the names that a module may have; of `import celery` none, for that is a module and no application."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def _is_folder(modules: Modules, target: str) -> bool:
    parts = [*([modules.application] if modules.application else []), *target.split(".")]
    return modules.tree.is_directory("/".join(parts))
