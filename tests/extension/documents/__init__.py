"""Documents to expand, and documents to refuse; each a file, or a folder where more than charmcraft.yaml matters.

A first line `# experimental` sets charmcraft's flag; `# problem: CODE KEY` names what must be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One document."""

    name: str
    files: dict[str, str]
    experimental: bool
    code: str = ""
    what: str = ""

    def write(self, directory: Path) -> None:
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))


def cases(kind: str) -> list[Case]:
    """Return the documents of a kind: `valid` or `invalid`."""
    return [_case(path) for path in sorted((HERE / kind).iterdir())]


def _case(path: Path) -> Case:
    if path.is_dir():
        files = {file.relative_to(path).as_posix(): _text(file) for file in sorted(path.rglob("*")) if file.is_file()}
    else:
        files = {"charmcraft.yaml": _text(path)}
    head = [line[2:] for line in files["charmcraft.yaml"].splitlines()[:2] if line.startswith("# ")]
    problem = next((line.split()[1:] for line in head if line.startswith("problem:")), [])
    code, what = (*problem, "", "")[:2]
    return Case(path.stem, files, "experimental" in head, code, what)


def _text(path: Path) -> str:
    return path.read_bytes().decode()
