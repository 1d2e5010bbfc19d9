"""Reads another provider's metadata from standard input; says as JSON what it offers, else what is wrong.

Arguments: entity ID, and the fingerprint of its signing certificate or "". What Charmhub's saml-integrator takes from
metadata: certificates, sorted, and the endpoints of single sign-on and single logout.
"""

# lxml and signxml are in the pod only:
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys

from lxml import etree
from signxml.exceptions import InvalidSignature
from signxml.verifier import XMLVerifier

_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
SERVICES = ("SingleSignOnService", "SingleLogoutService")


class Wrong(Exception):
    """The metadata cannot be used."""


def read(data: bytes, entity_id: str, fingerprint: str) -> dict[str, object]:
    """Return `certificates` and `endpoints` of an entity."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise Wrong("it is no XML") from None
    if root.getroottree().docinfo.doctype:
        raise Wrong("it has a document type")
    signing = [
        _text(found)
        for descriptor in root.iter(f"{_MD}KeyDescriptor")
        if descriptor.get("use") == "signing"
        for found in descriptor.iter(f"{_DS}X509Certificate")
    ]
    if fingerprint and not (signing and hmac.compare_digest(_fingerprint(signing[0]), _plain(fingerprint))):
        raise Wrong("its signing certificate has another fingerprint")
    if signing and root.find(f".//{_DS}Signature") is not None:
        try:
            verified = XMLVerifier().verify(root, x509_cert=signing[0]).signed_xml
        except (InvalidSignature, ValueError, TypeError):
            raise Wrong("its signature is wrong") from None
        if verified is None:
            raise Wrong("its signature is wrong")
        root = verified  # what is signed, and nothing around it
    entities = [found for found in root.iter(f"{_MD}EntityDescriptor") if found.get("entityID") == entity_id]
    if not entities:
        known = ", ".join(sorted(found.get("entityID", "") for found in root.iter(f"{_MD}EntityDescriptor"))[:3])
        raise Wrong(f"it does not describe {entity_id}" + (f", but {known}" if known else ""))
    (entity, *_) = entities
    certificates = sorted(
        {
            _text(found)
            for descriptor in entity.iter(f"{_MD}KeyDescriptor")
            for found in descriptor.iter(f"{_DS}X509Certificate")
        }
    )
    endpoints = [
        {
            "name": name,
            "url": found.get("Location", ""),
            "binding": found.get("Binding", ""),
            "response_url": found.get("ResponseLocation", ""),
        }
        for name in SERVICES
        for found in entity.iter(f"{_MD}{name}")
    ]
    return {"certificates": certificates, "endpoints": endpoints}


def _text(element: etree._Element) -> str:
    return "".join((element.text or "").split())


def _fingerprint(certificate: str) -> str:
    return hashlib.sha256(base64.b64decode(certificate)).hexdigest()


def _plain(fingerprint: str) -> str:
    return re.sub(r"[:\s]", "", fingerprint).lower()


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(read(sys.stdin.buffer.read(), sys.argv[1], sys.argv[2])))
    except (Wrong, ValueError) as error:
        sys.exit(str(error))
