"""nuages expand-extensions: print charmcraft.yaml with what the extension contributes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.output import format_option, note

if TYPE_CHECKING:
    from nuages.extension.annotate import Line
    from nuages.extension.load import Document


@click.command()
@click.option(
    "--project-dir",
    "-p",
    type=click.Path(path_type=Path),
    default=".",
    help="The project's directory, or its charm/. The current one by default.",
)
@click.option("--explain", is_flag=True, help="Say of each line where it comes from: your file, or the extension.")
@format_option("yaml", "json", default="yaml")
def command(project_dir: Path, explain: bool, form: str) -> None:
    """Print charmcraft.yaml with everything that its extensions contribute; your comments stay."""
    from nuages.extension.expand import expand_as_charmcraft
    from nuages.extension.project import find, read

    project = read(find(project_dir))
    expanded, problems = expand_as_charmcraft(project)
    for problem in problems:
        note(f"warning: {problem}\n  fix: {problem.fix}")
    if form == "json" and not explain:
        print(json.dumps(expanded))
        return
    from nuages.extension.annotate import annotated

    lines = annotated(project.document, expanded)
    if explain:
        sys.stdout.write(_table(lines, project.document) if form == "yaml" else _json(lines, project.document))
        return
    sys.stdout.write("".join(f"{line.text}\n" for line in lines))


def _table(lines: list[Line], document: Document) -> str:
    origins = [_origin(line, document) for line in lines]
    width = max(map(len, origins))
    pairs = zip(origins, lines, strict=True)
    return "".join(f"{origin:<{width}} | {line.text}".rstrip() + "\n" for origin, line in pairs)


def _json(lines: list[Line], document: Document) -> str:
    rows = [{"text": line.text, "from": line.origin or document.file, "line": line.number or None} for line in lines]
    return json.dumps(rows) + "\n"


def _origin(line: Line, document: Document) -> str:
    return line.origin or f"{document.file}:{line.number}"
