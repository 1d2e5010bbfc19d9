"""What the provider says: metadata and responses, signed. Shapes: OASIS saml-core-2.0-os and saml-metadata-2.0-os."""

# lxml and signxml are in the pod only:
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from authn import ASSERTION, FORMATS, POST, PROTOCOL, REDIRECT, Authentication
from lxml import etree
from people import Session
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

VALID = timedelta(minutes=5)
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
_STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
_CONTEXTS = (f"{_CONTEXT}PasswordProtectedTransport", f"{_CONTEXT}Password", f"{_CONTEXT}unspecified")
_DS = "http://www.w3.org/2000/09/xmldsig#"


@dataclass(frozen=True)
class Identity:
    """Who the provider is: its addresses, and what it signs with."""

    entity_id: str
    sign_on: str
    key: str
    """PEM."""
    certificate: str
    """PEM."""
    secret: bytes
    """Persistent name identifiers are made with it."""

    @property
    def body(self) -> str:
        """Return the certificate as metadata has it: base64 of its DER, in one line."""
        return "".join(line for line in self.certificate.split("\n") if line and not line.startswith("-----"))


def metadata(identity: Identity) -> bytes:
    """Return the provider's metadata."""
    md = "{" + METADATA + "}"
    root = etree.Element(f"{md}EntityDescriptor", nsmap={"md": METADATA, "ds": _DS}, entityID=identity.entity_id)
    role = etree.SubElement(
        root, f"{md}IDPSSODescriptor", WantAuthnRequestsSigned="false", protocolSupportEnumeration=PROTOCOL
    )
    descriptor = etree.SubElement(role, f"{md}KeyDescriptor", use="signing")
    info = etree.SubElement(etree.SubElement(descriptor, f"{{{_DS}}}KeyInfo"), f"{{{_DS}}}X509Data")
    etree.SubElement(info, f"{{{_DS}}}X509Certificate").text = identity.body
    for name in FORMATS:
        etree.SubElement(role, f"{md}NameIDFormat").text = name
    for binding in (REDIRECT, POST):
        etree.SubElement(role, f"{md}SingleSignOnService", Binding=binding, Location=identity.sign_on)
    return _bytes(root)


def response(identity: Identity, asked: Authentication, session: Session) -> bytes:
    """Return the signed response with a signed assertion about the person who is signed in."""
    if asked.format not in ("", *FORMATS):
        return refusal(identity, asked, "Requester", "InvalidNameIDPolicy")
    now = datetime.now(timezone.utc)
    root = _response(identity, asked, now, "Success")
    assertion = _signed(identity, _assertion(identity, asked, session, now))
    root.append(assertion)
    return _bytes(_signed(identity, root))


def refusal(identity: Identity, asked: Authentication, status: str, detail: str) -> bytes:
    """Return a signed response that says why there is no assertion."""
    return _bytes(_signed(identity, _response(identity, asked, datetime.now(timezone.utc), status, detail)))


def _response(
    identity: Identity, asked: Authentication, now: datetime, status: str, detail: str = ""
) -> etree._Element:
    root = etree.Element(
        f"{{{PROTOCOL}}}Response",
        nsmap={"samlp": PROTOCOL, "saml": ASSERTION},
        ID=_identifier(),
        Version="2.0",
        IssueInstant=_time(now),
        Destination=asked.acs,
        InResponseTo=asked.id,
    )
    etree.SubElement(root, f"{{{ASSERTION}}}Issuer").text = identity.entity_id
    code = etree.SubElement(etree.SubElement(root, f"{{{PROTOCOL}}}Status"), f"{{{PROTOCOL}}}StatusCode")
    code.set("Value", _STATUS + status)
    if detail:
        etree.SubElement(code, f"{{{PROTOCOL}}}StatusCode", Value=_STATUS + detail)
    return root


def _assertion(identity: Identity, asked: Authentication, session: Session, now: datetime) -> etree._Element:
    saml = "{" + ASSERTION + "}"
    until = _time(now + VALID)
    root = etree.Element(
        f"{saml}Assertion", nsmap={"saml": ASSERTION}, ID=_identifier(), Version="2.0", IssueInstant=_time(now)
    )
    etree.SubElement(root, f"{saml}Issuer").text = identity.entity_id
    subject = etree.SubElement(root, f"{saml}Subject")
    name = etree.SubElement(subject, f"{saml}NameID", Format=asked.format or _UNSPECIFIED)
    name.text = _name(identity, asked, session)
    confirmation = etree.SubElement(
        subject, f"{saml}SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"
    )
    etree.SubElement(
        confirmation, f"{saml}SubjectConfirmationData", NotOnOrAfter=until, Recipient=asked.acs, InResponseTo=asked.id
    )
    conditions = etree.SubElement(
        root, f"{saml}Conditions", NotBefore=_time(now - timedelta(seconds=30)), NotOnOrAfter=until
    )
    restriction = etree.SubElement(conditions, f"{saml}AudienceRestriction")
    etree.SubElement(restriction, f"{saml}Audience").text = asked.issuer
    statement = etree.SubElement(
        root,
        f"{saml}AuthnStatement",
        AuthnInstant=_time(datetime.fromtimestamp(session.since, timezone.utc)),
        SessionIndex=_identifier(),
    )
    context = etree.SubElement(statement, f"{saml}AuthnContext")
    asked_for = asked.context if asked.context in _CONTEXTS else _CONTEXTS[0]
    etree.SubElement(context, f"{saml}AuthnContextClassRef").text = asked_for
    user = session.user
    attributes = {
        "uid": (user.name,),
        "email": (user.email,),
        "givenName": (user.given_name,),
        "sn": (user.family_name,),
        "groups": user.groups,
    }
    holder = etree.SubElement(root, f"{saml}AttributeStatement")
    for key, values in attributes.items():
        if not any(values):
            continue
        attribute = etree.SubElement(holder, f"{saml}Attribute", Name=key, FriendlyName=key, NameFormat=_BASIC)
        for value in values:
            etree.SubElement(attribute, f"{saml}AttributeValue").text = value
    return root


def _name(identity: Identity, asked: Authentication, session: Session) -> str:
    kind = FORMATS.get(asked.format, "uid")
    if kind == "email":
        return session.user.email
    if kind == "persistent":  # the same for one application always, and another one for each
        text = f"{session.user.id}\0{asked.issuer}"
        return hmac.new(identity.secret, text.encode(), hashlib.sha256).hexdigest()
    return _identifier() if kind == "transient" else session.user.name


def _signed(identity: Identity, root: etree._Element) -> etree._Element:
    """Sign an element; its schema wants the signature right after the issuer."""
    placeholder = etree.Element(f"{{{_DS}}}Signature", nsmap={"ds": _DS}, Id="placeholder")
    root.insert(1, placeholder)
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    return signer.sign(root, key=identity.key, cert=identity.certificate, reference_uri=f"#{root.get('ID')}")


def _identifier() -> str:
    return f"_{secrets.token_hex(20)}"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=False, encoding="utf-8")
