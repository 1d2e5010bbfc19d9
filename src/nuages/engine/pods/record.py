"""What survives the engine: which processes are the model's, and what each pod was asked to be."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nuages.engine.pods.spec import ContainerSpec, PodSpec
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.sandbox.process import Process
from nuages.engine.sandbox.users import Mode, UserMap


@dataclass
class ContainerRecord:
    """A container: its monitor (bubblewrap) and its Pebble."""

    monitor: Process | None = None
    pebble: Process | None = None


@dataclass
class PodRecord:
    """A pod: what was asked for, its place in the network, its processes."""

    spec: PodSpec
    index: int
    address: str
    pause: Process | None = None
    outward: Process | None = None
    """What serves its way out, if it has one."""
    containers: dict[str, ContainerRecord] = field(default_factory=dict[str, ContainerRecord])


@dataclass
class ModelRecord:
    """A model: its init, its user map and its pods."""

    boot: str = ""
    init: Process | None = None
    users: UserMap | None = None
    relay: Process | None = None
    last_index: int = 1
    names: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    pods: dict[str, PodRecord] = field(default_factory=dict[str, PodRecord])


def load(path: Path) -> ModelRecord:
    """Return the record in `path`, an empty one when there is none.

    Raises:
        SandboxError: the file is there but damaged.
    """
    try:
        document: Any = json.loads(path.read_text())
    except FileNotFoundError:
        return ModelRecord()
    except (OSError, ValueError) as error:
        raise SandboxError(f"cannot read {path}: {error}", fix="nuages down --purge") from None
    try:
        return _record(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SandboxError(f"cannot read {path}: {error!r}", fix="nuages down --purge") from None


def save(path: Path, record: ModelRecord) -> None:
    """Write the record under a temporary name and rename it."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("w") as stream:
        os.fchmod(stream.fileno(), 0o600)
        json.dump(_document(record), stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def _pair(process: Process | None) -> list[int] | None:
    return None if process is None else [process.pid, process.start]


def _process(pair: list[int] | None) -> Process | None:
    return None if pair is None else Process(int(pair[0]), int(pair[1]))


def _document(record: ModelRecord) -> dict[str, Any]:
    users = record.users
    return {
        "boot": record.boot,
        "init": _pair(record.init),
        "users": users and {"mode": users.mode.value, "uids": users.uids, "gids": users.gids},
        "relay": _pair(record.relay),
        "last-index": record.last_index,
        "names": record.names,
        "pods": {
            unit: {
                "spec": spec_document(pod.spec),
                "index": pod.index,
                "address": pod.address,
                "pause": _pair(pod.pause),
                "outward": _pair(pod.outward),
                "containers": {
                    name: {"monitor": _pair(container.monitor), "pebble": _pair(container.pebble)}
                    for name, container in pod.containers.items()
                },
            }
            for unit, pod in record.pods.items()
        },
    }


def _record(document: Mapping[str, Any]) -> ModelRecord:
    users = document["users"]
    return ModelRecord(
        boot=str(document["boot"]),
        init=_process(document["init"]),
        users=users
        and UserMap(
            Mode(users["mode"]),
            tuple((int(a), int(b), int(c)) for a, b, c in users["uids"]),
            tuple((int(a), int(b), int(c)) for a, b, c in users["gids"]),
        ),
        relay=_process(document["relay"]),
        last_index=int(document["last-index"]),
        names={str(address): tuple(names) for address, names in document["names"].items()},
        pods={
            str(unit): PodRecord(
                spec=parse_spec(pod["spec"]),
                index=int(pod["index"]),
                address=str(pod["address"]),
                pause=_process(pod["pause"]),
                outward=_process(pod.get("outward")),
                containers={
                    str(name): ContainerRecord(_process(c["monitor"]), _process(c["pebble"]))
                    for name, c in pod["containers"].items()
                },
            )
            for unit, pod in document["pods"].items()
        },
    )


def spec_document(spec: PodSpec) -> dict[str, Any]:
    """Return a pod's specification as JSON."""
    return {
        "unit": spec.unit,
        "fqdn": spec.fqdn,
        "aliases": list(spec.aliases),
        "containers": [
            {
                "name": container.name,
                "image": container.image.to_json(),
                "volumes": [[str(m.source), m.target, m.writable] for m in container.volumes],
            }
            for container in spec.containers
        ],
    }


def parse_spec(document: Mapping[str, Any]) -> PodSpec:
    """Return the specification that `spec_document` wrote."""
    return PodSpec(
        unit=str(document["unit"]),
        containers=tuple(
            ContainerSpec(
                name=str(container["name"]),
                image=Image.from_json(container["image"]),
                volumes=tuple(Mount(Path(m[0]), str(m[1]), bool(m[2])) for m in container["volumes"]),
            )
            for container in document["containers"]
        ),
        fqdn=str(document["fqdn"]),
        aliases=tuple(document["aliases"]),
    )
