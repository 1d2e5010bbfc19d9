"""The databag of saml: what Charmhub's saml-integrator writes for the same metadata, and what our own charm reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuages.charm.facts import Relation
from nuages.charm.interfaces import saml as charm_side
from nuages.services.driver import Refused
from nuages.services.saml import answer

BASE = "http://saml-integrator.localhost:4480"
PEM = "-----BEGIN CERTIFICATE-----\nMIIDuz\nAbCd==\n-----END CERTIFICATE-----\n"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def test_the_built_in_provider():
    given = answer.answer(answer.built_in(BASE, PEM))
    assert given.databag == {
        "entity_id": f"{BASE}/saml/metadata",
        "metadata_url": f"{BASE}/saml/metadata",
        "x509certs": "MIIDuzAbCd==",
        "single_sign_on_service_redirect_url": f"{BASE}/saml/sso",
        "single_sign_on_service_redirect_binding": REDIRECT,
        "single_sign_on_service_post_url": f"{BASE}/saml/sso",
        "single_sign_on_service_post_binding": POST,
    }
    assert given.secrets == {}


def test_a_provider_of_the_operators():
    document = {
        "certificates": ["MIIDuz", "MIIDvA"],
        "endpoints": [
            {"name": "SingleSignOnService", "url": "https://idp.example.com/saml/", "binding": REDIRECT,
             "response_url": ""},
            {"name": "SingleLogoutService", "url": "https://idp.example.com/+logout", "binding": REDIRECT,
             "response_url": "https://idp.example.com/+logout2"},
        ],
    }  # fmt: skip
    external = answer.External("https://idp.example.com", "https://idp.example.com/saml/metadata")
    # The first four and the last but one are the example that the real integrator's library gave.
    assert answer.answer(answer.described(external, json.dumps(document))).databag == {
        "entity_id": "https://idp.example.com",
        "metadata_url": "https://idp.example.com/saml/metadata",
        "x509certs": "MIIDuz,MIIDvA",
        "single_sign_on_service_redirect_url": "https://idp.example.com/saml/",
        "single_sign_on_service_redirect_binding": REDIRECT,
        "single_logout_service_redirect_url": "https://idp.example.com/+logout",
        "single_logout_service_redirect_binding": REDIRECT,
        "single_logout_service_redirect_response_url": "https://idp.example.com/+logout2",
    }


def test_our_charm_has_all_four_variables_from_it():
    bag = answer.answer(answer.built_in(BASE, PEM)).databag
    read = charm_side.parse(Relation("saml", "saml", 4, "saml-integrator", bag=dict(bag), units={}, secrets={}))
    assert isinstance(read, charm_side.Identity)
    assert {each.name: each.value for each in read.variables} == {
        "SAML_ENTITY_ID": f"{BASE}/saml/metadata",
        "SAML_METADATA_URL": f"{BASE}/saml/metadata",
        "SAML_SINGLE_SIGN_ON_REDIRECT_URL": f"{BASE}/saml/sso",
        "SAML_SIGNING_CERTIFICATE": "MIIDuzAbCd==",
    }


@pytest.mark.parametrize(
    "document",
    [
        {"certificates": [], "endpoints": [{"name": "SingleSignOnService"}]},
        {"certificates": ["MII"], "endpoints": [{"name": "SingleLogoutService"}]},
    ],
)
def test_metadata_that_promise_too_little_are_refused(document: dict[str, Any]):
    for entry in document["endpoints"]:
        entry |= {"url": "https://x/", "binding": REDIRECT}
    with pytest.raises(Refused, match="the metadata of x have no"):
        answer.described(answer.External("x", "https://x/"), json.dumps(document))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"entity_id": "x"}, "entity_id without metadata_url: set it too"),
        ({"metadata_url": "https://x/"}, "metadata_url without entity_id"),
        ({"fingerprint": "ab"}, "fingerprint without entity_id"),
        ({"entity_id": "x", "metadata_url": "file:///etc/passwd"}, "set it to an http or https URL"),
        ({"entity_id": "x", "metadata_url": "https:"}, "set it to an http or https URL"),
    ],
)
def test_options_that_cannot_be(config: dict[str, Any], words: str):
    with pytest.raises(Refused, match=words):
        answer.parse(config)


def test_options():
    assert answer.parse({}) is None
    assert answer.parse({"acs_hosts": "a"}) is None
    assert answer.parse({"entity_id": "x", "metadata_url": "https://x/m"}) == answer.External("x", "https://x/m")
    assert answer.hosts({"acs_hosts": " Notes.test, 10.0.0.1 ,"}) == ("notes.test", "10.0.0.1")
    for wrong in ("http://notes.test", "notes.test:80", "*", "-a", "a/b"):
        with pytest.raises(Refused, match="set bare host names"):
            answer.hosts({"acs_hosts": wrong})


def test_names_of_an_application():
    assert answer.names("notes", "dev", {"notes/0": "10.1.0.7", "notes/1": ""}) == {
        "notes",
        "notes.dev",
        "notes.dev.svc",
        "notes.dev.svc.cluster.local",
        "notes-0.notes-endpoints",
        "notes-0.notes-endpoints.dev.svc",
        "notes-0.notes-endpoints.dev.svc.cluster.local",
        "10.1.0.7",
        "notes-1.notes-endpoints",
        "notes-1.notes-endpoints.dev.svc",
        "notes-1.notes-endpoints.dev.svc.cluster.local",
    }


@given(
    st.dictionaries(st.sampled_from(["entity_id", "metadata_url", "fingerprint", "acs_hosts"]), st.text(max_size=12))
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_options_are_taken_or_refused(config: dict[str, str]):
    for function in (answer.parse, answer.hosts):
        try:
            function(config)
        except Refused as error:
            assert "\n" not in str(error).replace(repr(config), "")
