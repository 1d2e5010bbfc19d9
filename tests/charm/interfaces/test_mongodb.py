"""MongoDB: every member in the URL, and the copy that mongodb-k8s looks for."""

import json

from nuages.charm.interfaces import mongodb
from tests.charm.interfaces.examples import example, variables
from tests.charm.made import facts


def test_parameters_for_tls_follow_the_provider_s_own() -> None:
    found = variables(example("mongodb-of-two-by-tls"))
    assert found["MONGODB_DB_QUERY"].split("&") == [
        "replicaSet=mongodb-k8s",
        "authSource=admin",
        "tls=true",
        f"tlsCAFile={found['MONGODB_DB_TLS_CA']}",
        "tlsAllowInvalidHostnames=true",
    ]


def test_answer_is_copied_into_each_unit_s_bag_and_the_request_left_alone() -> None:
    relation = example("mongodb")
    relation = relation._replace(bag={**relation.bag, "data": "{}"})
    publication = mongodb.publish(facts(app="myapp"), relation, "")
    assert publication.app == {}
    copy = json.loads(publication.unit["data"])
    assert copy["secret-user"] == relation.bag["secret-user"]
    assert "data" not in copy
    assert not publication.once  # a later answer replaces the copy


def test_without_an_answer_a_database_is_asked_for() -> None:
    publication = mongodb.publish(facts(app="myapp"), example("mongodb", bag={}), "")
    assert publication.app["database"] == "myapp"
    assert publication.once
