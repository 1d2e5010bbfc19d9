"""Reading the documentation's Markdown: its blocks, its commands, its links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^```(.*)$")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced or indented block: its language, what follows the language, its lines; the line it begins on."""

    language: str
    rest: str
    text: str
    line: int


@dataclass(frozen=True)
class Page:
    """A page, with its blocks taken out of the prose."""

    path: Path
    prose: str
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def read(path: Path) -> Page:
    """Take a page apart."""
    prose: list[str] = []
    blocks: list[Block] = []
    fenced: list[str] | None = None
    info, start = "", 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and fenced is None:
            fenced, info, start = [], fence[1].strip(), number
        elif fence:
            assert fenced is not None
            language, _, rest = info.partition(" ")
            blocks.append(Block(language, rest.strip(), "\n".join(fenced) + "\n", start))
            fenced = None
        elif fenced is not None:
            fenced.append(line)
        elif line.startswith("    ") and (not prose or not prose[-1].strip() or prose[-1] == "\0"):
            blocks.append(Block("", "", line[4:] + "\n", number))
            prose.append("\0")
        else:
            prose.append(line)
    assert fenced is None, f"{path}:{start}: a block without an end"
    return Page(path, "\n".join(line for line in prose if line != "\0"), tuple(blocks))


def by_hand() -> list[Page]:
    """Every page that people write, the README first."""
    generated = DOCS / "reference"
    pages = [path for path in sorted(DOCS.rglob("*.md")) if generated not in path.parents]
    return [read(path) for path in (ROOT / "README.md", *pages)]


def commands(page: Page) -> Iterator[tuple[int, list[str]]]:
    """Return the words after `nuages` of every command that a page shows, with its line (0: somewhere in the prose)."""
    for block in page.blocks:
        if block.language in ("", "sh", "console"):
            for line in block.text.replace("\\\n", " ").splitlines():
                words = words_of(line.removeprefix("$ "))
                if words is not None:
                    yield block.line, words
    for inline in _INLINE.findall(page.prose):
        words = words_of(inline)
        if words is not None:
            yield 0, words


def words_of(line: str) -> list[str] | None:
    """Return the words after `nuages`, None when the line is no command of ours."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    if len(words) < 2 or words[0] not in ("nuages", "./nuages"):
        return None
    for end in ("|", ">", "&&", ";", "─▶"):
        if end in words:
            words = words[: words.index(end)]
    return words[1:]


def links(page: Page) -> list[str]:
    """Return where the links of a page lead, as they are written."""
    return _LINK.findall(page.prose)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in _HEADING.findall(path.read_text())
    }


def tests(page: Page) -> list[tuple[str, str]]:
    """Return the tests that a page names: file, function ("" for the whole file)."""
    named = [inline.partition("::") for inline in _INLINE.findall(page.prose) if inline.startswith("tests/")]
    return [(path, name) for path, _, name in named]
