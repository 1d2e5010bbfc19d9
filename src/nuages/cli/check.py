"""nuages check: everything that is wrong with a project, before anything runs."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.output import note
from nuages.cli.project import find_project

if TYPE_CHECKING:
    from nuages.build.check import Report


@click.command()
@click.argument("project_dir", required=False, type=click.Path(path_type=Path))
@click.option("--fix", is_flag=True, help="Mend what takes no thought, and show what was changed.")
@click.option(
    "--evaluate/--no-evaluate",
    default=False,
    help="Also import the settings, in a sandbox, with the variables that the charm sets, and ask them.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
def command(project_dir: Path | None, fix: bool, evaluate: bool, form: str) -> int:
    """Find what is wrong with the project in PROJECT_DIR (or here): its charm, rock, settings and requirements.

    The exit code is 1 when something would not work, 0 when there are only warnings.
    """
    from nuages.build.check import check
    from nuages.cli.check_formats import WRITERS
    from nuages.extension.project import find

    charm = find(project_dir or _around(), "PROJECT_DIR")
    report = check(charm)
    if fix:
        report = _mended(charm, report)
    if evaluate and not report.errors:
        report = _evaluated(charm)
    elif evaluate:
        note("the settings are evaluated once the errors are mended")
    if form == "text":
        for told in report.notes:
            note(f"note: {told} [{told.code}]")
    sys.stdout.write(WRITERS[form](report))
    return 1 if report.errors else 0


def _around() -> Path:
    """Return the project around us, as `up` finds it; here when there is none."""
    here = Path()
    if any((here / name).is_file() for name in ("charmcraft.yaml", "charm/charmcraft.yaml")):
        return here
    project = find_project(here)
    return here if project is None else Path(os.path.relpath(project))


def _mended(charm: Path, report: Report) -> Report:
    """Apply the mechanical mends, show them, and check again: one mend may uncover the next."""
    from nuages.build.check import check
    from nuages.build.init import write
    from nuages.extension.fixes import changed
    from nuages.extension.scaffold.planned import Planned

    for _ in range(10):
        texts = changed(report.problems, report.texts or {})
        if not texts:
            break
        for file, text in texts.items():
            path = Path(file)
            before = path.read_bytes().decode()
            write(path.parent, [Planned(path.name, text, "a mend of check", changes=True)])
            lines = difflib.unified_diff(
                before.splitlines(), text.splitlines(), f"{file} before", file, lineterm="", n=1
            )
            note("\n".join(lines))
        report = check(charm)
    return report


def _evaluated(charm: Path) -> Report:
    from nuages.build.check import check, root_of
    from nuages.build.probe import probe
    from nuages.engine.programs import Progress

    def show(progress: Progress) -> None:
        if progress.done == 0:
            note(f"{progress.program}: {progress.note or 'fetching'}")

    found = probe(root_of(charm), charm, show)
    if found.note:
        note(f"notice: {found.note}")
    return check(charm, found.problems, evaluated=True, commands=found.commands)
