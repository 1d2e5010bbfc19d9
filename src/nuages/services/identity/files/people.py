"""Who may sign in, and who is signed in: users from a file, sessions in a database, the login and logout pages.

`users.json` is written from outside and read again when it has changed: user name to `salt` and `hash` (scrypt of the
password), `id`, `email`, `given_name`, `family_name` and `groups`.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pages
import web

SESSION = 8 * 3600
"""Seconds for which a person stays signed in."""
TRIES, PAUSE = 10, 60.0
"""Failed logins of one user name before it has to wait, and for how many seconds."""
_NAMES = 1000
"""User names of which failures are remembered."""
_PARAMETERS = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


class File:
    """A JSON file that is written from outside: read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] = (0, 0)
        self._content: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return what the file says now."""
        info = self.path.stat()
        if (info.st_mtime_ns, info.st_ino) != self._stamp:
            self._content = json.loads(self.path.read_text())
            self._stamp = (info.st_mtime_ns, info.st_ino)
        return self._content


@dataclass(frozen=True)
class User:
    """A test user."""

    name: str
    id: str
    email: str
    given_name: str
    family_name: str
    groups: tuple[str, ...]
    stamp: str
    """Changes with the password."""


class Store:
    """A database in one file; what was said to be kept is on the disk."""

    def __init__(self, path: Path, schema: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(schema)

    def run(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Run one statement and return its rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def change(self, statement: str, *values: object) -> int:
        """Run one statement and return how many rows it changed."""
        with self._lock:
            return self._connection.execute(statement, values).rowcount


SCHEMA = "CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, user TEXT, stamp TEXT, since REAL, until REAL);"


@dataclass(frozen=True)
class Session:
    """A person who is signed in."""

    user: User
    since: float
    token: str
    """A digest of what the browser has."""


class People:
    """Users, their sessions, and the pages on which these begin and end."""

    def __init__(self, users: Path, store: Store, base: str, command: str) -> None:
        self._users = File(users)
        self._store = store
        self._command = command
        # Cookies know no ports, and another model's provider may have the same host name.
        number = urlsplit(base).port or 80
        self._cookie, self._csrf = f"session-{number}", f"csrf-{number}"
        self._failures: dict[str, list[float]] = {}

    def user(self, name: str) -> User | None:
        """Return a user."""
        found = self._users.read().get(name)
        if found is None:
            return None
        return User(
            name,
            found["id"],
            found["email"],
            found["given_name"],
            found["family_name"],
            tuple(found["groups"]),
            digest(found["hash"]),
        )

    def session(self, request: web.Request) -> Session | None:
        """Return who is signed in in this browser; nobody whose user or password is gone since."""
        token = digest(request.cookies.get(self._cookie, ""))
        rows = self._store.run("SELECT * FROM sessions WHERE token = ? AND until > ?", token, time.time())
        user = self.user(rows[0]["user"]) if rows else None
        if user is None or user.stamp != rows[0]["stamp"]:
            return None
        return Session(user, rows[0]["since"], token)

    def guard(self, request: web.Request) -> tuple[str, dict[str, str]]:
        """Return the browser's token against forged forms, and the hidden field that repeats it."""
        token = request.cookies.get(self._csrf, "")
        token = token if len(token) == 43 and token.replace("-", "").replace("_", "").isalnum() else ""
        token = token or secrets.token_urlsafe(32)
        return token, {"csrf": token}

    def guarded(self, request: web.Request, reply: web.Reply) -> web.Reply:
        """Remember the token in the browser."""
        token, _ = self.guard(request)
        return reply.cookie(self._csrf, token, age=SESSION)

    def check_form(self, request: web.Request) -> None:
        """Raise `Refused` when a form does not come from a page of ours."""
        kept = request.cookies.get(self._csrf, "")
        if not kept or not hmac.compare_digest(kept.encode(), request.form.get("csrf", "").encode()):
            raise web.Refused("the form is too old, or cookies are off", advice="Go back and try once more.")

    def form(
        self, request: web.Request, next_page: str, asks: str, *, wrong: str = "", username: str = ""
    ) -> web.Reply:
        """Return the login page."""
        token, fields = self.guard(request)
        text = pages.login(
            {**fields, "next": next_page, "asks": asks},
            asks=asks,
            wrong=wrong,
            username=username,
            command=self._command,
        )
        reply = web.Reply(text, 401 if wrong else 200)
        return reply.cookie(self._csrf, token, age=SESSION)

    def login(self, request: web.Request) -> web.Reply:
        """Take the login form: lead on when name and password are good, else show it again."""
        self.check_form(request)
        name, next_page = request.form.get("username", "").strip(), request.form.get("next", "/")
        if not next_page.startswith("/") or next_page.startswith(("//", "/\\")):
            next_page = "/"
        asks = request.form.get("asks", "")[:200]
        if self._waits(name):
            wrong = f"Too many wrong passwords for {name}. Wait a minute."
            return self.form(request, next_page, asks, wrong=wrong, username=name)
        if not self._good(name, request.form.get("password", "")):
            if len(self._failures) > _NAMES:
                self._failures.clear()
            self._failures.setdefault(name, []).append(time.monotonic())
            return self.form(request, next_page, asks, wrong="Wrong username or password.", username=name)
        self._failures.pop(name, None)
        user = self.user(name)
        assert user
        token, now = secrets.token_urlsafe(32), time.time()
        self._store.run("DELETE FROM sessions WHERE until < ?", now)
        self._store.run(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", digest(token), name, user.stamp, now, now + SESSION
        )
        return web.redirect(next_page).cookie(self._cookie, token, age=SESSION)

    def logout(self, request: web.Request) -> web.Reply:
        """Take the logout form."""
        self.check_form(request)
        self.end(request)
        return web.Reply(pages.signed_out()).cookie(self._cookie, "", age=0)

    def ask_logout(self, request: web.Request) -> web.Reply:
        """Ask whether to sign out."""
        session = self.session(request)
        if session is None:
            return web.Reply(pages.signed_out())
        _, fields = self.guard(request)
        return self.guarded(request, web.Reply(pages.confirm_logout(session.user.name, fields)))

    def end(self, request: web.Request) -> None:
        """End the browser's session."""
        self._store.run("DELETE FROM sessions WHERE token = ?", digest(request.cookies.get(self._cookie, "")))

    def routes(self, title: str, rows: Mapping[str, str]) -> dict[tuple[str, str], web.Handler]:
        """Return the pages that every provider has."""

        def home(request: web.Request) -> web.Reply:
            session = self.session(request)
            _, fields = self.guard(request)
            reply = web.Reply(pages.home(title, rows.items(), session.user.name if session else "", fields))
            return self.guarded(request, reply)

        return {
            ("GET", "/"): home,
            ("GET", "/health"): lambda _: web.Reply("ok", kind="text/plain"),
            ("GET", "/login"): lambda request: self.form(request, "/", "this page"),
            ("POST", "/login"): self.login,
            ("GET", "/logout"): self.ask_logout,
            ("POST", "/logout"): self.logout,
        }

    def _waits(self, name: str) -> bool:
        recent = [at for at in self._failures.get(name, []) if at > time.monotonic() - PAUSE]
        if recent:
            self._failures[name] = recent
        else:
            self._failures.pop(name, None)
        return len(recent) >= TRIES

    def _good(self, name: str, password: str) -> bool:
        found = self._users.read().get(name)
        # As much work for a name that nobody has: how long it takes tells nothing.
        salt = bytes.fromhex(found["salt"]) if found else bytes(16)
        made = hashlib.scrypt(password.encode(), salt=salt, **_PARAMETERS)
        return bool(found) and hmac.compare_digest(made.hex(), found["hash"])


def digest(text: str) -> str:
    """Return a text's SHA-256: what is looked up, so that the database has no token that opens anything."""
    return hashlib.sha256(text.encode()).hexdigest()
