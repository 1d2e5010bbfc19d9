"""The example with people in it: they sign in by SAML and by OpenID, and get mail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.projects import endpoint, notes_with
from tests.e2e.world import World

HERE = Path(__file__).parent
PACKAGES = ("Authlib~=1.6", "requests~=2.32", "python3-saml~=1.16", "mozilla-django-oidc~=5.0")


@contextmanager
def people_of(home: Path) -> Iterator[World]:
    """A world of examples/notes with `views.py` beside its URLs, not yet up."""
    with notes_with(
        home,
        urls=(HERE / "urls.txt").read_text(),
        settings=(HERE / "settings.txt").read_text(),
        modules={"people": (HERE / "views.py").read_text()},
        packages=PACKAGES,
        endpoints=[endpoint("saml", "saml"), endpoint("oidc", "oauth"), endpoint("smtp", "smtp")],
    ) as world:
        yield world


def passwords(world: World, application: str) -> dict[str, str]:
    """The test users of an identity provider and their passwords, as its action shows them."""
    results = world.action(f"{application}/0", "show-users")
    return {name: entry["password"] for name, entry in results.items() if isinstance(entry, dict)}
