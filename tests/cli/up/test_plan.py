"""Golden cases: what `up` does to a model, as the commands that `--dry-run` prints."""

from dataclasses import replace
from pathlib import Path

from nuages.cli.up.plan import BuiltIn, Observed, ObservedApplication, Project, Requirement, plan, unanswered
from nuages.services import PROVIDES

NOTES = Project(
    application="notes",
    charm=Path("/cache/charms/notes.charm"),
    charm_digest="c1",
    images={"django-app-image": Path("/cache/images/i1")},
    requires=(
        Requirement("logging", "loki_push_api"),
        Requirement("ingress", "ingress"),
        Requirement("postgresql", "postgresql_client", optional=False),
    ),
    provides=frozenset({"metrics-endpoint", "grafana-dashboard"}),
    built_ins=(
        BuiltIn("postgresql-k8s", {"database": "postgresql_client"}),
        BuiltIn("traefik-k8s", {"ingress": "ingress"}),
    ),
)
DATABASE = frozenset({"notes:postgresql", "postgresql-k8s:database"})
INGRESS = frozenset({"notes:ingress", "traefik-k8s:ingress"})
RUNNING = Observed(
    applications={
        "notes": ObservedApplication("c1", {"django-app-image": "i1"}, {"greeting": "Bonjour"}),
        "postgresql-k8s": ObservedApplication("built-in"),
        "traefik-k8s": ObservedApplication("built-in"),
    },
    relations=frozenset({DATABASE, INGRESS, frozenset({"notes:secret-storage"})}),
)


def commands(project: Project, observed: Observed) -> list[str]:
    return [operation.command for operation in plan(project, observed)]


def test_an_empty_model():
    assert commands(NOTES, Observed()) == [
        "juju deploy traefik-k8s",
        "juju deploy postgresql-k8s",
        "juju deploy /cache/charms/notes.charm notes --resource django-app-image=/cache/images/i1",
        "juju integrate notes:ingress traefik-k8s:ingress",
        "juju integrate notes:postgresql postgresql-k8s:database",
    ]


def test_the_same():
    assert commands(NOTES, RUNNING) == []


def test_a_stopped_model_is_started():
    assert commands(NOTES, replace(RUNNING, stopped=True)) == ["# start the stopped pods"]


def test_a_changed_source_is_a_new_image_only():
    changed = replace(NOTES, images={"django-app-image": Path("/cache/images/i2")})
    assert commands(changed, RUNNING) == ["juju refresh notes --resource django-app-image=/cache/images/i2"]


def test_a_changed_option_is_a_new_charm_only():
    assert commands(replace(NOTES, charm_digest="c2"), RUNNING) == [
        "juju refresh notes --path /cache/charms/notes.charm"
    ]


def test_both_changed_is_one_refresh():
    changed = replace(NOTES, charm_digest="c2", images={"django-app-image": Path("/cache/images/i2")})
    assert commands(changed, RUNNING) == [
        "juju refresh notes --path /cache/charms/notes.charm --resource django-app-image=/cache/images/i2"
    ]


def test_a_removed_endpoint_breaks_its_relation_first_and_keeps_the_database():
    changed = replace(NOTES, charm_digest="c2", requires=NOTES.requires[:2])
    assert commands(changed, RUNNING) == [
        "juju remove-relation notes:postgresql postgresql-k8s:database",
        "juju refresh notes --path /cache/charms/notes.charm",
    ]


def test_a_half_done_model_gets_only_what_is_missing():
    half = Observed(
        applications={
            "traefik-k8s": ObservedApplication("built-in"),
            "notes": ObservedApplication("c1", {"django-app-image": "i1"}),
        },
        relations=frozenset({INGRESS}),
    )
    assert commands(NOTES, half) == [
        "juju deploy postgresql-k8s",
        "juju integrate notes:postgresql postgresql-k8s:database",
    ]


def test_a_relation_that_the_user_broke_comes_back():
    broken = replace(RUNNING, relations=RUNNING.relations - {DATABASE})
    assert commands(NOTES, broken) == ["juju integrate notes:postgresql postgresql-k8s:database"]


def test_a_database_of_the_users_own_choice_is_left_alone():
    own = replace(
        RUNNING,
        applications={**RUNNING.applications, "pg": ObservedApplication("built-in")},
        relations=frozenset({INGRESS, frozenset({"notes:postgresql", "pg:database"})}),
    )
    assert commands(NOTES, own) == []


def test_an_optional_endpoint_is_left_to_the_user():
    optional = replace(NOTES, requires=(Requirement("postgresql", "postgresql_client", optional=True),))
    assert commands(optional, Observed())[0].startswith("juju deploy /cache/charms/notes.charm")
    assert len(commands(optional, Observed())) == 1


def test_what_no_built_in_application_provides_is_named():
    needy = replace(NOTES, requires=(*NOTES.requires, Requirement("queue", "rabbitmq", optional=False)))
    assert [requirement.name for requirement in unanswered(needy, Observed())] == ["queue"]
    assert unanswered(replace(NOTES, built_ins=()), RUNNING) == []


def test_a_port_is_an_option_of_ingress():
    asked = replace(NOTES, configuration={"traefik-k8s": {"port": "8080"}})
    assert commands(asked, Observed())[0] == "juju deploy traefik-k8s --config port=8080"
    assert commands(asked, RUNNING) == ["juju config traefik-k8s port=8080"]
    with_port = {**RUNNING.applications, "traefik-k8s": ObservedApplication("built-in", config={"port": 8080})}
    assert commands(asked, replace(RUNNING, applications=with_port)) == []


def test_the_daemons_document_is_read():
    observed = Observed.parse(
        {
            "applications": {
                "notes": {"charm": "c1", "resources": {"django-app-image": "i1"}, "config": {"greeting": "Bonjour"}},
                "postgresql-k8s": {"charm": "built-in", "resources": {}, "config": {}},
                "traefik-k8s": {"charm": "built-in", "resources": {}, "config": {}},
            },
            "relations": [sorted(DATABASE), sorted(INGRESS), ["notes:secret-storage"]],
            "stopped": False,
            "config": {},
        }
    )
    assert observed == RUNNING


def test_requests_are_what_the_engine_takes():
    requests = [(operation.route, operation.body) for operation in plan(NOTES, Observed())]
    assert requests[2] == (
        ("deploy",),
        {
            "charm": "/cache/charms/notes.charm",
            "application": "notes",
            "resources": {"django-app-image": "/cache/images/i1"},
            "config": {},
        },
    )
    assert requests[3] == (("integrate",), {"endpoints": ["notes:ingress", "traefik-k8s:ingress"]})


def test_what_a_charm_requires_comes_from_the_first_built_in_application_that_provides_it():
    built_ins = tuple(BuiltIn(name, provides) for name, provides in PROVIDES.items())
    requires = (
        Requirement("cache", "redis", optional=False),
        Requirement("valkey", "valkey_client", optional=False),
        Requirement("smtp", "smtp", optional=False),
        Requirement("more", "redis", optional=True),
    )
    assert commands(replace(NOTES, requires=requires, built_ins=built_ins), Observed()) == [
        "juju deploy redis-k8s",
        "juju deploy valkey",
        "juju deploy smtp-integrator",
        "juju deploy /cache/charms/notes.charm notes --resource django-app-image=/cache/images/i1",
        "juju integrate notes:cache redis-k8s:redis",
        "juju integrate notes:valkey valkey:valkey-client",
        "juju integrate notes:smtp smtp-integrator:smtp",
    ]
