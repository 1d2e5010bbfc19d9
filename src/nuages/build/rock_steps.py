"""The parts of rockcraft.yaml that the extension does not make: which of their commands can be run here.

A part's script may call `manage.py` so that pages work: collectstatic, compilemessages and the like. Those are run in
the local rock's own tree, where parts have theirs only once they are primed; so what merely moves files between the
directories of craft-parts has nothing to do here. Every other command is named.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nuages.contract.bases import EXTENSION
from nuages.contract.layout import Layout
from nuages.extension.in_rock import SCRIPTS
from nuages.extension.load import Document, Value
from nuages.extension.names import listed

COMMANDS = ("collectstatic", "compilemessages", "compress", "compilescss", "compilejsi18n")
"""Commands of manage.py that make files, and ask no database."""

_NOTHING = ("craftctl", "cd", "set", "mkdir", "echo", "true", ":", "touch")
_SETTLED = (("rm", "-f", "pyproject.toml"),)
"""What `nuages init` writes: here requirements.txt goes before pyproject.toml anyway."""
_MOVES = ("cp", "mv", "rsync", "install", "rm", "chmod", "chown")
_PLACES = re.compile(r"\$\{?CRAFT_(?:PRIME|STAGE|PART_INSTALL|PART_BUILD|PART_SRC|OVERLAY)\}?")
_ASSIGNMENT = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.DOTALL)
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?$")
_UNSHELLED = re.compile(r"[|<>`(){}$*?]|^(?:if|then|else|elif|fi|for|while|do|done|case|esac|function)$")
_OURS = ("PATH", "PYTHONPATH", "HOME", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Step:
    """One command of manage.py, to be run when the files are in place."""

    part: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    directory: str = ""
    """Where it starts; "" for the application's folder."""

    @property
    def shown(self) -> str:
        """How it stands in a message."""
        return f"manage.py {shlex.join(self.arguments)}"


@dataclass(frozen=True)
class Parts:
    """What rockcraft.yaml's own parts say."""

    steps: tuple[Step, ...] = ()
    packages: tuple[str, ...] = ()
    """Packages of Ubuntu that are staged or laid over the base, without the names of slices."""
    notes: tuple[str, ...] = ()


def read_parts(document: Document, places: Layout) -> Parts:
    """Return what the parts of a rock say; nothing is refused: rockcraft judges them."""
    steps: list[Step] = []
    packages: list[str] = []
    notes: list[str] = []
    for part, entry in document.mapping("parts").items():
        keys: dict[str, Value] = entry if isinstance(entry, dict) else {}
        for key in ("stage-packages", "overlay-packages"):
            staged = keys.get(key)
            packages += [str(name).partition("_")[0] for name in (staged if isinstance(staged, list) else ())]
        skipped: list[str] = []
        for script in SCRIPTS:
            text = keys.get(script)
            if isinstance(text, str):
                given = _given(keys.get("build-environment")) if script == "override-build" else {}
                for found in commands(part, text, given, app=places.app):
                    if isinstance(found, Step):
                        steps.append(found)
                    else:
                        skipped.append(found)
        own = not part.startswith(EXTENSION + places.separator)
        if own and (keys.get("plugin", "nil") != "nil" or keys.get("source")):
            notes.append(f"part {part} is not built here; rockcraft builds it")
        elif skipped:
            shown = [f"`{line}`" for line in skipped[:3]] + ([f"{len(skipped) - 3} more"] if len(skipped) > 3 else [])
            verb = "is" if len(skipped) == 1 else "are"
            notes.append(f"part {part}: {listed(shown)} {verb} not run here; rockcraft does")
    return Parts(tuple(steps), tuple(dict.fromkeys(packages)), tuple(notes))


def _given(value: Value) -> dict[str, str]:
    """Return the variables of a part's build-environment, a list of mappings."""
    found: dict[str, str] = {}
    for entry in value if isinstance(value, list) else ():
        for name, text in entry.items() if isinstance(entry, dict) else ():
            if name not in _OURS:
                found[name] = _PLACES.sub("", str(text))
    return found


def commands(part: str, script: str, given: Mapping[str, str] | None = None, *, app: str) -> Iterator[Step | str]:
    """Yield the commands of a part's script that are to be run, and as text those that cannot be."""
    environment: dict[str, str] = dict(given or {})
    directory = ""
    ran = False
    for line in script.replace("\\\n", " ").splitlines():
        for found in _commands(line):
            if found is None:
                yield line.strip()
                break
            words = found
            assigned: dict[str, str] = {}
            while words and (match := _ASSIGNMENT.match(words[0])):
                assigned[match[1]] = match[2]
                words = words[1:]
            if words[:1] == ["export"]:
                assigned = {match[1]: match[2] for word in words[1:] if (match := _ASSIGNMENT.match(word))}
                words = []
            assigned = {name: _PLACES.sub("", value) for name, value in assigned.items() if name not in _OURS}
            if not words:
                environment |= assigned
            elif arguments := _of_manage_py(words):
                ran = True
                yield Step(part, arguments, {**environment, **assigned}, directory)
            elif words[0] == "cd" and len(words) == 2:
                directory = _directory(words[1], app)
            elif not (
                words[0] in _NOTHING or tuple(words) in _SETTLED or (ran and words[0] in _MOVES and _between(words))
            ):
                yield shlex.join(words) if "$" not in line else line.strip()


def _commands(line: str) -> Iterator[list[str] | None]:
    """Yield the words of each command in a line; None for what only a shell understands."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&;|")
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in [*lexer, "&&"]:
            if word not in ("&&", ";"):
                words.append(word)
                continue
            if words:
                plain = [_PLACES.sub("", word) for word in words]
                yield None if any(_UNSHELLED.search(word) for word in plain) else words
            words = []
    except ValueError:
        yield None


def _of_manage_py(words: list[str]) -> tuple[str, ...]:
    """Return the arguments of manage.py when the command is one that is run here, else nothing."""
    rest = words
    if _PYTHON.match(_PLACES.sub("", rest[0])):
        rest = rest[1:]
        if rest[:2] == ["-m", "django"]:
            rest = rest[2:]
        elif rest and rest[0].endswith("manage.py"):
            rest = rest[1:]
        else:
            return ()
    elif rest[0].endswith("manage.py") or rest[0].rpartition("/")[2] == "django-admin":
        rest = rest[1:]
    else:
        return ()
    if not rest or rest[0] not in COMMANDS:
        return ()
    return tuple(_PLACES.sub("", word) for word in rest)


def _directory(word: str, app: str) -> str:
    plain = _PLACES.sub("", word).rstrip("/")
    return plain if plain.startswith(app + "/") else ""


def _between(words: list[str]) -> bool:
    """Whether a command only brings files from one of craft-parts' directories to another."""
    return any(_PLACES.search(word) for word in words[1:])
