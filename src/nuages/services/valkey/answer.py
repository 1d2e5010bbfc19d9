"""From a requirer's databag to the provider's, on the interface valkey_client (data_interfaces v1 and v0). Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from nuages.services import databags
from nuages.services.driver import Refused
from nuages.services.valkey.server import PORT, SENTINEL_PORT, VERSION

ENDPOINT = "valkey-client"
USER, TLS = "user", "tls"
GROUPS = (USER, TLS)
"""Groups of fields that go into secrets."""

_ALIASES = ("database", "subject", "topic", "index", "plugin-url", "prefix")
"""The keys by which version 0 names what it asks for; the library takes the first."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_GLOB = re.compile(r"[!-~]+")
"""A glob in an ACL file: no space, no control character."""
_UNSET = (
    "secret-extra",
    "secret-entity",
    "prefix-resources",
    "mtls-cert",
    "entity-name",
    "entity-password",
    "password",
)
"""Fields that the library writes as null."""


@dataclass(frozen=True)
class Server:
    """Where this server is: by its names in the model, as Charmhub's valkey writes them."""

    application: str

    @property
    def fields(self) -> dict[str, str]:
        """Return what every answer says alike."""
        return {
            "endpoints": f"{self.application}-primary:{PORT}",
            "read-only-endpoints": f"{self.application}-replicas:{PORT}",
            "version": VERSION,
            "sentinel-endpoints": f"{self.application}-0.{self.application}-endpoints:{SENTINEL_PORT}",
            "mode": "sentinel",
        }


@dataclass(frozen=True)
class Request:
    """One user that a requirer asks for, and the glob of its keys; `id` is "" in version 0."""

    relation: int
    id: str
    resource: str
    salt: str
    original: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What it wrote."""

    @property
    def user(self) -> str:
        """Return the user's name, as Charmhub's valkey makes it."""
        return f"relation-{self.relation}-{self.id}" if self.id else f"relation-{self.relation}"

    def label(self, group: str) -> str:
        """Return the label of one of its secrets."""
        return ".".join([ENDPOINT, str(self.relation), *([self.id] if self.id else []), group])


def parse(relation: int, requirer: str, bag: Mapping[str, str], own: Mapping[str, str]) -> tuple[Request, ...]:
    """Return what the application `requirer` asks for; nothing while it has not asked. `own` is our databag.

    Raises:
        Refused: a request cannot be read, or names keys or itself in a way that cannot be.
    """
    if bag.get("version", "v0") != "v1":
        alias = next((name for name in _ALIASES if bag.get(name)), "")
        if not alias:
            return ()
        # Without a salt of the requirer the library draws one; ours is always the same for one relation.
        salt = bag.get("salt") or own.get("salt") or hashlib.sha256(f"{requirer}:{relation}".encode()).hexdigest()[:16]
        return (Request(relation, "", _resource(requirer, bag[alias]), salt, dict(bag)),)
    document = databags.decoded(bag.get("requests") or "[]")
    if not isinstance(document, list):
        raise Refused(f"{requirer} sent requests that are not a JSON list")
    found = [_request(relation, requirer, item) for item in cast("list[object]", document)]
    return tuple({request.id: request for request in found}.values())


def _request(relation: int, requirer: str, item: object) -> Request:
    if not isinstance(item, dict):
        raise Refused(f"{requirer} sent a request that is not an object")
    fields = cast("dict[str, Any]", item)
    resource = _resource(requirer, fields.get("resource"))
    salt = str(fields.get("salt") or "")
    name = str(fields.get("request-id") or hashlib.sha256(f"{resource}:{salt}".encode()).hexdigest()[:16])
    if not _NAME.fullmatch(name):
        raise Refused(f"{requirer} sent a request whose request-id is not made of letters, digits, '.', '_' and '-'")
    return Request(relation, name, resource, salt, fields)


def _resource(requirer: str, value: object) -> str:
    if not isinstance(value, str) or not _GLOB.fullmatch(value):
        raise Refused(f"{requirer} asks for keys that no pattern can name: {value!r:.60}")
    return value


def secrets(request: Request, password: str) -> dict[str, dict[str, str]]:
    """Return the content of a request's secrets, by group."""
    return {USER: {"username": request.user, "password": password}, TLS: {"tls": "false"}}


def answer(requests: tuple[Request, ...], uris: Mapping[str, Mapping[str, str]], server: Server) -> dict[str, str]:
    """Return the provider's databag for requests whose users exist; `uris`: of the secrets, by user and group."""
    if not requests:
        return {}
    first = requests[0]
    if not first.id:
        given = {"resource": first.resource, "salt": first.salt}
        own = {f"secret-{group}": uris[first.user][group] for group in GROUPS}
        alias = next(name for name in _ALIASES if first.original.get(name))
        # The requirer's own word for the resource gives way to `resource` in the copy, and comes back beside it.
        data = {**given, **{key: _decoded(text) for key, text in first.original.items() if key != alias}}
        return {**given, alias: first.resource, **own, **server.fields, "data": json.dumps(data)}
    answers = [
        {
            "resource": request.resource,
            "request-id": request.id,
            "salt": request.salt,
            **{f"secret-{group}": uris[request.user][group] for group in GROUPS},
            **server.fields,
            **dict.fromkeys(_UNSET),
        }
        for request in requests
    ]
    data = {request.id: dict(request.original) for request in requests}
    return {"version": "v1", "requests": json.dumps(answers), "data": json.dumps(data)}


def answered(own: Mapping[str, str], relation: int) -> tuple[Request, ...]:
    """Return the requests that our databag answers: what to forget when the relation goes."""
    if "requests" not in own:
        return (Request(relation, "", own.get("resource", ""), ""),)
    return tuple(
        Request(relation, str(item["request-id"]), str(item["resource"]), "") for item in json.loads(own["requests"])
    )


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
