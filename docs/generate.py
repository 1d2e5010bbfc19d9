"""Write docs/reference from the code's own tables: `python -m docs.generate`, or `make docs`.

With --check nothing is written; the exit code is 1 when a page in the tree is not what the code gives.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from docs.writers import commands, index, keys, options, problems, programs, services, statuses, tools, traps, variables

REFERENCE = Path(__file__).parent / "reference"
WRITERS = (commands, keys, options, variables, statuses, problems, traps, services, programs, tools)


def pages() -> dict[str, str]:
    """Return every page of the reference: path below docs/reference, text."""
    found: dict[str, str] = {}
    for writer in WRITERS:
        found.update(writer.pages())
    found.update(index.pages(found))
    return found


def differences(wanted: dict[str, str], directory: Path) -> Iterator[str]:
    """Return what `directory` lacks, has too much, or has otherwise, a line each."""
    for path, text in sorted(wanted.items()):
        file = directory / path
        if not file.exists():
            yield f"{path}: missing"
        elif file.read_text() != text:
            yield f"{path}: out of date"
    for file in sorted(directory.rglob("*.md")):
        path = file.relative_to(directory).as_posix()
        if path not in wanted:
            yield f"{path}: nothing in the code makes it"


def write(wanted: dict[str, str], directory: Path) -> None:
    """Make `directory` hold exactly the pages."""
    for file in directory.rglob("*.md"):
        if file.relative_to(directory).as_posix() not in wanted:
            file.unlink()
    for path, text in wanted.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def main(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m docs.generate [--check]", file=sys.stderr)  # noqa: T201  a command's output
        return 2
    missing = [gap for writer in (commands, keys, problems, traps) for gap in writer.gaps()]
    if missing:
        print("\n".join(missing), file=sys.stderr)  # noqa: T201  a command's output
        return 1
    wanted = pages()
    found = list(differences(wanted, REFERENCE))
    if not arguments:
        write(wanted, REFERENCE)
    for line in found:
        print(f"docs/reference/{line}")  # noqa: T201  a command's output
    if found and arguments:
        print("fix:   make docs", file=sys.stderr)  # noqa: T201  a command's output
    return 1 if found and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
