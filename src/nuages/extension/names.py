"""Words for messages: the nearest known word, lists, names as charms have them, paths as a person knows them."""

import re
from collections.abc import Iterable
from pathlib import Path


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the known word most like `word`, "" when none is like it."""
    import difflib

    matches = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]}?" if matches else ""


def listed(words: Iterable[str]) -> str:
    """Return the words for a sentence: `a, b and c`."""
    *others, last = list(words)
    return f"{', '.join(others)} and {last}" if others else last


def slug(text: str, length: int = 40) -> str:
    """Return the nearest text of lower-case letters, digits and single hyphens, "" when nothing of it is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:length].strip("-")


def shown(path: Path) -> str:
    """Return a path as seen from here, whole when it is elsewhere."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
