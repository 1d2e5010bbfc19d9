"""Which Python a project asks for, and which base of a charm has one like it."""

from __future__ import annotations

import re

from nuages.contract.bases import BASES, Base
from nuages.extension.django import toml
from nuages.extension.django.findings import Choice, Place
from nuages.extension.django.tree import Tree

_DEFAULT = "ubuntu@24.04"
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<|\^|~)?\s*(\d+)(?:\.(\d+))?(?:\.(\d+|\*))?(\.\*)?")


def find_python(tree: Tree) -> Choice | None:
    """Return what the project says about Python: a specifier (`>=3.11`) or a version (`3.12`)."""
    text = tree.text("pyproject.toml")
    document = toml.load(text)
    wanted = toml.table(document, "project").get("requires-python")
    if isinstance(wanted, str):
        place = Place("pyproject.toml", toml.line_of(text, "requires-python"))
        return Choice(wanted, place, "requires-python of pyproject.toml")
    wanted = toml.table(document, "tool", "poetry", "dependencies").get("python")
    if isinstance(wanted, str):
        place = Place("pyproject.toml", toml.line_of(text, "python", "="))
        return Choice(wanted, place, "what poetry is told in pyproject.toml")
    for name, pattern in (
        ("Pipfile", r"python_(?:full_)?version\s*=\s*['\"](\d+\.\d+)"),
        ("runtime.txt", r"python-(\d+\.\d+)"),
        (".python-version", r"^(?:cpython-)?(\d+\.\d+)"),
        ("setup.cfg", r"python_requires\s*=\s*(\S.*)"),
        ("setup.py", r"python_requires\s*=\s*['\"]([^'\"]+)"),
        ("Dockerfile", r"(?im)^FROM\s+(?:\S*/)?python:(\d+\.\d+)"),
    ):
        for file in tree.named(name, depth=2):
            found = re.search(pattern, tree.text(file), re.MULTILINE)
            if found:
                line = tree.text(file).count("\n", 0, found.start(1)) + 1
                return Choice(found[1].strip(), Place(file, line), f"{file} names it")
    return None


def choose_base(python: Choice | None) -> Choice:
    """Return the base whose Python the project accepts: 24.04 if it does, else the next that fits."""
    order = sorted(BASES, key=lambda base: (base.name != _DEFAULT, base.experimental, base.name))
    if python is None:
        return Choice(_DEFAULT, Place(""), "the usual base; nothing in the project names a Python")
    exact = re.fullmatch(r"\d+\.\d+", python.value)
    if exact:
        return _by_version(python, order)
    fitting = [base for base in order if accepts(python.value, base.python)]
    if not fitting:
        return Choice(_DEFAULT, python.place, f"no base has a Python that fits {python.value}; this is the usual one")
    base = fitting[0]
    reason = f"its Python {base.python} fits {python.value}"
    return Choice(base.name, python.place, reason, tuple(other.name for other in fitting[1:]))


def _by_version(python: Choice, order: list[Base]) -> Choice:
    for base in order:
        if base.python == python.value:
            return Choice(base.name, python.place, f"it has Python {python.value}")
    usual = next(base for base in order if base.name == _DEFAULT)
    return Choice(usual.name, python.place, f"no base has Python {python.value}; this one has {usual.python}")


def accepts(specifier: str, version: str) -> bool:
    """Whether a Python of that minor version (`3.12`) can fit the specifier (`>=3.11,<3.14`)."""
    minor = _pair(version)
    for clause in specifier.split(","):
        match = _CLAUSE.search(clause.strip())
        if not match:
            continue
        operator, major, small = match[1] or "==", int(match[2]), int(match[3] or 0)
        patch = bool(match[4]) and match[4] not in ("0", "*")
        bound = (major, small)
        fits = {
            ">=": minor >= bound,
            ">": minor >= bound if patch else minor > bound,
            "<": minor <= bound if patch else minor < bound,
            "<=": minor <= bound,
            "!=": patch or minor != bound,
            "==": minor == bound if match[3] else minor[0] == major,
            "~=": minor >= bound and (minor[0] == major if not match[4] else minor == bound),
            "^": minor >= bound and minor[0] == major,
            "~": minor == bound if match[3] else minor[0] == major,
        }[operator]
        if not fits:
            return False
    return True


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
