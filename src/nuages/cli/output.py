"""How documents and tables are printed."""

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import click

INTERRUPTED = 130


def print_document(document: Any, form: str) -> None:
    """Print a document as compact JSON, as Juju does, or as YAML."""
    if form == "json":
        print(json.dumps(document))
        return
    sys.stdout.write(as_yaml(document))


def as_yaml(document: Any) -> str:
    """Return a document as YAML in block style, long lines kept whole, texts of several lines as they stand."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def check_simple_key(self) -> bool:
            """Let an empty key (of the endpoint bindings) stand before its colon, as any other key does."""
            emitter: Any = super()
            return getattr(self.event, "value", None) == "" or emitter.check_simple_key()

    def text(dumper: Any, value: str) -> Any:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(
        document, Dumper=Dumper, default_flow_style=False, allow_unicode=True, width=10_000, sort_keys=False
    ).removesuffix("...\n")


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


@contextmanager
def until_interrupted() -> Generator[None, None, None]:
    """Around what only watches: Ctrl-C is its ordinary end, and there is nothing to continue."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


def format_option(*forms: str, default: str) -> Any:
    """Return a `--format` option of the given forms."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=default, show_default=True, help="Form of the output."
    )
