"""From certificate signing requests to the provider's databag, on the interface tls-certificates (v1). Pure.

The requests are in the databags of the requirer's units, or of the application: `certificate_signing_requests`, a JSON
list. The answers are in our application's: `certificates`, one for each request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from nuages.services import databags

ENDPOINT = "certificates"
REQUESTS = "certificate_signing_requests"
CERTIFICATES = "certificates"


@dataclass(frozen=True)
class Request:
    """A certificate signing request (PEM), and whether the certificate is to sign others."""

    csr: str
    ca: bool = False


@dataclass(frozen=True)
class Certificate:
    """A certificate (PEM) for a request, and its authority's."""

    csr: str
    certificate: str
    authority: str

    @property
    def fields(self) -> dict[str, Any]:
        """Return the entry in the databag."""
        return {
            "ca": self.authority,
            "certificate_signing_request": self.csr,
            "certificate": self.certificate,
            "chain": [self.certificate, self.authority],
        }


def requests(bags: Iterable[Mapping[str, str]]) -> tuple[Request, ...]:
    """Return what the requirer asks for in its databags; what cannot be read is not asked for."""
    found = [
        Request(str(item["certificate_signing_request"]).strip(), bool(item.get("ca")))
        for bag in bags
        for item in _items(bag.get(REQUESTS, ""))
        if "certificate_signing_request" in item
    ]
    return tuple({request.csr: request for request in found}.values())


def answered(bag: Mapping[str, str]) -> dict[str, Certificate]:
    """Return what a provider's databag says, by request."""
    found = [
        Certificate(str(item["certificate_signing_request"]).strip(), str(item["certificate"]), str(item["ca"]))
        for item in _items(bag.get(CERTIFICATES, ""))
        if {"certificate_signing_request", "certificate", "ca"} <= item.keys() and not item.get("revoked")
    ]
    return {certificate.csr: certificate for certificate in found}


def answer(certificates: Iterable[Certificate]) -> dict[str, str]:
    """Return the provider's databag."""
    entries = [certificate.fields for certificate in certificates]
    return {CERTIFICATES: json.dumps(entries)} if entries else {}


def ask(csr: str) -> dict[str, str]:
    """Return a requirer's databag that asks for one certificate."""
    return {REQUESTS: json.dumps([{"certificate_signing_request": csr, "ca": False}])}


def _items(text: str) -> list[dict[str, Any]]:
    document = databags.decoded(text or "[]")
    if not isinstance(document, list):
        return []
    return [cast("dict[str, Any]", item) for item in cast("list[object]", document) if isinstance(item, dict)]
