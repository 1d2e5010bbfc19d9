"""What the provider remembers: clients (a file written from outside), codes and tokens (a database).

A client in `clients.json`, by its ID: `secrets` (SHA-256 of each that serves), `redirect_uris`, `scope`, `grant_types`,
`audience`, `auth_method`, `name`. Codes and tokens are looked up by their digests: the database opens nothing.
"""

# ruff: noqa: D102  # the methods are authlib's, which documents them
# authlib is in the pod only:
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import Any

import people
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin
from authlib.oidc.core import AuthorizationCodeMixin

SCHEMA = (
    people.SCHEMA
    + """
CREATE TABLE IF NOT EXISTS codes (
    digest TEXT PRIMARY KEY, client TEXT, redirect_uri TEXT, scope TEXT, user TEXT, nonce TEXT, since REAL,
    auth_time INTEGER, code_challenge TEXT, code_challenge_method TEXT, session TEXT, used INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tokens (
    digest TEXT PRIMARY KEY, kind TEXT, client TEXT, scope TEXT, user TEXT, since INTEGER, lasts INTEGER, code TEXT
);
"""
)
CODE_LASTS = 600
"""Seconds."""


@dataclass(frozen=True)
class Client(ClientMixin):
    """A registered client."""

    client_id: str
    fields: dict[str, Any]

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        uris = self.fields["redirect_uris"]
        return uris[0] if len(uris) == 1 else ""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return the scope asked for; None, an error, when it has one that the client did not register."""
        words = (scope or "").split()
        return " ".join(words) if set(words) <= set(self.fields["scope"].split()) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.fields["redirect_uris"]

    def check_client_secret(self, client_secret: str) -> bool:
        made = people.digest(client_secret)
        return any(hmac.compare_digest(made, kept) for kept in self.fields["secrets"])

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.fields["auth_method"]

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self.fields["grant_types"]

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.fields["grant_types"]

    @property
    def client_metadata(self) -> dict[str, Any]:
        """What authlib asks for besides: nothing of it is registered by the interface."""
        return {}

    @property
    def origins(self) -> set[str]:
        """Return scheme and host of the registered addresses."""
        return {origin(uri) for uri in self.fields["redirect_uris"]}


def origin(uri: str) -> str:
    """Return a URL's scheme, host and port."""
    return "/".join(uri.split("/", 3)[:3])


class Code(AuthorizationCodeMixin):
    """An authorization code."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.code_challenge, self.code_challenge_method = row["code_challenge"], row["code_challenge_method"]

    def get_redirect_uri(self) -> str:
        return self.row["redirect_uri"]

    def get_scope(self) -> str:
        return self.row["scope"]

    def get_nonce(self) -> str:
        return self.row["nonce"]

    def get_auth_time(self) -> int:
        return self.row["auth_time"]

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> list[str]:
        return ["pwd"]


class Token(TokenMixin):
    """An access or refresh token."""

    def __init__(self, row: Any, client: Client, user: people.User | None) -> None:
        self.row, self.client, self.user = row, client, user
        self.scope = row["scope"]

    def check_client(self, client: Client) -> bool:
        return self.client.client_id == client.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return self.row["lasts"]

    def is_expired(self) -> bool:
        return self.row["since"] + self.row["lasts"] <= time.time()

    def is_revoked(self) -> bool:
        return False  # one that was revoked is deleted

    def get_user(self) -> people.User | None:
        return self.user

    def get_client(self) -> Client:
        return self.client


class Records:
    """The three together."""

    def __init__(self, clients: people.File, store: people.Store, persons: people.People) -> None:
        self._clients, self.store, self._people = clients, store, persons

    def client(self, client_id: str | None) -> Client | None:
        """Return a registered client."""
        found = self._clients.read().get(client_id) if client_id else None
        return Client(client_id or "", found) if found else None

    def token(self, text: str, *kinds: str) -> Token | None:
        """Return a token of one of the kinds; none whose client or user is gone."""
        rows = self.store.run("SELECT * FROM tokens WHERE digest = ?", people.digest(text))
        if not rows or rows[0]["kind"] not in kinds:
            return None
        client = self.client(rows[0]["client"])
        user = self._people.user(rows[0]["user"]) if rows[0]["user"] else None
        return Token(rows[0], client, user) if client and (user or not rows[0]["user"]) else None

    def keep_token(self, text: str, kind: str, token: Any, lasts: int) -> None:
        """Remember a token; `token` is a row's worth of client, scope, user and code."""
        self.store.run(
            "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            people.digest(text), kind, *token[:3], int(time.time()), lasts, token[3],
        )  # fmt: skip

    def code(self, text: str, client: Client) -> Code | None:
        """Return an unused code of the client, used up by that. One used twice ends what it brought (RFC 6749 4.1.2).

        Marked in one statement: of two requests that come together one gets it.
        """
        digest = people.digest(text)
        mark = "UPDATE codes SET used = 1 WHERE digest = ? AND client = ? AND used = 0 AND since > ?"
        if not self.store.change(mark, digest, client.client_id, time.time() - CODE_LASTS):
            self.store.change("DELETE FROM tokens WHERE code = ? AND client = ?", digest, client.client_id)
            return None
        (row,) = self.store.run("SELECT * FROM codes WHERE digest = ?", digest)
        return Code(row)

    def sweep(self) -> None:
        """Forget what is over."""
        self.store.run("DELETE FROM codes WHERE since < ?", time.time() - 2 * CODE_LASTS)
        self.store.run("DELETE FROM tokens WHERE since + lasts < ?", time.time())
