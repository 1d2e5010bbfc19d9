"""What is known about a Django project from its files alone: each choice with its place and its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Place(NamedTuple):
    """Where something was seen."""

    file: str
    """Relative to the project's directory, with `/`."""
    line: int = 0
    """From 1; 0 for the file as a whole."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Choice:
    """A value, where it comes from, and why it was taken."""

    value: str
    place: Place
    reason: str
    others: tuple[str, ...] = ()
    """What could have been taken instead."""


RemarkKind = Literal["missing", "decide", "risk", "note"]
"""`missing`: not found; `decide`: for a person; `risk`: would run, but not as a site should; `note`: to know."""


@dataclass(frozen=True)
class Remark:
    """Something that a person should know."""

    kind: RemarkKind
    code: str
    """A stable word for programs: `sqlite`."""
    text: str
    place: Place | None = None
    fix: str = ""
    bridged: bool = False
    """Whether the bridge of `init --settings` mends it."""


@dataclass(frozen=True)
class Selection:
    """A line that selects the settings module."""

    where: Literal["manage", "wsgi", "asgi", "celery", "other"]
    module: str
    place: Place
    form: Literal["default", "fixed"]
    """`default`: the environment wins (`setdefault`); `fixed`: it does not."""


@dataclass(frozen=True)
class Read:
    """A variable of the environment that the settings read."""

    name: str
    place: Place
    kind: str = "text"
    """How it is read: text, boolean, integer, commas, json, database-url, cache-url, email-url, other."""
    required: bool = False
    """Whether the settings fail without it."""
    default: str | None = None
    """Its default as text, when that is a literal."""
    setting: str = ""
    """The setting that it becomes (`SECRET_KEY`); "" when that is not plain."""
    key: str = ""
    """The key inside of it (`HOST` of a database), "" when there is none."""
    true: str = "True"
    """What a boolean is written as, to be taken for true."""
    false: str = "False"


@dataclass(frozen=True)
class Hook:
    """A module of settings that the project leaves to whoever installs it."""

    module: str
    file: str
    place: Place
    """Where it is imported."""
    exists: bool
    required: bool
    """Whether the settings fail without it."""
    example: str = ""
    """A file in the tree that shows what it may look like."""
    last: bool = False
    """Whether what it says wins over the settings around it."""


@dataclass(frozen=True)
class Settings:
    """What a settings module says, as far as that can be read."""

    module: str
    file: str
    files: tuple[str, ...] = ()
    """The module's file and those that it imports with `*`."""
    reads: tuple[Read, ...] = ()
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    """Where each setting was given last."""
    literals: dict[str, object] = field(default_factory=dict[str, object])
    """Settings whose value is written out: texts, numbers, lists, dictionaries; parts that are not are left out."""
    used: frozenset[str] = frozenset()
    """Settings from which others are made inside."""
    hook: Hook | None = None

    def reading(self, setting: str) -> tuple[Read, ...]:
        """Return the variables from which a setting is made."""
        return tuple(read for read in self.reads if read.setting == setting)

    def variables(self) -> dict[str, Read]:
        """Return the variables by name, of several reads the one that needs most."""
        found: dict[str, Read] = {}
        for read in self.reads:
            if read.name not in found or (read.required and not found[read.name].required):
                found[read.name] = read
        return found


@dataclass(frozen=True)
class Requirement:
    """One package."""

    name: str
    """Normalised: lower case, `-`."""
    text: str
    """As written: `Django~=5.2`, markers included."""
    place: Place


@dataclass(frozen=True)
class Requirements:
    """The packages that the project needs when it runs."""

    file: str
    """The file that names them; "" when none was found."""
    kind: Literal["txt", "pyproject", "pipfile", "uv.lock", "poetry.lock", "Pipfile.lock", "none"]
    packages: tuple[Requirement, ...] = ()
    files: tuple[str, ...] = ()
    """All files that were read."""
    groups: tuple[str, ...] = ()
    """Groups of pyproject.toml that are part of it."""
    reason: str = ""
    installable: bool = False
    """Whether `pip install` of the directory itself would work: a pyproject.toml with a build system."""

    def has(self, *names: str) -> Requirement | None:
        """Return the first package of that name, also of the form `name[extra]`."""
        return next((package for package in self.packages if package.name in names), None)


@dataclass(frozen=True)
class Service:
    """A process beside the web server."""

    name: str
    """As Pebble shall know it; ends in -worker or -scheduler."""
    command: str
    place: Place
    reason: str
    kind: str
    """celery, celery-beat, rq, huey, dramatiq, django-q, command."""


@dataclass(frozen=True)
class Integration:
    """A relation that the charm should have."""

    endpoint: str
    interface: str
    optional: bool
    place: Place
    reason: str


@dataclass(frozen=True)
class OptionFound:
    """An option of the charm's own, from a variable that the settings read."""

    name: str
    type: Literal["string", "int", "boolean", "secret"]
    read: Read
    default: str | int | bool | None = None
    required: bool = False
    key: str = ""
    """The key inside of a secret."""

    @property
    def variable(self) -> str:
        """The variable in which the charm hands it over."""
        name = "DJANGO_" + self.name.upper().replace("-", "_")
        return name + "_" + self.key.upper() if self.key else name


@dataclass(frozen=True)
class StaticFiles:
    """Who serves static files, and what has to be built for them."""

    served: bool
    """Whether something in the project serves them under gunicorn: WhiteNoise, or a storage elsewhere."""
    manifest: bool = False
    """Whether every page fails until collectstatic has run."""
    place: Place | None = None
    steps: tuple[Choice, ...] = ()
    """Build steps: npm, compilemessages, compression."""


@dataclass(frozen=True)
class Findings:
    """Everything that `detect` found out."""

    name: Choice
    """The application's, fit for a charm and a rock: `my-site`."""
    manage: Choice | None
    application: str
    """The directory that becomes /django/app, "" for the project's own; the one with manage.py."""
    wsgi: Choice | None
    """A dotted module, as seen from `application`."""
    asgi: Choice | None
    asynchronous: bool
    """Whether production serves the ASGI module."""
    selections: tuple[Selection, ...]
    settings: Settings | None
    """What is in force in the web server."""
    production: Settings | None
    """What should be: the one in force, or the one for production beside a one for development."""
    bridged: bool
    """Whether the settings in force take what the charm says from charm_settings."""
    others: tuple[Settings, ...]
    """What is in force elsewhere, when that differs."""
    requirements: Requirements
    python: Choice | None
    base: Choice
    services: tuple[Service, ...]
    integrations: tuple[Integration, ...]
    options: tuple[OptionFound, ...]
    packages: tuple[Choice, ...]
    """Packages that the charm's way needs and the project does not list: `psycopg[binary]`."""
    static: StaticFiles
    hints: tuple[Remark, ...]
    """What Procfile, compose files and others say."""
    remarks: tuple[Remark, ...]

    @property
    def conventional(self) -> bool:
        """Whether rockcraft finds the project without being told: NAME/manage.py and NAME/NAME/wsgi.py."""
        package = self.name.value.replace("-", "_")
        return (
            self.application == package
            and not self.asynchronous
            and self.wsgi is not None
            and self.wsgi.value == f"{package}.wsgi"
        )
