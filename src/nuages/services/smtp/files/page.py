"""The web page with the mails caught: a list, each mail, its source, and a button that removes them all."""

from __future__ import annotations

import hmac
import re
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .4rem; border-bottom: 1px solid #ddd }
pre { white-space: pre-wrap; background: #f6f6f6; padding: 1rem }
iframe { width: 100%; height: 30rem; border: 1px solid #ddd }
"""
NAME = re.compile(r"\d+-\d+\.eml")
SHOWN = ("From", "To", "Cc", "Subject", "Date", "X-Caught-From", "X-Caught-For", "X-Caught-User")


def start(mails: Path, token: str, port: int) -> ThreadingHTTPServer:
    """Serve the page in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "mail-catcher", ""

        def do_GET(self) -> None:
            """Show the list, a mail or its source."""
            if self.path == "/health":
                self._send(HTTPStatus.OK, "ok", "text/plain")
                return
            words = self._words()
            if words is None:
                self._send(HTTPStatus.NOT_FOUND, "not found: the address of the page has a token in it", "text/plain")
            elif words == [""]:
                self._send(HTTPStatus.OK, listing(mails))
            elif NAME.fullmatch(words[0]) and (mails / words[0]).exists():
                text = (mails / words[0]).read_bytes()
                if words[1:] == ["source"]:
                    self._send(HTTPStatus.OK, text, "text/plain")
                else:
                    self._send(HTTPStatus.OK, shown(words[0], text))
            else:
                self._send(HTTPStatus.NOT_FOUND, "there is no such mail", "text/plain")

        def do_POST(self) -> None:
            """Remove all mails."""
            if self._words() != ["remove"]:
                self._send(HTTPStatus.NOT_FOUND, "not found", "text/plain")
                return
            for path in mails.glob("[0-9]*.eml"):
                path.unlink(missing_ok=True)
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", f"/{token}/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _words(self) -> list[str] | None:
            first, _, rest = self.path.removeprefix("/").partition("/")
            return rest.split("/") if hmac.compare_digest(first.encode(), token.encode()) else None

        def _send(self, status: HTTPStatus, text: str | bytes, kind: str = "text/html") -> None:
            body = text if isinstance(text, bytes) else text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing: the path has the token."""

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def parsed(text: bytes) -> EmailMessage:
    """Return a mail, whatever was sent."""
    message = message_from_bytes(text, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def header(message: EmailMessage, name: str) -> str:
    """Return a header for reading; one that cannot be read is told so."""
    try:
        return str(message.get(name, ""))
    except Exception as error:  # the library fails in many ways on what others wrote
        return f"(cannot be read: {error})"


def listing(mails: Path) -> str:
    """Return the page with all mails, the newest first."""
    rows: list[str] = []
    for path in sorted(mails.glob("[0-9]*.eml"), reverse=True):
        message = parsed(path.read_bytes())
        cells = [escape(header(message, name)) for name in ("Date", "X-Caught-From", "X-Caught-For")]
        subject = escape(header(message, "Subject")) or "(no subject)"
        rows.append(f'<tr><td>{"</td><td>".join(cells)}</td><td><a href="{path.name}">{subject}</a></td></tr>')
    if not rows:
        return framed("Mails", "<p>None yet.</p>")
    table = "<tr><th>Date</th><th>From</th><th>For</th><th>Subject</th></tr>" + "".join(rows)
    button = '<form method="post" action="remove"><button>Remove all</button></form>'
    return framed(f"{len(rows)} mail" + ("s" if len(rows) > 1 else ""), f"<table>{table}</table>{button}")


def shown(name: str, text: bytes) -> str:
    """Return the page of one mail. Its HTML is in a frame that may neither run nor fetch anything."""
    message = parsed(text)
    rows = "".join(
        f"<tr><th>{each}</th><td>{escape(header(message, each))}</td></tr>" for each in SHOWN if each in message
    )
    parts: list[str] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        if part.get_filename() or part.get_content_maintype() != "text":
            parts.append(f"<p>{escape(part.get_filename() or 'part')}: {escape(kind)}, {len(content)} bytes</p>")
            continue
        try:
            body = content.decode(part.get_content_charset() or "utf-8", "replace")
        except LookupError:
            body = content.decode("utf-8", "replace")
        body = body.replace("\r\n", "\n")
        parts.append(
            f'<iframe sandbox srcdoc="{escape(body)}"></iframe>'
            if kind == "text/html"
            else f"<pre>{escape(body)}</pre>"
        )
    links = f'<p><a href="./">All mails</a> · <a href="{name}/source">Source</a></p>'
    return framed(header(message, "Subject") or "(no subject)", f"<table>{rows}</table>{''.join(parts)}{links}")


def framed(title: str, body: str) -> str:
    """Return a whole page."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{body}</html>"
    )
