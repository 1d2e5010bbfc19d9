"""The browser: cookies, redirects, the public host; and what is read on pages."""

from urllib.parse import parse_qs

import pytest

from nuages.cli.diagnosis.browser import Browser, belongs
from nuages.cli.diagnosis.reading import MARKS, marks, read

HTML = {"Content-Type": "text/html; charset=utf-8"}


def test_redirects_with_a_cookie_are_followed(serve):
    def answer(request):
        if "seen=1" not in request.headers.get("Cookie", ""):
            return 302, {"Location": "/login/", "Set-Cookie": "seen=1; Path=/"}, b""
        return 200, {}, b"hello"

    visit, _ = Browser(serve(answer)).visit("front", "")
    assert [(reply.status, reply.path) for reply in visit.replies] == [(302, "/"), (200, "/login/")]


def test_an_endless_redirect_ends(serve):
    visit, _ = Browser(serve(lambda request: (302, {"Location": request.path + "x"}, b""))).visit("front", "")
    assert (visit.last.status, len(visit.replies)) == (302, 6)


@pytest.mark.parametrize("location", ["https://localhost/", "http://elsewhere.example/", "http://localhost:1/"])
def test_redirects_to_another_place_are_not(serve, location):
    visit, _ = Browser(serve(lambda request: (301, {"Location": location}, b""))).visit("front", "")
    assert [reply.location for reply in visit.replies] == [location]


def test_cookies_are_kept_as_strictly_as_can_be(serve):
    cookies = ["a=1; Path=/", "b=2; Secure", "c=3; Domain=.elsewhere.example", "d=4; domain=localhost"]
    asked = []

    def answer(request):
        asked.append(request.headers.get("Cookie"))
        return 200, {"Set-Cookie": cookies}, b""

    browser = Browser(serve(answer))
    visit, _ = browser.visit("front", "")
    browser.visit("link", "b")
    assert asked == [None, "a=1; d=4"]
    assert [(c.name, c.secure, c.domain) for c in visit.last.cookies] == [
        ("a", False, ""),
        ("b", True, ""),
        ("c", False, "elsewhere.example"),
        ("d", False, "localhost"),
    ]


def test_a_public_host_is_asked_for_on_this_machine(serve):
    asked = []
    url = serve(lambda request: (asked.append((request.headers["Host"], request.path)), (200, {}, b""))[1])
    port = int(url.rstrip("/").rpartition(":")[2])
    Browser("http://shop.test/below/", port).visit("front", "")
    assert asked == [("shop.test", "/below/")]


LOGIN = b"""<form method="post" action="/login/?next=/"><input type="hidden" name="csrfmiddlewaretoken" value="t0ken">
<input name="username"><input type="password" name="password"></form>"""


def test_a_form_is_sent_empty_with_its_token_and_origin(serve):
    sent = []

    def answer(request):
        if request.method == "POST":
            sent.append(request)
            return 403, HTML, b"<h1>Forbidden</h1><p>CSRF verification failed. Request aborted.</p>"
        return 200, {**HTML, "Set-Cookie": "csrftoken=t0ken"}, LOGIN

    url = serve(answer)
    browser = Browser(url)
    visit, page = browser.visit("link", "login/")
    assert page.login is not None
    reply = browser.submit(visit.last.url, page.login).last
    assert (reply.status, reply.marks) == (403, ("csrf",))
    (request,) = sent
    assert parse_qs(request.body, keep_blank_values=True) == {
        "username": [""],
        "password": [""],
        "csrfmiddlewaretoken": ["t0ken"],
    }
    assert (request.path, request.headers["Origin"] + "/") == ("/login/?next=/", url)
    assert request.headers["Cookie"] == "csrftoken=t0ken"


def test_nobody_there_is_a_failure():
    visit, _ = Browser("http://localhost:1/").visit("front", "")
    assert (visit.last.status, bool(visit.last.failure)) == (0, True)


PAGE = b"""<link rel="stylesheet" href="/static/a.css"><link rel="canonical" href="/other"><script src="b.js"></script>
<img src="data:image/png;base64,x"><img src="http://cdn.example/x.png"><a href="#top">top</a><a href="one/">1</a>
<a href="/one/">1 again</a><a href="mailto:a@example.com">mail</a><a href="/accounts/logout/">out</a>
<a href="http://[broken">b</a><a href="https://localhost:8000/secure/">s</a>
<form><input type="password" name="p"></form>"""


def test_what_is_on_a_page():
    page = read("http://localhost:8000/", "text/html", PAGE)
    assert page.links == ("/one/", "/secure/")
    assert page.files == ("/static/a.css", "/b.js")
    assert page.login is None  # a form that is not sent by POST with a token is not Django's
    assert read("http://localhost:8000/", "application/json", PAGE).links == ()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"404 page not found\n", ("no-route",)),
        (b"<h1>404 page not found</h1>", ()),
        (b"you have <code>DEBUG = True</code> in your", ("debug",)),
        (b"CSRF verification failed. This site requires a CSRF cookie when", ("csrf", "csrf-no-cookie")),
        (b"fine", ()),
    ],
)
def test_marks(body, names):
    assert marks(body) == names
    assert set(names) <= set(MARKS)


def test_belongs():
    assert belongs("", "a.test") and belongs("a.test", "a.test") and belongs("a.test", "b.a.test")
    assert not belongs("b.a.test", "a.test") and not belongs("a.test", "xa.test")
