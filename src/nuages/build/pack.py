"""Packing a charm: one file, the same bytes from the same input on every machine, without container or compiler."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nuages
from nuages.build import observability
from nuages.build.archive import Entry, write
from nuages.build.charm_dependencies import dependencies
from nuages.build.charm_files import ENTRY, own_files
from nuages.build.documents import architectures, documents, file_name, platforms
from nuages.build.errors import BuildError
from nuages.build.files import NEVER, executable, walk
from nuages.contract.bases import EXTENSION
from nuages.extension.expand import expand
from nuages.extension.names import listed, nearest
from nuages.extension.project import read
from nuages.extension.substitute import differs, platform_of

if TYPE_CHECKING:
    from nuages.build.charm_dependencies import Dependencies
    from nuages.contract.bases import Base

RUNTIME = ("__init__.py", "errors.py", "charm", "contract")
"""What of our own package goes into a charm."""

# The last word is what `charmcraft analyse` and Charmhub take for the charm's code: it has to be a file that is there.
DISPATCH = """\
#!/bin/sh
export JUJU_DISPATCH_PATH="${JUJU_DISPATCH_PATH:-$0}"
set -- -I -S "${0%/*}/venv/nuages/charm/boot.py"
exec python3 "$@" src/charm.py
"""

COMPILED = """\
#!/bin/sh
if ! command -v python3.12 >/dev/null; then
    echo "cannot run this charm: it has code compiled for Python 3.12, which is not here" >&2
    exit 1
fi
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
    name: str = ""
    base: str = ""
    architectures: tuple[str, ...] = ()
    """What it runs on, as its manifest says."""


def pack(charm_dir: Path, out: Path, *, platform: str | None = None) -> PackResult:
    """Pack the charm in `charm_dir` into `out`: a file when it ends with .charm, else a directory.

    `platform` is one of those that the charm declares; by default the file is for all of them.

    Raises:
        ExtensionError: charmcraft.yaml breaks a rule.
        BuildError: a part is missing, or a requirement cannot be installed.
    """
    project = read(charm_dir)
    base = project.base
    note = ""
    if platform is None and differs(project.document.data):
        declared = platforms(expand(project), base) if base is not None else {}
        platform, target = platform_of(project.document.data)
        others = [name for name in declared if name != platform]
        if not platform or not others:
            platform = None
        else:
            why = "charmcraft.yaml has $CRAFT_ARCH_… in it"
            note = f"{why}: this charm is for {target}; for {listed(others)}: pack with --platform {others[0]}"
    expanded = expand(project, platform)
    if not project.extended or base is None:
        raise BuildError(
            f"cannot pack {project.document.file}: it does not use the extension {EXTENSION}",
            fix=f"add `extensions:` with `- {EXTENSION}`, or pack it with charmcraft",
        )
    if not (charm_dir / ENTRY).is_file():
        raise BuildError(
            f"cannot pack {project.document.file}: {charm_dir / ENTRY} is missing",
            fix="write it: a class that inherits nuages.charm.DjangoCharm, and ops.main(YourClass) below it",
            code="no-charm-py",
        )
    chosen = _chosen(platforms(expanded, base), platform, project.document.file)
    own = own_files(charm_dir)
    needed = dependencies(charm_dir, base.python, architectures(chosen), own.files)
    notes = [*([note] if note else []), *own.notes]
    if needed.compiled:
        chosen, note = _compiled(chosen, needed, base)
        notes.append(note)
    code = _content(charm_dir / ENTRY, charm_dir)
    attributes, note = analysed(code)
    notes += [note] if note else []
    entries = {f"venv/{name}": entry for name, entry in needed.files.items()}
    entries.update({f"venv/nuages/{name}": entry for name, entry in _runtime().items()})
    for name, path in own.files.items():
        entries[name] = Entry(_content(path, charm_dir), executable(path))
    runs_on = [needed.architecture] if needed.compiled else architectures(chosen)
    written = {**documents(expanded, base, runs_on, attributes), **observability.documents(project, charm_dir)}
    entries.update({name: Entry(text.encode()) for name, text in written.items()})
    entries[ENTRY] = Entry(code, executable=True)
    for name, text in (("dispatch", DISPATCH), ("explain", EXPLAIN)):
        entries[name] = Entry((_for_python(text, base.python) if needed.compiled else text).encode(), executable=True)
    target = out if out.suffix == ".charm" else out / file_name(expanded, chosen)
    digest = write(target, entries)
    return PackResult(target, digest, tuple(notes), str(expanded["name"]), base.name, tuple(runs_on))


def analysed(code: bytes) -> tuple[dict[str, str], str]:
    """Return the manifest's attributes of a charm with this src/charm.py, and what Charmhub's review would refuse.

    The same facts as `charmcraft analyse` (4.5.0): a charm is of the operator framework when its code imports ops.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError) as error:
        place = f"{ENTRY}:{error.lineno}" if isinstance(error, SyntaxError) else ENTRY
        raise BuildError(f"cannot pack the charm: {place}: {error.args[0]}", fix=f"correct {ENTRY}") from None
    imported: set[str] = set()
    mains: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Call):
            mains.add(ast.unparse(node.func).rpartition(".")[2])
    framework = "operator" if "ops" in imported else "unknown"
    note = "" if framework == "operator" and "main" in mains else (
        f"{ENTRY} does not import ops and call ops.main(): it runs, but `charmcraft analyse` wants "
        'both. Below the class: if __name__ == "__main__": ops.main(YourClass)'
    )  # fmt: skip
    return {"language": "python", "framework": framework}, note


def _chosen(declared: dict[str, list[str]], platform: str | None, file: str) -> dict[str, list[str]]:
    if platform is None:
        return declared
    if platform not in declared:
        raise BuildError(
            f"cannot pack for {platform}: {file} has no such platform{nearest(platform, declared)}",
            fix=f"use one of {listed(declared)}",
        )
    return {platform: declared[platform]}


def _compiled(chosen: dict[str, list[str]], needed: Dependencies, base: Base) -> tuple[dict[str, list[str]], str]:
    """Return the platforms that a charm with compiled code is for, and the warning.

    Raises:
        BuildError: it is for none of those that were asked for.
    """
    one = needed.architecture
    kept = {name: those for name, those in chosen.items() if one in those or "all" in those}
    others = [name for name in chosen if name not in kept]
    if not kept:
        raise BuildError(
            f"cannot pack for {listed(chosen)}: {needed.compiled} is compiled, and wheels are picked for amd64 and "
            "arm64 only",
            fix="use a requirement that is pure Python, or pack with charmcraft on such a machine",
        )
    note = f"compiled code in it ({needed.compiled}): this charm runs on {one} with Python {base.python} only"
    if others:
        note += f"; for {listed(others)}: pack with --platform {others[0]}"
    return kept, note


def _for_python(script: str, version: str) -> str:
    """Return a script that runs with one Python and names it when it is not there."""
    return COMPILED.replace("3.12", version) + script.removeprefix("#!/bin/sh\n").replace(
        "exec python3 ", f"exec python{version} "
    )


def _runtime() -> dict[str, Entry]:
    package = Path(nuages.__file__).parent
    files = [
        path
        for name in RUNTIME
        for path in (walk(package / name, NEVER) if (package / name).is_dir() else [package / name])
    ]
    return {path.relative_to(package).as_posix(): Entry(path.read_bytes()) for path in files}


def _content(path: Path, charm_dir: Path) -> bytes:
    around = charm_dir.resolve()
    if not path.resolve().is_relative_to(around) and path.parent.resolve() != around.parent:
        raise BuildError(
            f"cannot pack {path}: it is a link to {path.resolve()}, outside of the charm",
            fix="copy the file into the charm",
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise BuildError(f"cannot pack {path}: {error.strerror}", fix="make it readable for you") from None
