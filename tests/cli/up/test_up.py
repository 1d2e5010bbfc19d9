"""`up` from the command line against a fake daemon: what it asks for, says and returns."""

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from nuages.cli.errors import CliError
from nuages.cli.up.build import Built
from nuages.cli.up.place import locate
from nuages.cli.up.plan import BuiltIn, Project, Requirement
from tests.cli.fake_daemon import Refuse

M = "/v1/models/notes"
LIBRARY = {
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "library.settings")\nimport django\n',
    "library/__init__.py": "",
    "library/settings.py": 'SECRET_KEY = "x"\nROOT_URLCONF = "library.urls"\nINSTALLED_APPS = []\nMIDDLEWARE = []\n',
    "library/wsgi.py": "application = None\n",
    "requirements.txt": "Django\n",
}
PROJECT = Project(
    application="notes",
    charm=Path("/cache/notes.charm"),
    charm_digest="c1",
    images={"django-app-image": Path("/cache/i1")},
    requires=(Requirement("ingress", "ingress"),),
    built_ins=(BuiltIn("traefik-k8s", {"ingress": "ingress"}),),
)
OBSERVED = {
    "applications": {
        "notes": {"charm": "c1", "resources": {"django-app-image": "i1"}, "config": {}},
        "traefik-k8s": {"charm": "built-in", "resources": {}, "config": {}},
    },
    "relations": [["notes:ingress", "traefik-k8s:ingress"]],
    "stopped": False,
}


@pytest.fixture
def page():
    """A page whose status the test chooses; returns (url, [status])."""
    answers = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(answers[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://localhost:{server.server_port}/", answers
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(home, monkeypatch):
    """A project around us, whose build is done."""
    (home / "charm").mkdir()
    (home / "charm" / "charmcraft.yaml").write_text("name: notes\n")
    (home / "rockcraft.yaml").write_text("name: notes\n")
    monkeypatch.setattr("nuages.cli.up.main.check", lambda: None)
    monkeypatch.setattr("nuages.cli.up.main.build", lambda *args, **kwargs: Built(PROJECT, ("Python 3.11",)))
    return home


def status(url, workload="active", message="", agent="idle"):
    unit = {"workload-status": {"current": workload, "message": message}, "juju-status": {"current": agent}}
    return {
        "model": {"name": "notes", "controller": "c", "cloud": "x", "version": "1"},
        "applications": {"notes": {"version": "1.0", "units": {"notes/0": unit}}},
        "nuages": {"url": url},
    }


@pytest.fixture
def engine(daemon, project, page):
    """A daemon with nothing but the project's empty model in it; everything it is asked for is done at once."""
    daemon.on("GET", "/v1/models", [])

    def create(body):
        daemon.on("GET", "/v1/models", [{"name": "notes", "uuid": "u", "project": body["project"], "running": True}])
        return {"name": "notes", "uuid": "u", "created": True}

    daemon.on("PUT", M, create)
    daemon.on("GET", f"{M}/observed", {"applications": {}, "relations": [], "stopped": False})
    daemon.on("GET", f"{M}/settled", {"settled": True})
    daemon.on("GET", f"{M}/changes", [])
    daemon.on("GET", f"{M}/status", status(page[0]))
    logged = {"level": "ERROR", "entity": "e", "module": "m"}
    old, new = {**logged, "time": time.time() - 3600, "message": "of yesterday"}, {**logged, "time": time.time() + 60}
    daemon.on("GET", f"{M}/debug-log", (old, {**new, "message": "boom"}))
    printed = {"unit": "u", "container": "c", "service": "django"}
    old, new = {**printed, "time": "2026-01-02T03:04:05.1Z"}, {**printed, "time": "2099-01-02T03:04:05.123456789Z"}
    daemon.on("GET", f"{M}/logs", ({**old, "message": "of yesterday"}, {**new, "message": "Traceback"}))
    daemon.on("POST", f"{M}/retry", {})
    for route in ("deploy", "integrate", "refresh", "start"):
        daemon.change("POST", f"{M}/{route}")
    return daemon


def test_an_empty_model_ends_with_the_page_and_what_to_do_next(engine, nuages, page, monkeypatch):
    monkeypatch.setenv("NUAGES_COMMAND", "./nuages")
    outcome = nuages("up")
    assert outcome.code == 0, outcome.err
    assert f"notes is running: {page[0]}" in outcome.out
    assert "./nuages run notes/0 create-superuser username=admin email=admin@example.com" in outcome.out
    assert "./nuages logs notes -f" in outcome.out
    assert "note: Python 3.11" in outcome.out
    assert "PORT 8000 IS TAKEN by another program: this project is at port" in outcome.err
    assert [path.rpartition("/")[2] for verb, path, _ in engine.asked if verb == "POST"] == [
        "deploy",
        "deploy",
        "integrate",
    ]


@pytest.mark.parametrize(("running", "said"), [(True, "shop: this"), (False, "shop, which is stopped: this")])
def test_a_port_of_another_model_names_it(engine, nuages, running, said):
    shop = {"name": "shop", "uuid": "s", "project": "/shop", "running": running, "ports": [8000, 8443]}

    def create(body):
        own = {"name": "notes", "uuid": "u", "project": body["project"], "running": True, "ports": [8001]}
        engine.on("GET", "/v1/models", [own, shop])
        return {"name": "notes", "uuid": "u", "created": True}

    engine.on("PUT", M, create)
    outcome = nuages("up")
    assert outcome.code == 0, outcome.err
    assert f"PORT 8000 IS TAKEN by the model {said}" in outcome.err


def test_a_second_up_does_nothing(engine, nuages, page):
    nuages("up")
    engine.on("GET", f"{M}/observed", OBSERVED)
    engine.asked.clear()
    outcome = nuages("up")
    assert (outcome.code, outcome.err) == (0, "")
    assert "nothing to do" in outcome.out and page[0] in outcome.out
    assert [path for verb, path, _ in engine.asked if verb != "GET"] == [f"{M}/retry"]


def test_a_dry_run_prints_commands_and_makes_no_model(engine, nuages):
    outcome = nuages("up", "--dry-run")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "juju integrate notes:ingress traefik-k8s:ingress"
    assert not [path for verb, path, _ in engine.asked if verb != "GET"]


def test_a_second_up_that_ends_what_an_interrupted_one_began_says_what_to_do_next(engine, nuages, page):
    engine.on("GET", f"{M}/observed", OBSERVED)
    answers = iter([False, True])
    engine.on("GET", f"{M}/settled", lambda body: {"settled": next(answers)})
    outcome = nuages("up")
    assert outcome.code == 0, outcome.err
    assert "nothing to do" not in outcome.out
    assert "nuages run notes/0 create-superuser" in outcome.out


def test_another_projects_model_of_the_same_name_is_left_alone(engine, nuages):
    engine.on("GET", "/v1/models", [{"name": "notes", "uuid": "u", "project": "/other", "running": True}])
    engine.on("PUT", "/v1/models/notes-2", {"name": "notes-2", "uuid": "u2", "created": True})
    assert nuages("up").code == 1
    assert ("PUT", "/v1/models/notes-2") in [(verb, path) for verb, path, _ in engine.asked]


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("nuages.cli.up.watch.ERROR_PATIENCE", 0.1)
    monkeypatch.setattr("nuages.cli.up.watch.BLOCKED_PATIENCE", 0.1)


@pytest.mark.parametrize(("workload", "message"), [("error", 'hook failed: "install"'), ("blocked", "missing secret")])
def test_a_unit_that_cannot_go_on_is_told_with_its_log(engine, nuages, impatient, workload, message):
    engine.on("GET", f"{M}/status", status("", workload, message))
    outcome = nuages("up")
    assert outcome.code == 1
    assert f"notes/0 is {workload}: {message}" in outcome.err
    assert "  | ERROR boom" in outcome.err
    assert "of yesterday" not in outcome.err
    assert engine.bodies("GET", f"{M}/debug-log")[-1]["level"] == "INFO"  # without what a person's `exec` printed
    assert "debug-log --replay --include notes/0" in outcome.err


def test_a_unit_that_never_becomes_active_is_not_waited_for_without_end(engine, nuages, page, monkeypatch):
    monkeypatch.setattr("nuages.cli.up.watch.STANDSTILL", 0.1)
    engine.on("GET", f"{M}/status", status(page[0], "waiting", "for godot"))
    outcome = nuages("up")
    assert outcome.code == 1 and "notes/0 is waiting: for godot (nothing moved" in outcome.err


def test_no_page_is_no_success(engine, nuages, page):
    page[1][0] = 500
    outcome = nuages("up")
    assert (outcome.code, outcome.out) == (1, "")
    assert "error: cannot call notes done: / is 500" in outcome.err
    assert "  | django: Traceback" in outcome.err
    assert "of yesterday" not in outcome.err


def test_a_refused_operation_ends_up(engine, nuages):
    engine.on("POST", f"{M}/integrate", Refuse("cannot integrate: no", "mend"))
    outcome = nuages("up")
    assert outcome.code == 1 and outcome.err.endswith("error: cannot integrate: no\nfix:   mend\n")


def test_a_change_that_fails_later_ends_up(engine, nuages, impatient):
    engine.on("GET", f"{M}/status", status("", "waiting"))
    engine.change("POST", f"{M}/deploy", number="8", status="Error", error={"message": "cannot read it", "fix": "mend"})
    outcome = nuages("up")
    assert outcome.code == 1 and outcome.err.endswith("error: cannot read it\nfix:   mend\n")


def test_a_failed_build_touches_no_model(engine, nuages, monkeypatch):
    def fail(*args, **kwargs):
        raise CliError("cannot build: no", fix="mend")

    monkeypatch.setattr("nuages.cli.up.main.check", lambda: None)
    monkeypatch.setattr("nuages.cli.up.main.build", fail)
    outcome = nuages("up")
    assert (outcome.code, outcome.err) == (1, "error: cannot build: no\nfix:   mend\n")
    assert not [path for verb, path, _ in engine.asked if verb != "GET"]


def test_a_django_project_without_a_charm_runs_with_one_in_memory(engine, nuages, monkeypatch, tmp_path):
    for path in sorted(path for path in tmp_path.joinpath("elsewhere").rglob("*") if path.is_file()):
        path.unlink()
    (tmp_path / "elsewhere" / "charm").rmdir()
    for name, text in LIBRARY.items():
        (tmp_path / "elsewhere" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "elsewhere" / name).write_text(text)
    built: list[Path] = []

    def build(directory, *args, **kwargs):
        built.append(directory)
        return Built(PROJECT)

    monkeypatch.setattr("nuages.cli.up.main.build", build)
    outcome = nuages("up", "-m", "notes")
    assert outcome.code == 0, outcome.err
    assert "has no charm: running it with what `nuages init --settings` would write" in outcome.err
    assert "charm/charmcraft.yaml" in outcome.err
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"manage.py", "library", "requirements.txt"}
    assert (built[0] / "charm" / "charmcraft.yaml").is_file()
    assert (built[0] / "library" / "settings.py").samefile(tmp_path / "elsewhere" / "library" / "settings.py")
    assert "library.settings_charm" in (built[0] / "manage.py").read_text()


def test_what_no_charm_in_memory_makes_up_for_is_said(home, nuages):
    for name, text in LIBRARY.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    (home / "requirements.txt").unlink()
    outcome = nuages("up")
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: cannot run {home}: no file names the packages")
    assert "fix:   write requirements.txt" in outcome.err


def test_errors_about_a_charm_in_memory_name_the_project(home, nuages, monkeypatch):
    for name, text in LIBRARY.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)

    def build(directory, *args, **kwargs):
        assert directory != home
        raise CliError(f"cannot use {directory / 'manage.py'}", fix=f"mend {directory}")

    monkeypatch.setattr("nuages.cli.up.main.check", lambda: None)
    monkeypatch.setattr("nuages.cli.up.main.build", build)
    outcome = nuages("up")
    assert outcome.err.endswith(f"error: cannot use {home / 'manage.py'}\nfix:   mend {home}\n")


def test_a_folder_named_manage_py_alone_is_no_project(home, nuages):
    (home / "manage.py").write_text("")
    outcome = nuages("up")
    assert outcome.code == 1
    assert "cannot find a Django project" in outcome.err and "nuages init --new NAME" in outcome.err
    assert len(outcome.err.splitlines()) == 2


@pytest.fixture
def shop_beside(home):
    """A folder with a project in it and an empty folder beside that."""
    (home / "shop").mkdir()
    (home / "shop" / "manage.py").write_text("")
    (home / "empty").mkdir()
    return home


def test_a_project_beside_an_empty_folder_is_not_run_from_there(shop_beside, nuages, monkeypatch):
    monkeypatch.chdir(shop_beside / "empty")
    outcome = nuages("up")
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: cannot run {shop_beside / 'empty'}: it is no Django project")


def test_a_folder_of_a_project_whose_manage_py_is_further_down_is_in_it(shop_beside, monkeypatch):
    (shop_beside / "requirements.txt").write_text("Django")
    monkeypatch.chdir(shop_beside / "empty")
    assert locate(None) == shop_beside


def test_a_persons_home_is_not_run_for_a_project_that_lies_in_it(shop_beside, nuages, monkeypatch):
    monkeypatch.setenv("HOME", str(shop_beside))
    outcome = nuages("up")
    assert outcome.code == 1
    assert outcome.err == (
        f"error: cannot run {shop_beside}: it is your home folder, not one project\nfix:   nuages up shop\n"
    )


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "no Django project (no manage.py)"),
        (["rockcraft.yaml"], "no charm/charmcraft.yaml"),
        (["charm/charmcraft.yaml"], "no rockcraft.yaml"),
    ],
)
def test_what_is_missing_is_named(home, nuages, files, words):
    for name in files:
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("")
    outcome = nuages("up", str(home))
    assert outcome.code == 1
    assert words in outcome.err and "\nfix:   " in outcome.err
    assert "no such folder" in nuages("up", "nowhere").err
