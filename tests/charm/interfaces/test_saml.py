"""SAML: four fields are promised; what is missing is named, and what is there can be used."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables
from tests.charm.interfaces.hostile import TEXT, check

KEYS = ("entity_id", "metadata_url", "x509certs", "single_sign_on_service_redirect_url")


@pytest.mark.parametrize("key", KEYS)
def test_missing_field_is_named_and_the_others_serve_an_optional_endpoint(key: str) -> None:
    relation = example("saml")
    value = parse(relation._replace(bag={name: text for name, text in relation.bag.items() if name != key}))
    assert isinstance(value, NotReady)
    assert value.reason == f"no {key}"
    assert value.partial is not None
    names = {variable.name for variable in value.partial.variables}
    assert len(names) == 3
    assert names < set(variables(relation))


def test_silent_provider_is_waited_for() -> None:
    value = parse(example("saml", bag={}))
    assert isinstance(value, NotReady)
    assert value.partial is None
    assert "entity_id" in value.reason


def test_sign_on_by_post_is_no_redirect() -> None:
    bag = dict(example("saml").bag)
    bag["single_sign_on_service_redirect_binding"] = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    value = parse(example("saml", bag=bag))
    assert isinstance(value, NotReady)
    assert value.reason == "no single_sign_on_service_redirect_url"


def test_url_without_a_path_gets_one() -> None:
    bag = {**example("saml").bag, "metadata_url": "https://IDP.example"}
    assert variables(example("saml", bag=bag))["SAML_METADATA_URL"] == "https://idp.example/"


def test_endpoint_of_another_name_gives_its_prefix() -> None:
    assert set(variables(example("saml", endpoint="staff-login"))) == {
        name.replace("SAML_", "STAFF_LOGIN_") for name in variables(example("saml"))
    }


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(TEXT, st.from_regex(r"[A-Za-z0-9+/=]+", fullmatch=True), TEXT)
    def holds(entity: str, certificate: str, other: str) -> None:
        bag = {**example("saml").bag, "entity_id": entity, "x509certs": f"{certificate},{other}"}
        found = variables(example("saml", bag=bag))
        assert (found["SAML_ENTITY_ID"], found["SAML_SIGNING_CERTIFICATE"]) == (entity, certificate)

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("saml", (*KEYS, "single_sign_on_service_redirect_binding"), examples)
