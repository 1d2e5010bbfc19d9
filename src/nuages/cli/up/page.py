"""Asking the page itself, and judging what comes back."""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

REDIRECTS = 5
TRAEFIK_HAS_NO_ROUTE = b"404 page not found"
READ = 200_000
FIRST_PATIENCE = 4.0
LONGEST_PATIENCE = 30.0


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; `failure` instead when there was none."""

    url: str
    status: int = 0
    location: str = ""
    kind: str = ""
    body: bytes = b""
    failure: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the answers mean. `cause` and `mend` are set when it is no page; `note` when it is one worth a word."""

    ok: bool
    cause: str = ""
    mend: str = ""
    note: str = ""
    again: bool = False
    """Whether it may yet become a page, because a route or a worker was only just made."""


def ask(url: str, *, seconds: float) -> tuple[tuple[Reply, ...], Verdict]:
    """Open the page, following redirects, until it is judged for good or the seconds are over."""
    deadline = time.monotonic() + seconds
    # A request that ingress sent to the address of a pod that is no more is never answered: do not wait for it long.
    patience = FIRST_PATIENCE
    while True:
        replies = _follow(url, patience)
        patience = min(patience * 2, LONGEST_PATIENCE)
        verdict = judge(replies)
        if not verdict.again or time.monotonic() > deadline:
            return replies, verdict
        time.sleep(0.2)


def judge(replies: tuple[Reply, ...]) -> Verdict:  # noqa: PLR0911  # a table of cases, one return each
    """Return what the answers of one visit mean; the last one is where the redirects ended."""
    first, last = replies[0], replies[-1]
    if last.failure:
        return Verdict(False, f"nothing answers at {last.url}: {last.failure}", again=True)
    if 300 <= last.status < 400:
        return _redirect(first, last)
    if 200 <= last.status < 300:
        return Verdict(True)
    if last.status == 400:
        return Verdict(
            False,
            "the application answers 400 Bad Request: most likely Django refuses the host name, because its settings"
            " do not take ALLOWED_HOSTS from DJANGO_ALLOWED_HOSTS",
            'in settings.py: ALLOWED_HOSTS = json.loads(os.environ.get("DJANGO_ALLOWED_HOSTS", "[]"))',
        )
    if last.status == 404 and last.body.strip() == TRAEFIK_HAS_NO_ROUTE:
        return Verdict(False, "ingress has no route to the application", "look at `status`", again=True)
    if last.status in {502, 503, 504}:
        return Verdict(
            False, f"ingress reaches no web server of the application ({last.status})", "see its log below", again=True
        )
    if last.status >= 500:
        return Verdict(False, f"the application fails with {last.status}", "see the traceback in its log below")
    if last.status == 404:
        return Verdict(True, note=f"it has no page at {urlsplit(last.url).path or '/'} (404)")
    return Verdict(True, note=f"it answers {last.status} at {urlsplit(last.url).path or '/'}")


def _redirect(first: Reply, last: Reply) -> Verdict:
    here, there = urlsplit(last.url), urlsplit(urljoin(last.url, last.location))
    if there.hostname == here.hostname and there.scheme == "https" and here.scheme == "http":
        return Verdict(
            False,
            f"the application redirects to {there.geturl()}, and nothing here speaks https: SECURE_SSL_REDIRECT is on",
            'in settings.py: SECURE_SSL_REDIRECT = os.environ.get("DJANGO_BASE_URL", "").startswith("https:")',
        )
    if there.hostname != here.hostname:
        return Verdict(True, note=f"it redirects to {there.geturl()}")
    return Verdict(
        False,
        f"the application redirects without end, from {first.url} to {there.geturl()}",
        "look for a middleware or a view that redirects every request",
    )


def _follow(url: str, patience: float) -> tuple[Reply, ...]:
    replies: list[Reply] = []
    jar: dict[str, str] = {}
    for _ in range(REDIRECTS + 1):
        reply = _open(url, jar, patience)
        replies.append(reply)
        if not (300 <= reply.status < 400 and reply.location):
            break
        target = urlsplit(urljoin(url, reply.location))
        if target.scheme != "http" or target.hostname != urlsplit(url).hostname:
            break
        url = target.geturl()
    return tuple(replies)


def _open(url: str, jar: dict[str, str], patience: float) -> Reply:
    parts = urlsplit(url)
    # The loopback whatever the name: APP.localhost is the browser's business, not every resolver's.
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=patience)
    try:
        path = parts.path or "/"
        headers = {"Host": parts.netloc, "Accept": "text/html,*/*", "User-Agent": "nuages-up"}
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        connection.request("GET", f"{path}?{parts.query}" if parts.query else path, headers=headers)
        response = connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            jar[name.strip()] = value.strip()
        return Reply(
            url,
            response.status,
            response.headers.get("Location", ""),
            response.headers.get("Content-Type", ""),
            response.read(READ),
        )
    except (OSError, http.client.HTTPException) as error:
        return Reply(url, failure=str(error) or type(error).__name__)
    finally:
        connection.close()
