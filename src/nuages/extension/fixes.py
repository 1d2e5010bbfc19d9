"""The mends that take no thought: for a problem, the lines that take the place of others. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from nuages.contract.bases import EXTENSION
from nuages.contract.endpoints import INTERFACES
from nuages.extension.load import Document, load
from nuages.extension.load import Path as Keys
from nuages.extension.model import FIELDS
from nuages.extension.problems import Edit, ExtensionError, Problem
from nuages.extension.source import block
from nuages.extension.survey import ignores

_MEANT = re.compile(r"did you mean ([\w-]+)\?")


def changed(problems: Iterable[Problem], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the files that the mends change, with their new text; the first mend of each place counts."""
    edits: dict[str, list[Edit]] = {}
    documents: dict[str, Document | None] = {}
    for problem in problems:
        text = texts.get(problem.file)
        if text is None:
            continue
        if problem.code == "unused-ignore":
            found = ignores.removal(text, problem)
        elif problem.file.endswith(("charmcraft.yaml", "rockcraft.yaml")):
            if problem.file not in documents:
                documents[problem.file] = _document(text, problem.file)
            document = documents[problem.file]
            found = _edits(document, problem) if document else ()
        else:
            continue
        taken = edits.setdefault(problem.file, [])
        taken.extend(edit for edit in found if not any(_meet(edit, other) for other in taken))
    return {file: applied(texts[file], found) for file, found in edits.items() if found}


def applied(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made."""
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    for edit in sorted(edits, key=lambda edit: -edit.first):
        lines[edit.first - 1 : edit.last] = [line + end for line in edit.lines]
    return "".join(lines)


def _meet(one: Edit, other: Edit) -> bool:
    return one.first <= max(other.last, other.first) and other.first <= max(one.last, one.first)


def _document(text: str, file: str) -> Document | None:
    try:
        return load(text, file)
    except ExtensionError:
        return None  # what cannot be read is not mended


def _edits(document: Document, problem: Problem) -> tuple[Edit, ...]:
    mend = _MENDS.get(problem.code)
    path = next((path for path in document.places if ".".join(map(str, path)) == problem.what), None)
    if path is None:
        path = (problem.what,)
    return mend(document, path, problem) if mend else ()


def _remove(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    """Take a key away, and the mapping around it when nothing else is in it."""
    while len(path) > 1:
        around = document.get(*(str(part) for part in path[:-1]))
        if not isinstance(around, dict) or len(around) > 1:
            break
        path = path[:-1]
    here = block(document, path)
    return (Edit(problem.file, here.first, here.last, ()),) if here else ()


def _remove_empty(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    field = FIELDS.get(str(path[0]))
    if field is None or field.required or path == ("platforms",):
        return ()
    return _remove(document, path, problem)


def _remove_contributed(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    """Take away an endpoint that says no more than the extension does."""
    if path[0] not in ("requires", "provides") or len(path) != 2:
        return ()
    mine = document.get(str(path[0]), str(path[1]))
    known = {interface.endpoint: interface.name for interface in INTERFACES if interface.contributed}
    same = isinstance(mine, dict) and mine.get("interface") == known.get(str(path[1]))
    return _remove(document, path, problem) if same else ()


def _rename(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    meant = _MEANT.search(problem.why)
    here = block(document, path)
    if not meant or not here or meant[1] in document.data:
        return ()
    line = document.text.splitlines()[here.first - 1]
    mended = re.sub(rf"^(['\"]?){re.escape(str(path[-1]))}\1\s*:", f"{meant[1]}:", line)
    return (Edit(problem.file, here.first, here.first, (mended,)),) if mended != line else ()


def _rename_extension(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    extensions = document.get("extensions")
    if not _MEANT.search(problem.why) or not isinstance(extensions, list) or EXTENSION in extensions:
        return ()
    index = path[-1] if isinstance(path[-1], int) else int(path[-1].rpartition(".")[2])
    line = document.text.splitlines()[problem.line - 1]
    mended = line.replace(str(extensions[index]), EXTENSION, 1)
    return (Edit(problem.file, problem.line, problem.line, (mended,)),)


def _type(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    here = block(document, ("type",))
    if here:
        return (Edit(problem.file, here.first, here.last, ("type: charm",)),)
    name = block(document, ("name",))
    return (Edit(problem.file, name.last + 1, name.last, ("type: charm",)),) if name else ()


def _platforms(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    base = block(document, ("base",))
    if path != ("platforms",) or not base:
        return ()
    return (Edit(problem.file, base.last + 1, base.last, ("platforms:", "  amd64:")),)


def _quote(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    """Put the channel of a base into quotes: YAML takes 22.04 for a number."""
    prefix = (*path, "channel")
    place = document.places.get(prefix)
    if place is None:
        return ()
    line = document.text.splitlines()[place[0] - 1]
    mended = re.sub(r"(channel:\s*)(\d\d\.\d\d)(?=\s|,|\}|$)", r'\1"\2"', line)
    return (Edit(problem.file, place[0], place[0], (mended,)),) if mended != line else ()


def _optional(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    """Say what is meant by silence: the application waits for this endpoint."""
    children = [at for other, at in document.places.items() if other[:-1] == path]
    here = block(document, path)
    if not children or not here or any(line == here.first for line, _ in children):
        return ()
    margin = " " * (children[0][1] - 1)
    return (Edit(problem.file, here.last + 1, here.last, (f"{margin}optional: false",)),)


def _override(document: Document, path: Keys, problem: Problem) -> tuple[Edit, ...]:
    """Write what a service without `override:` means: rockcraft.yaml has all of it."""
    children = sorted(at for other, at in document.places.items() if other[:-1] == path)
    place = document.places.get(path)
    if not children or not place or children[0][0] == place[0] or document.get(*map(str, path), "override") is not None:
        return ()
    margin = " " * (children[0][1] - 1)
    return (Edit(problem.file, place[0] + 1, place[0], (f"{margin}override: replace",)),)


_MENDS: dict[str, Callable[[Document, Keys, Problem], tuple[Edit, ...]]] = {
    "bases": _quote,
    "charm-part": _remove,
    "contributed-key": _remove_contributed,
    "empty-key": _remove_empty,
    "missing-key": _platforms,
    "optional-missing": _optional,
    "refused-key": _remove,
    "reserved-value": _remove,
    "service-override": _override,
    "type": _type,
    "unknown-extension": _rename_extension,
    "unknown-key": _rename,
}

FIXABLE = frozenset((*_MENDS, "unused-ignore"))
