"""The databag of s3, against the library that Charmhub's s3-integrator and its requirers use; and the options."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm.interfaces import s3 as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Refused
from nuages.services.s3 import answer
from tests.charm.interfaces.examples import AUTHORITY, example
from tests.charm.made import facts
from tests.services.s3 import official

STORE = "http://s3-integrator.localhost:9000"
KEYS = answer.Keys("NUABC", "secret-of-it")
SETTINGS = answer.of_store(answer.Settings({}), STORE)
OURS = dict(charm_side.publish(facts(app="notes"), example("s3"), "").app)
VERSION_0 = {"bucket": "notes"}
URI = "secret:00000000000000000000"


def told(request: dict[str, str], settings: answer.Settings = SETTINGS) -> tuple[dict[str, str], dict[str, Any]]:
    """Return our databag and the content of its secret by URI."""
    asked = answer.parse("notes", request, settings)
    assert asked
    given_ = answer.answer(asked, settings, KEYS)
    if not given_.secrets:
        return dict(given_.databag), {}
    ((key, content),) = given_.secrets.items()
    return {**given_.databag, key: URI}, {URI: dict(content)}


def plain(bag: dict[str, str], contents: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return a databag with secrets by their content, and what its JSON says."""
    return {
        key: json.loads(text) if text.startswith(("{", "[")) else contents.get(text, text) for key, text in bag.items()
    }


@pytest.mark.parametrize("request_", [OURS, official.asked()], ids=["ours", "library's"])
@pytest.mark.parametrize("lists", [{}, {"tls-ca-chain": [AUTHORITY]}])
def test_version_1_is_the_librarys(request_: dict[str, str], lists: dict[str, list[str]]) -> None:
    settings = answer.Settings(SETTINGS.texts, {name: tuple(value) for name, value in lists.items()})
    theirs = plain(*official.provided(request_, {**SETTINGS.texts, **lists, **KEYS.content}))
    assert plain(*told(request_, settings)) == theirs


def test_version_0_has_plain_keys_and_the_bucket_that_it_asked_for() -> None:
    theirs, _ = official.provided(VERSION_0, {**SETTINGS.texts, **KEYS.content, "bucket": "notes"})
    ours, contents = told(VERSION_0)
    assert not contents
    assert ours == theirs


def test_golden() -> None:
    bag, contents = told(OURS)
    assert bag == {
        "bucket": "notes",
        "endpoint": STORE,
        "region": "us-east-1",
        "s3-api-version": "4",
        "s3-uri-style": "path",
        "secret-extra": URI,
        "version": "1",
    }
    assert contents == {URI: {"access-key": "NUABC", "secret-key": "secret-of-it"}}
    assert told(OURS) == (bag, contents)


def test_the_official_requirer_reads_it() -> None:
    request = official.asked()
    (seen,) = official.read(request, *told(request))
    assert (seen["access-key"], seen["secret-key"], seen["bucket"]) == ("NUABC", "secret-of-it", "media")
    assert seen["endpoint"] == STORE


@pytest.mark.parametrize("request_", [OURS, VERSION_0], ids=["version 1", "version 0"])
def test_our_charm_reads_it(request_: dict[str, str]) -> None:
    bag, contents = told(request_)
    value = charm_side.parse(example("s3", bag=bag, secrets=contents))
    assert not isinstance(value, NotReady)
    assert {variable.name: variable.value for variable in value.variables} == {
        "S3_ACCESS_KEY": "NUABC",
        "S3_SECRET_KEY": "secret-of-it",
        "S3_BUCKET": "notes",
        "S3_ENDPOINT": STORE,
        "S3_REGION": "us-east-1",
        "S3_URI_STYLE": "path",
        "S3_API_VERSION": "4",
        "S3_ADDRESSING_STYLE": "path",
    }


def test_our_charm_reads_the_authority_of_the_built_in_store() -> None:
    bag, contents = told(OURS, answer.of_store(answer.Settings({}), "https://store", (AUTHORITY,)))
    value = charm_side.parse(example("s3", bag=bag, secrets=contents))
    assert not isinstance(value, NotReady)
    found = {variable.name: variable.value for variable in value.variables}
    assert (found["S3_ENDPOINT"], json.loads(found["S3_TLS_CA_CHAIN"])) == ("https://store", [AUTHORITY])


@pytest.mark.parametrize("bag", [{}, {"version": "1"}, {"lib-version": "1.0"}, {"requested-secrets": ""}])
def test_who_has_not_asked_gets_nothing(bag: dict[str, str]) -> None:
    assert answer.parse("notes", bag, answer.Settings({})) is None


@pytest.mark.parametrize(
    ("requirer", "bag", "bucket"),
    [
        ("notes", {"bucket": ""}, "notes"),
        ("ab", {"requested-secrets": "[]"}, "bucket-ab"),
        ("a" * 63, {"bucket": ""}, "a" * 63),
        ("notes", {"bucket": "media"}, "media"),
    ],
)
def test_a_buckets_name(requirer: str, bag: dict[str, str], bucket: str) -> None:
    asked = answer.parse(requirer, bag, answer.Settings({}))
    assert asked
    assert asked.bucket == bucket


def test_the_path_that_is_asked_for_gives_way_to_the_options() -> None:
    bag = {"bucket": "notes", "path": "theirs"}
    for settings, path in ((answer.Settings({}), "theirs"), (answer.Settings({"path": "ours"}), "ours")):
        asked = answer.parse("notes", bag, settings)
        assert asked
        assert asked.path == path


@pytest.mark.parametrize(
    "bucket", ["ab", "A", "My_Bucket", "-ab", "ab-", "a" * 64, "xn--a", "a-s3alias", "a.b", "a/b", ".."]
)
def test_a_name_that_no_bucket_has(bucket: str) -> None:
    with pytest.raises(Refused, match="a name has 3 to 63 of"):
        answer.parse("notes", {"bucket": bucket}, answer.Settings({}))


@pytest.mark.parametrize("text", ["x", "{}", "1", "[" * 9999])
def test_secrets_that_are_no_list(text: str) -> None:
    with pytest.raises(Refused, match="not a JSON list"):
        answer.parse("notes", {"bucket": "notes", "requested-secrets": text}, answer.Settings({}))


@given(st.dictionaries(st.sampled_from(["bucket", "path", "requested-secrets", "version", "data"]), st.text()))
def test_no_databag_raises_anything_else(bag: dict[str, str]) -> None:
    try:
        asked = answer.parse("notes", bag, answer.Settings({}))
    except Refused:
        return
    if asked:
        assert answer.answer(asked, SETTINGS, KEYS).databag["bucket"] == asked.bucket


CHAIN = f"{AUTHORITY}\n{AUTHORITY}\n"


def test_options_of_a_store_of_ones_own() -> None:
    settings = answer.parse_settings(
        {
            "endpoint": "https://s3.example.com",
            "bucket": "media",
            "region": "eu-1",
            "path": "/a",
            "attributes": "Cache-Control=max-age=60, X=y",
            "s3-uri-style": "host",
            "s3-api-version": "2",
            "storage-class": "GLACIER",
            "tls-ca-chain": base64.b64encode(CHAIN.encode()).decode(),
            "experimental-delete-older-than-days": 7,
        }
    )
    asked = answer.parse("notes", {"bucket": "ignored"}, settings)
    assert asked
    assert answer.answer(asked, settings, KEYS).databag == {
        "endpoint": "https://s3.example.com",
        "bucket": "media",
        "region": "eu-1",
        "path": "/a",
        "attributes": '["Cache-Control=max-age=60", "X=y"]',
        "s3-uri-style": "host",
        "s3-api-version": "2",
        "storage-class": "GLACIER",
        "tls-ca-chain": json.dumps([AUTHORITY, AUTHORITY]),
        "delete-older-than-days": "7",
        "version": "1",
        "access-key": "NUABC",
        "secret-key": "secret-of-it",
    }


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"endpoint": "s3.example.com"}, "endpoint is no URL"),
        ({"bucket": "X"}, "bucket is 'X'"),
        ({"s3-uri-style": "host"}, "the built-in store has 'path' only, or set endpoint"),
        ({"s3-uri-style": "wat"}, "set it to host or path"),
        ({"s3-api-version": "2"}, "the built-in store has '4' only"),
        ({"s3-api-version": "3", "endpoint": "http://x"}, "set it to 2 or 4"),
        ({"credentials": "secret:x"}, "credentials is for a store of yours"),
        ({"access-key": "a"}, "access-key is for a store of yours"),
        ({"tls-ca-chain": "x"}, "tls-ca-chain is for a store of yours"),
        ({"tls-ca-chain": "x", "endpoint": "http://x"}, "tls-ca-chain has no certificate"),
        ({"experimental-delete-older-than-days": 0}, "set it to a number from 1"),
    ],
)
def test_options_that_cannot_be(config: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        answer.parse_settings(config)


@pytest.mark.parametrize(
    ("config", "secret", "synced", "expected"),
    [
        ({"access-key": "o", "secret-key": "p"}, {"access-key": "s", "secret-key": "t"}, None, ("s", "t")),
        ({"access-key": "o", "secret-key": "p"}, None, {"access-key": "s", "secret-key": "t"}, ("o", "p")),
        ({}, None, {"access-key": "s", "secret-key": "t"}, ("s", "t")),
        (
            {},
            {"access-key": "s"},
            {"access-key": "s", "secret-key": "t"},
            "the secret of credentials has no secret-key",
        ),
        ({}, {}, None, "the secret of credentials has no access-key"),
        ({"secret-key": "p"}, None, None, "the options have no access-key"),
        ({}, None, None, "endpoint is set without keys"),
    ],
)
def test_keys_of_a_store_of_ones_own(
    config: dict[str, Any], secret: dict[str, str] | None, synced: dict[str, str] | None, expected: Any
) -> None:
    if isinstance(expected, str):
        with pytest.raises(Refused, match=expected):
            answer.given_keys(config, secret, synced)
    else:
        assert answer.given_keys(config, secret, synced) == answer.Keys(*expected)


@given(st.text(min_size=1), st.text(min_size=1))
def test_each_password_has_an_access_key_of_its_own_that_does_not_tell_it(one: str, two: str) -> None:
    first, second = answer.keys(one), answer.keys(two)
    assert (first.access == second.access) == (one == two)
    assert first.access.isalnum()
    assert len(first.access) == 20
