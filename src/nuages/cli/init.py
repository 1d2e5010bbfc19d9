"""`nuages init`: a Django project becomes a charmed one; or a new one is made that is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.errors import CliError
from nuages.cli.output import table
from nuages.cli.root import command_name

if TYPE_CHECKING:
    from nuages.build.init import Change, Prepared
    from nuages.extension.django.findings import RemarkKind

PROFILE = "django-framework"
HEADINGS: tuple[tuple[RemarkKind, str], ...] = (
    ("missing", "Could not find"),
    ("risk", "Not ready: as it is, it would run, but not as a site should"),
    ("decide", "For you to decide"),
    ("note", "To know"),
)
MADE = {"manage": "manage.py", "wsgi": "wsgi.py"}
"""By remark, the file that init writes for what was missing: once it is there, nothing speaks against running."""


@click.command()
@click.option("--settings", is_flag=True, help="Also write a bridge from the charm's variables to the settings.")
@click.option("--new", "new", metavar="NAME", help="Make a new Django project NAME with all of it.")
@click.option("--name", metavar="NAME", help="The application's name, instead of the one that is found.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@click.option("--yes", "-y", is_flag=True, help="Change files that are there without asking.")
@click.option(
    "--profile", metavar="PROFILE", default=PROFILE, show_default=True, help="charmcraft's word for the kind."
)
@click.argument("project_dir", required=False, type=click.Path(path_type=Path))
def command(
    *, settings: bool, new: str | None, name: str | None, dry_run: bool, yes: bool, profile: str,
    project_dir: Path | None,
) -> None:  # fmt: skip
    """Write what turns the Django project in PROJECT_DIR (or here) into a charm and a rock.

    Says what it found and why, what it could not find, and what a person must decide. A file that is there is shown
    with the difference, and changed only if you say so.
    """
    if profile != PROFILE:
        raise CliError(
            f"cannot init with the profile {profile!r}: {PROFILE} is the one that is known here",
            fix=f"{command_name()} init --profile {PROFILE}; for another one: charmcraft init --profile {profile}",
            code="profile",
        )
    if new is not None:
        if name is not None or settings:
            raise click.UsageError("--new goes with neither --name nor --settings: a new project has all of it")
        _new(new, project_dir or Path(), dry_run=dry_run)
        return
    from nuages.build import init

    root = project_dir or Path()
    prepared = init.prepare(root, settings=settings, name=name)
    _say(prepared, settings=settings)
    changes = init.changes(prepared)
    chosen = _choose(changes, dry_run=dry_run, yes=yes)
    if not dry_run:
        init.write(root, [change.planned for change in chosen])
    _end(prepared, changes, chosen, settings=settings, dry_run=dry_run, place=str(project_dir or ""))
    if not dry_run and len(chosen) != len(changes):
        raise click.exceptions.Exit(1)


def _say(prepared: Prepared, *, settings: bool) -> None:
    from nuages.extension.scaffold import report

    findings = prepared.findings
    print("Found")
    print(*(f"  {line}" for line in table(report.found(findings))), sep="\n")
    sections = [("Procfile and others say", report.hints(findings))]
    for kind, heading in HEADINGS:
        found = report.remarks(findings, kind, settings=settings)
        sections.append((heading, [report.remark_line(remark) for remark in found]))
    for heading, lines in sections:
        if lines:
            print(f"\n{heading}")
            print(*(f"  {_to_type(line)}" for line in lines), sep="\n")


def _to_type(text: str) -> str:
    """Let our commands in texts be typed as the user types them: `./nuages init` in a clone."""
    return text.replace("nuages init", f"{command_name()} init")


def _choose(changes: list[Change], *, dry_run: bool, yes: bool) -> list[Change]:
    """Return the changes to be made; nothing is written before every question is answered."""
    from nuages.extension.scaffold import difference

    if changes:
        print("\nWould write" if dry_run else "\nWrites")
    width = max((len(change.planned.path) for change in changes), default=0)
    for change in changes:
        print(f"  {change.planned.path.ljust(width)}  {change.planned.why}" + (" (changed)" if change.asks else ""))
    chosen: list[Change] = []
    for change in changes:
        if change.asks or dry_run:
            print(f"\n{difference(change.planned, change.old or '')}", end="")
        if not change.asks or dry_run or yes or _asked(change.planned.path):
            chosen.append(change)
    return chosen


def _asked(path: str) -> bool:
    """Ask whether a file shall be changed; the end of input is a no."""
    while True:
        print(f"Change {path}? [y/N] ", end="", flush=True)
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            print()
        word = answer.strip().lower()
        if word in ("y", "yes"):
            return True
        if word in ("", "n", "no"):
            return False
        print(f"{word!r} is no answer: y changes the file, n leaves it as it is")


def _end(
    prepared: Prepared, changes: list[Change], chosen: list[Change], *, settings: bool, dry_run: bool, place: str
) -> None:
    from nuages.extension.scaffold import report

    name = prepared.findings.name.value
    again = f"{command_name()} init{' --settings' if settings else ''}{f' {place}' if place else ''}"
    print()
    if not changes:
        print(f"Nothing to do: the files of {name} are as they would be written.")
    elif dry_run:
        print(f"Nothing was written. {again} writes it.")
        return
    left = [change.planned.path for change in changes if change not in chosen]
    if left:
        print(f"Left as they are: {', '.join(left)}. {again} --yes changes them.")
    found_missing = report.remarks(prepared.findings, "missing", "risk", settings=settings)
    written = {change.planned.path.rpartition("/")[2] for change in chosen if change.old is None}
    open_ = [remark for remark in found_missing if MADE.get(remark.code) not in written]
    if not open_ and not left:
        print(
            f"Nothing more was found that speaks against it. Try it: {command_name()} up{f' {place}' if place else ''}"
        )
        return
    bridged = [remark for remark in open_ if remark.bridged]
    print(f"{name} is not ready:")
    if bridged:
        words = ", ".join(dict.fromkeys(remark.code for remark in bridged))
        print(f"  {command_name()} init --settings{f' {place}' if place else ''}   mends {words}")
    for remark in open_:
        if not remark.bridged:
            print(f"  {_to_type(report.remark_line(remark))}")
    if left:
        print("  files that were left as they are")


def _new(name: str, parent: Path, *, dry_run: bool) -> None:
    from nuages.build import init, new

    files = new.plan(parent, name)
    root = parent / name
    width = max(len(planned.path) for planned in files)
    print("Would write" if dry_run else "Writes")
    for planned in files:
        print(f"  {str(root / planned.path).ljust(width + len(str(root)) + 1)}  {planned.why}".rstrip())
    if dry_run:
        return
    init.write(root, files)
    package = new.package(name)
    print(
        f"\n{name} is ready to try:\n"
        f"  {command_name()} up {root}\n"
        f"  its tests, where requirements.txt is installed: cd {root / package} && python manage.py test"
    )
