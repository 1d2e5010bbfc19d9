"""What src/charm.py can add, as docs/how-to/extend-the-charm.md shows it: the page's own code is run."""

import re
import types
from pathlib import Path
from typing import Any

import ops
import pytest
from ops import testing

from nuages.charm import Variable, environment
from nuages.charm.decide import decide
from nuages.charm.explain import explain
from nuages.charm.facts import Added
from tests.charm.conftest import CHARMCRAFT, PASSWORD, World, charm_documents, container, database, peer
from tests.charm.made import facts
from tests.charm.test_app import working

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "extend-the-charm.md"
REQUIRES = CHARMCRAFT + "  search: {interface: elasticsearch_client, optional: true}\n"


@pytest.fixture
def charm() -> type[ops.CharmBase]:
    """Return the class that the page defines."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    module = types.ModuleType("charm_of_the_page")
    exec(compile(found[1], str(PAGE), "exec"), module.__dict__)
    return module.NotesCharm


@pytest.fixture
def context(charm: type[ops.CharmBase], tmp_path: Path, world: World) -> testing.Context[Any]:
    found = charm_documents(tmp_path / "charm", REQUIRES)
    return testing.Context(
        charm, meta=found["metadata"], config=found["config"], actions=found["actions"], juju_version="3.6.9"
    )


def search(**data: str) -> testing.Relation:
    return testing.Relation("search", id=11, remote_app_name="opensearch", remote_app_data=data)


def started(context: testing.Context[Any], *relations: Any, files: Path | None = None) -> testing.State:
    start = working(containers={container(files)}, relations={database(), peer(), *relations})
    return context.run(context.on.pebble_ready(start.get_container("django-app")), start)


def variables(state: testing.State, service: str = "django") -> dict[str, str]:
    return dict(state.get_container("django-app").plan.services[service].environment)


def test_what_the_page_adds_reaches_every_service(context: testing.Context[Any]) -> None:
    state = started(context, search(endpoints="es-0:9200,es-1:9200", index="notes"))
    assert state.unit_status == testing.ActiveStatus()
    for service in ("django", "mail-worker", "beat-scheduler"):
        found = variables(state, service)
        assert found["DATABASE_URL"] == found["POSTGRESQL_DB_CONNECT_STRING"]
        assert found["SEARCH_URL"] == "https://es-0:9200/notes"
        assert found["CELERY_CONCURRENCY"] == "4"
        assert found["SITES"] == '["notes", "http://notes.shop:8000"]'


def test_an_interface_of_its_own_asks_and_waits(context: testing.Context[Any]) -> None:
    state = started(context, search())
    assert state.get_relation(11).local_app_data["index"] == "notes"
    assert "SEARCH_URL" not in variables(state)
    assert state.unit_status == testing.ActiveStatus(), "the endpoint is optional"


def test_variables_of_a_removed_integration_go_at_once(context: testing.Context[Any], tmp_path: Path) -> None:
    relation = search(endpoints="es-0:9200", index="notes")
    state = started(context, relation, files=tmp_path)
    assert "SEARCH_URL" in variables(state)
    after = context.run(context.on.relation_broken(state.get_relation(11)), state)
    assert "SEARCH_URL" not in variables(after)


def test_an_alias_stays_secret_and_says_what_it_is_of() -> None:
    added = Added(aliases={"DATABASE_URL": "POSTGRESQL_DB_CONNECT_STRING", "NONE": "NOT_THERE"})
    rows = explain(facts(added=added))
    assert rows["DATABASE_URL"] == {
        "value": "***",
        "origin": "integration postgresql (alias of POSTGRESQL_DB_CONNECT_STRING)",
        "change": "juju remove-relation notes:postgresql postgresql-k8s",
        "secret": True,
    }
    assert "NONE" not in rows
    assert PASSWORD not in str(rows)


def test_added_variables_win() -> None:
    added = Added(variables=lambda _, known: [Variable("DJANGO_GREETING", known["DJANGO_GREETING"] + "!", "mine")])
    assert explain(facts(added=added))["DJANGO_GREETING"]["value"] == "Hello!"


def test_a_plan_with_additions_is_the_same_twice(charm: Any) -> None:
    added = Added({each.name: each for each in charm.interfaces}, charm.aliases, charm.extra_variables)
    assert decide(facts(added=added)) == decide(facts(added=added))


@pytest.mark.parametrize("variable", [Variable("", "x", ""), Variable("A=B", "x", ""), Variable("A", "\0", "")])
def test_a_variable_that_no_process_can_have_is_refused(variable: Variable) -> None:
    with pytest.raises(ValueError, match=r"which src/charm\.py adds"):
        environment.extend(facts(added=Added(variables=lambda *_: [variable])), ())
