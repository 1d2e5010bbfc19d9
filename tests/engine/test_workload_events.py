"""What Pebble has to tell becomes hooks, and what it knows becomes status: real Pebble, real charm."""

import json
import shutil

import pytest

from nuages.engine.api.client import ApiError
from tests.engine.charms import pack
from tests.engine.world import Engine, until

pytestmark = pytest.mark.e2e

SOURCE = """
import logging
import ops

LAYER = {
    "checks": {
        "quick": {"override": "replace", "level": "ready", "threshold": 1, "period": "200ms", "timeout": "190ms",
                  "exec": {"command": "sh -c 'test ! -e /quick-is-down || { touch /quick-has-run; false; }'"}},
        "slow": {"override": "replace", "level": "ready", "threshold": 1, "period": "1h",
                 "exec": {"command": "test ! -e /slow-is-down"}},
        "patient": {"override": "replace", "level": "ready", "threshold": 3, "period": "1h",
                    "exec": {"command": "test ! -e /patient-is-down"}},
    }
}


class Charm(ops.CharmBase):
    def __init__(self, *args):
        super().__init__(*args)
        self.work = self.unit.get_container("work")
        self.framework.observe(self.on.work_pebble_ready, self._ready)
        self.framework.observe(self.on.work_pebble_custom_notice, self._notice)
        self.framework.observe(self.on.work_pebble_check_failed, self._check)
        self.framework.observe(self.on.work_pebble_check_recovered, self._check)
        self.framework.observe(self.on.secret_changed, self._secret)
        self.framework.observe(self.on.greet_action, self._greet)

    def _ready(self, event):
        self.work.add_layer("checks", LAYER, combine=True)
        self.work.replan()
        self.unit.status = ops.ActiveStatus("well")

    def _notice(self, event):
        if event.notice.key == "example.com/bad":
            raise RuntimeError("bad notice")
        logging.info("SEEN %s %s", event.notice.key, event.notice.last_data)

    def _check(self, event):
        logging.info("SEEN %s %s", type(event).__name__, event.info.name)

    def _secret(self, event):
        logging.info("SEEN secret %s", sorted(event.secret.get_content(refresh=True)))

    def _greet(self, event):
        self.work.pebble.notify(ops.pebble.NoticeType.CUSTOM, event.params["name"], data={"from": "action"})


if __name__ == "__main__":
    ops.main(Charm)
"""


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A model with one unit of the charm above, and a daemon that tests may kill."""
    engine = Engine(tmp_path_factory.mktemp("state") / "nuages", "events").start()
    engine.client.put("/v1/models/events", {})
    engine.done(
        "deploy", charm=str(pack(tmp_path_factory.mktemp("charm") / "it.charm", source=SOURCE)), application="one"
    )
    yield engine
    engine.client.delete("/v1/models/events")
    engine.stop()


def seen(engine):
    messages = [record["message"] for record in engine.records() if record["entity"] == "unit-one-0"]
    return [text.partition("SEEN ")[2] for text in messages if "SEEN " in text]


def file(engine, name):
    """Return a file of the container, by its path on the host."""
    (root,) = (engine.directory / "models/events/pods").glob("one-0/**/work/root")
    return root / name


def notify(engine, key):
    engine.done("run", unit="one/0", action="greet", params={"name": key})


def workload(engine):
    return engine.unit("one/0")["workload-status"]


def test_a_custom_notice_reaches_the_charm(one):
    before = len(seen(one))
    notify(one, "example.com/done")
    until(lambda: seen(one)[before:], "the notice arrives")
    notify(one, "example.com/done")
    until(lambda: len(seen(one)) == before + 2, "it arrives again when it is repeated")
    assert seen(one)[before:] == ["example.com/done {'from': 'action'}"] * 2


def test_a_check_that_fails_and_recovers(one):
    before = len(seen(one))
    file(one, "quick-is-down").touch()
    until(lambda: seen(one)[before:], "the failure arrives")
    one.settle()
    assert seen(one)[before:] == ["PebbleCheckFailedEvent quick"], "once"
    assert workload(one)["current"] == "waiting"
    assert workload(one)["message"] == "work: check quick is down"
    file(one, "quick-is-down").unlink()
    until(lambda: seen(one)[before + 1 :], "the recovery arrives")
    one.settle()
    assert seen(one)[before + 1 :] == ["PebbleCheckRecoveredEvent quick"], "once"
    until(lambda: workload(one)["current"] == "active", "active again")


def test_what_happens_while_the_daemon_is_dead_is_told_once_when_it_lives(one):
    before = len(seen(one))
    one.kill()
    file(one, "quick-has-run").unlink(missing_ok=True)
    file(one, "quick-is-down").touch()
    until(file(one, "quick-has-run").exists, "Pebble has noticed it by itself")
    one.start()
    until(lambda: seen(one)[before:] == ["PebbleCheckFailedEvent quick"], "the failure arrives")
    file(one, "quick-is-down").unlink()
    until(lambda: len(seen(one)) == before + 2, "the recovery arrives")
    one.settle()
    one.kill()
    one.start()
    one.settle()
    notify(one, "example.com/after")
    until(lambda: len(seen(one)) == before + 3, "only what is new is told")


def test_a_notice_whose_hook_fails_comes_again(one):
    notify(one, "example.com/bad")
    failures = 'hook "work-pebble-custom-notice" of one/0 failed'
    until(lambda: one.text().count(failures) >= 2, "the hook is tried again")
    # the way out is a charm that copes
    notify_key = "example.com/bad"
    source = SOURCE.replace(f'event.notice.key == "{notify_key}"', "False")
    other = pack(one.directory.parent / "mended.charm", source=source)
    one.done("refresh", application="one", charm=str(other))
    one.settle()
    assert workload(one)["current"] == "active"


def test_status_runs_the_checks_that_one_failure_turns_down(one):
    """The slow check's period is an hour: only asking at once can tell."""
    until(lambda: workload(one)["current"] == "active", "well before")
    file(one, "patient-is-down").touch()
    assert workload(one)["current"] == "active", "three failures are needed, and asking is none"
    file(one, "slow-is-down").touch()
    assert workload(one) | {"since": ""} == {"current": "waiting", "message": "work: check slow is down", "since": ""}
    file(one, "slow-is-down").unlink()
    file(one, "patient-is-down").unlink()
    until(lambda: workload(one)["current"] == "active", "asking again finds it well")


def test_a_users_secret_end_to_end(one):
    content = {"key": "a canary", "other": "x"}
    answer = one.post("add-secret", name="token", content=content, info="")
    one.done("grant-secret", secret="token", applications=["one"])
    assert json.loads(one.tool("one/0", "secret-get", answer["uri"], "--format=json")) == content
    before = len(seen(one))
    assert one.done("update-secret", secret="token", content={"key": "another canary"})["kind"] == "update-secret"
    assert seen(one)[before:] == ["secret ['key']"], "the command returns when the charm was told"
    one.done("revoke-secret", secret="token", applications=["one"])
    refused = one.do("exec", unit="one/0", argv=["secret-get", answer["uri"]])["result"]
    assert refused["stderr"] == "ERROR permission denied\n"
    one.done("remove-secret", secret="token")
    with pytest.raises(ApiError, match='secret "token" not found'):
        one.get("secrets", "token")
    changes = [each for each in one.get("changes") if each["kind"].endswith("-secret")]
    assert [each["summary"] for each in changes] == [
        "add secret token",
        "grant secret token to one",
        "update secret token",
        "revoke secret token from one",
        "remove secret token",
    ]
    assert "canary" not in json.dumps(changes)
    for log in ("daemon.log", "stderr"):
        assert "canary" not in (one.directory / log).read_text()


def test_a_resource_attached_replaces_the_pod(one, tmp_path):
    images = {}
    for name in ("first", "second"):
        directory = tmp_path / name
        (directory / "root").mkdir(parents=True)
        (directory / "root" / "which").write_text(name)
        (directory / "image.json").write_text(json.dumps({"root": "root"}))
        images[name] = str(directory)
    charm = pack(
        tmp_path / "image.charm",
        containers={"work": {"resource": "work-image"}},
        resources={"work-image": {"type": "oci-image"}},
    )
    one.done("deploy", charm=str(charm), application="two", resources={"work-image": images["first"]})
    before, events = one.unit("two/0")["address"], one.events("two/0")
    assert one.done("refresh", application="two", resources={"work-image": images["first"]})["tasks"] == []
    one.done("refresh", application="two", resources={"work-image": images["second"]})
    assert one.unit("two/0")["address"] != before
    assert one.events("two/0")[len(events) :] == [
        "stop",
        "upgrade-charm",
        "config-changed",
        "start",
        "work-pebble-ready",
    ]
    (root,) = (one.directory / "models/events/pods").glob("two-0/**/work/root")
    assert (root / "which").read_text() == "second"
    assert one.get("status")["applications"]["two"]["charm-rev"] == 2
    with pytest.raises(ApiError, match="holds no image"):
        one.post("refresh", application="two", resources={"work-image": str(tmp_path)})
    one.done("remove-application", application="two")
    shutil.rmtree(tmp_path / "first")


def test_a_failed_hook_is_resolved(one, tmp_path):
    one.done("deploy", charm=str(pack(tmp_path / "x.charm")), application="three")
    with pytest.raises(ApiError, match='unit "three/0" is not in an error state'):
        one.post("resolved", units=["three/0"])
    assert one.do("config", "three", set={"fail-on": "config-changed"})["status"] == "Error"
    retried = one.do("resolved", units=["three/leader"])
    assert (retried["status"], "config-changed" in retried["error"]["message"]) == ("Error", True)
    one.done("resolved", units=["three/0"], retry=False)
    assert one.unit("three/0")["workload-status"]["current"] == "active"
    assert one.done("resolved", all=True)["summary"] == "resolve nothing"
    with pytest.raises(ApiError, match="three/9"):
        one.post("resolved", units=["three/9"])


def test_force_removes_what_a_failing_hook_keeps(one):
    one.done("config", "three", set={"fail-on": "stop"})
    assert one.do("remove-application", application="three")["status"] == "Error"
    assert "three" in one.get("status")["applications"]
    one.done("remove-application", application="three", force=True)
    assert "three" not in one.get("status")["applications"]
