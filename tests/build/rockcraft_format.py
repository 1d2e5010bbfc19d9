"""What a rockcraft.yaml may say: the keys, types and limits of rockcraft's published schema (schema/rockcraft.json).

Facts of 2026, written down anew: rockcraft's own file is under another licence.
"""

import re
from collections.abc import Iterator

TEXT, LIST, NUMBER, FLAG, TEXTS = "text", "list", "number", "flag", "texts"
ARCHITECTURES = ("amd64", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x")
BASES = ("bare", "ubuntu@20.04", "ubuntu@22.04", "ubuntu@24.04", "ubuntu@25.10", "ubuntu@26.04")

TOP = {
    "name": TEXT, "title": TEXT, "version": TEXT, "summary": TEXT, "description": TEXT, "base": TEXT,
    "build-base": TEXT, "platforms": dict, "contact": None, "issues": None, "source-code": TEXT, "license": TEXT,
    "adopt-info": TEXT, "parts": dict, "package-repositories": LIST, "environment": TEXTS, "run-user": TEXT,
    "services": dict, "checks": dict, "entrypoint-service": TEXT, "entrypoint-command": TEXT, "extensions": LIST,
}  # fmt: skip
REQUIRED = ("name", "summary", "description", "base", "platforms")
"""Besides `parts`, which the extension contributes."""

SERVICE = {
    "override": TEXT, "command": TEXT, "summary": TEXT, "description": TEXT, "startup": TEXT, "after": LIST,
    "before": LIST, "requires": LIST, "environment": TEXTS, "user": TEXT, "user-id": NUMBER, "group": TEXT,
    "group-id": NUMBER, "working-dir": TEXT, "on-success": TEXT, "on-failure": TEXT, "on-check-failure": TEXTS,
    "backoff-delay": TEXT, "backoff-factor": NUMBER, "backoff-limit": TEXT, "kill-delay": TEXT,
}  # fmt: skip
PLATFORM = {"build-on": None, "build-for": None}
PART = {
    "plugin": TEXT, "source": TEXT, "source-checksum": TEXT, "source-channel": TEXT, "source-branch": TEXT,
    "source-commit": TEXT, "source-depth": NUMBER, "source-subdir": TEXT, "source-submodules": LIST,
    "source-tag": TEXT, "source-type": TEXT, "disable-parallel": FLAG, "after": LIST, "overlay-packages": LIST,
    "stage-snaps": LIST, "stage-packages": LIST, "build-snaps": LIST, "build-packages": LIST,
    "build-environment": LIST, "build-attributes": LIST, "organize": TEXTS, "overlay": LIST, "stage": LIST,
    "prime": LIST, "override-pull": TEXT, "overlay-script": TEXT, "override-build": TEXT, "override-stage": TEXT,
    "override-prime": TEXT, "permissions": LIST,
    # of the python plugin
    "python-packages": LIST, "python-requirements": LIST, "python-constraints": LIST,
}  # fmt: skip
CHOICES = {
    "override": ("merge", "replace"),
    "startup": ("enabled", "disabled"),
    "on-success": ("restart", "shutdown", "failure-shutdown", "ignore"),
    "on-failure": ("restart", "shutdown", "success-shutdown", "ignore"),
    "base": BASES,
    "run-user": ("_daemon_",),
}


def faults(document: dict) -> list[str]:
    """Return what rockcraft would refuse in a document; none for a good one."""
    return [*_mapping(document, TOP, "", REQUIRED), *_limits(document)]


def _limits(document: dict) -> Iterator[str]:
    name = str(document.get("name"))
    if not re.fullmatch(r"[a-z](-?[a-z0-9])*", name) or len(name) > 40:
        yield f"name: {name!r}"
    for key, longest in (("title", 40), ("version", 32)):
        if len(str(document.get(key) or "")) > longest:
            yield f"{key} is longer than {longest}"
    for platform, entry in (document.get("platforms") or {}).items():
        if entry is None:
            if platform not in ARCHITECTURES:
                yield f"platforms: {platform!r} is no architecture"
        else:
            yield from _mapping(entry, PLATFORM, f"platforms: {platform}", ("build-on", "build-for"))
    for service, entry in (document.get("services") or {}).items():
        required = () if service in ("django", "statsd-exporter") else ("override", "command")
        yield from _mapping(entry, SERVICE, f"services: {service}", required)
    for part, entry in (document.get("parts") or {}).items():
        yield from _mapping(entry, PART, f"parts: {part}")


def _mapping(value: object, known: dict, where: str, required: tuple = ()) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: is no mapping"
        return
    for key in required:
        if value.get(key) is None:
            yield f"{where}: {key} is missing"
    for key, inner in value.items():
        if key not in known:
            yield f"{where}: {key!r} is unknown"
        elif inner is not None and not _fits(inner, known[key]):
            yield f"{where}: {key} is no {known[key]}"
        elif key in CHOICES and inner not in CHOICES[key]:
            yield f"{where}: {key}: {inner!r}"


def _fits(value: object, kind: object) -> bool:
    if kind is None:
        return True
    if kind == TEXTS:
        return isinstance(value, dict) and all(isinstance(inner, str) for inner in value.values())
    if kind == FLAG:
        return isinstance(value, bool)
    types = {TEXT: str, LIST: list, NUMBER: (int, float), dict: dict}
    return isinstance(value, types[kind]) and not isinstance(value, bool)
