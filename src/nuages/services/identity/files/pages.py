"""The pages that a person sees, as text. Nothing is fetched from anywhere, and they work without JavaScript."""

# pyright: basic
from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1f2430; --soft: #667085; --line: #d9dde5; --card: #fff; --back: #f2f4f8;
  --strong: #2b5fd9; --wrong: #b42318; --wrong-back: #fef3f2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #9aa3b5; --line: #39404f; --card: #20252f;
  --back: #14171d; --strong: #7aa2ff; --wrong: #ffb4a8; --wrong-back: #3a1f1c } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--back);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 25rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; box-shadow: 0 8px 30px rgb(0 0 0 / 7%) }
h1 { margin: 0 0 .25rem; font-size: 1.35rem; line-height: 1.3 }
p { margin: 0 0 1.1rem; overflow-wrap: anywhere }
.soft, dt { color: var(--soft); font-size: .9rem }
label { display: block; margin: 0 0 .3rem; font-weight: 600; font-size: .9rem }
input { width: 100%; margin: 0 0 1rem; padding: .6rem .7rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px }
input:focus, button:focus-visible { outline: 3px solid color-mix(in srgb, var(--strong) 40%, transparent);
  border-color: var(--strong) }
button { width: 100%; padding: .65rem; font: inherit; font-weight: 600; color: var(--card); cursor: pointer;
  background: var(--strong); border: 0; border-radius: 8px }
.wrong { padding: .6rem .8rem; color: var(--wrong); background: var(--wrong-back); border-radius: 8px;
  font-size: .95rem }
code { font-size: .88em }
.note { margin: 1.4rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line) }
dl { margin: 0 0 1.1rem } dd { margin: 0 0 .5rem; overflow-wrap: anywhere }
"""


def login(fields: Mapping[str, str], *, asks: str, wrong: str, username: str, command: str) -> str:
    """Return the login page: `fields` are hidden ones, `asks` is who wants to know, `wrong` what failed before."""
    problem = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    start = "" if username else " autofocus"
    again = " autofocus" if username else ""
    return _framed(
        "Sign in",
        f"<h1>Sign in</h1><p class=soft>to go on to {escape(asks)}</p>{problem}"
        f'<form method="post" action="/login">{_hidden(fields)}'
        '<label for="username">Username</label>'
        f'<input id="username" name="username" value="{escape(username)}" autocomplete="username" required{start}>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required'
        f"{again}><button>Sign in</button></form>"
        f'<p class="note soft">Test users of an identity provider for development.<br><code>{escape(command)}</code> '
        "shows them and their passwords.</p>",
    )


def home(title: str, rows: Iterable[tuple[str, str]], user: str, fields: Mapping[str, str]) -> str:
    """Return the start page: what this is, and who is signed in."""
    listed = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(text)}</code></dd>" for name, text in rows)
    if user:
        state = f'<form method="post" action="/logout">{_hidden(fields)}<button>Sign out {escape(user)}</button></form>'
    else:
        state = "<p class=soft>Nobody is signed in.</p>"
    return _framed(title, f"<h1>{escape(title)}</h1><p class=soft>For development only.</p><dl>{listed}</dl>{state}")


def signed_out() -> str:
    """Return the page after signing out."""
    return _framed("Signed out", "<h1>Signed out</h1><p>You are no longer signed in here.</p>")


def confirm_logout(user: str, fields: Mapping[str, str]) -> str:
    """Return the page that asks whether to sign out."""
    return _framed(
        "Sign out",
        f'<h1>Sign out</h1><p>You are signed in as {escape(user)}.</p><form method="post" action="/logout">'
        f"{_hidden(fields)}<button>Sign out</button></form>",
    )


def refused(reason: str, advice: str) -> str:
    """Return the page of what cannot be."""
    more = f"<p>{escape(advice)}</p>" if advice else ""
    return _framed("Not possible", f'<h1>Not possible</h1><p class="wrong" role="alert">{escape(reason)}</p>{more}')


SUBMIT = "document.forms[0].submit()"
SUBMIT_POLICY = f"script-src 'sha256-{base64.b64encode(hashlib.sha256(SUBMIT.encode()).digest()).decode()}'"
"""Lets the page of `handed_on` run its one line."""


def handed_on(target: str, fields: Mapping[str, str]) -> str:
    """Return a page that posts `fields` to another site by itself; without JavaScript, by a button."""
    return _framed(
        "Signed in",
        f'<h1>Signed in</h1><p class=soft>Going back to the application.</p><form method="post" '
        f'action="{escape(target)}">{_hidden(fields)}<button>Continue</button></form><script>{SUBMIT}</script>',
    )


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )


def _framed(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><main>{body}</main></html>"
    )
