"""The local rock: the root file system that rockcraft would put into an image, made of what this machine has."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nuages.build import rock_lent, rock_programs, rock_project, rock_run
from nuages.build.environment import LAYOUT, Environment, compile_all, environment
from nuages.build.errors import BuildError
from nuages.build.files import content_digest, executable, fingerprint, make_readable, placed, text_digest
from nuages.build.rock_layer import STATSD_MAPPING, layer, metadata
from nuages.build.rock_project import RockProject
from nuages.contract import layout
from nuages.engine.programs import Progress, cache_dir, ensure, pythons
from nuages.engine.programs.pythons import Python
from nuages.engine.sandbox.image import Image, Mount
from nuages.extension.write import to_json, to_yaml

PATH = "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin"
"""/bin first: its python3 is the rock's."""


@dataclass(frozen=True)
class RockResult:
    """A built rock."""

    directory: Path
    """Holds image.json and rootfs/; its name is the digest."""
    digest: str
    notes: tuple[str, ...] = ()
    """What differs from the rock that rockcraft would make."""


def rock(project_dir: Path, *, progress: Callable[[Progress], None] | None = None) -> RockResult:
    """Build the rock of the project in `project_dir`; nothing is done again when nothing changed.

    Raises:
        BuildError: something is missing, or a requirement cannot be installed.
        ExtensionError: rockcraft.yaml is no YAML.
        ProgramError: a program cannot be fetched.
    """
    project = rock_project.read(project_dir)
    python = pythons.find(project.base.python)
    made = environment(project, python, progress)
    files = project.files()
    content = _known_digest(project, files)
    places = project.base.layout
    bare = project.document.get("base") == "bare"
    programs = rock_programs.lent(made, project.document, files, content, bare=bare)
    notes = (
        *([f"Python {python.version}, rock: {project.base.python}"] if python.version != project.base.python else []),
        *project.notes,
        *rock_lent.staged_notes(project.parts.packages),
        *rock_lent.notes(rock_lent.lent(made), project.parts.packages, project.base),
        *rock_programs.notes(programs, project.parts.packages),
    )
    statsd = ensure("statsd_exporter", progress=progress)["statsd_exporter"]
    rest = text_digest(
        LAYOUT, PATH, made.digest, str(statsd), platform.machine(),
        to_json(layer(project)), to_json(metadata(project)), STATSD_MAPPING, *notes,
        *map(repr, project.parts.steps),
    )  # fmt: skip
    digest = text_digest(rest, content)[:32]
    target = cache_dir() / "images" / digest
    if not target.is_dir():
        with placed(target) as temporary:
            root = temporary / "rootfs"
            _fill(root, project, made, _copy(made.python, files, content, places.app), progress)
            image = Image(
                root=root,
                mounts=(*_mounts(made), Mount(statsd, layout.STATSD_EXPORTER)),
                environment={"PATH": PATH},
                notes=notes,
                owners=dict.fromkeys(_writable(places), layout.UID),
            )
            (temporary / "image.json").write_text(json.dumps(image.to_json(temporary), indent=1) + "\n")
    return RockResult(target, digest, notes)


def _known_digest(project: RockProject, files: list[tuple[str, Path]]) -> str:
    """Return the digest of the files' contents; they are read only when one of them has changed since the last time."""
    quick = fingerprint(files)
    memory = cache_dir() / "fingerprints" / text_digest(str(project.application.resolve()))[:32]
    try:
        known, digest = memory.read_text().split()
        if known == quick:
            return digest
    except (OSError, ValueError):
        pass  # not remembered yet: it is made again below
    digest = content_digest(files)
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(f"{quick} {digest}\n")
    return digest


def _mounts(made: Environment) -> tuple[Mount, ...]:
    return (Mount(made.directory / "bin", "/bin"), Mount(made.directory / "lib", "/lib"), *made.python.mounts())


def _copy(python: Python, files: list[tuple[str, Path]], content: str, app: str) -> Path:
    """Return a copy of the application's files with its modules compiled, made once for each content."""
    target = (
        cache_dir() / "applications" / text_digest(content, LAYOUT, app, python.version, str(python.executable))[:32]
    )
    if not target.is_dir():
        with placed(target) as temporary:
            for name, path in files:
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                try:
                    shutil.copyfile(path, temporary / name)
                except PermissionError:
                    raise BuildError(f"cannot read {path}: permission denied", fix="make it readable for you") from None
                (temporary / name).chmod(0o755 if executable(path) else 0o644)
            compile_all(python, temporary, temporary, app, "checked-hash")
            make_readable(temporary)
    return target


def _fill(
    root: Path, project: RockProject, made: Environment, copy: Path, progress: Callable[[Progress], None] | None
) -> None:
    places = project.base.layout
    application = root / places.app[1:]
    directories = [*_writable(places), places.gunicorn, layout.LAYERS_DIRECTORY, "/.rock"]
    # Mount points too: bubblewrap makes the parents of a missing one for root's eyes only.
    for name in [*directories, *(mount.target for mount in _mounts(made))]:
        (root / name[1:]).mkdir(parents=True, exist_ok=True)
    # Nobody writes into an image, so its files may be the copy's own; commands of parts do, into the project's.
    shutil.copytree(copy, application, copy_function=shutil.copy2 if project.parts.steps else _link)
    rock_run.run(project.parts.steps, application, made, places.app, progress)
    shutil.copyfile(made.directory / "pyvenv.cfg", root / "pyvenv.cfg")
    (root / layout.ROCK_METADATA[1:]).write_text(to_yaml(metadata(project)))
    (root / layout.STATSD_MAPPING[1:]).write_text(STATSD_MAPPING)
    (root / layout.LAYERS_DIRECTORY[1:] / f"001-{project.name}.yaml").write_text(to_yaml(layer(project)))
    make_readable(root)


def _writable(places: layout.Layout) -> list[str]:
    """Return the folders that belong to the service's user."""
    return [name for name in (places.logs, places.data) if name]


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # a file system without links, or with too many to this file
        shutil.copy2(source, target)
    return target
