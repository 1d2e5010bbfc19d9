import json
import os

import pytest

from tests.cli.fake_daemon import Refuse

MODELS = [
    {"name": "notes", "uuid": "1", "project": None, "running": True},
    {"name": "shop", "uuid": "2", "project": None, "running": True},
]


@pytest.fixture
def asked_model(daemon, nuages):
    """Call `config APP` and return the model whose configuration was asked for."""
    for model in ("notes", "shop", "mine"):
        daemon.on("GET", f"/v1/models/{model}/config/app", {"application": "app", "charm": "c", "settings": {}})

    def ask(*words):
        daemon.asked.clear()
        outcome = nuages("config", "app", *words)
        assert outcome.code == 0, outcome.err
        return next(path.split("/")[3] for _, path, _ in daemon.asked if path.endswith("/config/app"))

    return ask


def test_the_only_model_is_meant(asked_model):
    assert asked_model() == "notes"


def test_the_option_wins_over_the_variable(daemon, asked_model, monkeypatch):
    daemon.on("GET", "/v1/models", MODELS)
    monkeypatch.setenv("JUJU_MODEL", "shop")
    assert asked_model() == "shop"
    assert asked_model("-m", "notes") == "notes"
    assert asked_model("--model", "controller:admin/notes") == "notes"


def test_inside_a_project_its_own_model_is_meant(daemon, asked_model, home, monkeypatch):
    (home / "charm").mkdir()
    (home / "charm" / "charmcraft.yaml").write_text("name: mine\n")
    daemon.on("GET", "/v1/models", [*MODELS, {"name": "mine", "uuid": "3", "project": str(home), "running": True}])
    assert asked_model() == "mine"
    monkeypatch.chdir(home / "charm")
    assert asked_model() == "mine"


def test_a_project_without_a_model_says_up(daemon, nuages, home):
    (home / "rockcraft.yaml").write_text("name: mine\n")
    outcome = nuages("status")
    assert outcome.code == 1
    assert "it was not run yet" in outcome.err and "fix:   nuages up" in outcome.err


def test_switch_in_a_project_says_that_its_own_model_goes_first(daemon, nuages, home):
    daemon.on("GET", "/v1/models", MODELS)
    assert nuages("switch", "shop").err == ""
    (home / "rockcraft.yaml").write_text("name: mine\n")
    outcome = nuages("switch", "shop")
    assert outcome.code == 0 and "the project's own model goes before it: type -m shop" in outcome.err


def test_several_models_and_none_chosen(daemon, nuages, asked_model):
    daemon.on("GET", "/v1/models", MODELS)
    outcome = nuages("status")
    assert outcome.code == 1
    assert "notes, shop" in outcome.err
    assert nuages("switch", "shop").code == 0
    assert nuages("switch").out == "shop\n"
    assert asked_model() == "shop"


def test_an_unknown_model_is_named(daemon, nuages):
    outcome = nuages("status", "-m", "nope")
    assert outcome.code == 1
    assert "cannot find the model 'nope'" in outcome.err


def test_the_daemons_words_are_shown(daemon, nuages):
    daemon.on("GET", "/v1/models/notes/config/nope", Refuse("cannot find application nope", "nuages status", 404))
    outcome = nuages("config", "nope")
    assert (outcome.code, outcome.err) == (1, "error: cannot find application nope\nfix:   nuages status\n")


def test_a_state_folder_of_another_user_is_refused(home, nuages, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to give a folder away")
    state = tmp_path / "state" / "nuages"
    state.mkdir(parents=True)
    os.chown(state, 4242, 4242)
    outcome = nuages("models")
    assert outcome.code == 1
    assert "it belongs to uid 4242, and you are root" in outcome.err


def test_root_in_the_home_of_another_user_is_refused(home, nuages, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to give a folder away")
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 4242, 4242)
    outcome = nuages("switch", "x")
    assert outcome.code == 1
    assert "cannot run as root in the home of uid 4242" in outcome.err
    assert not (tmp_path / "state" / "nuages").exists()


def test_a_daemon_that_does_not_come_up_is_quoted(home, nuages, tmp_path, monkeypatch):
    fake = tmp_path / "fake" / "nuages"
    monkeypatch.setattr("sys.executable", str(fake))
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\necho 'error: cannot open the store: it is broken' >&2\necho 'fix:   mend it' >&2\nexit 1\n"
    )
    fake.chmod(0o755)
    outcome = nuages("switch", "x")
    assert (outcome.code, outcome.err) == (1, "error: cannot open the store: it is broken\nfix:   mend it\n")


def test_models_in_json(daemon, nuages):
    document = json.loads(nuages("models", "--format", "json").out)
    assert document["models"][0]["name"] == "notes"


def test_a_model_that_cannot_be_opened_is_named_with_its_mend(daemon, nuages, home):
    broken = {"name": "notes", "uuid": "", "project": None, "running": False, "error": "cannot open the model: old"}
    daemon.on("GET", "/v1/models", [broken])
    (home / "charmcraft.yaml").write_text("name: notes\n")
    (home / "rockcraft.yaml").write_text("name: notes\n")
    for command in ("status", "up"):
        outcome = nuages(command)
        assert outcome.code == 1
        assert outcome.err.splitlines() == [
            "error: cannot open the model notes: old",
            "fix:   remove it with its data: nuages down -m notes --purge",
        ]
