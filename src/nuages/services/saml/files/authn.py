"""SAML requests as browsers bring them: decoded, parsed without trusting a byte, checked.

Bindings: OASIS saml-bindings-2.0-os, 3.4 (HTTP-Redirect) and 3.5 (HTTP-POST); messages: saml-core-2.0-os, 3.4.1.
"""

# lxml is in the pod only:
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import zlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from lxml import etree
from web import Refused

LIMIT = 64 * 1024
"""Bytes of a message, also of one that was compressed."""
SKEW = timedelta(minutes=5)
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
FORMATS = {
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified": "uid",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress": "email",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent": "persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient": "transient",
}
"""Formats of a name identifier that are to be had, and what each is made of."""
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,255}")


@dataclass(frozen=True)
class Authentication:
    """What an application asks: who is it, and where to say so."""

    id: str
    issuer: str
    acs: str
    """The assertion consumer service: where the answer goes."""
    relay_state: str = ""
    format: str = ""
    """The format of the name identifier; "" when any will do."""
    force: bool = False
    passive: bool = False
    context: str = ""
    """The first authentication context class asked for."""

    def to_dict(self) -> dict[str, object]:
        """Return the fields."""
        return asdict(self)


def decode(message: str, *, compressed: bool) -> bytes:
    """Return a message's XML."""
    try:
        data = base64.b64decode("".join(message.split()), validate=True)
        if compressed:
            inflater = zlib.decompressobj(-15)
            data = inflater.decompress(data, LIMIT + 1)
    except (binascii.Error, ValueError, zlib.error):
        raise Refused("SAMLRequest cannot be decoded", advice="It is base64, and by redirect also deflated.") from None
    if len(data) > LIMIT:
        raise Refused("SAMLRequest is too big", status=413)
    return data


def parse(data: bytes) -> etree._Element:
    """Return a document's root; no entity is expanded, nothing is fetched, no document type is taken."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise Refused("SAMLRequest is no XML") from None
    if root.getroottree().docinfo.doctype:
        raise Refused("SAMLRequest has a document type, which no SAML message has")
    return root


def authentication(
    data: bytes, relay_state: str, *, destinations: Collection[str], hosts: Collection[str], option: str
) -> Authentication:
    """Return what a request asks.

    The answer goes to a host of `hosts` or to this machine itself, and nowhere else: requests are not signed, so where
    to send it is all that keeps an assertion from a stranger. `option` is the command that allows another host.
    """
    root = parse(data)
    if root.tag != f"{{{PROTOCOL}}}AuthnRequest":
        raise Refused("this is no AuthnRequest", advice="Of SAML's requests, this provider answers that one.")
    if root.get("Version") != "2.0":
        raise Refused("this is not SAML 2.0")
    identifier = root.get("ID", "")
    if not _NAME.fullmatch(identifier):
        raise Refused("the request has no good ID")
    _fresh(root.get("IssueInstant", ""))
    issuer = (root.findtext(f"{{{ASSERTION}}}Issuer") or "").strip()
    if not issuer or len(issuer) > 1024:
        raise Refused("the request does not say who asks", advice="Issuer is the application's entity ID.")
    destination = root.get("Destination")
    if destination and destination not in destinations:
        raise Refused(f"the request is for {destination}", advice=f"This is {min(destinations)}.")
    if root.get("ProtocolBinding", POST) != POST:
        raise Refused("the request wants its answer by another binding than HTTP-POST")
    acs = root.get("AssertionConsumerServiceURL", "")
    if not acs:
        raise Refused(
            "the request names no AssertionConsumerServiceURL",
            advice="This provider has no metadata of applications to look it up in.",
        )
    check_target(acs, hosts, option)
    policy = root.find(f"{{{PROTOCOL}}}NameIDPolicy")
    requested = root.find(f"{{{PROTOCOL}}}RequestedAuthnContext")
    contexts = [] if requested is None else requested.findall(f"{{{ASSERTION}}}AuthnContextClassRef")
    return Authentication(
        id=identifier,
        issuer=issuer,
        acs=acs,
        relay_state=relay_state,
        format="" if policy is None else policy.get("Format", ""),
        force=_flag(root.get("ForceAuthn")),
        passive=_flag(root.get("IsPassive")),
        context=(contexts[0].text or "").strip() if contexts else "",
    )


def check_target(url: str, hosts: Collection[str], option: str) -> None:
    """Raise `Refused` when assertions must not go to a URL."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    plain = all("!" <= char <= "~" and char not in "\\<>\"'" for char in url)
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.fragment or not plain:
        raise Refused(f"no assertion can be sent to {url!r}: it is no plain http URL")
    if not hosts:
        raise Refused("no application is related to this identity provider", advice="Integrate one with it first.")
    if host not in hosts and not _own(host):
        raise Refused(
            f"no assertion is sent to {host}: it is neither this machine nor a related application",
            advice=f"If it is yours: {option}={host}",
            status=403,
        )


def _own(host: str) -> bool:
    """Tell whether a host is the machine on which the browser runs."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _fresh(text: str) -> None:
    try:
        issued = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused("the request does not say when it was made") from None
    if issued.tzinfo is None:
        issued = issued.replace(tzinfo=timezone.utc)
    if abs(datetime.now(timezone.utc) - issued) > SKEW:
        raise Refused("the request is too old, or made by a clock that is wrong", advice="Start again.")


def _flag(text: str | None) -> bool:
    return text in ("true", "1")
