"""The OpenID provider, run in its pod. Arguments: home, base URL, ports between commas, jwt or opaque, command.

In the home folder: `users.json`, `clients.json`, `keys.json`, `state.db`. Paths are Hydra's.
"""

# authlib is in the pod only:
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import grants
import pages
import people
import records
import web
from authlib.oauth2 import OAuth2Error
from joserfc import jwt
from joserfc.errors import JoseError
from keys import ALGORITHMS, Keys

SCOPES = ["openid", "profile", "email", "phone", "offline_access"]


class Provider:
    """The pages of OpenID Connect."""

    def __init__(self, home: Path, base: str, *, opaque: bool, command: str) -> None:
        store = people.Store(home / "state.db", records.SCHEMA)
        self.base = base
        self.people = people.People(home / "users.json", store, base, f"nuages run {command} show-users")
        self.keys = Keys(home)
        self.records = records.Records(people.File(home / "clients.json"), store, self.people)
        self.server = grants.Server(base, self.keys, self.records, self.people, opaque=opaque)

    def discovery(self, request: web.Request) -> web.Reply:
        """Describe the provider (OpenID Connect Discovery, 3)."""
        return web.document({
            "issuer": self.base,
            "authorization_endpoint": f"{self.base}/oauth2/auth",
            "token_endpoint": f"{self.base}/oauth2/token",
            "userinfo_endpoint": f"{self.base}/userinfo",
            "jwks_uri": f"{self.base}/.well-known/jwks.json",
            "revocation_endpoint": f"{self.base}/oauth2/revoke",
            "end_session_endpoint": f"{self.base}/oauth2/sessions/logout",
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.keys.algorithm],
            "token_endpoint_auth_methods_supported": grants.METHODS,
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": [
                "sub", "name", "preferred_username", "given_name", "family_name", "groups", "email", "email_verified",
            ],
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        })  # fmt: skip

    def jwks(self, request: web.Request) -> web.Reply:
        """Show the public keys."""
        return web.document(self.keys.public())

    def authorize(self, request: web.Request) -> web.Reply:
        """Lead back to the application with a code, when it is known who asks; else ask that first."""
        session = self.people.session(request)
        if session and self._again(request, session):
            session = None
        # Who has signed in for this very request is not asked for it again.
        query = {name: value for name, value in request.query.items() if not (session and name in ("prompt", _ASKED))}
        asked = grants.Request(replace(request, query=query), self.base)
        asked.session = session
        user = session.user if session else None
        try:
            grant = self.server.get_consent_grant(asked, end_user=user)
        except OAuth2Error as error:
            if getattr(error, "redirect_uri", None):
                return self.server.handle_error_response(asked, error)
            raise web.Refused(
                f"the application asks for what cannot be: {error.description or error.error}",
                advice="Its client ID and redirect URI must be those that it registered over the integration.",
            ) from None
        if user is None:
            shown = urlsplit(grant.redirect_uri or grant.client.get_default_redirect_uri()).netloc
            return self.people.form(request, self._next(request), shown)
        return self.server.create_authorization_response(asked, grant_user=user, grant=grant)

    def token(self, request: web.Request) -> web.Reply:
        """Give tokens for a code, a refresh token, or a client's own credentials."""
        reply = self.server.create_token_response(request)
        if reply.status >= 400:
            sys.stdout.write(f"no token: {reply.body}\n")
        return reply

    def userinfo(self, request: web.Request) -> web.Reply:
        """Tell who a token is about."""
        kind, _, text = {k.lower(): v for k, v in request.headers.items()}.get("authorization", "").partition(" ")
        text = text.strip() if kind.lower() == "bearer" else request.form.get("access_token", "")
        found = self.records.token(text, grants.ACCESS) if text else None
        if found is None or found.is_expired() or found.user is None or "openid" not in found.scope.split():
            reply = web.document({"error": "invalid_token"}, 401)
            reply.headers.append(("WWW-Authenticate", 'Bearer error="invalid_token"'))
            return reply
        return web.document({**grants.claims(found.user, found.scope), "aud": [found.client.client_id]})

    def introspect(self, request: web.Request) -> web.Reply:
        """Tell a client about a token of its own."""
        return self.server.create_endpoint_response("introspection", request)

    def revoke(self, request: web.Request) -> web.Reply:
        """End a token of the client's own."""
        return self.server.create_endpoint_response("revocation", request)

    def logout(self, request: web.Request) -> web.Reply:
        """Sign out and lead back, when a token of ours says to whom (OpenID Connect RP-Initiated Logout, 2)."""
        fields = {**request.query, **request.form}
        if "id_token_hint" not in fields:
            return self.people.ask_logout(request)
        try:
            said = jwt.decode(fields["id_token_hint"], self.keys.set, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError):
            raise web.Refused("id_token_hint is no token of this provider") from None
        audience = said["aud"] if isinstance(said.get("aud"), list) else [said.get("aud")]
        client = self.records.client(str(audience[0])) if audience else None  # an access token is nobody's
        session = self.people.session(request)
        if session and session.user.id != said.get("sub"):
            return self.people.ask_logout(request)
        self.people.end(request)
        target = fields.get("post_logout_redirect_uri", "")
        if not target:
            return web.Reply(pages.signed_out())
        # The interface registers no such addresses; one of the client's own site is as good.
        if client is None or records.origin(target) not in client.origins:
            raise web.Refused("the application may not lead there after signing out", status=403)
        state = fields.get("state", "")
        joint = "&" if urlsplit(target).query else "?"
        return web.redirect(target + (joint + urlencode({"state": state}) if state else ""))

    def routes(self) -> web.Routes:
        """Return all pages."""
        rows = {"Issuer": self.base, "Configuration": f"{self.base}/.well-known/openid-configuration"}
        found: dict[tuple[str, str], web.Handler] = {
            **self.people.routes("OpenID provider", rows),
            ("GET", "/.well-known/openid-configuration"): self.discovery,
            ("GET", "/.well-known/jwks.json"): self.jwks,
            ("GET", "/oauth2/auth"): self.authorize,
            ("POST", "/oauth2/token"): self.token,
            ("POST", "/oauth2/revoke"): self.revoke,
            ("POST", "/admin/oauth2/introspect"): self.introspect,
        }
        for method in ("GET", "POST"):
            found[method, "/userinfo"] = self.userinfo
            found[method, "/oauth2/sessions/logout"] = self.logout
        return found

    def _again(self, request: web.Request, session: people.Session) -> bool:
        """Tell whether a person who is signed in has to do it again for this request, by `prompt` or `max_age`."""
        asked = request.query.get(_ASKED, "")
        if _NUMBER.fullmatch(asked) and session.since * 1000 >= int(asked):
            return False
        age = request.query.get("max_age", "")
        old = bool(_NUMBER.fullmatch(age)) and session.since + int(age) < time.time()
        return old or "login" in request.query.get("prompt", "").split()

    def _next(self, request: web.Request) -> str:
        """Return where the login page leads: here again, with the time at which it was asked for."""
        return f"{request.path}?{urlencode({**request.query, _ASKED: str(int(time.time() * 1000))})}"


_ASKED = "login_asked"
_NUMBER = re.compile("[0-9]{1,15}")


def main() -> None:
    """Serve until a signal ends it."""
    home, base, ports, kind, command = Path(sys.argv[1]), *sys.argv[2:6]
    provider = Provider(home, base, opaque=kind == "opaque", command=command)
    web.serve(provider.routes(), {*map(int, ports.split(",")), urlsplit(base).port or 80})
    sys.stdout.write(f"OpenID provider at {base}\n")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    # Before any thread is there: they all leave these to the one that waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
