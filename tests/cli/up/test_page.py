import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from nuages.cli.up.page import Reply, ask, judge

URL = "http://localhost:8000/"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(URL, 400), "DJANGO_ALLOWED_HOSTS"),
        (Reply(URL, 500), "fails with 500"),
        (Reply(URL, 502), "no web server"),
        (Reply(URL, 404, body=b"404 page not found\n"), "no route"),
        (Reply(URL, 301, "https://localhost:8000/"), "SECURE_SSL_REDIRECT"),
        (Reply(URL, 302, "/again"), "without end"),
        (Reply(URL, failure="connection refused"), "connection refused"),
    ],
)
def test_no_page(reply, words):
    verdict = judge((reply,))
    assert not verdict.ok
    assert words in verdict.cause


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (Reply(URL, 200), ""),
        (Reply(URL, 404, body=b"<h1>Not Found</h1>"), "no page at /"),
        (Reply(URL + "login/", 403), "answers 403 at /login/"),
        (Reply(URL, 302, "http://sso.example/"), "sso.example"),
    ],
)
def test_a_page(reply, note):
    verdict = judge((reply,))
    assert verdict.ok
    assert note in verdict.note


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, body = answer(self.path, self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return f"http://localhost:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_redirects_with_a_cookie_are_followed(serve):
    def answer(path, headers):
        if "seen=1" not in (headers.get("Cookie") or ""):
            return 302, {"Location": "/login/", "Set-Cookie": "seen=1; Path=/"}, b""
        return 200, {}, b"hello"

    replies, verdict = ask(serve(answer), seconds=1)
    assert verdict.ok
    assert [reply.status for reply in replies] == [302, 200]


def test_an_endless_redirect_ends(serve):
    _, verdict = ask(serve(lambda path, headers: (302, {"Location": path + "x"}, b"")), seconds=1)
    assert not verdict.ok and "without end" in verdict.cause


def test_a_page_that_comes_late_is_waited_for(serve):
    left = [502, 502, 200]
    _, verdict = ask(serve(lambda path, headers: (left.pop(0), {}, b"")), seconds=5)
    assert verdict.ok


def test_nobody_there():
    _, verdict = ask("http://localhost:1/", seconds=0.1)
    assert not verdict.ok
