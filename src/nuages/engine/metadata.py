"""The documents inside a charm: what the engine reads of them, checked here and trusted everywhere else.

They come from strangers: a name must be fit for a path, and a value of the type that the state keeps, or the model
could not be opened the next time.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from nuages.engine import config
from nuages.engine.charm import Action, Charm, Container, Endpoint, Option, Role
from nuages.engine.errors import CharmError
from nuages.engine.foreign import Document

ROLES: dict[str, Role] = {"provides": "provider", "requires": "requirer", "peers": "peer"}
SHOWN = 3

D = TypeVar("D", bound=BaseModel)


def _or_empty(value: object) -> object:
    return {} if value is None else value


def _interface(value: object) -> object:
    return {"interface": value} if isinstance(value, str) else _or_empty(value)


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
Place = Annotated[str, StringConstraints(pattern=r"^/")]
Empty = BeforeValidator(_or_empty)


class Part(BaseModel):
    """Base of the parts: strict about types; keys that the engine does not use are not its business."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class EndpointPart(Part):
    """An entry of provides, requires or peers; the name of the interface alone will do."""

    interface: Annotated[str, StringConstraints(min_length=1)]
    limit: Annotated[int, Field(ge=0)] | None = None
    optional: bool | None = None
    scope: Literal["global", "container"] | None = None


class MountPart(Part):
    """A storage that a container mounts."""

    storage: Name
    location: Place


class ContainerPart(Part):
    """An entry of containers."""

    resource: Text = ""
    mounts: Annotated[list[MountPart], BeforeValidator(lambda value: [] if value is None else value)] = []
    uid: Annotated[int, Field(ge=0)] | None = None
    gid: Annotated[int, Field(ge=0)] | None = None


class ResourcePart(Part):
    """An entry of resources."""

    type: Text = ""


class StoragePart(Part):
    """An entry of storage."""

    location: Text = ""


class OptionPart(Part):
    """An option of config.yaml."""

    type: Literal["string", "int", "float", "boolean", "secret"]
    default: str | int | float | bool | None = None
    description: Text = ""


class ActionPart(Part):
    """An action of actions.yaml: the schema of its parameters is JSON schema."""

    description: Text = ""
    params: Annotated[dict[str, dict[str, Any]], Empty] = {}
    required: Annotated[list[str], BeforeValidator(lambda value: [] if value is None else value)] = []
    additional: Annotated[Any, Field(alias="additionalProperties")] = True


Endpoints = Annotated[dict[Name, Annotated[EndpointPart, BeforeValidator(_interface)]], Empty]


class Metadata(Part):
    """metadata.yaml."""

    name: Name
    summary: Text = ""
    provides: Endpoints = {}
    requires: Endpoints = {}
    peers: Endpoints = {}
    containers: Annotated[dict[Name, Annotated[ContainerPart, Empty]], Empty] = {}
    resources: Annotated[dict[Name, Annotated[ResourcePart, Empty]], Empty] = {}
    storage: Annotated[dict[Name, Annotated[StoragePart, Empty]], Empty] = {}


class Config(Part):
    """config.yaml."""

    options: Annotated[dict[Name, OptionPart], Empty] = {}


class Actions(Part):
    """actions.yaml: its top level is the actions."""

    actions: dict[Name, Annotated[ActionPart, Empty]]


class BasePart(Part):
    """An entry of bases."""

    channel: str


class Manifest(Part):
    """manifest.yaml."""

    bases: Annotated[list[BasePart], BeforeValidator(lambda value: [] if value is None else value)] = []


def build(
    metadata: Document, options: Document, actions: Document, *, digest: str, path: str = "", python: str = ""
) -> Charm:
    """Make a `Charm` of its documents.

    Args:
        metadata: metadata.yaml.
        options: `options` of config.yaml.
        actions: actions.yaml.
        digest: of the file, or `built-in`.
        path: of the file.
        python: the minor version of its base's Python, "" when it does not say.

    Raises:
        CharmError: a part that the engine needs is missing or wrong; every one is named.
    """
    found = _parse(Metadata, metadata, "metadata.yaml")
    return Charm(
        name=found.name,
        digest=digest,
        path=path,
        python=python,
        summary=found.summary,
        endpoints=_endpoints(found),
        containers=_containers(found),
        options={
            key: _option(key, part)
            for key, part in _parse(Config, {"options": dict(options)}, "config.yaml").options.items()
        },
        actions={
            key: Action(key, part.description, part.params, tuple(part.required), part.additional is not False)
            for key, part in _parse(Actions, {"actions": dict(actions)}, "actions.yaml").actions.items()
        },
        resources={key: part.type for key, part in found.resources.items()},
        storage={key: part.location for key, part in found.storage.items()},
    )


def base(manifest: Document) -> str:
    """Return the base's version of a manifest: `24.04`, or "" when it names none.

    Raises:
        CharmError: its bases are no list of bases.
    """
    bases = _parse(Manifest, manifest, "manifest.yaml").bases
    return bases[0].channel.partition("/")[0] if bases else ""


def options_of(document: Document) -> Document:
    """Return the options of a config.yaml.

    Raises:
        CharmError: they are no mapping.
    """
    options: object = document.get("options")
    if options is not None and not isinstance(options, dict):
        raise CharmError("cannot read the charm: config.yaml: options: it is not a mapping")
    return cast("Document", options or {})


def _parse(part: type[D], document: Document, name: str) -> D:
    try:
        return part.model_validate(dict(document))
    except ValidationError as error:
        problems = [
            f"{'.'.join(_shown(step) for step in problem['loc'] if step != '[key]')}: {problem['msg'].lower()}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise CharmError(f"cannot read the charm: {name}: {'; '.join(problems[:SHOWN])}{more}") from None


def _shown(step: str | int) -> str:
    return str(step) if str(step).isprintable() else repr(step)


def _endpoints(found: Metadata) -> dict[str, Endpoint]:
    endpoints: dict[str, Endpoint] = {}
    for key, role in ROLES.items():
        parts: dict[str, EndpointPart] = getattr(found, key)
        for name, part in parts.items():
            if name in endpoints:
                raise CharmError(f"cannot read the charm: metadata.yaml: {key}.{name}: another endpoint has this name")
            endpoints[name] = Endpoint(
                name, role, part.interface, limit=part.limit or 0, optional=part.optional, scope=part.scope or "global"
            )
    return endpoints


def _containers(found: Metadata) -> tuple[Container, ...]:
    for name, part in found.containers.items():
        place = f"cannot read the charm: metadata.yaml: containers.{name}"
        if part.resource and part.resource not in found.resources:
            raise CharmError(f'{place}: there is no resource "{part.resource}"')
        for mount in part.mounts:
            if mount.storage not in found.storage:
                raise CharmError(f'{place}: there is no storage "{mount.storage}"')
    return tuple(
        Container(
            name, part.resource, tuple((mount.storage, mount.location) for mount in part.mounts), part.uid, part.gid
        )
        for name, part in found.containers.items()
    )


def _option(name: str, part: OptionPart) -> Option:
    option = Option(name, part.type, None, part.description)
    if part.default is None:
        return option
    if isinstance(part.default, str) and part.type in ("int", "float", "boolean"):
        raise CharmError(
            f"cannot read the charm: config.yaml: the default of {name} is a text, not of type {part.type}"
        )
    if part.default == "":
        return Option(name, part.type, "", part.description)
    try:
        return Option(name, part.type, config.parse(option, part.default), part.description)
    except ValueError as error:
        raise CharmError(f"cannot read the charm: config.yaml: the default of {error}") from None
