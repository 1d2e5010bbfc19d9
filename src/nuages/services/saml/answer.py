"""From an identity provider's description to saml-integrator's databag, on the interface saml. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nuages.services.driver import Answer, Refused

ENDPOINT = "saml"
_BINDINGS = "urn:oasis:names:tc:SAML:2.0:bindings:"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Endpoint:
    """Where a service of the provider is: its name and binding as metadata has them."""

    name: str
    url: str
    binding: str
    response_url: str = ""


@dataclass(frozen=True)
class Provider:
    """What an identity provider says of itself."""

    entity_id: str
    metadata_url: str
    certificates: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class External:
    """The operator's own identity provider."""

    entity_id: str
    metadata_url: str
    fingerprint: str = ""


def parse(config: Mapping[str, Any]) -> External | None:
    """Return the operator's provider, None when the built-in one is to be used.

    Raises:
        Refused: the options name half a provider, or what cannot be one.
    """
    values = {name: str(config.get(name) or "") for name in ("entity_id", "metadata_url", "fingerprint")}
    if not any(values.values()):
        return None
    for name in ("entity_id", "metadata_url"):
        if not values[name]:
            others = " and ".join(key for key, value in values.items() if value)
            raise Refused(f"{others} without {name}: set it too, or reset the others for the built-in provider")
    parts = urlsplit(values["metadata_url"])
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused(f"metadata_url is {values['metadata_url']!r}: set it to an http or https URL")
    return External(**values)


def hosts(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the hosts of the option `acs_hosts`.

    Raises:
        Refused: one of them is no host name.
    """
    found = tuple(word.strip().lower() for word in str(config.get("acs_hosts") or "").split(",") if word.strip())
    for host in found:
        if not _HOST.fullmatch(host):
            raise Refused(f"acs_hosts has {host!r}: set bare host names, without scheme, port or path")
    return found


def names(application: str, model: str, units: Mapping[str, str]) -> set[str]:
    """Return the names under which an application is reached in the model; `units` are its units' addresses."""
    found = {application, f"{application}.{model}", f"{application}.{model}.svc"}
    found.add(f"{application}.{model}.svc.cluster.local")
    for unit, address in units.items():
        short = f"{unit.replace('/', '-')}.{application}-endpoints"
        found |= {short, f"{short}.{model}.svc", f"{short}.{model}.svc.cluster.local", *filter(None, [address])}
    return found


def built_in(base: str, certificate: str) -> Provider:
    """Return the built-in provider at an address, with its certificate (PEM)."""
    body = "".join(line for line in certificate.splitlines() if line and not line.startswith("-----"))
    sign_on = f"{base}/saml/sso"
    return Provider(
        entity_id=f"{base}/saml/metadata",
        metadata_url=f"{base}/saml/metadata",
        certificates=(body,),
        endpoints=(
            Endpoint("SingleSignOnService", sign_on, f"{_BINDINGS}HTTP-Redirect"),
            Endpoint("SingleSignOnService", sign_on, f"{_BINDINGS}HTTP-POST"),
        ),
    )


def described(external: External, text: str) -> Provider:
    """Return the operator's provider as its metadata, read in the pod, describe it.

    Raises:
        Refused: the metadata lack what the interface promises.
    """
    document = json.loads(text)
    endpoints = tuple(Endpoint(**{key: str(value) for key, value in entry.items()}) for entry in document["endpoints"])
    if not document["certificates"] or not any(each.name == "SingleSignOnService" for each in endpoints):
        raise Refused(f"the metadata of {external.entity_id} have no certificate or no single sign-on service")
    return Provider(external.entity_id, external.metadata_url, tuple(document["certificates"]), endpoints)


def answer(provider: Provider) -> Answer:
    """Return what saml-integrator says of a provider."""
    bag = {
        "entity_id": provider.entity_id,
        "metadata_url": provider.metadata_url,
        "x509certs": ",".join(provider.certificates),
    }
    for endpoint in provider.endpoints:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", endpoint.name).lower()
        method = re.split(r"[:-]", endpoint.binding)[-1].lower()
        bag[f"{name}_{method}_url"] = endpoint.url
        bag[f"{name}_{method}_binding"] = endpoint.binding
        if endpoint.response_url:
            bag[f"{name}_{method}_response_url"] = endpoint.response_url
    return Answer(bag)
