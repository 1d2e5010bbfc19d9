"""The local rock: the root file system that rockcraft would put into an image, made of what this machine has."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nuages.build import rock_project
from nuages.build.environment import LAYOUT, Environment, compile_all, environment
from nuages.build.errors import BuildError
from nuages.build.files import content_digest, executable, fingerprint, make_readable, placed, text_digest
from nuages.build.rock_layer import STATSD_MAPPING, layer, metadata
from nuages.build.rock_project import RockProject
from nuages.contract import layout
from nuages.engine.programs import Progress, cache_dir, ensure, pythons
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
    notes = project.notes
    if python.version != project.base.python:
        notes = (f"Python {python.version}, rock: {project.base.python}", *notes)
    made = environment(project, python, progress)
    statsd = ensure("statsd_exporter", progress=progress)["statsd_exporter"]
    files = project.files()
    rest = text_digest(
        LAYOUT, PATH, made.digest, str(statsd), platform.machine(),
        to_json(layer(project)), to_json(metadata(project)), STATSD_MAPPING, *notes,
    )  # fmt: skip
    digest = text_digest(rest, _known_digest(project, files))[:32]
    target = cache_dir() / "images" / digest
    if not target.is_dir():
        with placed(target) as temporary:
            root = temporary / "rootfs"
            _fill(root, project, made, files)
            image = Image(
                root=root,
                mounts=(*_mounts(made), Mount(statsd, layout.STATSD_EXPORTER)),
                environment={"PATH": PATH},
                notes=notes,
                owners={layout.LOG_DIRECTORY: layout.UID},
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


def _fill(root: Path, project: RockProject, made: Environment, files: list[tuple[str, Path]]) -> None:
    application = root / layout.APP_DIRECTORY[1:]
    directories = [layout.APP_DIRECTORY, layout.LOG_DIRECTORY, layout.LAYERS_DIRECTORY, "/.rock"]
    # Mount points too: bubblewrap makes the parents of a missing one for root's eyes only.
    for name in [*directories, *(mount.target for mount in _mounts(made))]:
        (root / name[1:]).mkdir(parents=True)
    for name, path in files:
        (application / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, application / name)
        except PermissionError:
            raise BuildError(f"cannot read {path}: permission denied", fix="make it readable for you") from None
        (application / name).chmod(0o755 if executable(path) else 0o644)
    compile_all(made.python, application, application, layout.APP_DIRECTORY, "checked-hash")
    shutil.copyfile(made.directory / "pyvenv.cfg", root / "pyvenv.cfg")
    (root / layout.ROCK_METADATA[1:]).write_text(to_yaml(metadata(project)))
    (root / layout.STATSD_MAPPING[1:]).write_text(STATSD_MAPPING)
    (root / layout.LAYERS_DIRECTORY[1:] / f"001-{project.name}.yaml").write_text(to_yaml(layer(project)))
    make_readable(root)
