"""How documents and tables are printed."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

STRUCTURED = ("json", "yaml")


def print_document(document: Any, form: str) -> None:
    """Print a document as compact JSON, as Juju does, or as YAML."""
    if form == "json":
        print(json.dumps(document))
        return
    sys.stdout.write(as_yaml(document))


def as_yaml(document: Any) -> str:
    """Return a document as YAML in block style, long lines kept whole."""
    import io

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 10_000
    yaml.sort_base_mapping_type_on_output = False  # pyright: ignore[reportAttributeAccessIssue]  # ruamel sets it without declaring it
    text = io.StringIO()
    yaml.dump(document, text)  # pyright: ignore[reportUnknownMemberType]  # ruamel's dump is untyped
    return text.getvalue().removesuffix("...\n")


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Return the rows as lines with two blanks between columns; the columns in `right` are aligned right."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def note(text: str) -> None:
    """Print a line beside the output proper: on stderr, so that a pipe gets only the output."""
    print(text, file=sys.stderr, flush=True)


def format_option(*forms: str, default: str) -> Any:
    """Return a `--format` option of the given forms."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=default, show_default=True, help="Form of the output."
    )
