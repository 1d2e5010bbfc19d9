"""Packing a charm: one file, the same bytes from the same input on every machine, without container or compiler."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nuages
from nuages.build import observability
from nuages.build.archive import Entry, write
from nuages.build.charm_dependencies import dependencies
from nuages.build.documents import documents, file_name
from nuages.build.errors import BuildError
from nuages.build.files import NEVER, executable, walk
from nuages.contract.bases import EXTENSION
from nuages.extension.expand import expand
from nuages.extension.project import read

DIRECTORIES = ("src", "lib", "cos_custom", "templates")
FILES = ("paas-config.yaml", "icon.svg", "LICENSE", "README.md", "copyright", "version")
RUNTIME = ("__init__.py", "errors.py", "charm", "contract")
"""What of our own package goes into a charm."""

DISPATCH = """\
#!/bin/sh
export JUJU_DISPATCH_PATH="${JUJU_DISPATCH_PATH:-$0}"
exec python3 -I -S "${0%/*}/venv/nuages/charm/boot.py"
"""

EXPLAIN = """\
#!/bin/sh
# Print where each variable of the application comes from: juju exec --unit APPLICATION/0 -- ./explain
cd "${0%/*}" && JUJU_DISPATCH_PATH=nuages/explain exec python3 -I -S venv/nuages/charm/boot.py
"""


@dataclass(frozen=True)
class PackResult:
    """A packed charm."""

    path: Path
    digest: str
    """sha256 of the file."""
    notes: tuple[str, ...] = ()
    """What the user should know about it."""


def pack(charm_dir: Path, out: Path) -> PackResult:
    """Pack the charm in `charm_dir` into `out`: a file when it ends with .charm, else a directory.

    Raises:
        ExtensionError: charmcraft.yaml breaks a rule.
        BuildError: a part is missing, or a requirement cannot be installed.
    """
    project = read(charm_dir)
    expanded = expand(project)
    base = project.base
    if not project.extended or base is None:
        raise BuildError(
            f"cannot pack {project.document.file}: it does not use the extension {EXTENSION}",
            fix=f"add `extensions:` with `- {EXTENSION}`, or pack it with charmcraft",
        )
    if not (charm_dir / "src/charm.py").is_file():
        raise BuildError(
            f"cannot pack {project.document.file}: {charm_dir / 'src/charm.py'} is missing",
            fix="write it: a class that inherits nuages.charm.DjangoCharm, and ops.main(YourClass) below it",
            code="no-charm-py",
        )
    needed = dependencies(charm_dir, base.python)
    entries = {f"venv/{name}": entry for name, entry in needed.files.items()}
    entries.update({f"venv/nuages/{name}": entry for name, entry in _runtime().items()})
    for path in _own(charm_dir):
        entries[path.relative_to(charm_dir).as_posix()] = Entry(_content(path, charm_dir), executable(path))
    written = {**documents(expanded, base), **observability.documents(project, charm_dir)}
    entries.update({name: Entry(text.encode()) for name, text in written.items()})
    entries["dispatch"] = Entry(DISPATCH.encode(), executable=True)
    entries["explain"] = Entry(EXPLAIN.encode(), executable=True)
    target = out if out.suffix == ".charm" else out / file_name(expanded, base)
    return PackResult(target, write(target, entries), needed.notes)


def _runtime() -> dict[str, Entry]:
    package = Path(nuages.__file__).parent
    files = [
        path
        for name in RUNTIME
        for path in (walk(package / name, NEVER) if (package / name).is_dir() else [package / name])
    ]
    return {path.relative_to(package).as_posix(): Entry(path.read_bytes()) for path in files}


def _own(charm_dir: Path) -> list[Path]:
    found = [path for name in DIRECTORIES if (charm_dir / name).is_dir() for path in walk(charm_dir / name, NEVER)]
    return found + [charm_dir / name for name in FILES if (charm_dir / name).is_file()]


def _content(path: Path, charm_dir: Path) -> bytes:
    if not path.resolve().is_relative_to(charm_dir.resolve()):
        raise BuildError(
            f"cannot pack {path}: it is a link to {path.resolve()}, outside of the charm",
            fix="copy the file into the charm",
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise BuildError(f"cannot pack {path}: {error.strerror}", fix="make it readable for you") from None
