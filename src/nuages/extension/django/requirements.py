"""The packages that a project needs when it runs, from whatever file names them."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, cast

from nuages.contract.bases import EXTENSION
from nuages.extension.django import toml
from nuages.extension.django.findings import Findings, Place, Requirement, Requirements
from nuages.extension.django.locks import poetry_lock, uv_lock
from nuages.extension.django.tree import Tree
from nuages.extension.load import Document

_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_FOLDERS = ("requirements", "reqs", "requirement", "deps")
_PRODUCTION = ("production", "prod", "deploy", "live", "base", "common", "main", "requirements", "app", "default")
"""Names of files and groups that are installed where the site runs, the best first."""
_DEVELOPMENT = (
    "dev",
    "development",
    "test",
    "tests",
    "testing",
    "lint",
    "docs",
    "doc",
    "typing",
    "ci",
    "local",
    "debug",
)


def find_requirements(tree: Tree, application: str) -> Requirements:
    """Return what the project requires: requirements.txt before pyproject.toml before lock files."""
    directories = list(dict.fromkeys(["", application]))
    found: list[Requirements] = []
    for directory in directories:
        found.extend(_in_directory(tree, directory))
    complete = [candidate for candidate in found if candidate.has("django")]
    chosen = next(iter(complete or found), Requirements("", "none"))
    if chosen.kind == "none":
        return chosen
    pyproject = toml.load(tree.text("pyproject.toml"))
    return Requirements(
        chosen.file, chosen.kind, chosen.packages, chosen.files, chosen.groups, chosen.reason,
        installable=bool(toml.table(pyproject, "build-system")) or "setup.py" in tree,
    )  # fmt: skip


def with_rock(findings: Findings, rock: Document | None) -> Findings:
    """Return the findings with what rockcraft.yaml itself installs among the requirements."""
    added: list[Requirement] = []
    for part in ("dependencies", "async-dependencies"):
        path = ("parts", f"{EXTENSION}/{part}", "python-packages")
        packages = rock.get(*path) if rock else None
        for index, package in enumerate(packages if isinstance(packages, list) else ()):
            found = requirement(str(package), Place("rockcraft.yaml", rock.place(*path, index)[0] if rock else 0))
            if found is not None:
                added.append(found)
    if not added:
        return findings
    packages = (*findings.requirements.packages, *added)
    return replace(findings, requirements=replace(findings.requirements, packages=packages))


def normal(name: str) -> str:
    """Return a package's name as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement(text: str, place: Place) -> Requirement | None:
    """Return the requirement that a line names, None when it names none."""
    text = re.sub(r"(^|\s)#.*$", "", text).strip()
    text = re.sub(r"\s+--hash[= ].*$", "", text).removesuffix("\\").strip()
    named = re.match(r"(?:-e\s+)?\S+#egg=([A-Za-z0-9._-]+)", text)
    match = named or (None if text.startswith("-") else _NAME.match(text))
    return Requirement(normal(match[1]), text, place) if match else None


def _in_directory(tree: Tree, directory: str) -> Iterator[Requirements]:
    def at(name: str) -> str:
        return posixpath.join(directory, name)

    if at("requirements.txt") in tree:
        yield _text(tree, at("requirements.txt"), f"{at('requirements.txt')} is there")
    for folder in _FOLDERS:
        files = [
            name
            for name in tree.under(at(folder))
            if name.endswith((".txt", ".pip")) and name.count("/") == at(folder).count("/") + 1
        ]
        chosen = _best(files)
        if chosen:
            yield _text(tree, chosen, f"what production installs, of {len(files)} files in {at(folder)}/")
    loose = [
        name
        for name in tree.under(directory)
        if posixpath.dirname(name) == directory
        and re.search(r"requirements[-_.]\w+\.(txt|pip)$|/?(prod|base)\.txt$", name)
    ]
    chosen = _best(loose)
    if chosen:
        yield _text(tree, chosen, f"what production installs, of {len(loose)} files")
    if at("pyproject.toml") in tree:
        yield from _pyproject(tree, at("pyproject.toml"), at("uv.lock"), at("poetry.lock"))
    if at("Pipfile.lock") in tree:
        yield from _pipfile_lock(tree, at("Pipfile.lock"))
    if at("Pipfile") in tree:
        yield from _pipfile(tree, at("Pipfile"))
    locked = toml.load(tree.text(at("uv.lock"))) if at("uv.lock") in tree else None
    if locked is not None:
        yield _lock(at("uv.lock"), "uv.lock", uv_lock(locked, ()))
    locked = toml.load(tree.text(at("poetry.lock"))) if at("poetry.lock") in tree else None
    if locked is not None:
        yield _lock(at("poetry.lock"), "poetry.lock", poetry_lock(locked, ()))


def locked_lines(tree: Tree, requirements: Requirements) -> tuple[str, list[str]]:
    """Return the lock file beside pyproject.toml and what it pins of the requirements; ("", []) without one."""
    for file in requirements.files:
        document = toml.load(tree.text(file)) if file.endswith(".lock") else None
        if document is not None:
            reader = uv_lock if file.endswith("uv.lock") else poetry_lock
            return file, reader(document, requirements.groups)
    return "", []


def _lock(name: str, kind: Literal["uv.lock", "poetry.lock"], lines: list[str]) -> Requirements:
    return Requirements(name, kind, _packages(lines, name), (name,), reason=f"only the lock file {name} names them")


def _best(files: list[str]) -> str:
    """Return the file for production: by its name, else the only one that is not for development."""

    def stem(name: str) -> str:
        base = re.sub(r"\.(txt|pip)$", "", name.rpartition("/")[2]).lower()
        return re.sub(r"^requirements[-_.]", "", base)

    for word in _PRODUCTION:
        for name in files:
            if stem(name) == word:
                return name
    rest = [name for name in files if stem(name) not in _DEVELOPMENT]
    return rest[0] if len(rest) == 1 else ""


def _text(tree: Tree, name: str, reason: str) -> Requirements:
    packages: dict[str, Requirement] = {}
    files: list[str] = []

    def read(file: str) -> None:
        if file in files or file not in tree:
            return
        files.append(file)
        for number, line in enumerate(tree.text(file).splitlines(), 1):
            words = line.replace("=", " ", 1).split() if line.startswith("--") else line.split()
            if words and words[0] in ("-r", "--requirement") and len(words) > 1:
                read(posixpath.normpath(posixpath.join(posixpath.dirname(file), words[1])))
            elif line.startswith("-r") and len(words) == 1:
                read(posixpath.normpath(posixpath.join(posixpath.dirname(file), line[2:].strip())))
            else:
                found = requirement(line, Place(file, number))
                if found:
                    packages.setdefault(found.name, found)

    read(name)
    return Requirements(name, "txt", tuple(packages.values()), tuple(files), reason=reason)


def _packages(lines: list[str], file: str) -> tuple[Requirement, ...]:
    found = [requirement(line, Place(file)) for line in lines]
    return tuple(package for package in found if package)


def _pyproject(tree: Tree, name: str, uv: str, poetry: str) -> Iterator[Requirements]:
    text = tree.text(name)
    document = toml.load(text)
    lines = toml.texts(toml.table(document, "project").get("dependencies"))
    groups: list[str] = []
    for title, items in [
        *toml.table(document, "dependency-groups").items(),
        *toml.table(document, "project", "optional-dependencies").items(),
    ]:
        if title.lower() in _PRODUCTION or "prod" in title.lower() or title.lower() in ("server", "deployment"):
            groups.append(title)
            lines.extend(_group(document, title, items, ()))
    legacy = toml.table(document, "tool", "poetry", "dependencies")
    lines.extend(_poetry_line(package, value) for package, value in legacy.items() if package.lower() != "python")
    places = {line: Place(name, toml.line_of(text, *([m[1]] if (m := _NAME.match(line)) else []))) for line in lines}
    packages = [found for line in lines if (found := requirement(line, places[line]))]
    if not packages:
        return
    reason = "its `dependencies`" + (f" and the groups {', '.join(groups)}" if groups else "")
    files = [name, *(lock for lock in (uv, poetry) if lock in tree)]
    yield Requirements(name, "pyproject", tuple(packages), tuple(files), tuple(groups), reason)


def _group(document: toml.Table | None, title: str, items: object, seen: tuple[str, ...]) -> list[str]:
    """Return the requirements of a group, with the groups that it includes."""
    lines = toml.texts(items)
    for item in cast("list[Any]", items) if isinstance(items, list) else ():
        included = cast("dict[str, Any]", item).get("include-group") if isinstance(item, dict) else None
        if isinstance(included, str) and included not in (*seen, title):
            inner = toml.table(document, "dependency-groups").get(included)
            lines.extend(_group(document, included, inner, (*seen, title)))
    return lines


def _poetry_line(package: str, value: object) -> str:
    """Return poetry's `name = "^1.2"` as a requirement: the package, its extras, and what plain versions say."""
    version: object = value
    extras = ""
    if isinstance(value, dict):
        entry = cast("dict[str, object]", value)
        version = entry.get("version")
        listed = toml.texts(entry.get("extras"))
        extras = f"[{','.join(listed)}]" if listed else ""
    text = str(version or "").strip()
    if text in ("", "*"):
        return package + extras
    match = re.fullmatch(r"([\^~])?(\d+)((?:\.\d+)*)", text)
    if match and match[1] == "^":
        return f"{package}{extras}>={match[2]}{match[3]},<{int(match[2]) + 1}"
    if match and match[1] == "~":
        return f"{package}{extras}~={match[2]}{match[3] or '.0'}{'.0' if match[3].count('.') == 1 else ''}"
    return f"{package}{extras}{'==' if match else ''}{text}"


def _pipfile(tree: Tree, name: str) -> Iterator[Requirements]:
    text = tree.text(name)
    lines: list[str] = []
    for package, value in toml.table(toml.load(text), "packages").items():
        entry: dict[str, object] = cast("dict[str, object]", value) if isinstance(value, dict) else {"version": value}
        extras = toml.texts(entry.get("extras"))
        version = str(entry.get("version") or "*")
        lines.append(package + (f"[{','.join(extras)}]" if extras else "") + ("" if version == "*" else version))
    packages = tuple(
        found
        for line in lines
        if (found := requirement(line, Place(name, toml.line_of(text, re.split(r"[\[<>=~!]", line)[0]))))
    )
    if packages:
        yield Requirements(name, "pipfile", packages, (name,), reason="its `[packages]`")


def _pipfile_lock(tree: Tree, name: str) -> Iterator[Requirements]:
    try:
        document: Any = json.loads(tree.text(name))
    except ValueError:
        return
    default: Any = cast("dict[str, Any]", document).get("default") if isinstance(document, dict) else None
    lines: list[str] = []
    for package, value in cast("dict[str, Any]", default).items() if isinstance(default, dict) else ():
        entry: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        extras = toml.texts(entry.get("extras"))
        line = package + (f"[{','.join(extras)}]" if extras else "") + str(entry.get("version") or "")
        lines.append(line + (f" ; {entry['markers']}" if entry.get("markers") else ""))
    if lines:
        reason = "the versions locked for `[packages]`"
        yield Requirements(name, "Pipfile.lock", _packages(sorted(lines), name), (name,), reason=reason)
