"""Which project `up` is about, and what is said when there is none."""

from pathlib import Path

from nuages.cli.errors import CliError
from nuages.cli.project import find_project
from nuages.cli.root import command_name


def locate(given: Path | None) -> Path:
    """Return the project's folder: the one given, else the one around us.

    Raises `CliError` that says what to do when it is no charmed Django project.
    """
    start = given or Path.cwd()
    if not start.is_dir():
        raise CliError(f"cannot run {start}: there is no such folder", fix=f"{command_name()} up PROJECT_DIR")
    project = find_project(start)
    if given is not None and project != given.resolve():
        project = None
    if project is None:
        raise _no_project(start.resolve())
    if not any((project / name).is_file() for name in ("charm/charmcraft.yaml", "charmcraft.yaml")):
        raise CliError(
            f"cannot run {project}: it has a rockcraft.yaml, but no charm/charmcraft.yaml",
            fix="write charm/charmcraft.yaml; examples/notes/charm shows the few lines it takes",
            code="no-charmcraft-yaml",
        )
    if not (project / "rockcraft.yaml").is_file():
        raise CliError(
            f"cannot run {project}: it has a charm, but no rockcraft.yaml to build the application from",
            fix="write rockcraft.yaml; examples/notes/rockcraft.yaml shows the few lines it takes",
            code="no-rockcraft-yaml",
        )
    return project


def _no_project(folder: Path) -> CliError:
    manage = [path for path in (folder / "manage.py", *sorted(folder.glob("*/manage.py"))) if path.is_file()]
    if not manage:
        return CliError(
            f"cannot run {folder}: it is no Django project (no manage.py) and has no charm/charmcraft.yaml",
            fix=f"{command_name()} up PROJECT_DIR, or start one: django-admin startproject NAME",
            code="no-project",
        )
    return CliError(
        f"cannot run {folder}: it is a Django project without a charm",
        fix="`nuages init` will write what is missing, in a later version; by hand it is three files:\n"
        "rockcraft.yaml (how the application is built), charm/charmcraft.yaml (what it needs: options, a database)\n"
        "and charm/src/charm.py (three lines). Copy them from examples/notes and change the names",
        code="not-charmed",
    )
