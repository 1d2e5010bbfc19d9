"""From a requirer's databag to a client, and to hydra's databag, on the interface oauth (version 0). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from nuages.services import databags
from nuages.services.driver import Answer, Refused

ENDPOINT = "oauth"
SECRET_ID = "client_secret_id"  # noqa: S105  # the name of a databag key
SECRET = "secret"  # noqa: S105  # the name of a field
SCOPES = "openid profile email phone"
GRANTS = ("authorization_code", "refresh_token", "client_credentials")
"""Those that the provider knows. The interface also names the device code, which takes a screen we do not have."""
METHODS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True)
class Client:
    """What a requirer wants to be registered as."""

    redirect_uris: tuple[str, ...]
    scope: str
    grant_types: tuple[str, ...]
    audience: tuple[str, ...]
    auth_method: str

    def document(self, name: str, secrets: Sequence[str]) -> dict[str, Any]:
        """Return what the provider reads; `secrets` are digests."""
        return {
            "name": name,
            "secrets": list(secrets),
            "redirect_uris": list(self.redirect_uris),
            "scope": self.scope,
            "grant_types": list(self.grant_types),
            "audience": list(self.audience),
            "auth_method": self.auth_method,
        }


def parse(application: str, bag: Mapping[str, str]) -> Client | None:
    """Return the client that a requirer describes, None while it has not done so.

    Raises:
        Refused: it describes what cannot be.
    """
    if not bag.get("scope") or not bag.get("grant_types"):
        return None
    grants = _words(application, bag, "grant_types")
    unknown = [name for name in grants if name not in GRANTS]
    if unknown:
        raise Refused(f"{application} asks for the grant type {unknown[0]}: there are {', '.join(GRANTS)}")
    text = bag.get("redirect_uri", "")
    uris = _words(application, bag, "redirect_uri") if text.startswith("[") else tuple(filter(None, [text]))
    if "authorization_code" in grants and not uris:
        return None
    for uri in uris:
        if not _is_web(uri):
            raise Refused(f"{application} asks for the redirect_uri {uri!r:.100}: it must be an http or https URL")
    method = bag.get("token_endpoint_auth_method") or METHODS[0]
    if method not in METHODS:
        raise Refused(f"{application} asks for the client authentication {method}: there are {', '.join(METHODS)}")
    return Client(uris, bag["scope"], grants, _words(application, bag, "audience"), method)


def _is_web(uri: str) -> bool:
    if not all("!" <= letter <= "~" for letter in uri):
        return False  # a line's end would be one in a header of the provider's; `urlsplit` leaves it out
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment


def _words(application: str, bag: Mapping[str, str], key: str) -> tuple[str, ...]:
    value: object = databags.decoded(bag.get(key) or "[]")
    words = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(word, str) for word in words):
        raise Refused(f"{application} publishes a {key} that is no list of texts")
    return tuple(str(word) for word in words)


def answer(base: str, internal: str, *, jwt: bool, client_id: str = "", secret: str = "") -> Answer:
    """Return what hydra says: who it is, and with a client ID also who the requirer is.

    `base` is the issuer; `internal` is where the administrator's interface is, for the model alone.
    """
    bag = {
        "issuer_url": base,
        "authorization_endpoint": f"{base}/oauth2/auth",
        "token_endpoint": f"{base}/oauth2/token",
        "introspection_endpoint": f"{internal}/admin/oauth2/introspect",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_endpoint": f"{base}/.well-known/jwks.json",
        "scope": SCOPES,
        "jwt_access_token": str(jwt),
    }
    if not client_id:
        return Answer(bag)
    return Answer(bag | {"client_id": client_id}, {SECRET_ID: {SECRET: secret}})
