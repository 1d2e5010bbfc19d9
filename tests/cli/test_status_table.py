import json

import pytest

from nuages.cli.status_table import status_lines


def unit(current, agent="idle", message="", **more):
    return {"workload-status": {"current": current, "message": message}, "juju-status": {"current": agent}, **more}


STATUS = {
    "model": {
        "name": "notes",
        "type": "caas",
        "controller": "nuages",
        "cloud": "localhost",
        "region": "here",
        "version": "3.6.0",
    },
    "machines": {},
    "applications": {
        "postgresql-k8s": {
            "charm": "postgresql-k8s",
            "charm-name": "postgresql-k8s",
            "charm-origin": "built-in",
            "charm-rev": 0,
            "exposed": False,
            "scale": 1,
            "version": "18.4",
            "application-status": {"current": "active"},
            "units": {"postgresql-k8s/0": unit("active", leader=True, address="10.1.0.2")},
        },
        "notes": {
            "charm": "local:notes-0",
            "charm-name": "notes",
            "charm-origin": "local",
            "charm-rev": 12,
            "exposed": False,
            "scale": 3,
            "relations": {
                "postgresql": [{"related-application": "postgresql-k8s", "interface": "postgresql_client"}],
                "secret-storage": [{"related-application": "notes", "interface": "secret-storage"}],
            },
            "application-status": {"current": "blocked", "message": "no\ndb"},
            "units": {
                "notes/10": unit("waiting", "allocating", "installing agent"),
                "notes/2": unit("active", "executing", **{"open-ports": ["8000/tcp"], "address": "10.1.0.9"}),
                "notes/0": unit("blocked", message="x" * 200, leader=True),
            },
        },
    },
    "controller": {"timestamp": "12:00:00Z"},
    "nuages": {
        "stopped": None,
        "url": "http://localhost:8000/",
        "notes": {"notes": ["Python 3.11, rock: 3.12"]},
        "warning": "the model runs as a single user",
    },
}


def test_the_tables():
    pairs = [("notes:postgresql", "postgresql-k8s:database")]
    assert status_lines(STATUS, command="./nuages", pairs=pairs) == [
        "Model  Controller  Cloud/Region    Version  Timestamp",
        "notes  nuages      localhost/here  3.6.0    12:00:00Z",
        "",
        "App             Version  Status   Scale  Charm                      Channel  Rev  Address  Exposed  Message",
        "notes                    blocked    2/3  notes                                12           no       no db",
        "postgresql-k8s  18.4     active       1  postgresql-k8s (built-in)             0           no",
        "",
        "Unit               Workload  Agent       Address   Ports     Message",
        f"notes/0*           blocked   idle                            {'x' * 119}…",
        "notes/2            active    executing   10.1.0.9  8000/tcp",
        "notes/10           waiting   allocating                      installing agent",
        "postgresql-k8s/0*  active    idle        10.1.0.2",
        "",
        "Integration provider     Requirer              Interface          Type     Message",
        "notes:secret-storage     notes:secret-storage  secret-storage     peer",
        "postgresql-k8s:database  notes:postgresql      postgresql_client  regular",
        "",
        "URL: http://localhost:8000/",
        "notes: Python 3.11, rock: 3.12",
        "warning: the model runs as a single user",
    ]


def test_an_empty_model():
    empty = {**STATUS, "applications": {}, "nuages": {}}
    assert status_lines(empty, command="nuages")[2:] == ["", 'Model "notes" is empty.']


def test_a_stopped_model_says_how_to_start_it():
    stopped = {**STATUS, "nuages": {"stopped": "stopped since reboot: nuages up", "url": "http://localhost:8000/"}}
    assert status_lines(stopped, command="./nuages")[-1] == "stopped since reboot: ./nuages up"


def test_the_command(daemon, nuages):
    daemon.on("GET", "/v1/models/notes/status", STATUS)
    daemon.on("GET", "/v1/models/notes/observed", {"relations": [["notes:postgresql", "postgresql-k8s:database"]]})
    assert "notes/2 " in nuages("status").out
    assert "Integration provider" not in nuages("status").out
    assert "Integration provider" in nuages("status", "--relations").out
    assert json.loads(nuages("status", "--format", "json").out) == STATUS
    assert "  notes:\n" in nuages("status", "--format=yaml").out
    only = json.loads(nuages("status", "--format", "json", "notes/0").out)["applications"]
    assert list(only) == ["notes"] and list(only["notes"]["units"]) == ["notes/0"]
    assert nuages("status", "nope").code == 1


@pytest.mark.parametrize("word", ["5", "2x", ""])
def test_watch_takes_a_duration(daemon, nuages, monkeypatch, word):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("nuages.cli.status.time.sleep", interrupt)
    daemon.on("GET", "/v1/models/notes/status", STATUS)
    assert nuages("status", "--watch", word).code == (130 if word == "5" else 2)


def test_what_blocked_units_say_to_type_is_repeated_as_ours():
    said = "postgresql is not integrated: juju integrate notes:postgresql postgresql-k8s"
    units = {"notes/0": unit("blocked", message=said), "notes/1": unit("blocked", message=said)}
    units |= {
        "notes/2": unit("waiting", message="waiting: juju is slow"),
        "notes/3": unit("blocked", message="no words"),
    }
    status = {**STATUS, "applications": {"notes": {**STATUS["applications"]["notes"], "units": units}}}
    lines = status_lines(status, command="./nuages")
    assert [line for line in lines if line.startswith("fix:")] == [
        "fix: ./nuages integrate notes:postgresql postgresql-k8s"
    ]
