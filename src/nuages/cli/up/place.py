"""Which project `up` is about, and what is said when there is none."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nuages.cli.errors import CliError
from nuages.cli.project import find_project
from nuages.cli.root import command_name
from nuages.errors import NuagesError

if TYPE_CHECKING:
    from nuages.extension.django.findings import Findings


def locate(given: Path | None) -> Path:
    """Return the project's folder: the one given, else the one around us.

    It has a charm, or is a Django project without one. Raises `CliError` that says what to do when it is neither.
    """
    start = given or Path.cwd()
    if not start.is_dir():
        raise CliError(f"cannot run {start}: there is no such folder", fix=f"{command_name()} up PROJECT_DIR")
    project = find_project(start)
    if given is not None and project != given.resolve():
        project = None
    if project is None:
        folder = start.resolve()
        found = folder if _django(folder) else next((above for above in folder.parents if _around(above)), None)
        if found is None or (given is not None and found != folder):
            raise _no_project(folder)
        if found == Path.home().resolve() and not (found / "manage.py").is_file():
            below = min(path.parent.name for path in found.glob("*/manage.py") if path.is_file())
            raise CliError(
                f"cannot run {found}: it is your home folder, not one project",
                fix=f"{command_name()} up {below}",
                code="no-project",
            )
        return found
    if not any((project / name).is_file() for name in ("charm/charmcraft.yaml", "charmcraft.yaml")):
        raise CliError(
            f"cannot run {project}: it has a rockcraft.yaml, but no charm/charmcraft.yaml",
            fix=f"{command_name()} init writes it",
            code="no-charmcraft-yaml",
        )
    if not (project / "rockcraft.yaml").is_file():
        raise CliError(
            f"cannot run {project}: it has a charm, but no rockcraft.yaml to build the application from",
            fix=f"{command_name()} init writes it",
            code="no-rockcraft-yaml",
        )
    return project


SIGNS = (".git", "pyproject.toml", "requirements.txt", "requirements", "setup.py", "setup.cfg")
"""What the root of a project has, when its manage.py is a folder further down."""
NEEDED = ("requirements", "django", "settings")
"""What nothing can be run without, and no charm in memory makes up for."""


@contextmanager
def told_as(source: Path, project: Path) -> Generator[None, None, None]:
    """Let errors about a shadow name the project that it is of: the shadow is nobody's to mend."""
    try:
        yield
    except NuagesError as error:
        if source != project:
            error.args = (_renamed(str(error), source, project),)
            error.fix = _renamed(error.fix, source, project)
        raise


def _renamed(text: str, source: Path, project: Path) -> str:
    """Return a text with the project's names in place of the shadow's: of a file that is made, what it is made from."""
    made = source / "requirements.txt"
    if str(made) in text and not (project / made.name).exists():
        origin = re.match(r"# From ([^\s,]+?)[,.]?\s", made.read_text())
        if origin:
            text = text.replace(str(made), str(project / origin[1]))
    return text.replace(str(source), str(project))


def charmed(project: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the directory to build from, and what to say about it.

    That is the project itself, or for a Django project without a charm a shadow of it that has what
    `init --settings` would write; nothing in the project is touched.
    """
    if (project / "rockcraft.yaml").is_file():
        return project, ()
    from nuages.build import init
    from nuages.extension.scaffold import report

    prepared = init.prepare(project, settings=True)
    here = command_name()
    files = [change.planned.path for change in init.changes(prepared)]
    lines = [
        f"{project} has no charm: running it with what `{here} init --settings` would write. Nothing there is changed.",
        f"  {len(files)} files in memory: {', '.join(files)}",
    ]
    remarks = report.remarks(prepared.findings, "missing", "risk", settings=True)
    for remark in remarks:
        if remark.code in NEEDED:
            raise CliError(
                f"cannot run {project}: {remark.text}", fix=f"{remark.fix}; then {here} up", code=f"no-{remark.code}"
            )
    lines += [f"  {report.remark_line(remark)}" for remark in remarks]
    lines += [f"  {line}" for line in _instead(prepared.findings)]
    return init.shadow(prepared), tuple(lines)


def _instead(findings: Findings) -> Iterator[str]:
    """Yield what is made or taken in place of what the project has."""
    from nuages.extension.scaffold import report

    servers = {"postgresql_client": "PostgreSQL", "mysql_client": "MySQL", "mongodb_client": "MongoDB"}
    server = next((servers[item.interface] for item in findings.integrations if item.interface in servers), "")
    for remark in findings.remarks:
        if remark.code == "requirements-lock":
            yield report.remark_line(remark)
        elif remark.code == "sqlite" and remark.bridged and server:
            yield (
                f"the settings have SQLite ({remark.place}): here it runs on an empty {server}. What is in your SQLite "
                "file is not in it."
            )


def _django(folder: Path) -> bool:
    """Whether a Django project begins in the folder."""
    return any(path.is_file() for path in (folder / "manage.py", *sorted(folder.glob("*/manage.py"))))


def _around(folder: Path) -> bool:
    """Whether a folder above the one that is meant is its project: a mere neighbour of a project is in none."""
    return (folder / "manage.py").is_file() or (_django(folder) and any((folder / sign).exists() for sign in SIGNS))


def _no_project(folder: Path) -> CliError:
    return CliError(
        f"cannot run {folder}: it is no Django project (no manage.py) and has no charm/charmcraft.yaml",
        fix=f"{command_name()} up PROJECT_DIR, or start one: {command_name()} init --new NAME",
        code="no-project",
    )
