"""What an integration may ask of a plan, with an interface made for it: commands, parts, files, log targets."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pytest

from nuages.charm import interfaces
from nuages.charm.decide import decide
from nuages.charm.facts import Endpoint, Facts, Peer, Relation
from nuages.charm.interfaces.base import Interface, NotReady, nothing
from nuages.charm.plan import File, Layer, Migrate, Start, Write
from nuages.charm.variables import Variable
from nuages.contract import layout
from tests.charm.made import DATABASE, KEY, SURVEY, facts, settled, workload


class Made(NamedTuple):
    """What an interface made for these tests says."""

    variables: tuple[Variable, ...]


CERTIFICATE = File("/django/tls/ca-1234.pem", "CERTIFICATE")
PART = Made((Variable("MADE_CA", CERTIFICATE.path, "integration made"),))


def made(value: Any, *, required: bool = False, **fields: Any) -> Callable[..., Facts]:
    """Return a function that makes facts with a relation whose interface says `value`."""
    interface = Interface("made", "maker", nothing, lambda _relation: value, **fields)

    def make(**changes: Any) -> Facts:
        endpoints = (*facts().endpoints, Endpoint("made", "made", required))
        relations = (DATABASE, Relation("made", "made", 20, "maker", {}, {}, {}))
        return facts(endpoints=endpoints, relations=relations, **changes)

    cast("dict[str, Interface]", interfaces.BY_NAME)["made"] = interface
    return make


@pytest.fixture(autouse=True)
def _forget_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "BY_NAME", dict(interfaces.BY_NAME))


@pytest.mark.parametrize("required", [True, False])
def test_what_needs_somebody_to_act_is_blocked_with_the_command(required: bool) -> None:
    make = made(NotReady("no ingress", "juju integrate notes:ingress traefik-k8s"), required=required)
    plan = decide(make())
    assert plan.status is not None
    assert plan.status == ("blocked", "made: no ingress: juju integrate notes:ingress traefik-k8s")
    assert any(isinstance(step, Start) for step in plan.steps) is not required


def test_optional_integration_makes_do_with_a_part() -> None:
    plan = decide(made(NotReady("no key", partial=PART))())
    assert plan.status == ("active", "")
    files = [step.file for step in plan.steps if isinstance(step, Write) and "MADE_CA" in step.file.text]
    assert files
    refused = decide(made(NotReady("no key", partial=PART), required=True)())
    assert refused.status == ("waiting", "waiting for maker (made): no key")
    assert not any(isinstance(step, Start) for step in refused.steps)


def test_files_are_there_before_migration_and_server_and_written_once() -> None:
    make = made(PART, files=lambda _value: (CERTIFICATE,))
    migrating = decide(make(peer=Peer(1, {"secret-key-id": KEY.id}, {})))
    kinds = [type(step) for step in migrating.steps]
    assert kinds.index(Write) < kinds.index(Migrate)
    steps = decide(make()).steps
    written = [step.file.path for step in steps if isinstance(step, Write)]
    assert written.count(CERTIFICATE.path) == 1
    assert written.index(CERTIFICATE.path) < written.index(layout.CLASSIC.gunicorn_config)
    assert next(step.file.group for step in steps if isinstance(step, Write)) == "_daemon_"
    assert decide(settled(make())).steps == ()
    steps = decide(replace(settled(make()), config={"greeting": "x"})).steps
    assert not any(isinstance(step, Write) and step.file.path == CERTIFICATE.path for step in steps)


def test_log_targets_come_and_are_silenced() -> None:
    target = {"type": "loki", "location": "http://loki", "services": ["all"], "labels": {"juju_unit": "notes/0"}}
    running = settled(facts(endpoints=(*facts().endpoints, Endpoint("made", "made", False))))
    make = made(Made(()), log_targets=lambda _facts, _relation: {"loki/0": target})
    with_it = replace(running, relations=make().relations)
    plan = decide(with_it)
    assert plan.steps == (Layer("django-app-log-forwarding", targets={"loki/0": {**target, "override": "replace"}}),)
    after = settled(with_it)
    assert decide(after).steps == ()
    gone = decide(replace(after, relations=(DATABASE,)))
    silenced: Any = next(step.targets["loki/0"] for step in gone.steps if isinstance(step, Layer))
    assert (silenced["services"], silenced["location"]) == (["-all"], "(removed)")
    assert decide(settled(replace(after, relations=(DATABASE,)))).steps == ()


def test_spans_are_sent_when_the_rock_can_and_somebody_listens() -> None:
    traced = Made((Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:4318/", "integration tracing"),))
    able = workload(survey=SURVEY._replace(modules=layout.TRACING_MODULES))
    texts = [
        next(step.file.text for step in decide(each).steps if isinstance(step, Write))
        for each in (made(traced)(workload=able), made(traced)(), facts(workload=able))
    ]
    assert ["post_fork" in text for text in texts] == [True, False, False]
