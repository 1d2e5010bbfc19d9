"""One file for each code of a problem: a project in which it fires, and a near miss in which it does not.

A file is made of sections, each the change of one file of the sound project `_sound.txt`:

    == fires charm/charmcraft.yaml
    title: 24.04
    == near charm/charmcraft.yaml
    title: "24.04"

Of a YAML file the keys at the top take the place of the sound file's, or come after its own; `!without KEY` takes one
away, `!whole` gives the file anew. Any other file is given whole; `!removed` takes it away. A first line
`experimental` sets charmcraft's flag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CHARM = "charm/charmcraft.yaml"
MERGED = (CHARM, "rockcraft.yaml")
_SECTION = re.compile(r"^== (\w+) (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A code's two projects."""

    code: str
    experimental: bool
    fires: dict[str, str]
    """What is changed in the sound project: file to text."""
    near: dict[str, str]

    def files(self, kind: str) -> dict[str, str]:
        """Return the whole project: `fires` or `near`."""
        return _changed(sound(), self.fires if kind == "fires" else self.near)

    def write(self, kind: str, directory: Path) -> None:
        """Write the project into `directory`."""
        for name, text in self.files(kind).items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def cases() -> dict[str, Case]:
    """Return the cases by code."""
    return {path.stem: _case(path) for path in sorted(HERE.glob("*.txt")) if not path.stem.startswith("_")}


def sound() -> dict[str, str]:
    """Return a project without a fault."""
    return {name: text for _, name, text in _sections((HERE / "_sound.txt").read_text())}


def _case(path: Path) -> Case:
    text = path.read_text()
    kinds: dict[str, dict[str, str]] = {"fires": {}, "near": {}}
    for kind, name, content in _sections(text):
        kinds[kind][name] = content
    return Case(path.stem, text.startswith("experimental"), kinds["fires"], kinds["near"])


def _sections(text: str) -> Iterator[tuple[str, str, str]]:
    marks = list(_SECTION.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        end = following.start() if following else len(text)
        yield mark[1], mark[2], text[mark.end() + 1 : end]


def _changed(files: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    files = dict(files)
    for name, text in changes.items():
        if text.startswith("!removed"):
            del files[name]
        elif name in MERGED and not text.startswith("!whole"):
            files[name] = _merged(files[name], text)
        else:
            files[name] = text.removeprefix("!whole\n")
    return files


def _merged(text: str, change: str) -> str:
    blocks = _blocks(text)
    for key, block in _blocks(change).items():
        if key.startswith("!without"):
            blocks.pop(block.split()[1])
        else:
            blocks[key] = block
    return "".join(blocks.values())


def _blocks(text: str) -> dict[str, str]:
    """Return the lines of each key at the top; what is no key goes with the one before."""
    blocks: dict[str, str] = {}
    key = ""
    for line in text.splitlines(keepends=True):
        found = re.match(r"([\w-]+):|(!without \S+)|(#.*)", line)
        if found:
            key = found[1] or found[2] or found[3]
        blocks[key] = blocks.get(key, "") + line
    return blocks
