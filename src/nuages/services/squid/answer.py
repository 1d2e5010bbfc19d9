"""From a requirer's databag to the provider's, on the interface http_proxy. Pure.

The shape is that of squid-forward-proxy (its library charms.squid_forward_proxy.v0.http_proxy): a list of requests,
each with a UUID, hosts, ways to authenticate and addresses, and a list of answers with the same UUIDs.
"""

from __future__ import annotations

import ipaddress
import json
import re
import string
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from nuages.services import databags
from nuages.services.driver import Refused

ENDPOINT = "http-proxy"
USER = "user"
"""The key of an answer that names its secret."""
READY, INVALID, UNSUPPORTED = "ready", "invalid", "unsupported"
_METHODS = ("srcip+userpass", "userpass", "srcip", "none")
"""Ways to authenticate; of those that a request accepts the provider takes the first."""
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_DEFAULT_PORTS = (80, 443)
_DIGITS = string.digits + string.ascii_lowercase
ANY = "*"


@dataclass(frozen=True, order=True)
class Place:
    """A host, in brackets when it is an IPv6 address, `*` for every one, and a port."""

    host: str
    port: int


@dataclass(frozen=True)
class Request:
    """One proxy that a requirer asks for."""

    relation: int
    id: str
    status: str
    """READY, or why there is no proxy."""
    method: str = ""
    places: tuple[Place, ...] = ()
    sources: tuple[str, ...] = ()
    """Addresses that its requests come from, when it authenticates by them."""

    @property
    def user(self) -> str:
        """Return the name of its user, "" when it needs none; made of relation and UUID as Charmhub's charm does."""
        return f"u{_base36(self.relation)}-{_base36(uuid.UUID(self.id).int)}" if "userpass" in self.method else ""

    @property
    def label(self) -> str:
        """Return the label of its user's secret."""
        return label(self.relation, self.id)


def label(relation: int, identifier: str) -> str:
    """Return the label of the secret of the request with this UUID."""
    return f"{ENDPOINT}.{relation}.{identifier}"


def parse(
    relation: int, requirer: str, bag: Mapping[str, str], addresses: Sequence[str], default: Sequence[Place]
) -> tuple[Request, ...]:
    """Return what the application `requirer` asks for; nothing while it has not asked.

    `addresses`: of its units. `default`: where a request may go that names no hosts, as a Django charm's does. (With
    Charmhub's charms http-proxy-configurator stands between and fills hosts and authentication in.)

    Raises:
        Refused: the requests cannot be told apart.
    """
    document = databags.decoded(bag.get("requests") or "[]")
    if not isinstance(document, list):
        raise Refused(f"{requirer} sent requests that are not a JSON list")
    found: dict[str, Request] = {}
    for item in cast("list[object]", document):
        fields = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        identifier = fields.get("requirer")
        if not isinstance(identifier, str) or identifier in found:
            raise Refused(f"{requirer} sent a request without a requirer of its own")
        found[identifier] = _request(relation, identifier, fields, addresses, default)
    return tuple(found[identifier] for identifier in sorted(found))


def places(words: object) -> tuple[Place, ...] | None:
    """Return the hosts of a list of `host` (ports 80 and 443) or `host:port`; None when it cannot be read."""
    if not isinstance(words, list | tuple):
        return None
    found: set[Place] = set()
    for word in cast("Sequence[object]", words):
        if not isinstance(word, str):
            return None
        if word.startswith("["):
            bare, bracket, rest = word.partition("]")
            name, port = bare + bracket, rest.removeprefix(":") if rest else "-"
        elif word.count(":") > 1:
            name, port = f"[{word}]", "-"
        else:
            name, colon, rest = word.partition(":")
            port = rest if colon else "-"
        ports = _DEFAULT_PORTS if port == "-" else (int(port),) if re.fullmatch("[0-9]{1,5}", port) else (0,)
        host = _host(name)
        if not host or not all(0 < number < 65536 for number in ports):
            return None
        found.update(Place(host, number) for number in ports)
    return tuple(sorted(found))


def answer(requests: Sequence[Request], url: str, uris: Mapping[str, str]) -> dict[str, str]:
    """Return the provider's databag; `uris`: of the users' secrets, by the request's UUID."""
    if not requests:
        return {}
    answers: list[dict[str, str]] = []
    for request in requests:
        said = {"requirer": request.id, "status": request.status}
        if request.status == READY:
            said |= {"auth": request.method, "http_proxy": url, "https_proxy": url}
            if request.user:
                said[USER] = uris[request.id]
        answers.append(said)
    return {"responses": json.dumps(answers, sort_keys=True)}


def answered(own: Mapping[str, str]) -> tuple[str, ...]:
    """Return the UUIDs of requests that our databag answers: what to forget when the relation goes."""
    return tuple(str(item["requirer"]) for item in json.loads(own.get("responses", "[]")))


def _request(
    relation: int, identifier: str, fields: Mapping[str, Any], addresses: Sequence[str], default: Sequence[Place]
) -> Request:
    wanted = places(fields.get("domains"))
    methods: object = fields.get("auth")
    sources: object = fields.get("src_ips") or list(addresses)
    good = isinstance(methods, list) and all(isinstance(word, str) for word in cast("list[object]", methods))
    if wanted is None or not good or not _uuid4(identifier):
        return Request(relation, identifier, INVALID)
    accepted = cast("list[str]", methods) or ["userpass"]
    method = next((word for word in _METHODS if word in accepted), "")
    if not method:
        return Request(relation, identifier, UNSUPPORTED)
    if "srcip" not in method:
        return Request(relation, identifier, READY, method, wanted or tuple(default))
    if not isinstance(sources, list) or not sources:
        return Request(relation, identifier, INVALID)
    known = [_address(word) for word in cast("list[object]", sources)]
    if not all(known):
        return Request(relation, identifier, UNSUPPORTED)  # whole networks are: the pods of a model have addresses
    return Request(relation, identifier, READY, method, wanted or tuple(default), tuple(sorted(filter(None, known))))


def _uuid4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4
    except ValueError:
        return False


def _address(word: object) -> str:
    try:
        return str(ipaddress.ip_address(word)) if isinstance(word, str) else ""
    except ValueError:
        return ""


def _host(text: str) -> str:
    if text.startswith("["):
        address = _address(text[1:-1])
        return f"[{address}]" if ":" in address and text.endswith("]") else ""
    return text.lower() if _HOST.fullmatch(text) else ""


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
