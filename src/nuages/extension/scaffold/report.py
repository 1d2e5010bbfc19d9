"""What `init` says: what it found and why, what it could not find, what speaks against running it."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.extension.django.findings import Choice, Findings, Place, Remark, RemarkKind


def found(findings: Findings) -> list[tuple[str, str, str]]:
    """Return what was found: what it is, its value, why and where."""
    return list(_found(findings))


def _found(findings: Findings) -> Iterator[tuple[str, str, str]]:
    yield "name", findings.name.value, _why(findings.name)
    if findings.manage:
        yield "manage.py", findings.manage.value, _why(findings.manage, place=False)
    if findings.wsgi:
        yield "WSGI", findings.wsgi.value, _why(findings.wsgi)
    if findings.asgi:
        yield (
            "ASGI",
            findings.asgi.value,
            _why(findings.asgi) + ("" if findings.asynchronous else "; not what is served"),
        )
    for selection in findings.selections:
        how = "unless DJANGO_SETTINGS_MODULE is set" if selection.form == "default" else "always"
        yield f"settings ({selection.where})", selection.module, f"{selection.place}, {how}"
    if findings.settings and not findings.selections:
        yield "settings", findings.settings.module, f"{findings.settings.file}; no line selects it"
    if findings.production and findings.settings and findings.production.module != findings.settings.module:
        yield (
            "settings (production)",
            findings.production.module,
            f"{findings.production.file}, beside those for developers",
        )
    requirements = findings.requirements
    if requirements.kind != "none":
        yield "requirements", requirements.file, f"{requirements.reason}; {len(requirements.packages)} packages"
    if findings.python:
        yield "Python", findings.python.value, _why(findings.python)
    yield "base", findings.base.value, _why(findings.base)
    for service in findings.services:
        yield "service", service.name, f"{service.reason} ({service.place})"
    for item in findings.integrations:
        need = "may be absent" if item.optional else "required"
        yield "relation", f"{item.endpoint} ({item.interface})", f"{item.reason}{_at(item.place)}; {need}"
    for option in findings.options:
        yield "option", f"{option.name} ({option.type})", f"{option.read.name}{_at(option.read.place)}"
    for package in findings.packages:
        yield "package", package.value, package.reason


def hints(findings: Findings) -> list[str]:
    """Return what Procfile and others say, a line each."""
    return [f"{remark.text}{_at(remark.place)}" for remark in findings.hints]


def remarks(findings: Findings, *kinds: RemarkKind, settings: bool) -> list[Remark]:
    """Return the remarks of these kinds; with `settings` those that the bridge mends are left out."""
    return [item for item in findings.remarks if item.kind in kinds and not (settings and item.bridged)]


def remark_line(remark: Remark) -> str:
    """Return a remark on one line: what, where, what to do."""
    return f"{remark.text}{_at(remark.place)}" + (f" → {remark.fix}" if remark.fix else "")


def _why(choice: Choice, *, place: bool = True) -> str:
    others = f"; also there: {', '.join(choice.others)}" if choice.others else ""
    return f"{choice.reason}{_at(choice.place) if place else ''}{others}"


def _at(place: Place | None) -> str:
    return f" ({place})" if place is not None and place.file else ""
