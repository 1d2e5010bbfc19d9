"""The project's Python modules: which file a dotted name is, and its syntax tree."""

from __future__ import annotations

import ast
import posixpath

from nuages.extension.django.tree import Tree


class Modules:
    """Modules as seen from the directory with manage.py."""

    def __init__(self, tree: Tree, application: str) -> None:
        self.tree = tree
        self.application = application
        self._parsed: dict[str, ast.Module | None] = {}

    def file(self, module: str) -> str:
        """Return the file of a dotted module, "" when the project has none of that name."""
        path = posixpath.join(self.application, *module.split(".")) if module else ""
        for candidate in (path + ".py", path + "/__init__.py"):
            if path and candidate in self.tree:
                return candidate
        return ""

    def module(self, file: str) -> str:
        """Return the dotted name of a file, "" when it cannot be imported from the application's directory."""
        inside = posixpath.relpath(file, self.application or ".")
        parts = inside.removesuffix(".py").split("/")
        if parts[-1] == "__init__":
            parts = parts[:-1]
        return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else ""

    def parse(self, file: str) -> ast.Module | None:
        """Return a file's syntax tree, None when it is no Python."""
        if file not in self._parsed:
            self._parsed[file] = parse(self.tree.text(file))
        return self._parsed[file]

    def absolute(self, node: ast.ImportFrom, file: str) -> str:
        """Return the module that `from … import` names in `file`, with the leading dots resolved."""
        if not node.level:
            return node.module or ""
        package = self.module(file).split(".")
        if not file.endswith("/__init__.py"):
            package = package[:-1]
        above = package[: len(package) - (node.level - 1)]
        return ".".join([*above, *([node.module] if node.module else [])])


def parse(text: str) -> ast.Module | None:
    """Return a text's syntax tree, None when it is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def constant(node: ast.AST | None) -> str | None:
    """Return the text that `node` is, None when it is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for names and attributes, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def global_names(tree: ast.Module) -> set[str]:
    """Return the names that a module has at its top level, also those given in `if` and `try`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    return names
