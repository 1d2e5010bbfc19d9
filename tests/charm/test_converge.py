"""The container's services: health, restarts, hooks that are killed half-way, surroundings."""

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from nuages.charm.converge import CLOSED
from nuages.charm.decide import decide
from nuages.charm.facts import Facts, Option, Workload
from nuages.charm.plan import Ask, Consult, Layer, Look, Plan, Question, Reload, Start, Stop, Write
from nuages.contract import layout
from tests.charm.conftest import ROCK
from tests.charm.made import DATABASE, INGRESS, carried_out, facts, settled, workload

HEALTH = Option("health-path", "string")
RUNNING = settled(facts())
HEALTHY = settled(facts(config={"greeting": "Hello", "health-path": "healthz"}, options=(*facts().options, HEALTH)))


def test_health_path_is_asked_by_a_program_after_the_first_answer() -> None:
    config = {"greeting": "Hello", "health-path": "/healthz?deep=1"}
    plan = decide(facts(config=config, options=(*facts().options, HEALTH), relations=(DATABASE, INGRESS)))
    ask = next(index for index, step in enumerate(plan.steps) if isinstance(step, Ask))
    checks = [(index, step) for index, step in enumerate(plan.steps) if isinstance(step, Layer) and step.checks]
    assert [step.checks["ready"] for _, step in checks][:-1] == [CLOSED]
    layer = checks[-1][0]
    assert ask < layer
    step = plan.steps[layer]
    assert isinstance(step, Layer)
    check: Any = step.checks["ready"]
    assert (check["level"], check["threshold"]) == ("ready", 1)
    assert "tcp" not in check
    assert check["exec"] == {
        "command": "/bin/python3 -I -S /tmp/django/state/health.py 8000 notes.example https '/healthz?deep=1'",
        "user": "_daemon_",
    }
    assert isinstance(plan.steps[layer - 1], Write)
    assert plan.steps[-1] == Consult("django", Question("notes.example", 8000, "/healthz?deep=1", "https"))


def test_health_path_that_comes_and_goes_changes_the_check_and_restarts_nothing() -> None:
    running = settled(replace(RUNNING, options=(*RUNNING.options, HEALTH)))
    for now, config in ((running, {**running.config, "health-path": "/well"}), (HEALTHY, {"greeting": "Hello"})):
        steps = decide(replace(now, config=config)).steps
        assert not any(isinstance(step, Stop) and "django" in step.services for step in steps)
        checks = [step.checks["ready"] for step in steps if isinstance(step, Layer) and step.checks]
        assert len(checks) == 1
        assert ("exec" in checks[0]) == ("health-path" in config)


def test_an_unhealthy_unit_is_asked_again_and_keeps_a_new_configuration() -> None:
    found = HEALTHY.workload
    assert isinstance(found, Workload)
    sick = replace(HEALTHY, workload=replace(found, answering=False))
    assert [type(step) for step in decide(sick).steps] == [Ask, Consult]
    reloads = [
        next(
            step
            for step in decide(replace(now, config={**now.config, "greeting": "x"})).steps
            if isinstance(step, Reload)
        )
        for now in (sick, HEALTHY)
    ]
    assert [step.strict for step in reloads] == [False, True]


@pytest.mark.parametrize(
    "config",
    [
        {"greeting": "Bonjour"},
        {"greeting": "Hello", "webserver-worker-class": "gevent"},
        {"greeting": "Bonjour", "webserver-timeout": 90},
        {"greeting": "Hello", "health-path": "/well"},
    ],
)
@pytest.mark.parametrize("start", ["new", "running"])
def test_a_hook_killed_anywhere_leaves_nothing_running_with_old_definitions(start: str, config: dict[str, Any]) -> None:
    """Every process whose definition changed was started, or told to reload, after the change."""
    before = replace(RUNNING if start == "running" else facts(), options=(*RUNNING.options, HEALTH))
    plan = decide(replace(before, config=config))
    for count in range(len(plan.steps)):
        now, current = replace(before, config=config), dict.fromkeys(ROCK, "")
        if start == "running":
            found = before.workload
            assert isinstance(found, Workload)
            current = {name: json.dumps(found.services[name], sort_keys=True) for name in ROCK}
            current["file"] = current["gunicorn"] = found.gunicorn or ""
        for steps in (plan.steps[:count], None, None, None):
            todo = decide(now).steps if steps is None else steps
            current = processes(now, current, todo)
            now = carried_out(now, Plan(steps=todo))
        assert decide(now).steps == ()
        after = now.workload
        assert isinstance(after, Workload)
        for name in ("mail-worker", "beat-scheduler"):
            assert current[name] == json.dumps(after.services[name], sort_keys=True), (count, name)
        assert current["gunicorn"] == after.gunicorn
        assert json.loads(current["django"])["command"] == after.services["django"]["command"]


def processes(before: Facts, current: dict[str, str], steps: tuple[Any, ...]) -> dict[str, str]:
    """Return what each running process was started with, the way Pebble and gunicorn go about it."""
    found = before.workload
    assert isinstance(found, Workload)
    services, states, current = dict(found.services), dict(found.states), dict(current)
    for step in steps:
        if isinstance(step, Layer):
            services.update(step.services)
        elif isinstance(step, Write) and step.file.path == layout.CLASSIC.gunicorn_config:
            current["file"] = step.file.text
        elif isinstance(step, Stop):
            states.update(dict.fromkeys(step.services, "inactive"))
        elif isinstance(step, Start):
            for name in step.services:
                if states.get(name) != "active":
                    current[name] = json.dumps(services[name], sort_keys=True)
                    current.update({"gunicorn": current["file"]} if name == "django" else {})
                states[name] = "active"
        elif isinstance(step, Reload):
            current["file"] = current["gunicorn"] = step.file.text
    return current


def test_worker_restarts_for_its_environment_and_not_for_its_patience() -> None:
    found = RUNNING.workload
    assert isinstance(found, Workload)
    patient: Any = {**found.services["mail-worker"], "kill-delay": "10s"}
    now = replace(RUNNING, workload=replace(found, services={**found.services, "mail-worker": patient}))
    steps = decide(now).steps
    assert [type(step) for step in steps] == [Layer, Start]
    assert not any(isinstance(step, Stop) for step in steps)


def test_home_is_the_services_own_unless_the_rock_names_another() -> None:
    services: Any = {
        **ROCK,
        "mail-worker": {**ROCK["mail-worker"], "environment": {"HOME": "/srv/mail"}},
        "stranger-worker": {**ROCK["mail-worker"], "user": "www-data"},
    }
    plan = decide(facts(workload=workload(original=services, services=services)))
    layers = [step.services for step in plan.steps if isinstance(step, Layer)]
    homes = {name: each["environment"]["HOME"] for layer in layers for name, each in cast("Any", layer).items()}
    assert homes == {
        "django": "/tmp/django/home",
        "mail-worker": "/srv/mail",
        "beat-scheduler": "/tmp/django/home",
        "stranger-worker": "/tmp",
    }


def test_crashing_worker_is_named() -> None:
    found = RUNNING.workload
    assert isinstance(found, Workload)
    crashing = replace(RUNNING, workload=replace(found, states={**found.states, "mail-worker": "backoff"}))
    assert decide(crashing).steps == (Look(("mail-worker",)),)
