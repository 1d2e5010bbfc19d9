"""The identity provider, run in its pod. Arguments: home, base URL, further port, the command that shows the users.

In the home folder: `users.json`, `hosts.json` (where assertions may go), `signing.pem`, `certificate.pem`, `state.db`.
"""

# lxml and signxml are in the pod only:
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import base64
import json
import secrets
import signal
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import authn
import certificate
import pages
import people
import responses
import web

SCHEMA = people.SCHEMA + "CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, request TEXT, since REAL);"
_PENDING = 600
"""Seconds that a person has for signing in."""


class Provider:
    """The pages of SAML."""

    def __init__(self, home: Path, base: str, command: str) -> None:
        self._store = people.Store(home / "state.db", SCHEMA)
        self._base, self._command = base, command
        self._hosts = people.File(home / "hosts.json")
        self.people = people.People(home / "users.json", self._store, base, f"nuages run {command} show-users")
        key, text = certificate.ensure(home)
        self.identity = responses.Identity(
            entity_id=f"{base}/saml/metadata",
            sign_on=f"{base}/saml/sso",
            key=key,
            certificate=text,
            secret=certificate.secret(home),
        )

    def metadata(self, request: web.Request) -> web.Reply:
        """Describe the provider."""
        return web.Reply(responses.metadata(self.identity), kind="application/samlmetadata+xml")

    def sign_on(self, request: web.Request) -> web.Reply:
        """Take a request by either binding, and lead on to where it is answered.

        Always by a redirect: with a form that another site posted here the browser sends no cookie of ours.
        """
        fields = request.form if request.method == "POST" else request.query
        if "SAMLRequest" not in fields:
            raise web.Refused("there is no SAMLRequest", advice="An application leads here when somebody signs in.")
        asked = authn.authentication(
            authn.decode(fields["SAMLRequest"], compressed=request.method == "GET"),
            fields.get("RelayState", "")[:8192],
            destinations={self.identity.sign_on},
            hosts=self._hosts.read()["hosts"],
            option=f"nuages config {self._command.partition('/')[0]} acs_hosts",
        )
        now = time.time()
        self._store.run("DELETE FROM asked WHERE since < ?", now - _PENDING)
        identifier = secrets.token_urlsafe(32)
        self._store.run(
            "INSERT INTO asked VALUES (?, ?, ?)", people.digest(identifier), json.dumps(asked.to_dict()), now
        )
        return web.local("/saml/continue", request=identifier)

    def go_on(self, request: web.Request) -> web.Reply:
        """Answer a request when it is known who asks; else ask that first."""
        key = people.digest(request.query.get("request", ""))
        rows = self._store.run("SELECT * FROM asked WHERE id = ? AND since > ?", key, time.time() - _PENDING)
        if not rows:
            raise web.Refused("this request is answered already, or too old", advice="Start again in the application.")
        asked = authn.Authentication(**json.loads(rows[0]["request"]))
        session = self.people.session(request)
        if session and not (asked.force and session.since < rows[0]["since"]):
            message = responses.response(self.identity, asked, session)
        elif asked.passive:
            message = responses.refusal(self.identity, asked, "Responder", "NoPassive")
        else:
            return self.people.form(request, request.here, _shown(asked.issuer, asked.acs))
        self._store.run("DELETE FROM asked WHERE id = ?", key)
        fields = {"SAMLResponse": base64.b64encode(message).decode()}
        if asked.relay_state:
            fields["RelayState"] = asked.relay_state
        return web.Reply(pages.handed_on(asked.acs, fields), policy=pages.SUBMIT_POLICY)

    def routes(self) -> web.Routes:
        """Return all pages."""
        rows = {"Entity ID and metadata": self.identity.entity_id, "Single sign-on": self.identity.sign_on}
        return {
            **self.people.routes("SAML identity provider", rows),
            ("GET", "/saml/metadata"): self.metadata,
            ("GET", "/saml/sso"): self.sign_on,
            ("POST", "/saml/sso"): self.sign_on,
            ("GET", "/saml/continue"): self.go_on,
        }


def _shown(issuer: str, acs: str) -> str:
    """Return an application's name for people: its address."""
    return urlsplit(acs).netloc or issuer


def main() -> None:
    """Serve until a signal ends it."""
    home, base, port, command = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    provider = Provider(home, base, command)
    web.serve(provider.routes(), {port, urlsplit(base).port or 80})
    sys.stdout.write(f"SAML identity provider at {base}\n")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    # Before any thread is there: they all leave these to the one that waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
