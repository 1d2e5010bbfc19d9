"""A forward proxy: the `http_proxy` interface. Who may go where is configured on the proxy's side."""

import json
from collections.abc import Mapping

from nuages.charm import urls
from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, identity, records
from nuages.charm.variables import Variable
from nuages.contract import endpoints
from nuages.contract.row import NamedTuple

READY = "ready"
REFUSED = frozenset(("rejected", "invalid", "unsupported", "error"))


class Proxies(NamedTuple):
    """The proxies to use."""

    urls: Mapping[str, str]
    """By the variables' name in lower case."""
    origin: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`http_proxy`, `https_proxy`, each in both cases: programs differ in which one they read."""
        return tuple(
            Variable(name, url, self.origin, secret="@" in url)
            for lower, url in self.urls.items()
            for name in (lower, lower.upper())
        )


def publish(facts: Facts, relation: Relation, _url: str) -> Publication:
    """Ask for a proxy, without naming domains: a configurator on the way fills them in."""
    request: dict[str, object] = {"auth": [], "domains": [], "requirer": identifier(facts, relation)}
    return Publication(app={"requests": json.dumps([request])})


def identifier(facts: Facts, relation: Relation) -> str:
    """Return our request's UUID, in the form of version 4, variant 1 (RFC 9562): the interface takes no other."""
    digits = identity(facts, relation)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def secrets(bag: Bag) -> tuple[str, ...]:
    """Return the URIs of the secrets with credentials."""
    return tuple(
        uri for answer in records(bag.get("responses", "")) if (uri := answer.get("user", "")).startswith("secret:")
    )


def parse(relation: Relation) -> Proxies | NotReady:
    """Read the answer: we make one request, hence one that is ready is ours. Nobody but the leader could look it up."""
    found = records(relation.bag.get("responses", ""))
    answer = next((answer for answer in found if answer.get("status") == READY), None)
    if answer is None:
        word = next((word for answer in found if (word := answer.get("status", "")) in REFUSED), "")
        return NotReady(f"its answer is {word}" if word else "no proxy yet")
    credentials: tuple[str, str] | None = None
    if uri := answer.get("user", ""):
        content = relation.secrets.get(uri)
        if content is None:
            return NotReady("its secret cannot be read yet")
        credentials = content.get("username", ""), content.get("password", "")
        if not all(credentials):
            return NotReady("no credentials yet")
    named = {name: answer.get(name, "") for name in ("http_proxy", "https_proxy")}
    proxies = {name: url for name, text in named.items() if (url := _url(text, credentials))}
    if not proxies:
        return NotReady("no proxy yet")
    return Proxies(proxies, f"integration {relation.endpoint}")


def _url(text: str, credentials: tuple[str, str] | None) -> str:
    """Return a proxy's URL as paas-charm writes it: with a slash in the end, or with credentials and no path."""
    url = urls.parse(text)
    host = url.netloc.rpartition("@")[2].lower()
    if url.scheme not in ("http", "https") or not urls.is_host(host):
        return ""
    if credentials is not None:
        username, password = map(urls.encoded, credentials)
        return f"{url.scheme}://{username}:{password}@{host}"
    userinfo = url.netloc[: -len(host)]
    return f"{url.scheme}://{userinfo}{host}{url.path or '/'}"


INTERFACE = Interface(
    name=endpoints.HTTP_PROXY.name,
    provider="squid-forward-proxy",
    publish=publish,
    parse=parse,
    secrets=secrets,
)
