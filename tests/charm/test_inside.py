"""The programs that run inside the container, run here."""

import http.server
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nuages.charm import inside, migrations, worker_class
from nuages.contract import layout
from tests.charm.test_probe import server


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
    names = list(layout.MIGRATIONS)
    assert f"PROGRAMS = {tuple(names)!r}".replace("'", '"') in inside.text("survey")


def test_migration_writes_how_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    code = "print('Applying', flush=True); raise SystemExit('boom: no such table')"
    done = run("migrate", str(path), migrations.NOTICE, "r", "d", "a", "--", sys.executable, "-c", code)
    assert done.returncode == 1
    assert "Applying" in done.stdout
    outcome = {"release": "r", "database": "d", "attempt": "a", "code": 1, "error": "Applying\nboom: no such table"}
    assert json.loads(path.read_text()) == outcome
    done = run("migrate", str(path), migrations.NOTICE, "r", "d", "a", "--", sys.executable, "-c", "print('ok')")
    assert done.returncode == 0
    assert json.loads(path.read_text()) == {**outcome, "code": 0, "error": ""}


def test_migration_says_what_it_applies_before_the_line_ends(tmp_path: Path) -> None:
    """As Django does: the name, then the work, then the rest of the line."""
    path, progress = tmp_path / "out.json", tmp_path / Path(migrations.PROGRESS).name
    code = f"""
import json, sys, time
for name in ("notes.0001_initial", "notes.0002_note_changed"):
    print(f"  Applying {{name}}...", end="", flush=True)
    end = time.monotonic() + 20
    while name not in open({str(progress)!r}).read():
        if time.monotonic() > end:
            raise SystemExit("not told")
        time.sleep(0.01)
    print(" OK", flush=True)
"""
    done = run("migrate", str(path), migrations.NOTICE, "r", "d", "a", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stdout
    assert "  Applying notes.0002_note_changed... OK" in done.stdout
    assert migrations.progress(progress.read_text(), time.time()) == "the database: notes.0002_note_changed"


def test_migration_program_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    run("migrate", str(path), migrations.NOTICE, "r", "d", "a", "--", "/no/such/program")
    assert json.loads(path.read_text())["code"] == 127


def notices(tmp_path: Path, code: str, minute: float = 60) -> list[dict[str, object]]:
    """Run a migration under a Pebble that only takes notices, and return them; each makes `seen` longer."""
    seen: list[dict[str, object]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append({"path": self.path, **json.loads(self.rfile.read(int(self.headers["Content-Length"])))})
            (tmp_path / "seen").write_text("x" * len(seen))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def address_string(self) -> str:
            return "socket"

        def log_message(self, format: str, *args: object) -> None:
            pass

    path = str(tmp_path / "s")
    program = inside.text("migrate").replace("MINUTE = 60.0", f"MINUTE = {minute}")
    with socketserver.UnixStreamServer(path, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        done = subprocess.run(
            [
                sys.executable,
                "-",
                str(tmp_path / "o"),
                migrations.NOTICE,
                "r",
                "d",
                "a",
                "--",
                sys.executable,
                "-c",
                code,
            ],
            input=program,
            env={"PATH": os.environ["PATH"], "PEBBLE_SOCKET": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        server.shutdown()
        thread.join(10)
    assert done.returncode == 0, done.stderr
    return seen


def test_migration_wakes_the_charm(tmp_path: Path) -> None:
    seen = notices(tmp_path, "")
    assert [(each["path"], each["type"], each["key"]) for each in seen] == [
        ("/v1/notices", "custom", migrations.NOTICE)
    ]


def test_long_migration_wakes_the_charm_every_minute(tmp_path: Path) -> None:
    """One that says nothing meanwhile, too."""
    code = f"""
import os, time
end = time.monotonic() + 20
while not os.path.exists({str(tmp_path / "seen")!r}) or os.path.getsize({str(tmp_path / "seen")!r}) < 2:
    if time.monotonic() > end:
        raise SystemExit("not woken")
    time.sleep(0.01)
"""
    assert len(notices(tmp_path, code, minute=0.1)) >= 3


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 0, ""),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", 0, ""),
        (b"HTTP/1.1 503 No\r\n\r\n", 1, "/well: status 503\n"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 1, "/well: status 400\n"),
        (b"", 1, "/well: no answer of HTTP\n"),
        (b"hello\r\n", 1, "/well: no answer of HTTP\n"),
        (b"HTTP/1.1 \xb2 OK\r\n\r\n", 1, "/well: no answer of HTTP\n"),
    ],
)
def test_health_is_what_the_path_answers_to_a_visitor(answer: bytes, code: int, said: str) -> None:
    seen: list[bytes] = []

    def respond(connection: socket.socket) -> None:
        seen.append(connection.recv(4096))
        connection.sendall(answer)

    with server(respond) as port:
        done = run("health", str(port), "notes.example:8443", "https", "/well")
    assert (done.returncode, done.stderr) == (code, said)
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "GET /well HTTP/1.1"
    assert {"Host: notes.example:8443", "X-Forwarded-Proto: https", "Connection: close"} <= set(lines)


def test_health_of_nobody() -> None:
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        done = run("health", str(spare.getsockname()[1]), "x", "http", "/well")
    assert done.returncode == 1
    assert done.stderr == "/well: [Errno 111] Connection refused\n"


def test_survey_finds_entrances_and_modules(tmp_path: Path) -> None:
    for path in ("notes/asgi.py", "notes/wsgi.py", "wsgi.py", "deep/er/asgi.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("raise SystemExit('imported')")
    packages = tmp_path / "packages"
    for path in ("gunicorn/__init__.py", "gunicorn/workers/__init__.py", "gunicorn/workers/gasgi.py", "gevent.py"):
        (packages / path).parent.mkdir(parents=True, exist_ok=True)
        (packages / path).write_text("raise SystemExit('imported')" if path.endswith(("gasgi.py", "gevent.py")) else "")
    done = run("survey", str(tmp_path), "/none", environment={"PYTHONPATH": str(packages)})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["modules"]
    assert found == ["gevent", "gunicorn.workers.gasgi", "wsgi", "notes.asgi", "notes.wsgi"]


def test_survey_looks_for_what_the_charm_asks_about() -> None:
    for name in ("gevent", worker_class.GUNICORN_ASGI, worker_class.UVICORN, *layout.TRACING_MODULES):
        assert f'"{name}"' in inside.text("survey")
