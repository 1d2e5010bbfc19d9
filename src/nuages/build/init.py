"""What `nuages init` does to a project's directory: reading it, writing files in one piece each, a shadow of it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from nuages.build.errors import BuildError
from nuages.build.files import placed, space_checked, text_digest
from nuages.contract.bases import EXTENSION
from nuages.engine.programs import cache_dir
from nuages.extension.django import Findings, Folder, detect
from nuages.extension.django.findings import Choice, Place
from nuages.extension.load import load
from nuages.extension.names import slug
from nuages.extension.problems import ExtensionError
from nuages.extension.scaffold import Planned, scaffold

HELPER = Path(__file__).parent / "templates" / "charm_settings.py"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CHARM = "charm/charmcraft.yaml"
PROSE = ("title", "summary", "description", "version")
"""Keys whose values are nobody's but the user's."""


@dataclass(frozen=True)
class Prepared:
    """A project, what was found out about it, and what would be written."""

    root: Path
    findings: Findings
    files: tuple[Planned, ...]


@dataclass(frozen=True)
class Change:
    """A file that is not as planned."""

    planned: Planned
    old: str | None
    """What is there, None for nothing."""

    @property
    def asks(self) -> bool:
        """Whether a person is asked first: something of theirs would change."""
        return self.old is not None


def prepare(root: Path, *, settings: bool, name: str | None = None) -> Prepared:
    """Find out about the project in `root` and plan its files; nothing is written.

    Raises:
        ExtensionError: it is no Django project.
        BuildError: there is something in the way.
    """
    _refuse_other_charms(root)
    tree = Folder(root)
    findings = detect(tree, root.resolve().name)
    chosen = _given_name(name) or _known_name(root)
    if chosen is not None:
        findings = replace(findings, name=chosen)
    return Prepared(root, findings, scaffold(tree, findings, helper=HELPER.read_text(), settings=settings))


def changes(prepared: Prepared) -> list[Change]:
    """Return the files that are not as planned."""
    found: list[Change] = []
    for planned in prepared.files:
        old = _read(prepared.root, planned.path)
        if old is None or not _same(planned, old):
            found.append(Change(planned, old))
    return found


def _same(planned: Planned, old: str) -> bool:
    """Whether a file says what is planned: in YAML comments, order, form and prose may be the user's own."""
    if old == planned.text:
        return True
    if not planned.path.endswith(".yaml"):
        return False
    try:
        mine, ours = (dict(load(text, planned.path).data) for text in (old, planned.text))
    except ExtensionError:
        return False
    for key in PROSE:
        if mine.get(key):
            ours[key] = mine[key]
    return mine == ours


def write(root: Path, files: Sequence[Planned]) -> None:
    """Write the files, each in one piece: whatever happens meanwhile, a file is the old or the new one."""
    for planned in files:
        path = _inside(root, planned.path)
        with space_checked(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise BuildError(
                    f"cannot write {path}: {path.parent} is no directory", fix=f"rename {path.parent}, then repeat"
                ) from None
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o755 if planned.executable else 0o644
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                    file.write(planned.text)
                Path(temporary).chmod(mode)
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise


def shadow(prepared: Prepared) -> Path:
    """Return a directory that is the project with the planned files in it; the project itself is not touched.

    Everything that is not planned is a link to the project, so that what is edited there counts.
    """
    texts = {planned.path: planned for planned in prepared.files}
    real = {""} | {parent.as_posix() for path in texts for parent in PurePosixPath(path).parents if parent.name}
    listing = {directory: _entries(prepared.root / directory) for directory in sorted(real)}
    digest = text_digest(
        str(prepared.root.resolve()), repr(listing), *(f"{path}\n{planned.text}" for path, planned in texts.items())
    )
    target = cache_dir() / "shadows" / digest[:32]
    if not target.is_dir():
        with placed(target) as temporary:
            for directory, names in listing.items():
                (temporary / directory).mkdir(parents=True, exist_ok=True)
                for name in names:
                    inner = f"{directory}/{name}" if directory else name
                    if inner not in real and inner not in texts:
                        (temporary / inner).symlink_to(prepared.root.resolve() / inner)
            write(temporary, prepared.files)
    return target


def _entries(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir()) if directory.is_dir() else []


def _read(root: Path, name: str) -> str | None:
    path = _inside(root, name)
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise BuildError(f"cannot write {path}: {path.parent} is no directory", fix=f"rename {path.parent}") from None
    except UnicodeDecodeError:
        raise BuildError(f"cannot read {path}: it is not UTF-8 text", fix="save it as UTF-8, or move it away") from None
    except OSError as error:
        raise BuildError(f"cannot read {path}: {error.strerror}", fix="make it a file that you can read") from None


def _inside(root: Path, name: str) -> Path:
    """Return the path of a file of the project; links are followed, but not out of it."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise BuildError(
            f"cannot write {path}: it is a link to {path.resolve()}, outside of the project",
            fix="replace the link with a file",
        )
    return path.resolve() if path.is_symlink() else path


def _refuse_other_charms(root: Path) -> None:
    if not root.is_dir():
        raise BuildError(f"cannot init {root}: there is no such directory", fix="nuages init DIRECTORY")
    if (root / "charmcraft.yaml").is_file():
        raise BuildError(
            f"cannot init {root}: it has a charm already, charmcraft.yaml at its top",
            fix=f"nuages check, or move charmcraft.yaml and src/ to {root / 'charm'} and repeat",
            code="charm-exists",
        )
    if (root / "charm" / "__init__.py").is_file():
        raise BuildError(
            f"cannot init {root}: {root / 'charm'} is a Python package, and the charm would be there",
            fix="rename the package",
            code="charm-exists",
        )
    path = root / CHARM
    if path.is_file():
        extensions = load(path.read_bytes(), str(path)).get("extensions")
        if not isinstance(extensions, list) or EXTENSION not in extensions:
            raise BuildError(
                f"cannot init {root}: {path} is a charm that does not use {EXTENSION}",
                fix=f"move {root / 'charm'} away and repeat, or add the extension to it by hand",
                code="charm-exists",
            )


def _given_name(name: str | None) -> Choice | None:
    if name is None:
        return None
    if not NAME.fullmatch(name) or len(name) > 40:
        raise BuildError(
            f"cannot use the name {name!r}: a charm's has lower-case letters, digits and single hyphens, 40 at most",
            fix=f"nuages init --name {slug(name) or 'my-site'}",
        )
    return Choice(name, Place(""), "as you say")


def _known_name(root: Path) -> Choice | None:
    """Return the name that the project has in files of an earlier time."""
    for file in ("rockcraft.yaml", CHARM):
        path = root / file
        if not path.is_file():
            continue
        try:
            document = load(path.read_bytes(), str(path))
        except ExtensionError:
            continue  # it is shown as a difference, and may be written anew
        name = document.get("name")
        if isinstance(name, str) and NAME.fullmatch(name):
            return Choice(name, Place(file, document.place("name")[0]), f"its name in {file}")
    return None
