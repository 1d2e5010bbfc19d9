"""Reading a project as rockcraft's django-framework does: rockcraft.yaml, where manage.py is, which module is WSGI."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.build.files import NEVER, walk
from nuages.build.rock_parts import InstallApp, install_app
from nuages.build.rock_steps import Parts, read_parts
from nuages.build.rock_wsgi import wsgi_module
from nuages.contract import layout
from nuages.contract.bases import BASES, BY_NAME, EXTENSION, Base
from nuages.extension.load import Document, load
from nuages.extension.names import listed, nearest

FILE = "rockcraft.yaml"
REQUIREMENTS = ("requirements.txt", "pyproject.toml")

CONTRIBUTED = (layout.WEB_SERVICE, layout.STATSD_SERVICE)
"""Services that the extension makes: rockcraft.yaml changes them, and need not say all."""

IGNORED = (
    "__pycache__",
    "*.py[co]",
    ".git",
    ".gitignore",
    ".hg",
    ".svn",
    ".env",
    ".venv",
    ".idea",
    ".vscode",
    ".DS_Store",
    ".*_cache",
    ".tox",
    ".nox",
    ".coverage",
    "node_modules",
    "*.charm",
    "*.rock",
    "*.egg-info",
    "*.sqlite3",
    "*.sqlite3-journal",
    "*~",
    "*.swp",
)
"""What of a project's directory is not part of the application: caches, environments, the laptop's own database."""


@dataclass(frozen=True)
class RockProject:
    """What is known about a rock before anything is built."""

    document: Document
    root: Path
    """The directory of rockcraft.yaml."""
    application: Path
    """The directory that becomes the rock's application: the one with manage.py."""
    name: str
    version: str
    base: Base
    requirements: Path
    packages: tuple[str, ...]
    """Requirements that rockcraft.yaml itself adds, and gunicorn."""
    wsgi: str | None
    """The WSGI module; None when rockcraft.yaml gives the web service a command of its own."""
    asynchronous: bool
    """Whether the requirements name gevent."""
    notes: tuple[str, ...] = ()
    install: InstallApp | None = None
    """What rockcraft.yaml itself says of the application's files."""
    parts: Parts = field(default_factory=Parts)
    """What its parts run and stage."""

    def files(self) -> list[tuple[str, Path]]:
        """Return the application's files: name in the rock's application, path."""
        found = walk(self.application, IGNORED, also=_foreign)
        paths = {path.relative_to(self.application).as_posix(): path for path in found}
        if self.install is None:
            return list(paths.items())
        return sorted((target, paths[name]) for name, target in self.install.place(paths).items())


def read(root: Path) -> RockProject:
    """Return the project in `root`.

    Raises:
        BuildError: something that a rock needs is missing.
        ExtensionError: rockcraft.yaml is no YAML.
    """
    document = _document(root)
    name = _name(document)
    base = _base(document)
    _part_names(document, base)
    parts = read_parts(document, base.layout)
    install = install_app(document, root, base.layout)
    application, note = (install.source, "") if install else _application(root, name)
    requirements = _requirements(root, application)
    extra = _python_packages(document, base)
    texts = "\n".join([*extra, *(path.read_text(errors="replace") for path in requirement_files(requirements))]).lower()
    web = document.mapping("services", "django")
    return RockProject(
        document=document,
        root=root,
        application=application,
        name=name,
        version=str(document.get("version") or "0.1"),
        base=base,
        requirements=requirements,
        packages=(*extra, _gunicorn(texts)),
        wsgi=None if "command" in web else wsgi_module(document, application, name, (*IGNORED, *NEVER), _foreign),
        asynchronous="gevent" in texts,
        notes=(*([note] if note else []), *(install.notes if install else ()), *parts.notes, *_overrides(document)),
        parts=parts,
        install=install,
    )


def requirement_files(path: Path) -> list[Path]:
    """Return the file and those that it includes with -r and -c, each once."""
    found: list[Path] = []

    def add(file: Path) -> None:
        if file in found or not file.is_file():
            return
        found.append(file)
        if file.suffix == ".toml":
            return
        for line in file.read_text(errors="replace").splitlines():
            words = line.replace("=", " ", 1).split() if line.startswith("--") else line.split()
            if len(words) >= 2 and words[0] in ("-r", "--requirement", "-c", "--constraint"):
                add((file.parent / words[1]).resolve())
            elif line[:2] in ("-r", "-c") and len(words) == 1:
                add((file.parent / line[2:].strip()).resolve())

    add(path.resolve())
    return found


def _gunicorn(requirements: str) -> str:
    """Return gunicorn as a requirement; its gevent worker needs more than gevent, which the extra names."""
    named = "gunicorn" in requirements
    return "gunicorn" if named else "gunicorn[gevent]>=22" if "gevent" in requirements else "gunicorn>=22"


def _document(root: Path) -> Document:
    path = root / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BuildError(
            f"cannot build the rock: there is no {FILE} in {root}",
            fix="nuages init, which writes it",
            code="no-rockcraft-yaml",
        ) from None
    except OSError as error:
        fix = "make it a file that you can read"
        raise BuildError(f"cannot read {path}: {error.strerror}", fix=fix, code="no-rockcraft-yaml") from None
    document = load(content, str(path))
    extensions = document.get("extensions")
    if not isinstance(extensions, list) or EXTENSION not in extensions:
        raise _wrong(
            document, ("extensions",), f"it does not use {EXTENSION}", f"add `extensions:` with `- {EXTENSION}`"
        )
    services = document.mapping("services")
    for service, entry in services.items():
        if not isinstance(entry, dict):
            raise _wrong(
                document, ("services", service), f"service {service} is no mapping", "write `command:` below it"
            )
        if service not in CONTRIBUTED and not isinstance(entry.get("command"), str):
            raise _wrong(
                document, ("services", service), f"service {service} has no command", "write `command:` below it"
            )
    return document


def _name(document: Document) -> str:
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise _wrong(document, ("name",), "the rock has no name", "write `name:` and the project's name")
    return name


def _base(document: Document) -> Base:
    key = "build-base" if document.get("base") == "bare" else "base"
    value = document.get(key)
    if isinstance(value, str) and value in BY_NAME:
        return BY_NAME[value]
    known = [base.name for base in BASES]
    why = f"{key} is missing" if value is None else f"unknown {key} {value!r}{nearest(str(value), known)}"
    raise _wrong(document, (key,), why, f"use one of {listed(known)}")


def _part_names(document: Document, base: Base) -> None:
    """Stop where a part that is meant to be the extension's has the name of another base: it would be one more part."""
    wanted = base.layout.separator
    for part in document.mapping("parts"):
        rest = part.removeprefix(EXTENSION)
        if rest != part and rest[:1] in {other.layout.separator for other in BASES} - {wanted}:
            why = f"on {base.name} the extension's parts are called {EXTENSION}{wanted}NAME"
            raise _wrong(document, ("parts", part), why, f"call it {EXTENSION}{wanted}{rest[1:]}")


def _application(root: Path, name: str) -> tuple[Path, str]:
    """Return the directory with manage.py, and a note when it is not where rockcraft wants it."""
    folder = name.replace("-", "_").lower()
    if (root / folder / "manage.py").is_file():
        return root / folder, ""
    candidates = [root] if (root / "manage.py").is_file() else []
    candidates += [path.parent for path in sorted(root.glob("*/manage.py")) if not path.parent.name.startswith(".")]
    if len(candidates) == 1 or (candidates and candidates[0] == root):
        found = candidates[0]
        where = "the project's root" if found == root else f"{found.name}/"
        return found, f"manage.py is in {where}; rockcraft wants it in {folder}/"
    if candidates:
        names = listed(path.name + "/" for path in candidates)
        raise BuildError(
            f"cannot build the rock {name}: several directories have a manage.py: {names}",
            fix=f"call the one to serve {folder}/, or `name:` in {root / FILE} like it",
        )
    raise BuildError(
        f"cannot build the rock {name}: there is no manage.py in {root / folder} nor in {root}",
        fix=f"put the Django project into {root / folder}, as `django-admin startproject {folder}` makes it",
        code="no-manage-py",
    )


def _requirements(root: Path, application: Path) -> Path:
    for directory in (root, application):
        for name in REQUIREMENTS:
            if (directory / name).is_file():
                return directory / name
    raise BuildError(
        f"cannot build the rock: {root} has neither requirements.txt nor pyproject.toml",
        fix=f"write {root / 'requirements.txt'} with the packages the project imports: Django~=5.2",
        code="no-requirements",
    )


def _foreign(path: Path) -> bool:
    """Whether a path is something else that lies in the project: an environment, the charm."""
    return (path / "pyvenv.cfg").is_file() or (path / "charmcraft.yaml").is_file()


def _python_packages(document: Document, base: Base) -> list[str]:
    found: list[str] = []
    for part in ("dependencies", "async-dependencies"):
        packages = document.get("parts", f"{EXTENSION}{base.layout.separator}{part}", "python-packages")
        found.extend(str(package) for package in (packages if isinstance(packages, list) else ()))
    return found


def _overrides(document: Document) -> list[str]:
    """Return what to say of services that rockcraft would refuse, though they can be run."""
    own = {name: entry for name, entry in document.mapping("services").items() if name not in CONTRIBUTED}
    lacking = [name for name, entry in own.items() if isinstance(entry, dict) and "override" not in entry]
    return [f"services {listed(lacking)}: rockcraft wants `override: replace` there"] if lacking else []


def _wrong(document: Document, path: tuple[str, ...], why: str, fix: str) -> BuildError:
    line, column = document.place(*path)
    return BuildError(f"cannot use {document.file}:{line}:{column}: {why}", fix=fix, code="rockcraft-yaml")
