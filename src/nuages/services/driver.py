"""What every built-in application does alike: say the answer of a relation, keep a workload as it should be."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import string
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast

import ops.pebble

from nuages.engine.service import Context, Relation
from nuages.errors import NuagesError

USER = "_daemon_"
"""Whom the servers run as; every container's passwd has it."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WAITING = "waiting for the server"
_REPEAT = ["/bin/sh", "-c", 'for _ in 1 2 3 4 5 6 7 8 9 10; do "$@" && exit 0; sleep 0.1; done; exit 1', "repeat"]
"""Looks for a second from inside the container: Pebble logs every exec."""
_IN_FORCE = "/run/nuages/layer"
"""The file with the digest of the layer that services were started or restarted by, gone with the container."""
PROBE = 10.0
"""Seconds for which a probe may hang, as it does in a server that is stopped in the middle, before it has failed."""

T = TypeVar("T")


class ServiceError(NuagesError):
    """A built-in application cannot do its work."""

    code = "service"


class NotReachable(ServiceError):
    """The container's Pebble does not answer yet; pebble-ready follows when it does."""


class CommandFailed(ServiceError):
    """A command in the container exited with another code than 0; `stderr` is for reading, not for showing whole."""

    def __init__(self, program: str, stderr: str) -> None:
        super().__init__(f"cannot run {program} in the container")
        self.stderr = stderr


class NotDone(ServiceError):
    """A command in the container did not end in time, or could not be started."""


class Refused(ServiceError):
    """What a requirer asks for is not to be had; shown as the unit's status, not a failed hook."""


@dataclass(frozen=True)
class Answer:
    """What a provider says on one relation: its whole application databag, and the secrets that databag names."""

    databag: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Databag key, for example `secret-user` → the secret's content; the key's value becomes its URI."""


@dataclass(frozen=True)
class Workload:
    """What a container's Pebble should have: directories and files (owned by the servers' user), then the layer."""

    layer: ops.pebble.LayerDict
    directories: Mapping[str, int] = field(default_factory=dict[str, int])
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    gone: Sequence[str] = ()
    """Services of earlier layers that are no longer wanted; others are left alone."""


def secret_label(relation: Relation, key: str) -> str:
    """Return the label under which the secret of a databag key of one relation is kept."""
    return f"{relation.endpoint}.{relation.id}.{key}"


def give(context: Context, relation: Relation, answer: Answer) -> None:
    """Make the relation say `answer`; a databag and secrets that say it already are left alone."""
    wanted = dict(answer.databag)
    for key, content in answer.secrets.items():
        wanted[key] = context.set_secret(secret_label(relation, key), content, relation=relation.id)
    delta = difference(relation.local_app(), wanted)
    if delta:
        relation.set_app(delta)


def difference(current: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return what to merge into `current` so that it becomes `wanted` ("" deletes)."""
    changed = {key: value for key, value in wanted.items() if current.get(key, "") != value}
    return changed | {key: "" for key in current if key not in wanted}


def new_password() -> str:
    """Return 32 random letters and digits: no URL, file or protocol needs to quote them."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))


def no_console(relation: Relation) -> ServiceError:
    """Return the error of a console into what a requirer has not got yet."""
    return ServiceError(f"cannot open a console: {relation.remote_application} has no login yet", fix="nuages status")


def serves(context: Context) -> bool:
    """Tell whether this unit runs the server: unit 0, which on Kubernetes is also the last one to go."""
    return context.unit.endswith("/0")


async def with_pebble(context: Context, function: Callable[[ops.pebble.Client], T]) -> T:
    """Run blocking work with the container's Pebble.

    Raises:
        NotReachable: Pebble does not answer.
    """
    try:
        return await context.pebble(function)
    except ops.pebble.ConnectionError as error:
        raise NotReachable(f"cannot reach the container of {context.unit}: {error}") from None


def converge(client: ops.pebble.Client, workload: Workload) -> ops.pebble.ChangeID | None:
    """Make directories, files, plan and services as wanted; return the change that starts services, if any.

    The change is not waited for: Pebble takes a second to call a service started, the server is ready sooner.
    """
    for path, mode in workload.directories.items():
        client.make_dir(path, make_parents=True, permissions=mode, user=USER, group=USER)
    for path, text in workload.files.items():
        push(client, path, text)
    plan = client.get_plan().to_dict()
    wanted = workload.layer.get("services", {})
    _retire(client, workload.gone)
    digest = hashlib.sha256(json.dumps(workload.layer, sort_keys=True).encode()).hexdigest()
    if not (plan_holds(plan, workload.layer) and holds(client, _IN_FORCE, digest)):
        client.add_layer("nuages", workload.layer, combine=True)
        change = client.replan_services(timeout=0)
        # Last: killed between the two above, a service would go on with what it was started with.
        push(client, _IN_FORCE, digest)
        return change
    services = [info for info in client.get_services() if info.name in wanted]
    idle = [info.name for info in services if info.current != ops.pebble.ServiceStatus.ACTIVE]
    # One that waits to be restarted is started at once, so that what is wrong with it is said now.
    return client.start_services(idle, timeout=0) if idle else None


def _retire(client: ops.pebble.Client, names: Sequence[str]) -> None:
    """Stop services that are no longer wanted; Pebble keeps them in its plan, as disabled ones."""
    left = {info.name: info for info in client.get_services() if info.name in names}
    if enabled := [name for name, info in left.items() if info.startup == ops.pebble.ServiceStartup.ENABLED]:
        off: dict[str, ops.pebble.ServiceDict] = {
            name: {"override": "merge", "startup": "disabled", "command": "/bin/false"} for name in enabled
        }
        client.add_layer("nuages", {"services": off}, combine=True)
    if running := [name for name, info in left.items() if info.current != ops.pebble.ServiceStatus.INACTIVE]:
        client.stop_services(running)


def plan_holds(plan: Mapping[str, object], layer: ops.pebble.LayerDict) -> bool:
    """Tell whether every setting of `layer`'s services and checks is in force in `plan` (which adds defaults)."""

    def within(part: object, whole: object) -> bool:
        if isinstance(part, Mapping) and isinstance(whole, Mapping):
            return all(key in whole and within(value, whole[key]) for key, value in part.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # plain JSON on both sides
        return part == whole

    return all(within(layer.get(section, {}), plan.get(section, {})) for section in ("services", "checks"))


def push(client: ops.pebble.Client, path: str, text: str, mode: int = 0o644) -> bool:
    """Write a file for the servers' user when it differs, and return whether it did.

    Pebble writes to a temporary name and renames.
    """
    if holds(client, path, text):
        return False
    client.push(path, text, make_dirs=True, permissions=mode, user=USER, group=USER)
    return True


def holds(client: ops.pebble.Client, path: str, text: str) -> bool:
    """Tell whether a file of the container is there and says just this."""
    try:
        return client.pull(path).read() == text
    except ops.pebble.PathError:
        return False  # there is none yet


def keep(client: ops.pebble.Client, path: str, text: str) -> bool:
    """Write a file that only the servers' user may read, when it differs, and return whether it did."""
    return push(client, path, text, 0o600)


def run(client: ops.pebble.Client, argv: Sequence[str], *, stdin: str = "", timeout: float = 30) -> str:
    """Run a command in the container as the servers' user and return its output.

    Raises:
        CommandFailed: it exited with another code than 0.
        NotDone: it did not end within `timeout` seconds and was killed, or could not be started.
    """
    process = client.exec(list(argv), stdin=stdin, timeout=timeout, user=USER, group=USER, working_dir="/")
    try:
        output, _ = process.wait_output()
    except ops.pebble.ExecError as error:  # pyright: ignore[reportUnknownVariableType]  # ops leaves its type open
        raise CommandFailed(Path(argv[0]).name, str(cast("Any", error).stderr or "")) from None
    except (ops.pebble.ChangeError, ops.pebble.TimeoutError) as error:
        late = "timed out" in str(error)
        reason = f"it does not end within {timeout:.0f} s" if late else str(error).splitlines()[-1]
        raise NotDone(f"cannot run {Path(argv[0]).name} in the container: {reason}") from None
    return output


def await_ready(
    client: ops.pebble.Client,
    probe: Sequence[str],
    change: ops.pebble.ChangeID | None,
    *,
    server: str,
    application: str,
    timeout: float,
) -> bool:
    """Wait until the `probe` command succeeds in the container; with `timeout` 0, look once.

    Raises:
        ServiceError: the change that starts the server has failed, with what the server said.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            run(client, [*_REPEAT, *probe] if timeout else probe, timeout=PROBE)
            return True
        except (CommandFailed, NotDone):
            pass  # not yet, which is what we came to wait for
        started = client.get_change(change) if change else None
        if started and started.ready and started.err:
            raise ServiceError(f"cannot start {server}: {_reason(started)}", fix=f"nuages logs {application}")
        if time.monotonic() > deadline:
            return False


def await_server(
    client: ops.pebble.Client,
    probe: Sequence[str],
    change: ops.pebble.ChangeID | None,
    *,
    server: str,
    application: str,
    timeout: float,
) -> bool:
    """Do as `await_ready`; a server that is waited for has to come.

    Raises:
        ServiceError: it does not start, or does not answer in time.
    """
    ready = await_ready(client, probe, change, server=server, application=application, timeout=timeout)
    if timeout and not ready:
        raise ServiceError(
            f"cannot reach {server}: it does not answer after {timeout:.0f} s", fix=f"nuages logs {application}"
        )
    return ready


async def stop(context: Context) -> None:
    """Stop cleanly whatever runs in the container; what it keeps stays in the volume.

    Raises:
        NotReachable: Pebble does not answer.
    """

    def work(client: ops.pebble.Client) -> None:
        if running := [info.name for info in client.get_services() if info.is_running()]:
            client.stop_services(running)

    await with_pebble(context, work)


def _reason(change: ops.pebble.Change) -> str:
    """Return the last line that a server which did not start has printed, else what Pebble says of it."""
    entries = [entry for task in change.tasks for entry in task.log]
    printed = [entry.splitlines()[-1].strip() for entry in entries if "service output" in entry and "\n" in entry]
    said = [entry.partition(" ERROR ")[2] for entry in entries if " ERROR " in entry]
    return (printed or said or [change.err or "no reason given"])[-1]


def write_root(
    package: str, directory: Path, files: Mapping[str, str], *, shared: Mapping[str, str] | None = None
) -> Path:
    """Write the package's `files` (name → path in the container) into a fresh root below `directory`; return it.

    `shared` are modules of nuages.services itself, to folders that `files` makes.
    """
    root = directory / "rootfs"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    source = resources.files(package) / "files"
    for name, target in files.items():
        path = root / target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((source / name).read_text())
        path.chmod(0o644)
    for name, target in (shared or {}).items():
        path = root / target.lstrip("/")
        path.write_text(resources.files("nuages.services").joinpath(name).read_text())
        path.chmod(0o644)
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)  # whatever the caller's umask: another user reads them in the container
    return root
