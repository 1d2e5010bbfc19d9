"""OAuth (OpenID Connect), version 0: where users sign in, and as which client. Endpoints have any name and number."""

import json
from zlib import crc32

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, Value
from nuages.charm.variables import Variable
from nuages.contract.endpoints import INGRESS, OAUTH
from nuages.contract.options import DYNAMIC, PREFIX
from nuages.contract.row import NamedTuple

REDIRECT_PATH, SCOPES = DYNAMIC[OAUTH.name]
SECRET = "client_secret_id"  # noqa: S105  the name of a field
OPENID = "openid"
SEEN = "provider-seen"
"""A key of our own in the unit's bag; see `publish`."""
FIELDS = {
    "API_BASE_URL": "issuer_url",
    "AUTHORIZE_URL": "authorization_endpoint",
    "ACCESS_TOKEN_URL": "token_endpoint",
    "USER_URL": "userinfo_endpoint",
    "USERINFO_URL": "userinfo_endpoint",
    "JWKS_URL": "jwks_endpoint",
}
"""Variable to field. The runtime that charmcraft packs sets USER_URL, its documentation says USERINFO_URL."""


class Client(NamedTuple):
    """An identity provider, and ourselves as its client."""

    endpoint: str
    provider: tuple[tuple[str, str], ...]
    """What `FIELDS` says of the provider: variable's ending, text."""
    client_id: str
    client_secret: str
    scopes: str = SCOPES.default
    """What the application asks for; `settle` knows it."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`DJANGO_OIDC_CLIENT_ID` and so on.

        A hyphen in the endpoint's name stays, as the contract has it; no shell can read such a variable, so it comes
        with an underscore too.
        """
        values = {
            "CLIENT_ID": self.client_id,
            "CLIENT_SECRET": self.client_secret,
            "CLIENT_KWARGS": json.dumps({"scope": self.scopes}),
            **dict(self.provider),
        }
        name = self.endpoint.upper()
        return tuple(
            Variable(f"{PREFIX}{prefix}_{ending}", text, f"integration {self.endpoint}", ending == "CLIENT_SECRET")
            for prefix in dict.fromkeys((name, name.replace("-", "_")))
            for ending, text in values.items()
        )


def scopes(facts: Facts, endpoint: str) -> str:
    """Return the scopes that the endpoint's option asks for."""
    return str(facts.config.get(endpoint + SCOPES.suffix, SCOPES.default))


def redirect_uri(facts: Facts, endpoint: str, url: str) -> str:
    """Return where the provider sends users back to."""
    path = str(facts.config.get(endpoint + REDIRECT_PATH.suffix, REDIRECT_PATH.default))
    return f"{url.rstrip('/')}/{path.lstrip('/')}"


def publish(facts: Facts, relation: Relation, url: str) -> Publication:
    """Describe the client; what depends on options or the public URL is rewritten when they change.

    The provider registers a client only when our side changes after its own description is there. If ours came first
    it would wait for ever, so a digest of its description in the leader's bag makes our side change once more.
    """
    app = {
        "redirect_uri": redirect_uri(facts, relation.endpoint, url),
        "scope": scopes(facts, relation.endpoint),
        "grant_types": json.dumps(["authorization_code"]),
        "audience": "[]",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    unit: dict[str, str] = {}
    if facts.leader and not _lacking(relation):
        described = repr([relation.bag[name] for name in sorted(set(FIELDS.values()))])
        unit = {SEEN: f"{crc32(described.encode(errors='surrogatepass')):08x}"}
    return Publication(app=app, unit=unit, once=False)


def _lacking(relation: Relation) -> list[str]:
    """Return which fields of its description the provider has not written."""
    return sorted(name for name in set(FIELDS.values()) if not relation.bag.get(name))


def parse(relation: Relation) -> Client | NotReady:
    """Read the provider's description and our credentials."""
    bag = relation.bag
    if lacking := _lacking(relation):
        return NotReady("no description of itself yet" if len(lacking) > 1 else f"no {lacking[0]}")
    if not bag.get("client_id"):
        return NotReady("no client registered yet")
    if not bag.get(SECRET):
        return NotReady("no client secret yet")
    content = relation.secrets.get(bag[SECRET])
    if content is None:
        return NotReady("its secret cannot be read yet")
    if not content.get("secret"):
        return NotReady("its secret has no client secret")
    return Client(
        endpoint=relation.endpoint,
        provider=tuple((ending, bag[name]) for ending, name in FIELDS.items()),
        client_id=bag["client_id"],
        client_secret=content["secret"],
    )


def settle(facts: Facts, relation: Relation, value: Value | NotReady) -> Value | NotReady:
    """Add the scopes asked for. Without `openid` in them, or without a public URL, nobody could sign in."""
    wanted = scopes(facts, relation.endpoint)
    if OPENID not in wanted.split():
        option = relation.endpoint + SCOPES.suffix
        return NotReady(
            f"{option} lacks {OPENID}", fix=f'juju config {facts.app} {option}="{" ".join([OPENID, *wanted.split()])}"'
        )
    ingresses = [endpoint.name for endpoint in facts.endpoints if endpoint.interface == INGRESS.name]
    if not any(each.interface == INGRESS.name for each in facts.relations):
        endpoint = ingresses[0] if ingresses else INGRESS.endpoint
        return NotReady(
            "users need a public URL to come back to", fix=f"juju integrate {facts.app}:{endpoint} traefik-k8s"
        )
    return value._replace(scopes=wanted) if isinstance(value, Client) else value


INTERFACE = Interface(name=OAUTH.name, provider="hydra", publish=publish, parse=parse, settle=settle, follows_url=True)
