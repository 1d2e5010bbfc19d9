"""The mail catcher, run in its pod: takes mails of users who log in, keeps them as files, shows them on a web page.

Arguments: home, port, security (none, starttls or tls), port of the web page. `users.json` in the home folder has the
SHA-256 hashes of each user's passwords and is read at each login; `token` is the first part of the page's path.
"""

# aiosmtpd is in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import page
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

LIMIT = 30_000_000


def say(text: str) -> None:
    """Write a line to the log."""
    sys.stdout.write(f"{text}\n")


class Catcher:
    """Keeps each mail before it says that it has it."""

    def __init__(self, mails: Path) -> None:
        self.mails = mails
        self.number = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a mail; called by aiosmtpd when all of it has come."""
        self.number += 1
        name = f"{time.time_ns()}-{self.number:06}.eml"
        user = session.auth_data.decode()
        head = f"X-Caught-From: {envelope.mail_from}\r\nX-Caught-For: {', '.join(envelope.rcpt_tos)}\r\n"
        text = (head + f"X-Caught-User: {user}\r\n").encode() + (envelope.original_content or b"")
        await asyncio.to_thread(keep, self.mails, name, text)
        say(f"kept a mail of {user}: {name}, {len(text)} bytes")
        return f"250 kept as {name}"


def keep(folder: Path, name: str, text: bytes) -> None:
    """Write a file that is there whole, also after a power cut, or not at all."""
    temporary = folder / f".{name}"
    with temporary.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / name)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Users:
    """Who may send."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        """Tell whether a login is good; called by aiosmtpd."""
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        name = data.login.decode(errors="replace")
        known = json.loads(self.path.read_text()).get(name, [])
        digest = hashlib.sha256(data.password).hexdigest()
        if any(hmac.compare_digest(digest, each) for each in known):
            return AuthResult(success=True, auth_data=data.login)
        return AuthResult(success=False, handled=False)


async def serve(home: Path, port: int, security: str, web: int) -> None:
    """Take mails and show them until a signal ends it."""
    mails = home / "mails"
    mails.mkdir(exist_ok=True)
    for left in mails.glob(".*.eml"):
        left.unlink()  # being written when the server was killed: nobody was told that it is kept
    context = None
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(home / "tls.pem")

    def session() -> SMTP:
        return SMTP(
            Catcher(mails),
            hostname="mail-catcher",
            ident="Nuages",
            data_size_limit=LIMIT,
            enable_SMTPUTF8=True,
            decode_data=False,
            auth_required=True,
            auth_require_tls=security == "starttls",
            require_starttls=security == "starttls",
            tls_context=context if security == "starttls" else None,
            authenticator=Users(home / "users.json"),
            timeout=300,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, None, port, ssl=context if security == "tls" else None)
    pages = page.start(mails, (home / "token").read_text().strip(), web)
    say(f"takes mails on port {port} (transport security: {security})")
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()
    pages.shutdown()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
