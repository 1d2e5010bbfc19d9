"""A browser as strict as any: cookies, redirects with an end, the public host; nothing leaves this machine."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from nuages.cli.diagnosis.observations import Cookie, Reply, Role, Visit
from nuages.cli.diagnosis.reading import Form, Page, marks, read

REDIRECTS = 5
READ = 500_000
PATIENCE = 20.0
"""Seconds for one answer."""


@dataclass
class Browser:
    """Asks one application at its public URL."""

    url: str
    port: int = 0
    """Where ingress listens on this machine, if not at the URL's own port."""
    patience: float = PATIENCE
    jar: dict[str, str] = field(default_factory=dict[str, str])

    def visit(self, role: Role, target: str) -> tuple[Visit, Page]:
        """Open a page, following redirects on the same host; return it and what is on it."""
        url = urljoin(self.url, target)
        replies: list[Reply] = []
        page = Page()
        for _ in range(REDIRECTS + 1):
            reply, page = self._open(url, None)
            replies.append(reply)
            after = urlsplit(urljoin(url, reply.location))
            if not (300 <= reply.status < 400 and reply.location):
                break
            if after.scheme != urlsplit(self.url).scheme or after.netloc != urlsplit(self.url).netloc:
                break
            url = after.geturl()
        return Visit(role, tuple(replies), page.links, page.files), page

    def submit(self, url: str, form: Form) -> Visit:
        """Send a form with nothing filled in, as a page at `url`: Django refuses it before it looks for an account."""
        content = urlencode(dict.fromkeys(form.fields, "") | {"csrfmiddlewaretoken": form.token}).encode()
        reply, page = self._open(urljoin(url, form.action), content)
        return Visit("login", (reply,), page.links, page.files)

    def _open(self, url: str, content: bytes | None) -> tuple[Reply, Page]:
        parts = urlsplit(url)
        # The loopback whatever the name: APP.localhost is the browser's business, not every resolver's.
        connection = http.client.HTTPConnection("127.0.0.1", self.port or parts.port or 80, timeout=self.patience)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc, "Accept": "text/html,*/*", "User-Agent": "nuages-diagnose"}
        if self.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        if content is not None:
            headers |= {"Origin": f"{parts.scheme}://{parts.netloc}", "Referer": url}
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request("GET" if content is None else "POST", path, body=content, headers=headers)
            response = connection.getresponse()
            cookies = self._keep(response.headers.get_all("Set-Cookie") or [], parts.scheme, parts.hostname or "")
            kind, body = response.headers.get("Content-Type", ""), response.read(READ)
        except (OSError, http.client.HTTPException) as error:
            return Reply(url, failure=str(error) or type(error).__name__), Page()
        finally:
            connection.close()
        reply = Reply(url, response.status, response.headers.get("Location", ""), kind, marks(body), cookies)
        return reply, read(url, kind, body)

    def _keep(self, headers: list[str], scheme: str, host: str) -> tuple[Cookie, ...]:
        """Return the cookies of an answer, and keep those that a browser keeps.

        RFC 6265, 5.3: none for a domain that is not the host's, none that is Secure from plain http. (Browsers make an
        exception for the name localhost, which no visitor of a real site has.)
        """
        cookies: list[Cookie] = []
        for header in headers:
            pair, *attributes = header.split(";")
            name, _, value = pair.partition("=")
            given = {key.strip().lower(): text.strip() for key, _, text in (a.partition("=") for a in attributes)}
            cookie = Cookie(name.strip(), "secure" in given, given.get("domain", "").lstrip(".").lower())
            cookies.append(cookie)
            if belongs(cookie.domain, host) and not (cookie.secure and scheme == "http"):
                self.jar[cookie.name] = value.strip()
        return tuple(cookies)


def belongs(domain: str, host: str) -> bool:
    """Whether a host may set a cookie for the domain; "" is the host itself."""
    return not domain or host == domain or host.endswith("." + domain)
