"""reference/charmcraft-yaml.md: the keys of charmcraft.yaml, and what the extension contributes to them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from docs.writers.markdown import code, fenced, listed, page, table
from nuages.contract.bases import BASES, EXTENSION
from nuages.extension.contribution import MERGED, PROTECTED, contribution
from nuages.extension.model import FIELDS
from nuages.extension.rules import COS_DIRECTORIES, PAAS_KEYS, PAAS_KEYS_MODERN, REFUSED
from nuages.extension.write import to_yaml

WORDS = {
    "actions": "Actions of your own beside the contributed ones. Their handlers are methods in `src/charm.py`.",
    "adopt-info": "A part from which charmcraft takes the version.",
    "analysis": "Linters of `charmcraft analyse` to leave out, below `ignore`.",
    "assumes": "What Juju must have. Given by the extension.",
    "base": "`ubuntu@24.04`: what the charm runs on. It decides what is contributed.",
    "bases": "The older form of `base` and `platforms`, up to Ubuntu 22.04.",
    "build-base": "What the charm is built on, when that differs from `base`.",
    "charm-libs": "Charm libraries that your own code imports; Nuages needs none. They belong into `lib/`.",
    "charm-user": "The user that Juju runs the charm as: `root`, `sudoer` or `non-root`.",
    "charmhub": "Other servers than Charmhub's; charmcraft has given it up.",
    "config": "Options of your own, below `options`: each becomes a variable ([options](options.md)).",
    "contact": "Has no value any more: `links: contact:`.",
    "containers": "The workload container. Given by the extension.",
    "description": "A paragraph or more on the charm, for Charmhub.",
    "devices": "Not together with the extension.",
    "extensions": f"A list with {code(EXTENSION)}.",
    "extra-bindings": "Not together with the extension.",
    "issues": "Has no value any more: `links: issues:`.",
    "license": "Has no value: the licence is the file LICENSE.",
    "links": "`contact`, `documentation`, `issues`, `source`, `website`, for Charmhub.",
    "name": "The charm's name: lower-case letters, digits, hyphens, at most 40.",
    "package-repositories": "Further package repositories for charmcraft's build.",
    "parts": "Parts of your own for charmcraft; `charm` is the extension's. `nuages pack` builds none of them.",
    "peers": "The peer relation. Given by the extension.",
    "platforms": "Architectures: `amd64:` alone, or with `build-on` and `build-for`.",
    "provides": "Endpoints of your own beside the contributed ones.",
    "requires": "What the application is related to: databases, queues, storages ([variables](variables.md)).",
    "resources": "The rock. Given by the extension.",
    "source-code": "Has no value any more: `links: source:`.",
    "storage": "Not together with the extension: data belongs into what the application is related to.",
    "subordinate": "Whether the charm runs beside another one. Hardly ever here.",
    "summary": "One line on the charm, at most 200 characters.",
    "terms": "Terms that users agree to.",
    "title": "The charm's name for people, 2 to 40 characters.",
    "type": "`charm`.",
    "version": "A version of the project, for `$CRAFT_PROJECT_VERSION`.",
}
"""What each key is for."""

PAAS_WORDS = {
    "prometheus": "Further scrape jobs, below `scrape_configs`.",
    "framework_logging_format": "`json` has the application's log in JSON; `none`, or nothing, leaves it.",
    "port": "The port that the application listens on.",
    "metrics-port": "The port with the metrics.",
    "metrics-path": "Their path: `/metrics`.",
}
"""What each key of paas-config.yaml is for."""


def gaps() -> Iterator[str]:
    """Yield the keys that no words explain."""
    for name in (*FIELDS, *PAAS_KEYS, *PAAS_KEYS_MODERN):
        if name not in WORDS and name not in PAAS_WORDS:
            yield f"key {name} is not explained in docs/writers/keys.py"


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    merged = {path[0] for path in MERGED}
    rows = (
        (
            code(name),
            "yes" if field.required or name in ("type", "platforms") else "–",
            _part(name, merged),
            WORDS.get(name, ""),
        )
        for name, field in sorted(FIELDS.items())
    )
    yield (
        "charmcraft-yaml.md",
        page(
            "charmcraft.yaml",
            "Every key, whether a charm needs it, and what the extension does with it. `nuages expand-extensions` "
            "prints the whole, `--explain` says of each line where it comes from.",
            table(("key", "needed", "the extension", "what it is"), rows),
            "## What the extension contributes",
            *(_contribution(names, document) for document, names in _by_contribution().items()),
            "## Beside it",
            "`paas-config.yaml` has settings of the charm that are not options:",
            table(
                ("key", "on", "what it is"),
                [
                    *((code(name), "every base", PAAS_WORDS[name]) for name in PAAS_KEYS),
                    *((code(name), code(BASES[-1].name), PAAS_WORDS[name]) for name in PAAS_KEYS_MODERN),
                ],
            ),
            f"`cos_custom/` may hold {listed(code(name + '/') for name in COS_DIRECTORIES)}: your own dashboards and "
            "alert rules beside the built-in ones.",
        ),
    )


def _part(name: str, merged: set[str]) -> str:
    if name in PROTECTED:
        return "gives it"
    if name in REFUSED:
        return "refuses it"
    if name == "parts":
        return "adds `charm`"
    return "adds to it" if name in merged else "–"


def _by_contribution() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for base in BASES:
        found.setdefault(json.dumps(contribution(base)), []).append(base.name)
    return found


def _contribution(names: list[str], document: str) -> str:
    return f"On {listed(code(name) for name in names)}:\n\n" + fenced(to_yaml(json.loads(document)), "yaml")
