"""What Procfile, compose files, Dockerfiles and start scripts say about how a project is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import yaml

from nuages.extension.django.findings import Place
from nuages.extension.django.toml import line_of
from nuages.extension.django.tree import Tree

COMPOSE = ("docker-compose*.yml", "docker-compose*.yaml", "compose*.yml", "compose*.yaml")
_SCRIPTS = ("*.sh", "Dockerfile*", "supervisord.conf", "*.service", "Makefile", "justfile")


@dataclass(frozen=True)
class Line:
    """A command that somebody runs."""

    name: str
    """The process's name there: `worker`; "" in scripts."""
    words: tuple[str, ...]
    place: Place

    @property
    def command(self) -> str:
        """The command as one text."""
        return shlex.join(self.words)


def lines(tree: Tree) -> tuple[Line, ...]:
    """Return the commands found, those with a name first."""
    return (*_procfiles(tree), *_compose(tree), *_scripts(tree))


def images(tree: Tree) -> tuple[tuple[str, Place], ...]:
    """Return the images that compose files start: `redis:7`, with their place."""
    found: list[tuple[str, Place]] = []
    for file, document in _documents(tree):
        for service in _services(document).values():
            image = service.get("image")
            if isinstance(image, str):
                found.append((image, Place(file, line_of(tree.text(file), "image:", image))))
    return tuple(found)


def _procfiles(tree: Tree) -> Iterator[Line]:
    for file in tree.named("Procfile*", depth=2):
        for number, line in enumerate(tree.text(file).splitlines(), 1):
            match = re.match(r"\s*([\w-]+)\s*:\s*(\S.*)$", line)
            if match:
                yield Line(match[1], _words(match[2]), Place(file, number))


def _compose(tree: Tree) -> Iterator[Line]:
    for file, document in _documents(tree):
        for name, service in _services(document).items():
            command = service.get("command")
            words = (
                tuple(str(word) for word in cast("list[object]", command)) if isinstance(command, list)
                else _words(command) if isinstance(command, str) else ()
            )  # fmt: skip
            if words:
                yield Line(name, words, Place(file, line_of(tree.text(file), words[-1]) if words else 0))


def _scripts(tree: Tree) -> Iterator[Line]:
    for file in tree.named(*_SCRIPTS, depth=4):
        for number, line in enumerate(tree.text(file).splitlines(), 1):
            text = re.sub(r"^\s*(exec|command\s*=|ExecStart\s*=|CMD|RUN|ENTRYPOINT|@)\s*", "", line).strip()
            if not text.startswith("#") and re.search(
                r"\b(celery|gunicorn|uvicorn|daphne|hypercorn|uwsgi|collectstatic|compilemessages|compress)\b", text
            ):
                yield Line("", _words(text.strip("[]").replace('",', '"')), Place(file, number))


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def _documents(tree: Tree) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in tree.named(*COMPOSE, depth=3):
        try:
            document = yaml.safe_load(tree.text(file))
        except yaml.YAMLError:
            continue
        if isinstance(document, dict):
            yield file, cast("dict[str, Any]", document)


def _services(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    services = document.get("services")
    found = cast("dict[str, Any]", services) if isinstance(services, dict) else {}
    return {str(name): cast("dict[str, Any]", entry) for name, entry in found.items() if isinstance(entry, dict)}
