"""MongoDB: every member in the URL, and the copy that mongodb-k8s looks for."""

import json
from pathlib import Path

from ops import testing

from nuages.charm.interfaces import mongodb
from tests.charm.conftest import CHARMCRAFT, NotesCharm, World, charm_documents, container, peer
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


def test_copy_is_written_by_every_unit_when_bags_are_compared(tmp_path: Path, world: World) -> None:
    assert world.answer == 200
    text = CHARMCRAFT.replace("postgresql: {interface: postgresql_client", "mongodb: {interface: mongodb_client")
    found = charm_documents(tmp_path / "charm", text)
    context = testing.Context(
        NotesCharm, meta=found["metadata"], config=found["config"], actions=found["actions"], juju_version="3.6.9"
    )
    answer = example("mongodb")
    asked = {"database": "notes", "requested-secrets": "[]"}  # as another runtime had asked
    for leader in (True, False):
        relation = testing.Relation(
            "mongodb", id=7, remote_app_data=dict(answer.bag), local_app_data=asked if leader else {}
        )
        secrets = {testing.Secret(dict(content or {}), id=uri, owner=None) for uri, content in answer.secrets.items()}
        state = context.run(
            context.on.config_changed(),
            testing.State(
                leader=leader,
                relations={relation, peer()},
                containers={container(None)},
                secrets=secrets,
            ),
        )
        bag = state.get_relation(relation.id).local_unit_data
        assert json.loads(bag["data"])["secret-user"] == answer.bag["secret-user"]
        assert state.get_relation(relation.id).local_app_data == (asked if leader else {})
