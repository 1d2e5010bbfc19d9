"""The example with people in it: they sign in by SAML and by OpenID, and get mail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from tests.e2e.conftest import world_of
from tests.e2e.world import EXAMPLE, World

HERE = Path(__file__).parent
REQUIREMENTS = "Authlib~=1.6\nrequests~=2.32\npython3-saml~=1.16\nmozilla-django-oidc~=5.0\n"


@contextmanager
def people_of(home: Path) -> Iterator[World]:
    """A world of examples/notes with `views.py` beside its URLs, not yet up."""
    with world_of(EXAMPLE, home) as world:
        code = world.project / "notes"
        template = resources.files("nuages.build") / "templates" / "charm_settings.py"
        (code / "charm_settings.py").write_text(template.read_text())
        (code / "notes" / "people.py").write_text((HERE / "views.py").read_text())
        for path, text in (
            (code / "notes" / "settings.py", (HERE / "settings.txt").read_text()),
            (code / "notes" / "urls.py", (HERE / "urls.txt").read_text()),
            (world.project / "requirements.txt", REQUIREMENTS),
            (world.project / "charm" / "charmcraft.yaml", (HERE / "charmcraft.txt").read_text()),
        ):
            with path.open("a") as file:
                file.write(text)
        yield world


def passwords(world: World, application: str) -> dict[str, str]:
    """The test users of an identity provider and their passwords, as its action shows them."""
    said = world.nuages("run", f"{application}/0", "show-users", "--format", "json").stdout
    (task,) = json.loads(said).values()
    return {name: entry["password"] for name, entry in task["results"].items() if isinstance(entry, dict)}
