"""A project as Django's own commands leave it, with an application in it: what a reader of the page comes with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from nuages.build.uv import find_uv
from tests.docs import pages

DJANGO = "django~=5.2.0"
APP = Path(__file__).parent / "polls"
"""The reader's own application: its models, views, templates and style."""

PAGE = pages.DOCS / "how-to" / "own-project.md"


def startproject(directory: Path) -> None:
    """Do what a Django developer did before: `startproject`, `startapp`, write the app, `makemigrations`, `migrate`."""
    _django(directory, "django-admin", "startproject", "mysite", ".")
    _django(directory, "python", "manage.py", "startapp", "polls")
    for path in sorted(APP.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            target = directory / "polls" / path.relative_to(APP)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    settings = directory / "mysite" / "settings.py"
    text = settings.read_text()
    assert "INSTALLED_APPS = [\n" in text
    assert "django.db.backends.sqlite3" in text
    settings.write_text(text.replace("INSTALLED_APPS = [\n", 'INSTALLED_APPS = [\n    "polls.apps.PollsConfig",\n'))
    urls = directory / "mysite" / "urls.py"
    text = urls.read_text()
    assert "urlpatterns = [\n" in text
    urls.write_text(
        text.replace("import path", "import include, path").replace(
            "urlpatterns = [\n", "urlpatterns = [\n    path('polls/', include('polls.urls')),\n"
        )
    )
    _django(directory, "python", "manage.py", "makemigrations", "polls")
    _django(directory, "python", "manage.py", "migrate")


def follow(directory: Path) -> list[list[str]]:
    """Do in `directory` what the page says; return the words after `nuages` of the commands that it ends with."""
    commands: list[list[str]] = []
    for block in pages.read(PAGE).blocks:
        if block.language == "sh":
            ours = [words for line in block.text.splitlines() if (words := pages.words_of(line)) is not None]
            commands += ours
            if not ours:
                _run(directory, "sh", "-eu", "-c", block.text)
        elif block.rest.startswith("append "):
            path = directory / block.rest.removeprefix("append ")
            path.write_text(path.read_text() + block.text)
        elif block.rest:
            path = directory / block.rest
            assert not path.exists(), f"the page writes {block.rest}, which is there"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
    return commands


def _django(directory: Path, *words: str) -> None:
    _run(directory, find_uv(), "run", "--quiet", "--no-project", "--isolated", "--with", DJANGO, *words)


def _run(directory: Path, *words: str) -> None:
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
