"""Building what the project says: charm, rock and the programs that run them, side by side and with progress."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuages.cli.root import command_name
from nuages.cli.up.console import Console, megabytes
from nuages.cli.up.parallel import together
from nuages.cli.up.plan import BuiltIn, Observed, Project, Requirement, partner, unrelated
from nuages.engine.hooks.install import worth_building
from nuages.engine.programs import Progress, cache_dir, ensure

ENGINE_PROGRAMS = ("bwrap", "pebble", "statsd_exporter")
INGRESS_APPLICATION = "traefik-k8s"


@dataclass(frozen=True)
class Built:
    """The project as built, and what its user should know about the build."""

    project: Project
    notes: tuple[str, ...] = ()


def build(directory: Path, console: Console, observed: Observed, *, port: int | None) -> Built:
    """Check the project, then build its charm and rock and fetch the programs that this machine lacks.

    Of the built-in applications those are loaded with which `observed` lacks a relation: each takes a while. Raises
    `NuagesError` of whatever part refuses; nothing of the model was touched then.
    """
    from nuages.build import rock_project
    from nuages.build.check import check, refuse, warnings_line
    from nuages.build.pack import pack
    from nuages.build.rock import rock
    from nuages.extension.expand import expand
    from nuages.extension.project import find, read

    charm_dir = find(directory)
    report = check(charm_dir)
    refuse(report, f"run {directory}")  # what is wrong is told before anything is fetched
    expanded: dict[str, Any] = dict(expand(read(charm_dir)))
    rock_project.read(directory)
    requires = requirements(expanded)
    name = str(expanded["name"])
    built_ins, programs = _built_ins(unrelated(name, requires, observed))
    names = [*ENGINE_PROGRAMS, *worth_building(platform.machine()), *programs]
    shown = progress_on(console)
    done = together(
        {
            "charm": lambda: pack(charm_dir, _charms_of(directory)),
            "rock": lambda: rock(directory, progress=shown),
            "programs": lambda: ensure(*names, progress=shown),
        }
    )
    charm, image = done["charm"], done["rock"]
    (resource,) = [name for name, kind in expanded["resources"].items() if kind["type"] == "oci-image"]
    project = Project(
        application=name,
        charm=charm.path,
        charm_digest=charm.digest,
        images={resource: image.directory},
        requires=requires,
        provides=frozenset(expanded.get("provides") or {}) | frozenset(expanded.get("peers") or {}),
        built_ins=built_ins,
        configuration={INGRESS_APPLICATION: {"port": str(port)}} if port is not None else {},
    )
    warned = warnings_line(report, command_name())
    return Built(project, (*charm.notes, *image.notes, *([warned] if warned else [])))


def _charms_of(directory: Path) -> Path:
    """Return where this project's charm is packed: two projects may have the same name."""
    return cache_dir() / "charms" / hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]


def requirements(expanded: dict[str, Any]) -> tuple[Requirement, ...]:
    """Return what the charm requires, in the order of the expanded document."""
    found: dict[str, dict[str, Any]] = expanded.get("requires") or {}
    return tuple(
        Requirement(name, str(endpoint["interface"]), endpoint.get("optional")) for name, endpoint in found.items()
    )


def _built_ins(requires: Iterable[Requirement]) -> tuple[tuple[BuiltIn, ...], tuple[str, ...]]:
    """Return every built-in application, and the programs of those that the plan will take for `requires`."""
    from nuages.services import PROVIDES, REGISTRY

    found = tuple(BuiltIn(name, endpoints) for name, endpoints in PROVIDES.items())
    partners = (partner(found, requirement.interface) for requirement in requires)
    names = dict.fromkeys(chosen[0] for chosen in partners if chosen)
    programs = (program for name in names for program in REGISTRY[name].programs)
    return found, tuple(dict.fromkeys(programs))


def progress_on(console: Console) -> Callable[[Progress], None]:
    """Return what shows how far programs and packages are, on a console."""

    def show(progress: Progress) -> None:
        if progress.total is not None and progress.done >= progress.total and not progress.note:
            console.done(progress.program)
            return
        text = f"{progress.program}: {progress.note or 'fetching'}"
        if progress.total is not None and progress.done < progress.total:
            text += f", once per machine, {megabytes(progress.done)} of {megabytes(progress.total)}"
        console.progress(progress.program, text)

    return show
