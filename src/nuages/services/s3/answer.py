"""From the options of s3-integrator and a requirer's databag to the provider's, on the interface s3. Pure.

Version 1 of the interface (`version` is "1", keys in a secret) for who asks for secrets, else version 0 (plain keys).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nuages.services import databags
from nuages.services.driver import Answer, Refused

ENDPOINT = "s3-credentials"
SECRET = "secret-extra"  # noqa: S105  # the name of a databag key
VERSION = "1"
DEFAULT_REGION = "us-east-1"
ACCESS, SECRET_KEY = "access-key", "secret-key"
KEYS = (ACCESS, SECRET_KEY)

TEXTS = ("endpoint", "bucket", "region", "path", "s3-uri-style", "storage-class", "s3-api-version")
"""Options that go into the databag as they are."""
_DAYS = "experimental-delete-older-than-days"
_MOST_DAYS = 9_999_999
_KNOWN = {"s3-uri-style": ("host", "path"), "s3-api-version": ("2", "4")}
_BUCKET = re.compile(r"(?!xn--|.*-s3alias$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""The names that Charmhub's s3-integrator takes."""
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Keys:
    """What opens a bucket."""

    access: str
    secret: str

    @property
    def content(self) -> dict[str, str]:
        """Return them as a databag and a secret name them."""
        return {ACCESS: self.access, SECRET_KEY: self.secret}


@dataclass(frozen=True)
class Settings:
    """What the options say; without `endpoint` the store is the built-in one."""

    texts: Mapping[str, str]
    """Databag key to value, for those that are set."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def own(self) -> bool:
        """Whether the built-in store serves."""
        return "endpoint" not in self.texts

    @property
    def bucket(self) -> str:
        """The one bucket for all, "" when each relation has its own."""
        return self.texts.get("bucket", "")

    @property
    def region(self) -> str:
        """The region by which requests are signed."""
        return self.texts.get("region", DEFAULT_REGION if self.own else "")


@dataclass(frozen=True)
class Request:
    """What a requirer asks for."""

    bucket: str
    path: str
    hidden: bool
    """Whether it wants the keys in a secret."""


def parse_settings(config: Mapping[str, Any]) -> Settings:
    """Return what the options say.

    Raises:
        Refused: an option cannot be, or makes no sense without `endpoint`.
    """
    texts = {name: text for name in TEXTS if (text := str(config.get(name) or "").strip())}
    for name, known in _KNOWN.items():
        if texts.get(name, known[0]) not in known:
            raise Refused(f"{name} is {texts[name]!r}: set it to {' or '.join(known)}")
    if texts.get("bucket"):
        _check(texts["bucket"], "bucket is")
    endpoint = texts.get("endpoint", "")
    if endpoint and not re.match(r"https?://[^/\s]+", endpoint):
        raise Refused("endpoint is no URL: it begins with http:// or https://")
    if not endpoint:
        for name, only in (("s3-uri-style", "path"), ("s3-api-version", "4")):
            if texts.get(name, only) != only:
                raise Refused(f"{name} is {texts[name]!r}: the built-in store has {only!r} only, or set endpoint")
        for name in (ACCESS, SECRET_KEY, "credentials", "tls-ca-chain"):
            if config.get(name):
                raise Refused(f"{name} is for a store of yours: set endpoint, or reset {name}")
    days = config.get(_DAYS)
    if days is not None:
        if not 0 < int(days) <= _MOST_DAYS:
            raise Refused(f"{_DAYS} is {days}: set it to a number from 1 to {_MOST_DAYS}")
        texts["delete-older-than-days"] = str(days)
    lists = {
        "attributes": tuple(filter(None, (word.strip() for word in str(config.get("attributes") or "").split(","))))
    }
    lists["tls-ca-chain"] = _chain(str(config.get("tls-ca-chain") or ""))
    return Settings(texts, {name: values for name, values in lists.items() if values})


def given_keys(config: Mapping[str, Any], secret: Mapping[str, str] | None, synced: Mapping[str, str] | None) -> Keys:
    """Return the keys of the operator's store: of the secret that `credentials` names, of the options, or the synced.

    Raises:
        Refused: there are none, or only one of the two.
    """
    for place, content in (
        ("the secret of credentials has", secret),
        ("the options have", {name: str(config.get(name) or "") for name in KEYS}),
        ("sync-s3-credentials gave", synced),
    ):
        found = {name: (content or {}).get(name, "") for name in KEYS}
        if all(found.values()):
            return Keys(found[ACCESS], found[SECRET_KEY])
        if (content is secret and secret is not None) or any(found.values()):
            missing = next(name for name, value in found.items() if not value)
            raise Refused(f"{place} no {missing}")
    raise Refused("endpoint is set without keys: set credentials to a secret with access-key and secret-key")


def parse(requirer: str, bag: Mapping[str, str], settings: Settings) -> Request | None:
    """Return what the application `requirer` asks for, None while it has not asked.

    It has asked when it says `bucket` (version 0) or which secrets it wants (version 1).

    Raises:
        Refused: what it asks for cannot be.
    """
    if "bucket" not in bag and not bag.get(databags.SECRETS):
        return None
    hidden = databags.requested_secrets(requirer, bag).issuperset(KEYS)
    bucket = settings.bucket or bag.get("bucket", "")
    if bucket:
        _check(bucket, f"{requirer} asks for the bucket")
    elif settings.own:
        bucket = _derived(requirer)
    return Request(bucket, settings.texts.get("path") or bag.get("path", ""), hidden)


def keys(password: str) -> Keys:
    """Return the keys of the built-in store for a relation's password; a new password makes a new access key too."""
    return Keys("NU" + hashlib.sha256(password.encode()).hexdigest()[:18].upper(), password)


def answer(request: Request, settings: Settings, given: Keys) -> Answer:
    """Return the provider's databag for a request; `settings` with the endpoint that serves."""
    fields = dict(settings.texts) | {name: json.dumps(values) for name, values in settings.lists.items()}
    fields |= {"bucket": request.bucket, "path": request.path, "version": VERSION}
    databag = {name: value for name, value in fields.items() if value}
    if request.hidden:
        return Answer(databag, {SECRET: given.content})
    return Answer(databag | given.content)


def of_store(settings: Settings, endpoint: str, chain: tuple[str, ...] = ()) -> Settings:
    """Return the settings of the built-in store, which is at `endpoint`, verified by the authorities of `chain`."""
    # Without the last one boto3 signs URLs by version 2, which this store does not know.
    of_its_own = {"region": DEFAULT_REGION, "s3-uri-style": "path", "s3-api-version": "4"}
    trusted = {"tls-ca-chain": chain} if chain else {}
    return Settings(of_its_own | dict(settings.texts) | {"endpoint": endpoint}, {**settings.lists, **trusted})


def _check(bucket: str, what: str) -> None:
    if not _BUCKET.fullmatch(bucket):
        raise Refused(f"{what} {bucket!r:.80}: a name has 3 to 63 of a-z, 0-9 and '-', none of '-' at its ends")


def _derived(requirer: str) -> str:
    """Return a bucket's name for a requirer that asks for none: its own, where that is one."""
    return requirer if _BUCKET.fullmatch(requirer) else f"bucket-{requirer}"[:63].rstrip("-")


def _chain(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    try:
        decoded = base64.b64decode(text, validate=False).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    found = tuple(_CERTIFICATE.findall(decoded) or _CERTIFICATE.findall(text))
    if not found:
        raise Refused('tls-ca-chain has no certificate: set it to tls-ca-chain="$(base64 -w0 ca.pem)"')
    return found
