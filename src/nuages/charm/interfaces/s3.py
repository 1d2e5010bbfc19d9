"""S3: the `s3` interface; version 0 with plain keys, version 1 with the keys in a secret."""

import json
from collections.abc import Mapping
from typing import cast

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, decoded
from nuages.charm.variables import Variable
from nuages.contract import endpoints
from nuages.contract.row import NamedTuple

REQUIRED = ("access-key", "secret-key", "bucket")
HIDDEN = frozenset(("access-key", "secret-key"))
PLAIN = {
    "access-key": "ACCESS_KEY",
    "secret-key": "SECRET_KEY",
    "bucket": "BUCKET",
    "endpoint": "ENDPOINT",
    "region": "REGION",
    "path": "PATH",
    "storage-class": "STORAGE_CLASS",
    "s3-uri-style": "URI_STYLE",
    "s3-api-version": "API_VERSION",
}
LISTS = {"attributes": "ATTRIBUTES", "tls-ca-chain": "TLS_CA_CHAIN"}
STYLES = {"host": "virtual"}
"""Addressing styles in the words of AWS' libraries; other words are the same."""


class Bucket(NamedTuple):
    """A bucket to use."""

    values: Mapping[str, str]
    """By the end of the variable's name."""
    prefix: str
    origin: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`S3_BUCKET` and so on: what the provider has said, each field by itself."""
        hidden = {PLAIN[field] for field in HIDDEN}
        return tuple(
            Variable(f"{self.prefix}_{name}", value, self.origin, name in hidden) for name, value in self.values.items()
        )


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Ask for a bucket named like the application, and for the keys in a secret."""
    return Publication(app={"bucket": facts.app, "requested-secrets": json.dumps(sorted(HIDDEN)), "lib-version": "1.0"})


def parse(relation: Relation) -> Bucket | NotReady:
    """Read the provider's fields; those of its secrets come before those of the bag."""
    uris = [uri for uri in relation.bag.values() if uri.startswith("secret:")]
    contents = [relation.secrets.get(uri) for uri in uris]
    fields = {**relation.bag, **{key: value for content in contents for key, value in (content or {}).items()}}
    found = {name: text for field, name in PLAIN.items() if (text := _text(fields.get(field, "")))}
    if "URI_STYLE" in found:
        found["ADDRESSING_STYLE"] = STYLES.get(found["URI_STYLE"], found["URI_STYLE"])
    found |= {name: text for field, name in LISTS.items() if (text := _list(fields.get(field, "")))}
    prefix = endpoints.prefix_of(endpoints.S3, relation.endpoint)
    bucket = Bucket(found, prefix, f"integration {relation.endpoint}")
    missing = [field for field in REQUIRED if PLAIN[field] not in found]
    if not missing:
        return bucket
    if None in contents:
        return NotReady("its secret cannot be read yet", partial=bucket)
    return NotReady("no " + ", ".join(missing), partial=bucket if found else None)


def _text(value: str) -> str:
    """Return a field as it is: digits stay digits. A JSON string is read, and `null` is nothing, as by paas-charm."""
    if value == "null":
        return ""
    text = decoded(value) if value.startswith('"') else value
    return text if isinstance(text, str) else value


def _list(value: str) -> str:
    """Return a field that is a list as JSON; what is no JSON list is a list of one."""
    found = decoded(value)
    if isinstance(found, list):
        texts = [item for item in cast("list[object]", found) if isinstance(item, str) and item]
    else:
        text = _text(value)
        texts = [text] if text and not isinstance(found, dict) else []
    return json.dumps(texts) if texts else ""


INTERFACE = Interface(name=endpoints.S3.name, provider="s3-integrator", publish=publish, parse=parse)
