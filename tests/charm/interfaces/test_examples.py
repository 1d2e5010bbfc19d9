"""Every example of a provider's answer: exactly these variables, files, and what we had asked for."""

import json
from collections.abc import Callable

import pytest

from nuages.charm.facts import Relation
from nuages.charm.interfaces import BY_NAME, usable
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import NAMES, example
from tests.charm.made import INGRESS, facts

NAMED = {
    "app": "myapp",
    "unit": "myapp/0",
    "model": "mymodel",
    "model_uuid": "4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a",
    "charm": "django-k8s",
    "fqdn": "myapp-0.myapp-endpoints.mymodel.svc.cluster.local",
    "address": "10.1.20.9",
}
"""As in the examples."""


def asked(relation: Relation) -> Relation:
    """Return the relation before the provider has answered."""
    return relation._replace(bag={}, units={}, secrets={})


@pytest.mark.parametrize("name", NAMES)
def test_example(name: str, golden: Callable[[str, str], None]) -> None:
    relation = example(name)
    interface = BY_NAME[relation.interface]
    ours = facts(**NAMED, relations=(INGRESS, relation))
    value = usable(interface.settle(ours, relation, interface.parse(relation)))
    assert not isinstance(value, NotReady), value.reason
    publication = interface.publish(ours, asked(relation), "http://myapp.example/")
    found = {
        "asked": {"app": publication.app, "unit": publication.unit},
        "variables": {variable.name: variable.value for variable in value.variables},
        "secret": sorted(variable.name for variable in value.variables if variable.secret),
        "files": {file.path: file.text for file in interface.files(value)},
        "log targets": interface.log_targets(ours, relation),
    }
    golden(f"{name}.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    assert {variable.origin for variable in value.variables} <= {f"integration {relation.endpoint}"}


@pytest.mark.parametrize("name", NAMES)
def test_secrets_of_an_example_are_all_found(name: str) -> None:
    relation = example(name)
    assert set(BY_NAME[relation.interface].secrets(relation.bag)) == set(relation.secrets)


@pytest.mark.parametrize("name", [name for name in NAMES if example(name).secrets])
def test_secret_that_cannot_be_read_is_waited_for(name: str) -> None:
    relation = example(name)
    for uri in relation.secrets:
        value = BY_NAME[relation.interface].parse(relation._replace(secrets={**relation.secrets, uri: None}))
        assert isinstance(value, NotReady)
        assert "secret" in value.reason


@pytest.mark.parametrize("name", NAMES)
def test_no_field_of_an_example_is_needed_not_to_fail(name: str) -> None:
    relation = example(name)
    interface = BY_NAME[relation.interface]
    for key in relation.bag:
        interface.parse(relation._replace(bag={field: text for field, text in relation.bag.items() if field != key}))
        for text in ("", "{}", "[]", "null", "[null]", '[{"a": null}]', "None", "\0", '"\ud800"', "[" * 100_000):
            usable(interface.parse(relation._replace(bag={**relation.bag, key: text})))
            interface.secrets({**relation.bag, key: text})
            interface.reads_units({**relation.bag, key: text})
