from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import ops.pebble
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.services import PROVIDES, REGISTRY, driver
from nuages.services.driver import Answer
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import running, until

BAGS = st.dictionaries(st.sampled_from("abcd"), st.text(min_size=1, max_size=3))


@given(BAGS, BAGS)
def test_merging_the_difference_gives_what_was_wanted(current: dict[str, str], wanted: dict[str, str]) -> None:
    merged = current | driver.difference(current, wanted)
    assert {key: value for key, value in merged.items() if value} == wanted


def test_an_answer_is_written_once_and_its_secrets_are_granted_to_the_relation() -> None:
    context, relation = FakeContext(None), FakeRelation(3, own={"stale": "x"})
    answer = Answer({"database": "notes"}, {"secret-user": {"password": "p"}})
    driver.give(context, relation, answer)
    driver.give(context, relation, answer)
    uri = relation.own["secret-user"]
    assert relation.own == {"database": "notes", "secret-user": uri}
    assert relation.writes == 1
    assert context.content(uri) == {"password": "p"}
    assert context.grants == {uri: 3}


def test_a_plan_holds_what_pebble_adds_defaults_to() -> None:
    layer = {"services": {"a": {"override": "replace", "command": "x"}}, "checks": {"r": {"exec": {"command": "y"}}}}
    plan = {
        "services": {"a": {"override": "replace", "command": "x", "startup": "enabled"}, "b": {}},
        "checks": {"r": {"exec": {"command": "y"}, "period": "10s"}},
    }
    assert driver.plan_holds(plan, layer)
    assert not driver.plan_holds({**plan, "services": {"a": {"override": "replace", "command": "z"}}}, layer)
    assert not driver.plan_holds({}, layer)


@pytest.mark.parametrize("name", REGISTRY)
def test_every_application_describes_itself(name: str) -> None:
    service = REGISTRY[name]
    assert service.name == service.metadata["name"] == name
    assert len(service.metadata["containers"]) == 1
    assert all(action["description"] for action in service.actions.values())
    assert all(option["description"] and option["type"] for option in service.options.values())
    provided = {endpoint: entry["interface"] for endpoint, entry in service.metadata.get("provides", {}).items()}
    assert PROVIDES[name] == provided, "what `up` goes by, without importing the module"


SEVERAL = ("postgresql-k8s", "self-signed-certificates")
"""Those whose further units do something."""


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in SEVERAL])
def test_a_second_unit_says_how_to_remove_it(name: str) -> None:
    context = FakeContext(None, unit=f"{name}/1", hook="start")
    asyncio.run(REGISTRY[name].hook(context))
    assert context.status[0] == "blocked"
    assert f"remove-unit {name} --num-units 1" in context.status[1]


@pytest.mark.parametrize("name", REGISTRY)
def test_without_its_container_it_waits(name: str) -> None:
    context = FakeContext(None, unit=f"{name}/0", hook="install")
    asyncio.run(REGISTRY[name].hook(context))
    assert context.status == ("waiting", "waiting for the container")


def test_a_command_that_hangs_is_an_error_that_names_it_and_a_probe_that_does_is_not_ready(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "PROBE", 0.5)
    with running(REGISTRY["squid-forward-proxy"], directory) as pod:
        with pytest.raises(driver.NotDone, match=r"^cannot run sleep in the container: it does not end within 1 s$"):
            driver.run(pod.client, ["/bin/sleep", "600"], timeout=0.6)
        begin = time.monotonic()
        slow = ["/bin/sh", "-c", "sleep 600"]
        assert not driver.await_ready(pod.client, slow, None, server="it", application="it", timeout=0)
        assert time.monotonic() - begin < 20
        with pytest.raises(driver.ServiceError, match="cannot reach it: it does not answer after 1 s"):
            driver.await_server(pod.client, slow, None, server="it", application="it", timeout=0.7)


def test_a_layer_is_in_force_also_when_the_hook_that_brought_it_was_killed(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleeping(seconds: int) -> driver.Workload:
        service: ops.pebble.ServiceDict = {"override": "replace", "command": f"sleep {seconds}", "startup": "enabled"}
        return driver.Workload({"services": {"it": service}})

    def killed(**_: object) -> None:
        raise KeyboardInterrupt

    with running(REGISTRY["squid-forward-proxy"], directory) as pod:

        def runs(seconds: int) -> bool:
            listed = pod.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
            return f"sleep {seconds} " in listed

        assert driver.converge(pod.client, sleeping(600)) is not None
        until(lambda: runs(600), "it runs")
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(pod.client, "replan_services", killed)
            driver.converge(pod.client, sleeping(601))
        assert driver.converge(pod.client, sleeping(601)) is not None
        until(lambda: runs(601), "the new one runs")
        assert driver.converge(pod.client, sleeping(601)) is None


def test_who_provides_what_is_known_without_importing_any_application() -> None:
    code = (
        "import sys; from nuages.services import PROVIDES, REGISTRY;"
        "assert PROVIDES and list(REGISTRY) == list(PROVIDES);"
        "print([name for name in sys.modules if name.startswith('nuages.services.')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_unknown_application_is_not_in_the_registry() -> None:
    assert "no-such-k8s" not in REGISTRY
    with pytest.raises(KeyError):
        REGISTRY["no-such-k8s"]
