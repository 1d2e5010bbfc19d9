"""Reading a settings module without running it: what it sets, from which variables, and what is written out."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from nuages.extension.django.findings import Hook, Place, Read, Settings
from nuages.extension.django.modules import Modules, dotted
from nuages.extension.django.reads import Reader, literal

_USED = ("SECRET_KEY", "DEBUG", "DATABASES")


def read_settings(modules: Modules, module: str) -> Settings | None:
    """Return what the settings module says, None when it is not in the project."""
    file = modules.file(module)
    if not file:
        return None
    walk = _Walk(modules)
    walk.file(file)
    hook = walk.hook
    if hook is not None and hook.last:
        later = [place for place in walk.places.values() if place.file == file and place.line > hook.place.line]
        hook = replace(hook, last=hook.place.file == file and not later)
    return Settings(
        module=module,
        file=file,
        files=tuple(walk.files),
        reads=tuple(walk.reads),
        places=walk.places,
        literals=walk.literals,
        used=frozenset(walk.used),
        hook=hook,
    )


@dataclass
class _Walk:
    """Goes through a module and those that it imports with `*`, in the order in which Python does."""

    modules: Modules
    files: list[str] = field(default_factory=list[str])
    reads: list[Read] = field(default_factory=list[Read])
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    literals: dict[str, object] = field(default_factory=dict[str, object])
    used: set[str] = field(default_factory=set[str])
    hook: Hook | None = None

    def file(self, name: str) -> None:
        tree = self.modules.parse(name)
        if name in self.files or tree is None:
            return
        self.files.append(name)
        reader = Reader(name, tree)
        self._body(name, tree.body, reader, optional=False)

    def _body(self, name: str, body: list[ast.stmt], reader: Reader, *, optional: bool) -> None:
        for node in body:
            try:
                self._statement(name, node, reader, optional=optional)
            except RecursionError:
                continue  # an expression too deep to be read: nothing is known of it

    def _statement(self, name: str, node: ast.stmt, reader: Reader, *, optional: bool) -> None:
        if isinstance(node, ast.ImportFrom | ast.Import):
            self._import(name, node, optional=optional)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(name, target, node.value, reader)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
            self._assign(name, node.target, node.value, reader, more=isinstance(node, ast.AugAssign))
        elif isinstance(node, ast.If):
            self.reads.extend(reader.reads(node.test, ""))
            self._body(name, node.body, reader, optional=optional)
            self._body(name, node.orelse, reader, optional=optional)
        elif isinstance(node, ast.Try):
            forgiving = any(_forgives(handler) for handler in node.handlers)
            self._body(name, node.body, reader, optional=optional or forgiving)
            for handler in node.handlers:
                self._body(name, handler.body, reader, optional=optional)
            self._body(name, [*node.orelse, *node.finalbody], reader, optional=optional)
        elif isinstance(node, ast.With):
            self._body(name, node.body, reader, optional=optional)
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            self.reads.extend(reader.reads(node, ""))

    def _assign(self, name: str, target: ast.expr, value: ast.expr, reader: Reader, *, more: bool = False) -> None:
        setting, key = _target(target)
        if not setting:
            self.reads.extend(reader.reads(value, ""))
            return
        self.reads.extend(reader.reads(value, setting, key))
        for used in _USED:
            if used != setting and any(isinstance(node, ast.Name) and node.id == used for node in ast.walk(value)):
                self.used.add(used)
        self.places[setting] = Place(name, target.lineno)
        found = literal(value)
        if key or more:
            old = self.literals.get(setting)
            if isinstance(old, list) and isinstance(found, list):
                self.literals[setting] = [*old, *found]
            elif isinstance(old, dict) and key:
                self.literals[setting] = {**old, key: found}
        elif found is not None:
            self.literals[setting] = found
        else:
            self.literals.pop(setting, None)

    def _import(self, name: str, node: ast.ImportFrom | ast.Import, *, optional: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._maybe_hook(name, node, alias.name, optional=optional, star=False)
            return
        module = self.modules.absolute(node, name)
        star = any(alias.name == "*" for alias in node.names)
        file = self.modules.file(module)
        if star and file:
            self._maybe_hook(name, node, module, optional=optional, star=True)
            self.file(file)
            return
        if star:
            self._maybe_hook(name, node, module, optional=optional, star=True)
            return
        for alias in node.names:
            inner = f"{module}.{alias.name}" if module else alias.name
            if self.modules.file(inner) or not file or file.endswith("/__init__.py"):
                self._maybe_hook(name, node, inner, optional=optional, star=False)

    def _maybe_hook(
        self, name: str, node: ast.ImportFrom | ast.Import, module: str, *, optional: bool, star: bool
    ) -> None:
        """Remember a module of settings that is to be written by whoever installs the project."""
        tree = self.modules.tree
        path = _path(self.modules, module, node, name)
        if not path:
            return
        example = _example(tree.names, path)
        exists = path in tree
        ignored = _ignored(tree.text(".gitignore"), path)
        hooked = example or ignored or (not exists and optional and star)
        if hooked:
            self.hook = Hook(
                module=module,
                file=path,
                place=Place(name, node.lineno),
                exists=exists,
                required=not optional,
                example=example,
                last=star,
            )


def _path(modules: Modules, module: str, node: ast.ImportFrom | ast.Import, name: str) -> str:
    """Return the file that the module is or would be, "" when it would not be the project's."""
    file = modules.file(module)
    if file:
        return "" if file.endswith("/__init__.py") else file
    package, _, base = module.rpartition(".")
    directory = modules.file(package).removesuffix("__init__.py") if package else ""
    if package and not directory.endswith("/"):
        return ""
    if not package:
        relative = isinstance(node, ast.ImportFrom) and node.level
        beside = name.rpartition("/")[0]
        if not relative and beside != modules.application:
            return ""
        directory = modules.application + "/" if modules.application else ""
    return f"{directory}{base}.py"


def example_of(modules: Modules, module: str) -> str:
    """Return the module's file that shows what a settings module that is not there may look like, "" for none."""
    path = "/".join(part for part in (modules.application, *module.split(".")) if part) + ".py"
    example = _example(modules.tree.names, path)
    return example if example.endswith(".py") and modules.module(example) else ""


def _example(names: tuple[str, ...], path: str) -> str:
    """Return the file that shows what the module at `path` may look like."""
    directory, _, base = path.rpartition("/")
    stem = base.removesuffix(".py")
    prefix = directory + "/" if directory else ""
    candidates = [
        f"{prefix}{text}"
        for word in ("example", "sample", "dist", "template", "default", "tpl", "in")
        for text in (
            f"{stem}_{word}.py", f"{stem}.{word}.py", f"{stem}.py.{word}", f"{word}_{stem}.py", f"{stem}.py-{word}",
            f"{stem}-{word}.py", f"{stem}.{word}",
        )
    ]  # fmt: skip
    return next((candidate for candidate in candidates if candidate in names), "")


def _ignored(gitignore: str, path: str) -> bool:
    """Whether .gitignore names the file (plain names and paths; patterns say nothing about one file)."""
    lines = {line.strip().lstrip("/") for line in gitignore.splitlines()}
    return path in lines or path.rpartition("/")[2] in lines


def _forgives(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(dotted(kind) in ("ImportError", "ModuleNotFoundError", "Exception") for kind in kinds)


def _target(target: ast.expr) -> tuple[str, str]:
    """Return the setting that is assigned, and the innermost key when it is a part of it."""
    key = ""
    while isinstance(target, ast.Subscript):
        if not key and isinstance(target.slice, ast.Constant):
            key = str(target.slice.value)
        target = target.value
    if isinstance(target, ast.Name) and target.id.isupper():
        return target.id, key
    return "", ""
