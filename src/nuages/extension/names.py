"""Naming the nearest known word in a message."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the known word most like `word`, "" when none is like it."""
    import difflib

    matches = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]}?" if matches else ""


def listed(words: Iterable[str]) -> str:
    """Return the words for a sentence: `a, b and c`."""
    *others, last = list(words)
    return f"{', '.join(others)} and {last}" if others else last
