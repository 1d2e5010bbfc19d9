"""Everything that `init` writes, from what was found out. Pure: a second run gives the same files."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from nuages.extension.django.findings import Choice, Findings, Place
from nuages.extension.django.tree import Tree
from nuages.extension.scaffold import documents, missing
from nuages.extension.scaffold.bridge import bridge, bridge_module, hook_suffices
from nuages.extension.scaffold.planned import Planned

UVICORN_WORKER = "uvicorn-worker"


def scaffold(tree: Tree, findings: Findings, *, helper: str, settings: bool) -> tuple[Planned, ...]:
    """Return the files of the charm and the rock, and with `settings` those of the bridge.

    `helper` is the text of charm_settings.py.
    """
    files: list[Planned] = []
    files += _missing(findings, settings=settings)
    findings = completed(findings)
    bridged = settings or findings.bridged
    packages = [
        (choice.value, choice.reason) for choice in findings.packages if bridged or choice.value != "whitenoise"
    ]
    if findings.asynchronous and not findings.requirements.has(UVICORN_WORKER):
        packages.append((UVICORN_WORKER, "gunicorn's worker for ASGI"))
    rock = documents.rockcraft_yaml(tree, findings, packages=packages)
    files.append(Planned("rockcraft.yaml", rock, "how the application is built"))
    requirements = documents.requirements_txt(tree, findings)
    if requirements is not None:
        files.append(Planned("requirements.txt", requirements, "what is installed; rockcraft looks for it here"))
    files += [
        Planned(
            "charm/charmcraft.yaml", documents.charmcraft_yaml(tree, findings), "what it needs: options, relations"
        ),
        Planned("charm/src/charm.py", documents.charm_py(findings), "the charm", executable=True),
        Planned("charm/requirements.txt", documents.CHARM_REQUIREMENTS, "what the charm's own code imports"),
    ]
    if settings:
        files += bridge(tree, findings, helper)
    return tuple(files)


def completed(findings: Findings) -> Findings:
    """Return the findings with the WSGI module that `scaffold` writes when the project has none."""
    if findings.wsgi is not None or findings.asgi is not None or findings.production is None:
        return findings
    path = missing.wsgi_path(findings)
    return replace(findings, wsgi=Choice(missing.module_of(path, findings), Place(path), "written by nuages init"))


def _missing(findings: Findings, *, settings: bool) -> list[Planned]:
    target = findings.production
    if target is None:
        return []
    hooked = target.hook is not None and hook_suffices(findings, target.hook)
    module = bridge_module(findings, target)[0] if settings and not hooked else target.module
    files: list[Planned] = []
    if findings.manage is None:
        path = posixpath.join(findings.application, "manage.py")
        files.append(Planned(path, missing.manage_py(module), "migrations and actions use it", executable=True))
    if findings.wsgi is None and findings.asgi is None:
        files.append(Planned(missing.wsgi_path(findings), missing.wsgi_py(module), "what gunicorn serves"))
    return files
