"""What has to be done so that the model is what the project says: pure, idempotent, empty when nothing is to do."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

INGRESS = "ingress"


@dataclass(frozen=True)
class BuiltIn:
    """A built-in application as the plan sees it: its name and which interface each provided endpoint speaks."""

    name: str
    provides: Mapping[str, str]


@dataclass(frozen=True)
class Requirement:
    """An endpoint that the charm requires; `optional` as its charmcraft.yaml says, None when it says nothing."""

    name: str
    interface: str
    optional: bool | None = None

    @property
    def wanted(self) -> bool:
        """Whether `up` relates it: what the charm cannot do without, and ingress."""
        return self.optional is False or self.interface == INGRESS


@dataclass(frozen=True)
class Project:
    """The project as built: one application, and what it is related to. An image's digest is its folder's name."""

    application: str
    charm: Path
    charm_digest: str
    images: Mapping[str, Path] = field(default_factory=dict[str, Path])
    requires: tuple[Requirement, ...] = ()
    provides: frozenset[str] = frozenset()
    built_ins: tuple[BuiltIn, ...] = ()
    configuration: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Options of built-in applications that the command line asked for, as with --port."""

    def partner(self, requirement: Requirement) -> tuple[str, str] | None:
        """Return the built-in application and its endpoint that answer the requirement, None if none does."""
        return partner(self.built_ins, requirement.interface)


def partner(built_ins: Iterable[BuiltIn], interface: str) -> tuple[str, str] | None:
    """Return the first built-in application, and its endpoint, that provides the interface, None if none does."""
    pairs = ((built_in.name, built_in.provides) for built_in in built_ins)
    return next(
        ((name, end) for name, provides in pairs for end, spoken in provides.items() if spoken == interface), None
    )


@dataclass(frozen=True)
class ObservedApplication:
    """One application of the model: the digests of its charm and resources, and the options that were set."""

    charm: str
    resources: Mapping[str, str] = field(default_factory=dict[str, str])
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Observed:
    """The model as it is; a relation is a pair of `application:endpoint`."""

    applications: Mapping[str, ObservedApplication] = field(default_factory=dict[str, ObservedApplication])
    relations: frozenset[frozenset[str]] = frozenset()
    stopped: bool = False

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Observed:
        """Read the daemon's document."""
        applications: Mapping[str, Mapping[str, Any]] = document["applications"]
        return cls(
            applications={
                name: ObservedApplication(
                    charm=str(application["charm"]),
                    resources=dict(application.get("resources") or {}),
                    config=dict(application.get("config") or {}),
                )
                for name, application in applications.items()
            },
            relations=frozenset(frozenset(str(side) for side in pair) for pair in document["relations"]),
            stopped=bool(document.get("stopped")),
        )


@dataclass(frozen=True)
class Operation:
    """One thing to do: the `juju` command that does it, and what asks our engine for the same."""

    command: str
    route: tuple[str, ...]
    """The path below the model."""
    body: Mapping[str, Any]


def start() -> Operation:
    """Start the pods of a stopped model. Juju has no word for it: there, nothing stops them."""
    return Operation("# start the stopped pods", ("start",), {})


def deploy(
    application: str,
    charm: Path | None = None,
    images: Mapping[str, Path] | None = None,
    config: Mapping[str, str] | None = None,
) -> Operation:
    """Deploy a charm file, or without one the built-in application of that name."""
    words = [application] if charm is None else [str(charm), application]
    body = {
        "charm": application if charm is None else str(charm),
        "application": application,
        "resources": {name: str(path) for name, path in (images or {}).items()},
        "config": dict(config or {}),
    }
    options = [*_options("--resource", images or {}), *_options("--config", config or {})]
    return Operation(shlex.join(["juju", "deploy", *words, *options]), ("deploy",), body)


def refresh(application: str, charm: Path | None, images: Mapping[str, Path]) -> Operation:
    """Give the application a new charm, new images or both."""
    words = [] if charm is None else ["--path", str(charm)]
    body = {
        "application": application,
        "charm": None if charm is None else str(charm),
        "resources": {name: str(path) for name, path in images.items()},
    }
    command = shlex.join(["juju", "refresh", application, *words, *_options("--resource", images)])
    return Operation(command, ("refresh",), body)


def configure(application: str, values: Mapping[str, str]) -> Operation:
    """Set options."""
    pairs = [f"{key}={value}" for key, value in sorted(values.items())]
    body: dict[str, Any] = {"set": dict(values), "reset": []}
    return Operation(shlex.join(["juju", "config", application, *pairs]), ("config", application), body)


def integrate(first: str, second: str) -> Operation:
    """Relate two endpoints."""
    return Operation(shlex.join(["juju", "integrate", first, second]), ("integrate",), {"endpoints": [first, second]})


def remove_relation(first: str, second: str) -> Operation:
    """Break a relation."""
    command = shlex.join(["juju", "remove-relation", first, second])
    return Operation(command, ("remove-relation",), {"endpoints": [first, second]})


def _options(flag: str, values: Mapping[str, Any]) -> list[str]:
    return [word for name, value in sorted(values.items()) for word in (flag, f"{name}={value}")]


def plan(project: Project, observed: Observed) -> tuple[Operation, ...]:
    """Return what makes the model the project's, in the order to do it.

    What the project does not speak of stays: options that were set, other applications, their relations, and an
    application whose last relation went, because it may hold data.
    """
    return (
        *([start()] if observed.stopped else []),
        *_relations_to_remove(project, observed),
        *_partners(project, observed),
        *_application(project, observed),
        *_relations_to_make(project, observed),
    )


def _relations_to_remove(project: Project, observed: Observed) -> Iterable[Operation]:
    """Relations at endpoints that the charm no longer has: a refresh would be refused while they stand."""
    if project.application not in observed.applications:
        return
    endpoints = {requirement.name for requirement in project.requires} | project.provides
    for relation in sorted(observed.relations, key=sorted):
        if len(relation) != 2:
            continue
        mine = next((side for side in relation if side.partition(":")[0] == project.application), None)
        if mine is not None and mine.partition(":")[2] not in endpoints:
            (other,) = relation - {mine}
            yield remove_relation(mine, other)


def _partners(project: Project, observed: Observed) -> Iterable[Operation]:
    names: list[str] = []
    for requirement in unrelated(project.application, project.requires, observed):
        found = project.partner(requirement)
        if found is not None and found[0] not in names and found[0] not in observed.applications:
            names.append(found[0])
    for name in names:
        yield deploy(name, config=project.configuration.get(name, {}))
    for name, values in sorted(project.configuration.items()):
        application = observed.applications.get(name)
        if application is not None:
            changed = {key: value for key, value in values.items() if str(application.config.get(key)) != value}
            if changed:
                yield configure(name, changed)


def _application(project: Project, observed: Observed) -> Iterable[Operation]:
    existing = observed.applications.get(project.application)
    if existing is None:
        yield deploy(project.application, project.charm, project.images)
        return
    charm = None if existing.charm == project.charm_digest else project.charm
    images = {name: path for name, path in project.images.items() if existing.resources.get(name) != path.name}
    if charm is not None or images:
        yield refresh(project.application, charm, images)


def _relations_to_make(project: Project, observed: Observed) -> Iterable[Operation]:
    for requirement in unrelated(project.application, project.requires, observed):
        found = project.partner(requirement)
        if found is not None:
            yield integrate(f"{project.application}:{requirement.name}", f"{found[0]}:{found[1]}")


def unrelated(application: str, requires: Iterable[Requirement], observed: Observed) -> list[Requirement]:
    """Return the wanted requirements of the application that no relation answers."""
    related = {side for relation in observed.relations for side in relation}
    return [
        requirement
        for requirement in requires
        if requirement.wanted and f"{application}:{requirement.name}" not in related
    ]


def unanswered(project: Project, observed: Observed) -> list[Requirement]:
    """Return what the charm cannot do without, no relation answers and no built-in application provides."""
    missing = unrelated(project.application, project.requires, observed)
    return [each for each in missing if each.optional is False and project.partner(each) is None]
