"""The programs that run inside the container, run here."""

import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

from nuages.charm import inside, migrations
from nuages.contract import layout


def run(name: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-", *arguments],
        input=inside.text(name),
        env={"PATH": os.environ["PATH"], **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def survey(project: Path, metadata: Path) -> dict[str, object]:
    done = run("survey", str(project), str(metadata), environment={"OWN": "a b\n"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_survey(tmp_path: Path) -> None:
    project, metadata = tmp_path / "app", tmp_path / "metadata.yaml"
    (project / "board" / "migrations").mkdir(parents=True)
    (project / "manage.py").write_text("")
    metadata.write_text("name: notes\nversion: '1.2'\n")
    first = survey(project, metadata)
    assert first["version"] == "1.2"
    assert first["files"] == ["manage.py"]
    environment = first["environment"]
    assert isinstance(environment, dict)
    assert environment["OWN"] == "a b\n"
    assert survey(project, metadata)["release"] == first["release"]
    (project / "board" / "views.py").write_text("x")
    assert survey(project, metadata)["release"] == first["release"]
    (project / "board" / "migrations" / "0001.py").write_text("x")
    second = survey(project, metadata)
    assert second["release"] != first["release"]
    metadata.write_text("name: notes\nversion: '1.3'\n")
    assert survey(project, metadata)["release"] != second["release"]


def test_survey_without_metadata(tmp_path: Path) -> None:
    assert survey(tmp_path, tmp_path / "none")["version"] == ""


def test_survey_looks_for_the_programs_of_the_contract() -> None:
    names = [name for name, _ in layout.MIGRATION_COMMANDS]
    assert f"PROGRAMS = {tuple(names)!r}".replace("'", '"') in inside.text("survey")


def test_migration_writes_how_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    code = "print('Applying', flush=True); raise SystemExit('boom: no such table')"
    done = run("migrate", str(path), migrations.NOTICE, "r", "d", "a", "--", sys.executable, "-c", code)
    assert done.returncode == 1
    assert "Applying" in done.stdout
    outcome = {"release": "r", "database": "d", "attempt": "a", "code": 1, "error": "boom: no such table"}
    assert json.loads(path.read_text()) == outcome
    done = run("migrate", str(path), migrations.NOTICE, "r", "d", "a", "--", sys.executable, "-c", "print('ok')")
    assert done.returncode == 0
    assert json.loads(path.read_text()) == {**outcome, "code": 0, "error": ""}


def test_migration_program_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    run("migrate", str(path), migrations.NOTICE, "r", "d", "a", "--", "/no/such/program")
    assert json.loads(path.read_text())["code"] == 127


def test_migration_wakes_the_charm(tmp_path: Path) -> None:
    seen: list[dict[str, object]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append({"path": self.path, **json.loads(self.rfile.read(int(self.headers["Content-Length"])))})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def address_string(self) -> str:
            return "socket"

        def log_message(self, *_: object) -> None:
            pass

    path = str(tmp_path / "s")
    with socketserver.UnixStreamServer(path, Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        environment = {"PEBBLE_SOCKET": path}
        arguments = (str(tmp_path / "o"), migrations.NOTICE, "r", "d", "a", "--", sys.executable, "-c", "")
        assert run("migrate", *arguments, environment=environment).returncode == 0
        thread.join(10)
    assert [(each["path"], each["type"], each["key"]) for each in seen] == [
        ("/v1/notices", "custom", migrations.NOTICE)
    ]
