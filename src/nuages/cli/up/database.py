"""Asking Django itself which database it uses: a project that ignores the charm's variables would run on SQLite."""

from __future__ import annotations

import subprocess

from nuages.cli.errors import CliError
from nuages.cli.root import command_name
from nuages.cli.session import Session
from nuages.cli.up.plan import Project
from nuages.cli.up.report import container
from nuages.contract import endpoints, layout

TIMEOUT = 60
MARK = "nuages-database="
QUESTION = f"from django.db import connection; print('{MARK}' + connection.vendor)"
PEBBLE = "/charm/bin/pebble"

VENDORS = {"postgresql_client": "postgresql", "mysql_client": "mysql"}
"""What Django calls the database that an interface brings."""


def expected(project: Project, related: frozenset[str]) -> tuple[str, str] | None:
    """Return (endpoint, Django's word) of the database that is related, None when none is that Django can tell."""
    for requirement in project.requires:
        interface = endpoints.BY_NAME.get(requirement.interface)
        if interface is not None and interface.database and requirement.name in related:
            vendor = VENDORS.get(requirement.interface)
            if vendor is not None:
                return requirement.name, vendor
    return None


def judge(vendor: str, wanted: str, project: Project, endpoint: str) -> CliError | None:
    """Return the error for a Django that uses another database than the related one."""
    if vendor == wanted:
        return None
    interface = next(found for found in endpoints.INTERFACES if VENDORS.get(found.name) == wanted)
    prefix = endpoints.prefix_of(interface, endpoint)
    return CliError(
        f"cannot call {project.application} done: {wanted} is related, but Django uses {vendor}; what users write would"
        " be lost with the pod",
        fix=f"let DATABASES in settings.py read the charm's variables ({prefix}_NAME, {prefix}_HOSTNAME, …),"
        f" as examples/notes does; `{command_name()} env {project.application}` lists them",
        code="wrong-database",
    )


def check(session: Session, project: Project, related: frozenset[str]) -> tuple[str, ...]:
    """Ask Django; return notes when it cannot be asked.

    Raises `CliError` when it uses another database than the one that is related.
    """
    wanted = expected(project, related)
    if wanted is None:
        return ()
    endpoint, vendor = wanted
    question = ["python3", "manage.py", "shell", "-c", QUESTION]
    options = [f"--context={layout.WEB_SERVICE}", f"--timeout={TIMEOUT}s", "-w", layout.APP_DIRECTORY]
    body = {
        "unit": f"{project.application}/0",
        "container": container(project),
        "argv": [PEBBLE, "exec", *options, "--", *question],
        "tty": False,
    }
    argv: list[str] = session.post("enter", body=body)["argv"]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=TIMEOUT + 10
        )
    except subprocess.TimeoutExpired:
        return (f"Django did not say within {TIMEOUT} s which database it uses",)
    found = next((line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)), None)
    if found is None:
        lines = done.stderr.strip().splitlines()
        return ("could not ask Django which database it uses" + (f": {lines[-1]}" if lines else ""),)
    error = judge(found, vendor, project, endpoint)
    if error is not None:
        raise error
    return ()
