"""The protocol, by authlib: which grants there are, and where each finds and keeps what it needs."""

# ruff: noqa: D102  # the methods are authlib's, which documents them

# authlib is in the pod only:
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
# pyright: reportOptionalMemberAccess=false, reportAssignmentType=false
from __future__ import annotations

import json
import time
from typing import Any

import people
import web
from authlib.common.security import generate_token
from authlib.oauth2 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Payload, grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.core import OpenIDCode
from authlib.oidc.core.grants.code import OpenIDToken
from joserfc import jwt
from keys import Keys
from records import Client, Code, Records, Token

ACCESS, REFRESH = "access_token", "refresh_token"
LASTS = {ACCESS: 3600, REFRESH: 30 * 86400}
"""Seconds."""
METHODS = ["client_secret_basic", "client_secret_post"]


def claims(user: people.User, scope: str) -> dict[str, Any]:
    """Return what a scope says about a user (OpenID Connect Core, 5.4)."""
    words = scope.split()
    found: dict[str, Any] = {"sub": user.id}
    if "profile" in words:
        name = f"{user.given_name} {user.family_name}".strip()
        found |= {"name": name or user.name, "preferred_username": user.name, "groups": list(user.groups)}
        found |= {"given_name": user.given_name, "family_name": user.family_name}
    if "email" in words and user.email:
        found |= {"email": user.email, "email_verified": True}
    return found


class Payload(OAuth2Payload):
    """A request's parameters."""

    def __init__(self, request: web.Request) -> None:
        self._data = {**request.query, **request.form}
        self._datalist: dict[str, list[str]] = {}
        for name, value in request.pairs:
            self._datalist.setdefault(name, []).append(value)

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> dict[str, list[str]]:
        return self._datalist


class Request(OAuth2Request):
    """A request as authlib reads it."""

    session: people.Session | None = None
    """Who is signed in in the browser that sent it."""

    def __init__(self, request: web.Request, base: str) -> None:
        super().__init__(request.method, base + request.here, headers=request.headers)
        self._query, self._form = dict(request.query), dict(request.form)
        self.payload = Payload(request)

    @property
    def args(self) -> dict[str, str]:
        return self._query

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Server(AuthorizationServer):
    """Authlib's server on our pages and records."""

    def __init__(self, base: str, keys: Keys, records: Records, persons: people.People, *, opaque: bool) -> None:
        super().__init__()
        self.base, self.keys, self.records, self.people, self.opaque = base, keys, records, persons, opaque
        self.register_token_generator(
            "default",
            BearerTokenGenerator(self._access_token, lambda **_: generate_token(48), lambda *_: LASTS[ACCESS]),
        )
        openid = [CodeChallenge256(required=True), OpenId()]
        self.register_grant(AuthorizationCode, openid)
        self.register_grant(RefreshToken, [OpenIdAgain()])
        self.register_grant(ClientCredentials)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)

    def query_client(self, client_id: str) -> Client | None:
        return self.records.client(client_id)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        self.records.sweep()
        code = request.authorization_code.row["digest"] if request.authorization_code else ""
        user = request.user.name if request.user else ""
        for kind in (ACCESS, REFRESH):
            if kind in token:
                row = (request.client.client_id, token.get("scope", ""), user, code)
                self.records.keep_token(token[kind], kind, row, LASTS[kind])

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        return request if isinstance(request, OAuth2Request) else Request(request, self.base)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> web.Reply:
        if isinstance(body, dict):
            body = json.dumps(body)
        kind = "application/json" if body else "text/plain"
        return web.Reply(body or "", status, kind, [pair for pair in headers if pair[0].lower() != "content-type"])

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def sign(self, content: dict[str, Any]) -> str:
        """Return a signed token."""
        key = self.keys.newest
        header = {"alg": self.keys.algorithm, "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, content, key, [self.keys.algorithm])

    def _access_token(self, *, client: Client, user: people.User | None, scope: str, **_: Any) -> str:
        if self.opaque:
            return generate_token(48)
        now = int(time.time())
        return self.sign(
            {
                "iss": self.base,
                "sub": user.id if user else client.client_id,
                "aud": client.fields["audience"],
                "client_id": client.client_id,
                "scp": scope.split() if scope else [],
                "iat": now,
                "nbf": now,
                "exp": now + LASTS[ACCESS],
                "jti": generate_token(24),
                "ext": {},
            }
        )


class CodeChallenge256(CodeChallenge):
    """PKCE by S256 alone, as Hydra has it."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        if data.get("code_challenge") and data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("'code_challenge_method' must be S256")


class OpenId(OpenIDCode):
    """ID tokens with authorization codes."""

    def __call__(self, grant: Any) -> None:
        self.server: Server = grant.server
        super().__call__(grant)

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        """Take any: the application compares it, and a person who goes back a page brings it again."""
        return False

    def generate_user_info(self, user: people.User, scope: str) -> dict[str, Any]:
        return claims(user, scope)

    def resolve_client_private_key(self, client: Client) -> Any:
        return self.server.keys.newest

    def get_client_algorithm(self, client: Client) -> str:
        return self.server.keys.algorithm

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": self.server.keys.algorithm, "kid": self.server.keys.newest.kid}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self.server.base, "aud": [client.client_id]}


class OpenIdAgain(OpenId):
    """ID tokens with refreshed access tokens."""

    def __call__(self, grant: Any) -> None:
        self.server = grant.server
        OpenIDToken.__call__(self, grant)


class AuthorizationCode(grants.AuthorizationCodeGrant):
    """The grant of a person who signs in."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: Server

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        data = request.payload.data
        session = request.session
        self.server.records.store.run(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            people.digest(code), request.client.client_id, data.get("redirect_uri", ""), request.scope,
            request.user.name, data.get("nonce", ""), time.time(), int(session.since), data.get("code_challenge"),
            data.get("code_challenge_method"), session.token,
        )  # fmt: skip

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return self.server.records.code(code, client)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It is marked as used: that it comes a second time has to be noticed."""

    def authenticate_user(self, authorization_code: Code) -> people.User | None:
        return self.server.people.user(authorization_code.row["user"])

    def generate_token(self, user: Any = None, scope: str = "", **more: Any) -> dict[str, Any]:
        # As Hydra: a refresh token is for who asks for offline access.
        more["include_refresh_token"] = more.get("include_refresh_token", False) and "offline_access" in scope.split()
        return super().generate_token(user=user, scope=scope, **more)


class RefreshToken(grants.RefreshTokenGrant):
    """A refresh token serves once."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: Server

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        token = self.server.records.token(refresh_token, REFRESH)
        return token if token and not token.is_expired() else None

    def authenticate_user(self, refresh_token: Token) -> people.User | None:
        return refresh_token.get_user()

    def revoke_old_credential(self, refresh_token: Token) -> None:
        # Of two requests that come together one removes it; the other one's answer is this error in place of tokens.
        if not self.server.records.store.change("DELETE FROM tokens WHERE digest = ?", refresh_token.row["digest"]):
            raise InvalidGrantError


class ClientCredentials(grants.ClientCredentialsGrant):
    """The grant of an application for itself."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class _OwnTokens:
    CLIENT_AUTH_METHODS = METHODS
    server: Server

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        return self.server.records.token(token_string, ACCESS, REFRESH)


class Introspection(_OwnTokens, IntrospectionEndpoint):
    """Tells a client about its own tokens."""

    def check_permission(self, token: Token, client: Client, request: OAuth2Request) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        found = {
            "active": True,
            "client_id": token.client.client_id,
            "token_type": "Bearer",
            "token_use": token.row["kind"],
            "scope": token.get_scope(),
            "sub": token.user.id if token.user else token.client.client_id,
            "aud": token.client.fields["audience"],
            "iss": self.server.base,
            "exp": token.row["since"] + token.row["lasts"],
            "iat": token.row["since"],
        }
        return found | ({"username": token.user.name} if token.user else {})


class Revocation(_OwnTokens, RevocationEndpoint):
    """Ends a client's own token."""

    def revoke_token(self, token: Token, request: OAuth2Request) -> None:
        self.server.records.store.run("DELETE FROM tokens WHERE digest = ?", token.row["digest"])
