"""From the options of smtp-integrator to its databag, on the interface smtp. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nuages.services.driver import Answer, Refused

ENDPOINT = "smtp"
LEGACY = "smtp-legacy"
"""The endpoint on which the password is plain text, for charms that know no secrets."""
PASSWORD_ID = "password_id"  # noqa: S105  # the name of a databag key

NONE, NOT_PROVIDED, PLAIN = "none", "not_provided", "plain"
STARTTLS, TLS = "starttls", "tls"
WEB = 8025
"""The port of the page with the mails caught."""
_AUTHENTICATION = (NONE, NOT_PROVIDED, PLAIN)
_SECURITY = (NONE, STARTTLS, TLS)


@dataclass(frozen=True)
class Relay:
    """How mails are sent. `own`: by the built-in catcher, because no other host is configured."""

    host: str
    port: int
    authentication: str
    security: str
    user: str = ""
    password: str = ""
    domain: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    unverified: bool = False
    own: bool = False

    def of(self, user: str, password: str) -> Relay:
        """Return the same for another user."""
        return replace(self, user=user, password=password)


def parse(config: Mapping[str, Any], host: str) -> Relay:
    """Return what the options say; `host` is the catcher's, used when they name none.

    Raises:
        Refused: an option cannot be, or makes no sense without `host`.
    """
    external = str(config.get("host") or "")
    authentication = str(config.get("auth_type") or (NONE if external else PLAIN))
    security = str(config.get("transport_security") or NONE)
    for name, value, known in (
        ("auth_type", authentication, _AUTHENTICATION),
        ("transport_security", security, _SECURITY),
    ):
        if value not in known:
            raise Refused(f"{name} is {value!r}: set it to {', '.join(known[:-1])} or {known[-1]}")
    port = int(config.get("port") or 25)
    if not 0 < port < 65536:
        raise Refused(f"port is {port}: set it to a number from 1 to 65535")
    if not external and port == WEB:
        raise Refused(f"port is {port}, where the page with the mails is: set it to another")
    user, password = str(config.get("user") or ""), str(config.get("password") or "")
    if not external:
        if user or password or authentication != PLAIN:
            raise Refused("user, password and auth_type are for a host of yours: set host, or reset them")
    elif authentication == PLAIN and not (user and password):
        raise Refused("auth_type is 'plain' without user and password: set both, or set it to none")
    recipients = tuple(word.strip() for word in str(config.get("recipients") or "").split(",") if word.strip())
    return Relay(
        host=external or host,
        port=port,
        authentication=authentication,
        security=security,
        user=user,
        password=password,
        domain=str(config.get("domain") or ""),
        sender=str(config.get("smtp_sender") or ""),
        recipients=recipients,
        # The catcher's certificate is of its own making.
        unverified=bool(config.get("skip_ssl_verify")) or (not external and security != NONE),
        own=not external,
    )


def answer(relay: Relay, endpoint: str) -> Answer:
    """Return what an endpoint says of a relay."""
    fields = {
        "host": relay.host,
        "port": str(relay.port),
        "auth_type": relay.authentication,
        "transport_security": relay.security,
        "skip_ssl_verify": str(relay.unverified),
        "domain": relay.domain,
        "user": relay.user,
        "smtp_sender": relay.sender,
        "recipients": json.dumps(relay.recipients) if relay.recipients else "",
    }
    databag = {key: value for key, value in fields.items() if value}
    if not relay.password:
        return Answer(databag)
    if endpoint == LEGACY:
        return Answer(databag | {"password": relay.password})
    return Answer(databag, {PASSWORD_ID: {"password": relay.password}})
