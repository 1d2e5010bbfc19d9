"""The `jubilant` library drives Nuages as it drives Juju: `jubilant.Juju(cli_binary="nuages")`."""

import os
import sys

import jubilant
import pytest

from tests.engine.charms import pack

pytestmark = pytest.mark.e2e

SOURCE = """
import ops


class Charm(ops.CharmBase):
    def __init__(self, *args):
        super().__init__(*args)
        for event in ("config_changed", "secret_changed", "work_pebble_ready", "ask_relation_changed"):
            self.framework.observe(getattr(self.on, event), self._look)
        self.framework.observe(self.on.greet_action, self._greet)
        self.framework.observe(self.on.boom_action, self._boom)

    def _look(self, event):
        say = self.config.get("say", "")
        token = str(self.config.get("token") or "")
        try:
            read = self.model.get_secret(id=token).get_content(refresh=True)["key"] if token else "none"
        except ops.ModelError as error:
            self.unit.status = ops.BlockedStatus(str(error.args[0]))
            return
        self.unit.status = ops.ActiveStatus(f"says {say}, has read {len(read)} characters")

    def _greet(self, event):
        event.log("on my way")
        event.set_results({"greeting": f"hello {event.params['name']}"})

    def _boom(self, event):
        event.fail("no powder")


if __name__ == "__main__":
    ops.main(Charm)
"""
OPTIONS = {"say": {"type": "string", "default": "nothing"}, "token": {"type": "secret"}}
ACTIONS = {"greet": {"params": {"name": {"type": "string", "default": "you"}}}, "boom": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("jubilant")


@pytest.fixture(scope="module")
def juju(folder):
    """A model of its own, made and destroyed by jubilant itself."""
    program = folder / "nuages"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m nuages.cli "$@"\n')
    program.chmod(0o755)
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    for name in ("JUJU_MODEL", "NUAGES_COMMAND"):
        patch.delenv(name, raising=False)
    patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    patch.chdir(folder)
    juju = jubilant.Juju(cli_binary=str(program), wait_timeout=120)
    juju.add_model("jubilant")
    yield juju
    juju.destroy_model("jubilant", force=True)
    patch.undo()


@pytest.fixture(scope="module")
def one(juju, folder):
    charm = pack(folder / "recorder.charm", source=SOURCE, options=OPTIONS, actions=ACTIONS)
    juju.deploy(charm, "one", config={"say": "hello"})
    juju.wait(jubilant.all_active, error=jubilant.any_error)
    return "one"


def message(juju, unit):
    return juju.status().get_units(unit.partition("/")[0])[unit].workload_status.message


def test_status_version_and_model(juju, one):
    status = juju.status()
    assert status.model.name == "jubilant"
    assert status.apps[one].app_status.current == "active"
    assert status.get_units(one)["one/0"].leader
    assert status.apps[one].charm_name == "recorder"
    assert juju.version().tuple >= (3, 6, 0)


def test_config(juju, one):
    assert juju.config(one)["say"] == "hello"
    juju.config(one, {"say": "goodbye"})
    juju.wait(lambda status: "goodbye" in status.get_units(one)["one/0"].workload_status.message)
    juju.config(one, reset="say")
    assert juju.config(one)["say"] == "nothing"
    with pytest.raises(jubilant.CLIError) as caught:
        juju.config(one, {"sya": "x"})
    assert "did you mean 'say'?" in caught.value.stderr
    juju.model_config({"update-status-hook-interval": "10m"})
    assert juju.model_config()["update-status-hook-interval"] == "10m"
    juju.model_config(reset="update-status-hook-interval")


def test_actions_and_commands(juju, one):
    task = juju.run("one/0", "greet", {"name": "Ada"})
    assert (task.status, task.results["greeting"], task.log[0].endswith("on my way")) == (
        "completed",
        "hello Ada",
        True,
    )
    with pytest.raises(jubilant.TaskError) as caught:
        juju.run("one/leader", "boom")
    assert caught.value.task.message == "no powder"
    with pytest.raises(ValueError, match="not defined"):
        juju.run("one/0", "nope")
    assert juju.exec("echo", "a b", "$HOME", unit="one/0").stdout == "a b $HOME\n"
    assert juju.exec("is-leader --format=json", unit="one/0").stdout.strip() == "true"
    with pytest.raises(jubilant.TaskError) as caught:
        juju.exec("sh", "-c", "echo out; echo err >&2; exit 3", unit="one/0")
    assert (caught.value.task.return_code, caught.value.task.stdout) == (3, "out\n")


def test_secrets(juju, one):
    uri = juju.add_secret("token", {"key": "four", "other": "0123\n"}, info="about")
    assert uri.startswith("secret:")
    juju.config(one, {"token": uri})
    juju.wait(lambda status: "permission denied" in status.get_units(one)["one/0"].workload_status.message)
    juju.grant_secret("token", one)
    juju.config(one, {"say": "again"})  # a grant alone sends no hook, as with Juju
    juju.wait(lambda status: "has read 4 characters" in status.get_units(one)["one/0"].workload_status.message)
    juju.update_secret("token", {"key": "longer"}, auto_prune=True)
    juju.wait(lambda status: "has read 6 characters" in status.get_units(one)["one/0"].workload_status.message)
    (listed,) = [secret for secret in juju.secrets() if secret.name == "token"]
    assert (listed.uri, listed.owner, listed.revision, listed.description) == (uri, "<model>", 2, "about")
    shown = juju.show_secret("token", reveal=True)
    assert shown.content == {"key": "longer"}
    assert juju.show_secret("token").access[0].target == "application-one"
    assert [each.revision for each in juju.show_secret(uri, revisions=True).revisions] == [2]
    with pytest.raises(jubilant.CLIError) as caught:
        juju.grant_secret("token", ["one", "nope"])
    assert 'application "nope" not found' in caught.value.stderr
    juju.config(one, reset="token")
    juju.remove_secret("token")
    assert juju.secrets() == []


def test_integrate_scale_and_remove(juju, one, folder):
    juju.deploy(folder / "recorder.charm", "two")
    juju.integrate("one:ask", "two:serve")
    juju.wait(lambda status: jubilant.all_active(status, "one", "two"), error=jubilant.any_error)
    assert juju.status().apps["one"].relations["ask"][0].related_app == "two"
    (relation,) = [each for each in juju.show_unit("one/0").relation_info if each.endpoint == "ask"]
    assert relation.related_units["two/0"].data["ingress-address"] == juju.show_unit("two/0").address
    assert relation.local_unit.in_scope
    juju.add_unit("two")
    juju.wait(lambda status: len(status.apps["two"].units) == 2 and jubilant.all_agents_idle(status))
    juju.cli("scale-application", "two", "3")
    assert sorted(juju.status().apps["two"].units) == ["two/0", "two/1", "two/2"]
    juju.remove_unit("two", num_units=2)
    assert sorted(juju.status().apps["two"].units) == ["two/0"]
    with pytest.raises(jubilant.CLIError) as caught:
        juju.remove_unit("two/0")
    assert "k8s models do not support removing named units" in caught.value.stderr
    juju.remove_relation("one:ask", "two:serve")
    assert "ask" not in juju.status().apps["one"].relations
    juju.refresh("two", path=pack(folder / "other.charm", source=SOURCE + "# 2", options=OPTIONS, actions=ACTIONS))
    assert juju.status().apps["two"].charm_rev == 2
    juju.remove_application("two", destroy_storage=True, force=True)
    juju.wait(lambda status: "two" not in status.apps)


def test_the_rest(juju, one):
    assert "unit-one-0: " in (log := juju.debug_log())
    assert juju.debug_log(limit=3) == "".join(log.splitlines(keepends=True)[-3:])
    assert juju.ssh("one/0", "echo", "here").strip() == "here"
    assert juju.show_model().name == "jubilant"
    juju.trust(one, scope="cluster")
    juju.trust(one, remove=True)
