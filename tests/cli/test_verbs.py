"""What each command asks of the daemon, and what it prints."""

import json
import os

import pytest

from tests.cli.fake_daemon import Refuse

M = "/v1/models/notes"

SETTINGS = {
    "application": "notes",
    "charm": "notes",
    "settings": {
        "greeting": {"value": "Hello", "default": "Hello", "source": "default", "type": "string", "description": "g"},
        "django-debug": {"value": False, "source": "default", "type": "boolean", "description": "d"},
    },
}


@pytest.mark.parametrize(
    ("words", "route", "body"),
    [
        (["integrate", "notes", "postgresql-k8s"], "integrate", {"endpoints": ["notes", "postgresql-k8s"]}),
        (["relate", "notes:db", "pg"], "integrate", {"endpoints": ["notes:db", "pg"]}),
        (["remove-relation", "notes", "pg"], "remove-relation", {"endpoints": ["notes", "pg"]}),
        (["config", "notes", "greeting=a=b"], "config/notes", {"set": {"greeting": "a=b"}, "reset": []}),
        (["config", "notes", "--reset", "a,b", "c=1"], "config/notes", {"set": {"c": "1"}, "reset": ["a", "b"]}),
        (["model-config", "x=1"], "model-config", {"set": {"x": "1"}, "reset": []}),
        (["add-unit", "notes", "-n", "2"], "scale", {"application": "notes", "delta": 2}),
        (["remove-unit", "notes", "--num-units", "2"], "scale", {"application": "notes", "delta": -2, "force": False}),
        (
            ["remove-unit", "--no-prompt", "notes", "--num-units", "1", "--force"],
            "scale",
            {"application": "notes", "delta": -1, "force": True},
        ),
        (["scale-application", "notes", "3"], "scale", {"application": "notes", "units": 3}),
        (["resolve", "notes/0"], "resolved", {"units": ["notes/0"], "all": False, "retry": True}),
        (["resolved", "--no-retry", "--all"], "resolved", {"units": [], "all": True, "retry": False}),
        (["grant-secret", "token", "a,b"], "grant-secret", {"secret": "token", "applications": ["a", "b"]}),
        (["revoke-secret", "token", "a"], "revoke-secret", {"secret": "token", "applications": ["a"]}),
        (["remove-secret", "token", "--revision", "2"], "remove-secret", {"secret": "token", "revision": 2}),
        (
            ["update-secret", "token", "key=a=b==", "--auto-prune", "--name", "other", "--info", "text"],
            "update-secret",
            {"secret": "token", "content": {"key": "a=b=="}, "name": "other", "info": "text", "auto_prune": True},
        ),
        (["down"], "down", None),
        (
            ["deploy", "postgresql-k8s", "--config", "a=b", "-n", "2"],
            "deploy",
            {
                "charm": "postgresql-k8s",
                "application": "",
                "resources": {},
                "config": {"a": "b"},
                "num_units": 2,
                "trust": False,
            },
        ),
    ],
)
def test_mutations(daemon, nuages, words, route, body):
    daemon.change("POST", f"{M}/{route}")
    outcome = nuages(*words)
    assert (outcome.code, outcome.out) == (0, ""), outcome.err
    assert daemon.bodies("POST", f"{M}/{route}") == [body or {}]
    assert ("GET", f"{M}/changes/7") in [(method, path) for method, path, _ in daemon.asked]


def test_a_channel_is_passed_over_with_a_word(daemon, nuages):
    daemon.change("POST", f"{M}/deploy")
    outcome = nuages("deploy", "postgresql-k8s", "--channel", "14/stable", "--trust")
    assert outcome.code == 0 and "the channel 14/stable is passed over" in outcome.err
    assert "channel" not in daemon.bodies("POST", f"{M}/deploy")[0]


def test_deploy_and_refresh_of_local_files(daemon, nuages, home):
    (home / "x.charm").write_text("")
    (home / "image").mkdir()
    daemon.change("POST", f"{M}/deploy")
    daemon.change("POST", f"{M}/refresh")
    assert nuages("deploy", "./x.charm", "notes", "--resource", "django-app-image=./image").code == 0
    body = daemon.bodies("POST", f"{M}/deploy")[0]
    assert (body["charm"], body["application"]) == (str(home / "x.charm"), "notes")
    assert body["resources"] == {"django-app-image": str(home / "image")}
    assert nuages("refresh", "notes", "--path", "./x.charm").code == 0
    assert daemon.bodies("POST", f"{M}/refresh") == [
        {"application": "notes", "charm": str(home / "x.charm"), "resources": {}}
    ]
    assert nuages("deploy", "./nope.charm").code == 1
    assert nuages("refresh", "notes").code == 2


def test_a_failed_change_is_exit_1_with_its_fix(daemon, nuages):
    daemon.change("POST", f"{M}/integrate", status="Error", error={"message": "cannot: the hook failed", "fix": None})
    outcome = nuages("integrate", "notes", "pg")
    assert (outcome.code, outcome.err) == (1, "error: cannot: the hook failed\nfix:   nuages change 7\n")


def test_config_shows_one_value_or_all(daemon, nuages):
    daemon.on("GET", f"{M}/config/notes", SETTINGS)
    assert nuages("config", "notes", "greeting").out == "Hello\n"
    assert nuages("config", "notes", "django-debug").out == "false\n"
    assert nuages("config", "notes", "django-debug", "--format", "json").out == "false\n"
    assert json.loads(nuages("config", "--format", "json", "notes").out) == SETTINGS
    assert "    value: Hello\n" in nuages("config", "notes").out
    unknown = nuages("config", "notes", "greetin")
    assert unknown.code == 1 and "did you mean 'greeting'?" in unknown.err


def test_config_takes_a_files_content(daemon, nuages, home):
    (home / "text").write_text("from a file\n")
    daemon.change("POST", f"{M}/config/notes")
    assert nuages("config", "notes", "greeting=@text").code == 0
    assert daemon.bodies("POST", f"{M}/config/notes")[0]["set"] == {"greeting": "from a file\n"}
    assert "cannot read 'nope'" in nuages("config", "notes", "greeting=@nope").err


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("secret:d0erdgfmp25c762i8np0", ""),
        ("secret://d0a2/d0erdgfmp25c762i8np0", ""),
        ("plain", ""),
        ("secret:token", "there is no secret with the ID 'token'; the URI of 'token' is secret:d0erdgfmp25c762i8np0\n"),
        ("secret:other", "there is no secret with the ID 'other'; see nuages secrets\n"),
    ],
)
def test_config_says_when_a_secret_is_not_there(daemon, nuages, value, said):
    daemon.change("POST", f"{M}/config/notes")
    daemon.on("GET", f"{M}/secrets", {"d0erdgfmp25c762i8np0": {"name": "token"}, "d0erdgfmp25c762i8np1": {}})
    outcome = nuages("config", "notes", f"key={value}")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", said)


@pytest.mark.parametrize("words", [["a", "b"], ["a", "b=c"], ["a=1", "a=2"], ["a=1", "--reset", "a"], ["=1"]])
def test_config_refuses_a_mixture(daemon, nuages, words):
    assert nuages("config", "notes", *words).code == 2


def test_model_config_in_juju_shapes(daemon, nuages):
    daemon.on("GET", f"{M}/model-config", {"update-status-hook-interval": {"Value": "5m", "Source": "default"}})
    assert nuages("model-config", "update-status-hook-interval").out == "5m\n"
    assert "update-status-hook-interval  default  5m" in nuages("model-config").out


def test_remove_unit_refuses_a_units_name_in_jujus_words(daemon, nuages):
    outcome = nuages("remove-unit", "notes/1")
    assert outcome.code == 1
    assert "k8s models do not support removing named units." in outcome.err
    assert "fix:   nuages remove-unit notes --num-units 1" in outcome.err
    assert daemon.asked == []
    assert nuages("remove-unit", "notes").code == 1


def test_run_prints_results_and_json(daemon, nuages):
    result = {"results": {"password": "p", "return-code": 0}, "status": "completed", "message": ""}
    daemon.change("POST", f"{M}/run", result=result)
    outcome = nuages("run", "notes/0", "create-superuser", "username=admin", "a.b=1")
    assert (outcome.code, outcome.out) == (0, "password: p\n")
    assert daemon.bodies("POST", f"{M}/run")[0] == {
        "unit": "notes/0",
        "action": "create-superuser",
        "params": {"username": "admin", "a": {"b": 1}},
    }
    document = json.loads(nuages("run", "--format", "json", "notes/0", "create-superuser").out)
    assert document["notes/0"]["results"] == {"password": "p", "return-code": 0}
    assert document["notes/0"]["status"] == "completed"


def test_a_result_of_several_lines_is_printed_as_it_stands(daemon, nuages):
    results = {"ca": "-----BEGIN-----\nMIIB\n-----END-----", "n": "1\n"}
    result = {"results": results, "status": "completed", "message": ""}
    daemon.change("POST", f"{M}/run", result=result)
    outcome = nuages("run", "notes/0", "get-ca-certificate")
    assert outcome.out == "ca: |-\n  -----BEGIN-----\n  MIIB\n  -----END-----\nn: |\n  1\n"


def test_a_failed_action_fails_in_jujus_words_after_its_document(daemon, nuages):
    daemon.change("POST", f"{M}/run", result={"results": {}, "status": "failed", "message": "no such user"})
    outcome = nuages("run", "--format", "json", "notes/leader", "act", "--wait", "1m")
    assert outcome.code == 1
    assert json.loads(outcome.out)["notes/leader"]["message"] == "no such user"
    assert "task failed" in outcome.err and "no such user" in outcome.err


def test_run_gives_up_in_jujus_words(daemon, nuages):
    daemon.change("POST", f"{M}/run", ready=False, status="Doing")
    outcome = nuages("run", "notes/0", "act", "--wait", "50ms")
    assert outcome.code == 1 and "timed out" in outcome.err


def test_exec(daemon, nuages):
    daemon.change("POST", f"{M}/exec", result={"stdout": "out\n", "stderr": "err\n", "return-code": 0})
    outcome = nuages("exec", "--unit", "notes/0", "--", "is-leader", "--format=json")
    assert (outcome.code, outcome.out) == (0, "out\n")
    assert "err\n" in outcome.err
    assert nuages("exec", "--unit", "notes/0", "--", "echo $HOME").code == 0
    assert [body["argv"] for body in daemon.bodies("POST", f"{M}/exec")] == [
        ["is-leader", "--format=json"],
        ["/bin/sh", "-c", "echo $HOME"],
    ]
    daemon.change("POST", f"{M}/exec", result={"stdout": "", "stderr": "no\n", "return-code": 3})
    failed = nuages("exec", "--format", "json", "--unit", "notes/0", "--", "x")
    assert failed.code == 1 and "task failed" in failed.err
    assert json.loads(failed.out)["notes/0"]["results"] == {"return-code": 3, "stderr": "no\n"}


def test_exec_with_the_unit_where_ssh_has_it_names_the_command_that_was_meant(daemon, nuages):
    outcome = nuages("exec", "notes/0", "--", "./explain", "a b")
    assert outcome.code == 2
    assert "exec --unit notes/0 -- ./explain 'a b'`?" in outcome.err
    assert "Did you mean" not in nuages("exec", "./explain").err


def test_the_log_is_followed_with_tail(daemon, nuages):
    outcome = nuages("debug-log", "-f")
    assert outcome.code == 2
    assert "`--tail` goes on with what comes" in outcome.err


def test_a_unit_is_a_unit(daemon, nuages):
    assert "'notes' is not a unit" in nuages("exec", "--unit", "notes", "--", "x").err
    assert nuages("run", "notes/x", "act").code == 2


def test_ssh_becomes_the_command_of_the_daemon(daemon, nuages, monkeypatch):
    class Replaced(BaseException):
        pass

    def replace(program, argv):
        raise Replaced(program, argv)

    monkeypatch.setattr(os, "execvp", replace)
    daemon.on("POST", f"{M}/enter", {"argv": ["nsenter", "x"]})
    with pytest.raises(Replaced) as replaced:
        nuages("ssh", "--container", "django-app", "notes/0", "ls", "-l")
    assert replaced.value.args == ("nsenter", ["nsenter", "x"])
    assert daemon.bodies("POST", f"{M}/enter") == [
        {"unit": "notes/0", "container": "django-app", "argv": ["ls", "-l"], "tty": False}
    ]


def test_logs(daemon, nuages):
    line = {"time": "2026-01-02T03:04:05Z", "unit": "notes/0", "container": "c", "service": "django", "message": "hi\n"}
    daemon.on("GET", f"{M}/logs", (line, line))
    outcome = nuages("logs", "notes/0", "--container", "c")
    assert len(outcome.out.splitlines()) == 2
    assert outcome.out.splitlines()[0].endswith(" notes/0 django: hi")
    assert daemon.bodies("GET", f"{M}/logs") == [{"lines": "30", "container": "c", "unit": "notes/0"}]


def test_debug_log(daemon, nuages):
    line = {"time": "t", "level": "INFO", "entity": "unit-notes-0", "module": "juju-log", "message": "hello"}
    daemon.on("GET", f"{M}/debug-log", (line,))
    assert (
        nuages("debug-log", "--replay", "-i", "unit-notes-0", "-i", "pg/0").out
        == "unit-notes-0: t INFO juju-log hello\n"
    )
    query = daemon.bodies("GET", f"{M}/debug-log")[0]
    assert query["include"] == ["notes/0", "pg/0"] and "follow" not in query
    assert nuages("debug-log", "--limit", "3").code == 0
    assert daemon.bodies("GET", f"{M}/debug-log")[1] == {"lines": "3"}


def test_changes_and_change(daemon, nuages):
    daemon.change(
        "POST",
        f"{M}/scale",
        summary="Add a unit",
        tasks=[{"id": "1", "summary": "run install on notes/1", "status": "Error", "log": ["boom"]}],
        error={"message": "cannot: boom", "fix": "mend it"},
        status="Error",
    )
    daemon.on("GET", f"{M}/changes", [daemon.changes["7"]])
    assert "7   Error" in nuages("changes").out
    shown = nuages("change", "7").out
    assert "run install on notes/1" in shown and "  boom" in shown and "fix:   mend it" in shown
    assert nuages("tasks", "7").out == shown
    assert nuages("change", "99").code == 1


def test_purge_of_the_last_model_leaves_nothing(daemon, nuages, tmp_path, monkeypatch):
    stopped = []
    monkeypatch.setattr("nuages.cli.down.stop", stopped.append)

    def delete(_body):
        daemon.on("GET", "/v1/models", [])
        return {}

    daemon.on("DELETE", M, delete)
    outcome = nuages("down", "--purge")
    assert outcome.code == 0, outcome.err
    assert len(stopped) == 1
    assert not (tmp_path / "state" / "nuages").exists()


def test_purge_of_one_of_two_keeps_the_other(daemon, nuages, tmp_path):
    both = [{"name": name, "uuid": name, "project": None, "running": True} for name in ("notes", "shop")]
    daemon.on("GET", "/v1/models", both)
    nuages("switch", "notes")

    def delete(_body):
        daemon.on("GET", "/v1/models", both[1:])
        return {}

    daemon.on("DELETE", M, delete)
    assert nuages("down", "--purge").code == 0
    assert (tmp_path / "state" / "nuages" / "daemon.sock").exists()
    assert nuages("switch").code == 1


def test_a_refusal_of_an_integration_is_jujus(daemon, nuages):
    words = "establishing a new relation for notes:postgresql would exceed its maximum relation limit of 1"
    daemon.on("POST", f"{M}/integrate", Refuse(f"cannot add relation: {words}"))
    outcome = nuages("integrate", "notes", "pg")
    assert outcome.code == 1 and words in outcome.err


def test_add_model(daemon, nuages):
    daemon.on("PUT", "/v1/models/test-1", {"name": "test-1", "uuid": "u", "created": True})
    assert nuages("add-model", "--no-switch", "test-1").code == 0
    assert nuages("add-model", "Bad_Name").code == 1
