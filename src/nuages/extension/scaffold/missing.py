"""manage.py and the WSGI module, as Django makes them, for a project that lacks one."""

from __future__ import annotations

import posixpath

from nuages.extension.django.findings import Findings

_MANAGE = '''\
#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{module}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
'''

_WSGI = '''\
"""The WSGI application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{module}")

application = get_wsgi_application()
'''


def manage_py(module: str) -> str:
    """Return manage.py for the settings module."""
    return _MANAGE.format(module=module)


def wsgi_py(module: str) -> str:
    """Return the WSGI module for the settings module."""
    return _WSGI.format(module=module)


def wsgi_path(findings: Findings) -> str:
    """Return where a WSGI module belongs: in the top package of the settings, else beside manage.py."""
    module = findings.production.module if findings.production else ""
    package = module.partition(".")[0] if "." in module else ""
    return posixpath.join(findings.application, package, "wsgi.py")


def module_of(path: str, findings: Findings) -> str:
    """Return the dotted name of a file of the application."""
    inside = posixpath.relpath(path, findings.application or ".")
    return inside.removesuffix(".py").replace("/", ".")
