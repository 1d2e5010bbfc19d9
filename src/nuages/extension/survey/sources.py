"""Everything that the rules across files look at, read once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nuages.contract.bases import BY_NAME, Base
from nuages.contract.layout import CLASSIC, Layout
from nuages.extension import codes
from nuages.extension.django.detect import detect
from nuages.extension.django.findings import Findings, Place
from nuages.extension.django.requirements import with_rock
from nuages.extension.django.tree import Folder, Tree
from nuages.extension.load import Document, load
from nuages.extension.names import shown
from nuages.extension.problems import ExtensionError, Problem
from nuages.extension.project import Project, read

ROCK = "rockcraft.yaml"
TEXTS = (".py", ".txt", ".toml", ".sh", ".cfg", ".in")
"""Files in which a comment may silence a rule, and in which a variable may be read."""


@dataclass(frozen=True)
class Survey:
    """A project with its charm."""

    project: Project
    """The charm."""
    rock: Document | None
    findings: Findings | None
    """None when there is no Django project."""
    tree: Tree
    prefix: str = ""
    """What turns a name in the tree into one to show: `examples/notes/`."""
    source: str = ""
    """The charm's own code, which may set further variables."""
    executable: frozenset[str] = frozenset()
    """Files of the tree that may be executed, of those that matter."""
    commands: frozenset[str] | None = None
    """The programs that the project's packages bring; None when they were not installed."""

    @property
    def application(self) -> str:
        """The directory that becomes the rock's application, with a slash at its end unless it is the project's own."""
        folder = self.findings.application if self.findings else ""
        return folder + "/" if folder else ""

    @property
    def rock_base(self) -> Base | None:
        """The base of rockcraft.yaml."""
        if self.rock is None:
            return None
        key = "build-base" if self.rock.get("base") == "bare" else "base"
        return BY_NAME.get(str(self.rock.get(key)))

    @property
    def layout(self) -> Layout:
        """Where things are in the rock."""
        base = self.rock_base or self.project.base
        return base.layout if base else CLASSIC

    def at(self, code: str, place: Place | None, what: str, why: str, fix: str, severity: str = "") -> Problem:  # noqa: PLR0917
        """Return a problem with a file of the project."""
        file = place.file if place else ROCK
        line = place.line if place else 0
        level = severity or codes.severity(code)
        return Problem(code, self.prefix + file, line, 1 if line else 0, what, why, fix, level)

    def of(  # noqa: PLR0917  as a sentence: of, what, where, why, how
        self, document: Document, code: str, path: tuple[str | int, ...], why: str, fix: str, severity: str = ""
    ) -> Problem:
        """Return a problem with a key of charmcraft.yaml or rockcraft.yaml."""
        line, column = document.place(*path)
        what = ".".join(str(part) for part in path)
        return Problem(code, document.file, line, column, what, why, fix, severity or codes.severity(code))

    def texts(self) -> dict[str, str]:
        """Return the texts in which a comment may silence a rule, by the name to show."""
        found = {self.prefix + name: self.tree.text(name) for name in self.tree.names if name.endswith(TEXTS)}
        for document in (self.project.document, self.rock, self.project.paas_config):
            if document is not None:
                found[document.file] = document.text
        return found


def survey(root: Path, charm: Path, commands: frozenset[str] | None = None) -> Survey:
    """Return what is in the project at `root`, whose charm is in `charm`; `commands` are its packages' programs.

    Raises:
        ExtensionError: charmcraft.yaml, rockcraft.yaml or paas-config.yaml is no YAML.
    """
    project = read(charm)
    path = root / ROCK
    rock = load(path.read_bytes(), shown(path)) if path.is_file() else None
    tree = Folder(root)
    try:
        findings = with_rock(detect(tree, root.resolve().name), rock)
    except ExtensionError:
        findings = None  # no Django project here: the rock's rules say so
    scripts = frozenset(name for name in tree.named("migrate") if os.access(root / name, os.X_OK))
    name = shown(root)
    source = "\n".join(path.read_text(errors="replace") for path in sorted((charm / "src").glob("*.py")))
    return Survey(project, rock, findings, tree, "" if name == "." else name + "/", source, scripts, commands)
