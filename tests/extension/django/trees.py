"""Small projects as texts."""

from __future__ import annotations

from nuages.extension.django import Findings, Tree, detect
from nuages.extension.django.findings import Remark

SELECT = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{0}")\n'
WSGI = SELECT + "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
ASGI = WSGI.replace("wsgi", "asgi")


def manage(module: str) -> str:
    return "#!/usr/bin/env python\n" + SELECT.format(module) + "from django.core.management import execute\n"


def project(settings: str = "", /, package: str = "site_one", **more: str) -> dict[str, str]:
    """The files of a flat project; `more` names files with `__` for `/` and `_dot_` for dots."""
    files = {
        "manage.py": manage(f"{package}.settings"),
        f"{package}/__init__.py": "",
        f"{package}/settings.py": 'ROOT_URLCONF = "x"\nINSTALLED_APPS = []\n' + settings,
        f"{package}/wsgi.py": WSGI.format(f"{package}.settings"),
        "requirements.txt": "Django~=5.2\npsycopg[binary]\nwhitenoise\n",
    }
    return {**files, **more}


def found(files: dict[str, str], folder: str = "folder") -> Findings:
    return detect(Tree(files), folder)


def codes(findings: Findings, *kinds: str) -> set[str]:
    return {remark.code for remark in findings.remarks if not kinds or remark.kind in kinds}


def remark(findings: Findings, code: str) -> Remark:
    (only,) = [remark for remark in findings.remarks if remark.code == code]
    return only
