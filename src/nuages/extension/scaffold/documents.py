"""rockcraft.yaml, charmcraft.yaml, charm.py and requirements.txt, from what was found out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from nuages.contract import layout
from nuages.contract.bases import BY_NAME, EXTENSION
from nuages.extension.django import toml
from nuages.extension.django.findings import Findings, OptionFound
from nuages.extension.django.requirements import locked_lines
from nuages.extension.django.tree import Tree

ARCHITECTURES = ("amd64", "arm64")
LEFT_OUT = ("charm", "rockcraft.yaml", "*.charm", "*.rock", "env", "venv", "node_modules")
"""What lies beside manage.py in a flat project, and is not the application's."""

CHARM_REQUIREMENTS = """\
# ops and the Django runtime are in every charm already. Name here what your own code in src/ imports besides.
"""

_CHARM = '''\
#!/usr/bin/env python3
"""The charm of {title}."""

import ops

import nuages.charm


class {cls}Charm(nuages.charm.DjangoCharm):
    """Everything a Django application needs is in the class above it."""


if __name__ == "__main__":
    ops.main({cls}Charm)
'''


def summary(tree: Tree, findings: Findings) -> str:
    """Return one line about the project: what its pyproject.toml says, else its name."""
    described = toml.table(toml.load(tree.text("pyproject.toml")), "project").get("description")
    text = " ".join(described.split()) if isinstance(described, str) else ""
    return text if 0 < len(text) <= 78 else f"The Django application {findings.name.value}."


def rockcraft_yaml(tree: Tree, findings: Findings, *, packages: Sequence[tuple[str, str]]) -> str:
    """Return rockcraft.yaml; `packages` are those that the requirements lack, with the reason for each."""
    name, base = findings.name.value, findings.base.value
    lines = [*_head(name, base, summary(tree, findings)), "extensions:", f"  - {EXTENSION}"]
    services = [*_web(findings), *_services(findings)]
    if services:
        lines += ["", "services:", *services]
    parts = [*_install_app(findings), *_dependencies(tree, findings, packages)]
    if parts:
        lines += ["", "parts:", *parts]
    return "\n".join(lines) + "\n"


def _head(name: str, base: str, text: str) -> list[str]:
    return [
        f"name: {name}",
        f"base: {base}",
        'version: "0.1"',
        f"summary: {scalar(text)}",
        "description: |",
        f"  {text}",
        "platforms:",
        *(f"  {architecture}:" for architecture in ARCHITECTURES),
        "",
    ]


def _web(findings: Findings) -> Iterator[str]:
    """Yield the web service's command where rockcraft would not find the module by itself."""
    if findings.conventional:
        return
    server = findings.asgi if findings.asynchronous else findings.wsgi
    if server is None:
        return
    synchronous = "gevent" if findings.requirements.has("gevent") else "sync"
    kind = layout.UVICORN_WORKER if findings.asynchronous else synchronous
    yield f"  # {server.place}: {server.reason}."
    yield f"  {layout.WEB_SERVICE}:"
    yield "    override: replace"  # the extension says so too; rockcraft's schema wants it in the file
    yield f"    command: {_places(findings).web_command(server.value, kind)}"


def _services(findings: Findings) -> Iterator[str]:
    for service in findings.services:
        yield f"  # {service.place}: {service.reason}."
        yield f"  {service.name}:"
        yield "    override: replace"
        yield "    startup: enabled"
        yield f"    command: {service.command}"
        yield f"    working-dir: {_places(findings).app}"
        yield f"    user: {layout.USER}"


def _places(findings: Findings) -> layout.Layout:
    base = BY_NAME.get(findings.base.value)
    return base.layout if base else layout.CLASSIC


def _install_app(findings: Findings) -> Iterator[str]:
    """Yield the part that lays out a project which is not in rockcraft's NAME/manage.py."""
    if findings.application == findings.name.value.replace("-", "_"):
        return
    places = _places(findings)
    folder = places.app[1:]
    where = f"{findings.application}/" if findings.application else "beside this file"
    yield f"  # manage.py is {'in ' if findings.application else ''}{where}, where rockcraft does not look for it."
    yield f"  {EXTENSION}{places.separator}install-app:"
    yield "    plugin: dump"
    yield f"    source: {findings.application or '.'}"
    yield "    organize:"
    yield f'      "*": {folder}/'
    yield "    stage:"
    yield "      # nothing hidden (.git, .env), nothing that is not the application"
    for name in (".*", *(LEFT_OUT if not findings.application else ()), "*.sqlite3"):
        yield f"      - -{folder}/{name}"


def _dependencies(tree: Tree, findings: Findings, packages: Sequence[tuple[str, str]]) -> Iterator[str]:
    unpackaged = "pyproject.toml" in tree and not findings.requirements.installable
    if not packages and not unpackaged:
        return
    yield f"  {EXTENSION}{_places(findings).separator}dependencies:"
    if packages:
        yield "    python-packages:"
        for package, why in packages:
            yield f"      # {why}"
            yield f"      - {package}"
    if unpackaged:
        yield "    # requirements.txt has it all; without a build system the project itself cannot be installed."
        yield "    override-pull: |"
        yield "      craftctl default"
        yield "      rm -f pyproject.toml"


def charmcraft_yaml(tree: Tree, findings: Findings) -> str:
    """Return charm/charmcraft.yaml."""
    name, text = findings.name.value, summary(tree, findings)
    lines = [
        f"name: {name}",
        "type: charm",
        "",
        f"title: {scalar(title(name))}",
        f"summary: {scalar(text)}",
        "description: |",
        f"  {text}",
        "",
        f"base: {findings.base.value}",
        "platforms:",
        *(f"  {architecture}:" for architecture in ARCHITECTURES),
        "",
        "extensions:",
        f"  - {EXTENSION}",
    ]
    if findings.options:
        lines += ["", "config:", "  options:"]
        for option in findings.options:
            lines += _option(option)
    lines += ["", "requires:"]
    for item in findings.integrations:
        place = f"{item.place}: " if item.place.file else ""
        lines += [
            f"  # {place}{item.reason}.",
            f"  {item.endpoint}:",
            f"    interface: {item.interface}",
            f"    optional: {'true' if item.optional else 'false'}",
            "    limit: 1",
        ]
    return "\n".join(lines) + "\n"


def _option(option: OptionFound) -> list[str]:
    lines = [f"    {option.name}:", f"      type: {option.type}"]
    if option.default is not None:
        lines.append(f"      default: {scalar(option.default)}")
    if option.required and option.default is None:
        lines.append("      optional: false")
    inside = f", from the key `{option.key}` of the secret" if option.key else ""
    where = (
        f"{option.read.place.file.rpartition('/')[2]} reads it" if option.read.place.file else "the settings read it"
    )
    text = f"{option.variable}{inside}: {where}" + (
        f" as {option.read.name}." if option.read.name != option.variable else "."
    )
    lines.append(f"      description: {scalar(text)}")
    return lines


def charm_py(findings: Findings) -> str:
    """Return charm/src/charm.py."""
    name = findings.name.value
    cls = "".join(part.capitalize() for part in name.split("-"))
    return _CHARM.format(title=title(name), cls=cls)


def requirements_txt(tree: Tree, findings: Findings) -> str | None:
    """Return the requirements.txt that rockcraft wants at the top; None when it is there, or nothing is known."""
    found = findings.requirements
    if found.kind == "none" or found.file == "requirements.txt":
        return None
    if found.kind == "txt":
        return f"# What is installed in the rock, where rockcraft looks for it.\n-r {found.file}\n"
    lock, lines = locked_lines(tree, found)
    lines = lines or [package.text for package in found.packages]
    source = f"{lock}, as {found.file} asks for it" if lock and lock != found.file else found.file
    again = "After a change there: `nuages init` again, which shows the difference."
    return "\n".join([f"# From {source}. {again}", *lines]) + "\n"


def title(name: str) -> str:
    """Return a name as people write it: `my-site` is My site.

    Charmcraft wants two characters at least.
    """
    return name.replace("-", " ").capitalize() if len(name) > 1 else f"Application {name}"


def scalar(value: str | int | bool) -> str:
    """Return a value as YAML on one line, in quotes where plain text would be something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = re.fullmatch(r"[A-Za-z][\w .,;()/+-]*", value) and value == value.strip()
    words = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
    return (
        value if plain and value.lower() not in words and ": " not in value else json.dumps(value, ensure_ascii=False)
    )
