"""A charm's folder as the rules see it: charmcraft.yaml, paas-config.yaml, the names in cos_custom/."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from nuages.contract.bases import BY_NAME, EXTENSION, Base
from nuages.extension.load import Document, Value, load
from nuages.extension.problems import ExtensionError

FILE = "charmcraft.yaml"
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
    selected: tuple[Selected, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selected", tuple(_selected(self.document.data)))

    @property
    def base(self) -> Base | None:
        """The base of the charm, None when none or an unknown one is named."""
        for selected in self.selected:
            if selected.name in BY_NAME:
                return BY_NAME[selected.name]
        return None

    @property
    def extended(self) -> bool:
        """Whether the document asks for the extension."""
        extensions = self.document.get("extensions")
        return isinstance(extensions, list) and EXTENSION in extensions


def find(directory: Path) -> Path:
    """Return the folder with charmcraft.yaml: `directory` or its `charm/`.

    Raises:
        ExtensionError: neither has one.
    """
    for candidate in (directory, directory / "charm"):
        if (candidate / FILE).is_file():
            return candidate
    if not directory.is_dir():
        raise ExtensionError(
            f"cannot find {FILE}: {directory} is no directory", fix="name the project with --project-dir"
        )
    raise ExtensionError(
        f"cannot find {FILE}: neither in {directory} nor in {directory / 'charm'}",
        fix="run this in the project's directory, or name it with --project-dir",
        code="no-charmcraft-yaml",
    )


def read(charm: Path) -> Project:
    """Return the project in the folder `charm`, as `find` returned it.

    Raises:
        ExtensionError: a file cannot be read or is no YAML.
    """
    document = load(_content(charm / FILE), _shown(charm / FILE))
    paas = charm / "paas-config.yaml"
    custom = charm / "cos_custom"
    entries: tuple[tuple[str, bool], ...] = ()
    if custom.is_dir():
        entries = tuple(sorted((entry.name, entry.is_dir()) for entry in custom.iterdir()))
    return Project(
        document=document,
        paas_config=load(_content(paas), _shown(paas)) if paas.is_file() else None,
        cos_custom=entries,
        experimental=os.environ.get(EXPERIMENTAL, "").lower() in ("1", "true", "yes", "y", "on", "t"),
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExtensionError(
            f"cannot read {_shown(path)}: {error.strerror}", fix="make the file readable for you"
        ) from None


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _selected(data: dict[str, Value]) -> list[Selected]:
    for key in ("base", "build-base"):
        value = data.get(key)
        if isinstance(value, str):
            return [Selected(value, (key,))]
    found: list[Selected] = []
    bases = data.get("bases")
    if isinstance(bases, list):
        for index, entry in enumerate(bases):
            if not isinstance(entry, dict):
                continue
            run_on = entry.get("run-on", entry.get("build-on"))
            if isinstance(run_on, list):
                key = "run-on" if "run-on" in entry else "build-on"
                for inner, item in enumerate(run_on):
                    found.extend(_of_entry(item, ("bases", index, key, inner)))
            else:
                found.extend(_of_entry(entry, ("bases", index)))
        return found
    platforms = data.get("platforms")
    if isinstance(platforms, dict):
        for label, value in platforms.items():
            targets = _targets(label, value)
            found.extend(
                Selected(target.rsplit(":", 1)[0], ("platforms", label)) for target in targets if "@" in target
            )
    return found


def _of_entry(entry: Value, path: tuple[str | int, ...]) -> list[Selected]:
    if isinstance(entry, dict):
        name, channel = entry.get("name"), entry.get("channel")
        if isinstance(name, str) and isinstance(channel, str):
            return [Selected(f"{name}@{channel}", path)]
    return []


def _targets(label: str, value: Value) -> list[str]:
    """Return what a platform builds for, with its base: `ubuntu@24.04:amd64`; the label itself when it says so."""
    target = value.get("build-for", value.get("build-on")) if isinstance(value, dict) else None
    named = target if isinstance(target, list) else [target]
    return [item for item in named if isinstance(item, str) and "@" in item] or [label]
