"""A charm's folder as the rules see it: charmcraft.yaml, paas-config.yaml, the names in cos_custom/."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nuages.contract.bases import BASES, BY_NAME, EXTENSION, Base
from nuages.extension.load import Document, Value, load
from nuages.extension.names import shown
from nuages.extension.problems import ExtensionError

FILE = "charmcraft.yaml"
MIGRATED = ("name", "summary", "description")
"""What metadata.yaml may give instead of charmcraft.yaml."""
EXPERIMENTAL = "CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS"


@dataclass(frozen=True)
class Selected:
    """A base named in the document."""

    name: str
    """`ubuntu@24.04`."""
    path: tuple[str | int, ...]
    """Where it is named."""


@dataclass(frozen=True)
class Project:
    """Everything that rules and expansion look at."""

    document: Document
    paas_config: Document | None = None
    cos_custom: tuple[tuple[str, bool], ...] = ()
    """Entries of cos_custom/: name, whether it is a directory."""
    experimental: bool = False
    """Whether experimental extensions are allowed."""
    metadata: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """What metadata.yaml beside it, charmcraft's older form, gives: name, summary, description."""
    files: frozenset[str] = frozenset()
    """Names of the files beside charmcraft.yaml."""
    selected: tuple[Selected, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selected", tuple(_selected(self.document.data)))

    @property
    def base(self) -> Base | None:
        """The base whose contribution the charm gets, None when none that the extension knows is named.

        With `build-base` alone charmcraft contributes what belongs to its newest base.
        """
        if not self.selected and isinstance(self.document.get("build-base"), str):
            return BASES[-1]
        known = [BY_NAME[selected.name] for selected in self.selected if selected.name in BY_NAME]
        return next((base for base in known if not base.experimental), known[0] if known else None)

    @property
    def extended(self) -> bool:
        """Whether the document asks for the extension."""
        extensions = self.document.get("extensions")
        return isinstance(extensions, list) and EXTENSION in extensions


def find(directory: Path, naming: str = "--project-dir") -> Path:
    """Return the folder with charmcraft.yaml: `directory` or its `charm/`.

    `naming` is how the command that looks takes the name of another directory.

    Raises:
        ExtensionError: neither has one.
    """
    for candidate in (directory, directory / "charm"):
        if (candidate / FILE).is_file():
            return candidate
    if not directory.is_dir():
        raise ExtensionError(f"cannot find {FILE}: {directory} is no directory", fix=f"name the project with {naming}")
    raise ExtensionError(
        f"cannot find {FILE}: neither in {directory} nor in {directory / 'charm'}",
        fix="nuages init, which writes it"
        if (directory / "manage.py").is_file()
        else f"run this in the project's directory, or name it with {naming}",
        code="no-charmcraft-yaml",
    )


def read(charm: Path) -> Project:
    """Return the project in the folder `charm`, as `find` returned it.

    Raises:
        ExtensionError: a file cannot be read or is no YAML.
    """
    document = load(_content(charm / FILE), shown(charm / FILE))
    paas = charm / "paas-config.yaml"
    custom = charm / "cos_custom"
    entries: tuple[tuple[str, bool], ...] = ()
    if custom.is_dir():
        entries = tuple(sorted((entry.name, entry.is_dir()) for entry in custom.iterdir()))
    older = charm / "metadata.yaml"
    metadata = load(_content(older), shown(older)).data if older.is_file() else {}
    return Project(
        document=document,
        paas_config=load(_content(paas), shown(paas), empty=True) if paas.is_file() else None,
        cos_custom=entries,
        experimental=bool(os.environ.get(EXPERIMENTAL)),  # as charmcraft does: any text will do
        metadata={key: metadata[key] for key in MIGRATED if metadata.get(key) is not None},
        files=frozenset(name for name in ("config.yaml", "actions.yaml") if (charm / name).is_file()),
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExtensionError(
            f"cannot read {shown(path)}: {error.strerror}", fix="make the file readable for you"
        ) from None


def _selected(data: dict[str, Value]) -> list[Selected]:
    """Return the bases that the document names, as charmcraft counts them: `build-base` is none of them."""
    found: list[Selected] = []
    base = data.get("base")
    if isinstance(base, str) and base:
        found.append(Selected(base, ("base",)))
    platforms = data.get("platforms")
    for label, value in platforms.items() if isinstance(platforms, dict) else ():
        targets = value.get("build-for") if isinstance(value, dict) else None
        named: list[Value] = [label] if _based(label) else targets if isinstance(targets, list) else [targets]
        found.extend(Selected(_based(item), ("platforms", label)) for item in named if _based(item))
    bases = data.get("bases")
    for index, entry in enumerate(bases if isinstance(bases, list) else []):
        inner = entry.get("build-on") if isinstance(entry, dict) else None
        if isinstance(inner, list):
            for position, item in enumerate(inner):
                found.extend(_of_entry(item, ("bases", index, "build-on", position)))
        else:
            found.extend(_of_entry(entry, ("bases", index)))
    return found


def _based(target: Value) -> str:
    """Return the base of `BASE:ARCHITECTURE`, "" when it names none."""
    base = target.partition(":")[0] if isinstance(target, str) and ":" in target else ""
    return base if "@" in base else ""


def _of_entry(entry: Value, path: tuple[str | int, ...]) -> list[Selected]:
    if isinstance(entry, dict):
        name, channel = entry.get("name"), entry.get("channel")
        if isinstance(name, str) and isinstance(channel, str):
            return [Selected(f"{name}@{channel}", path)]
    return []
