"""Which module gunicorn serves, when rockcraft.yaml does not say."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.build.files import walk
from nuages.extension.load import Document
from nuages.extension.names import listed


def wsgi_module(
    document: Document, application: Path, name: str, ignored: tuple[str, ...], foreign: Callable[[Path], bool]
) -> str:
    """Return the WSGI module of an application, as rockcraft looks for it, else the only one there is.

    Raises:
        BuildError: there is none, there are several, or it has no `application`.
    """
    folder = name.replace("-", "_").lower()
    usual = application / folder / "wsgi.py"
    if usual.is_file():
        found = [usual]
    else:
        files = walk(application, ignored, also=foreign)
        found = [path for path in files if path.name == "wsgi.py" and len(path.relative_to(application).parts) <= 3]
    if not found:
        raise BuildError(
            f"cannot build the rock {name}: there is no wsgi.py in {application}",
            fix=f"write {usual}, or give `services: django: command:` in {document.file}",
            code="no-wsgi",
        )
    if len(found) > 1:
        names = listed(path.relative_to(application).as_posix() for path in found)
        raise BuildError(
            f"cannot build the rock {name}: several modules could be the web server's: {names}",
            fix=f"give `services: django: command:` in {document.file}",
            code="no-wsgi",
        )
    _check_wsgi(found[0])
    return ".".join(found[0].relative_to(application).with_suffix("").parts)


def _check_wsgi(path: Path) -> None:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        place = f"{path}:{error.lineno}" if isinstance(error, SyntaxError) else str(path)
        raise BuildError(f"cannot build the rock: {place}: {error.args[0]}", fix="correct the module") from None
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names.update(alias.asname or alias.name for alias in node.names)
    if "application" not in names:
        raise BuildError(
            f"cannot build the rock: {path} has no variable named application",
            fix="add `application = get_wsgi_application()`",
            code="no-wsgi",
        )
