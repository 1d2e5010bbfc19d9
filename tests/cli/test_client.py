import socket
import subprocess
import threading

import pytest

from nuages import __version__
from nuages.cli import connection
from nuages.cli.code import fingerprint
from nuages.engine.api.client import ApiError, Client, NotRunningError, model_path
from tests.cli.fake_daemon import FakeDaemon, serve


def test_names_are_quoted_in_paths():
    assert model_path("a", "config", "b/../c") == "/v1/models/a/config/b%2F..%2Fc"


def test_nobody_there(tmp_path):
    with pytest.raises(NotRunningError):
        Client(tmp_path / "daemon.sock").get("/v1/version")


def test_a_socket_whose_path_is_too_long_for_its_address(tmp_path, monkeypatch):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.chdir(folder)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("daemon.sock")
    listener.listen()

    def answer():
        connected, _ = listener.accept()
        connected.recv(4096)
        connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nNuages-Version: 9\r\n\r\n{}")
        connected.close()

    thread = threading.Thread(target=answer)
    thread.start()
    client = Client(folder / "daemon.sock")
    assert client.get("/") == {}
    assert client.version == "9"
    thread.join()
    listener.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{]}",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_daemon_that_breaks_off_or_talks_nonsense_is_an_error_in_words(tmp_path, content):
    path = tmp_path / "daemon.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def answer():
        connected, _ = listener.accept()
        connected.recv(4096)
        connected.sendall(content)
        connected.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(ApiError) as raised:
        Client(path).get("/")
    assert str(raised.value).startswith("cannot ") and raised.value.fix
    thread.join()
    listener.close()


def test_waiting_ends_with_the_change(daemon, tmp_path):
    unfinished = {"id": "7", "ready": False}
    answers = [unfinished, unfinished, {"id": "7", "ready": True}]
    daemon.on("GET", "/v1/models/notes/changes/7", lambda _body: answers.pop(0))
    seen = []
    change = Client(daemon.directory / "daemon.sock").wait("notes", "7", on_progress=seen.append)
    assert change["ready"] and len(seen) == 3


@pytest.mark.parametrize(("version", "code"), [("0.0.1", fingerprint()), (__version__, "other")])
def test_a_daemon_of_another_version_or_code_is_replaced(home, tmp_path, monkeypatch, version, code):
    directory = tmp_path / "state" / "nuages"
    directory.mkdir(parents=True)
    (directory / connection.CODE_NAME).write_text(code)
    old_process = subprocess.Popen(["sleep", "60"])
    old = FakeDaemon(directory, version=version)
    old.on("GET", "/v1/version", {"version": version, "pid": old_process.pid, "state": ""})
    stop_old = serve(old)
    new = FakeDaemon(directory)
    new.on("GET", "/v1/version", {"version": new.version, "pid": 1, "state": ""})
    stops = []

    def shut_down(_body):
        old_process.kill()
        old_process.wait()
        return {}

    def start(folder, client):
        stop_old()
        (folder / "daemon.sock").unlink()
        stops.append(serve(new))

    old.on("POST", "/v1/shutdown", shut_down)
    monkeypatch.setattr(connection, "_start", start)
    client = connection.connect()
    assert client.get("/v1/version")["pid"] == 1
    stops[0]()


def test_a_running_daemon_is_not_started_again(daemon, monkeypatch):
    monkeypatch.setattr(connection, "_start", lambda *_: pytest.fail("started"))
    assert connection.connect().version == daemon.version
    assert connection.running() is not None


def test_looking_whether_one_runs_leaves_no_folder(home, tmp_path):
    assert connection.running() is None
    assert not (tmp_path / "state").exists()
