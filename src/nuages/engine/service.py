"""What a built-in application is: the shape that `nuages.services` implements and the agent runs.

A built-in application goes through the same resolver and agent as a charm. Only the dispatch differs: instead of a
subprocess in the pod, a hook is a coroutine in the daemon. Its writes are buffered and committed as a charm's are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import ops.pebble

    from nuages.engine.sandbox.image import Image

T = TypeVar("T")


class Relation(Protocol):
    """One relation as the hook of a built-in application sees it."""

    @property
    def id(self) -> int:
        """The relation's number."""
        ...

    @property
    def endpoint(self) -> str:
        """This side's endpoint."""
        ...

    @property
    def interface(self) -> str:
        """The interface both sides speak."""
        ...

    @property
    def remote_application(self) -> str:
        """The application on the other side; the own one for a peer relation."""
        ...

    @property
    def remote_units(self) -> tuple[str, ...]:
        """The remote units whose joined hook has run (or runs now), sorted."""
        ...

    @property
    def breaking(self) -> bool:
        """True in the relation-broken hook of this relation."""
        ...

    def remote_app(self) -> Mapping[str, str]:
        """Return the remote application's databag."""
        ...

    def remote_unit(self, unit: str) -> Mapping[str, str]:
        """Return a remote unit's databag."""
        ...

    def local_app(self) -> Mapping[str, str]:
        """Return the own application's databag; only the leader may read it (Juju's rule), peers excepted."""
        ...

    def local_unit(self) -> Mapping[str, str]:
        """Return the own unit's databag."""
        ...

    def set_app(self, data: Mapping[str, str]) -> None:
        """Merge into the own application's databag ("" deletes a key); leader only."""
        ...

    def set_unit(self, data: Mapping[str, str]) -> None:
        """Merge into the own unit's databag ("" deletes a key)."""
        ...


class Context(Protocol):
    """One hook of one unit of a built-in application. Writes are committed when `Service.hook` returns."""

    @property
    def hook(self) -> str:
        """The hook's name, for example `database-relation-changed` or `postgresql-pebble-ready`."""
        ...

    @property
    def unit(self) -> str:
        """For example `postgresql-k8s/0`."""
        ...

    @property
    def application(self) -> str:
        """For example `postgresql-k8s`."""
        ...

    @property
    def model(self) -> str:
        """The model's name."""
        ...

    @property
    def model_uuid(self) -> str:
        """The model's UUID."""
        ...

    @property
    def is_leader(self) -> bool:
        """Whether this unit leads its application."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """Options that are set or have a default, by name."""
        ...

    @property
    def address(self) -> str:
        """The pod's address inside the model."""
        ...

    @property
    def fqdn(self) -> str:
        """The unit's own name in the model's DNS."""
        ...

    @property
    def relation(self) -> Relation | None:
        """The relation of a relation hook."""
        ...

    @property
    def leaving(self) -> bool:
        """Whether this unit is being removed."""
        ...

    def relations(self, endpoint: str | None = None) -> list[Relation]:
        """Return the live relations (the breaking one excepted), of one endpoint or of all, by id."""
        ...

    def set_status(self, status: str, message: str = "") -> None:
        """Set the unit's status (active, blocked, maintenance, waiting); seen at once, kept on failure."""
        ...

    def set_secret(self, label: str, content: Mapping[str, str], *, relation: int | None = None) -> str:
        """Create the application's secret of this label, or a new revision when the content differs.

        Granted to the remote application of `relation` when given. Leader only. Returns `secret:<id>`.
        """
        ...

    def secret(self, label: str) -> Mapping[str, str] | None:
        """Return the latest content of the application's secret of this label."""
        ...

    def remote_secret(self, uri: str) -> Mapping[str, str]:
        """Return the latest content of another application's secret that was granted to this one."""
        ...

    def remove_secret(self, label: str) -> None:
        """Remove the application's secret of this label; nothing happens when there is none. Leader only."""
        ...

    async def pebble(self, function: Callable[[ops.pebble.Client], T]) -> T:
        """Run blocking work with the Pebble client of the unit's one container."""
        ...

    def volume(self, name: str) -> Path:
        """Return the host path of a volume; it outlives the pod, and Unix sockets in it work from the host."""
        ...

    async def publish(self, key: str, port: int, *, preferred: int) -> int:
        """Publish a port of this pod on the host's loopback (127.0.0.1 and ::1) and return the host port.

        The preferred port or the next free one, chosen once and remembered for (application, key).
        """
        ...

    async def outward(self, port: int, *, permitted: Sequence[str], fix: str) -> None:
        """Open the pod's way out of the model: an HTTP proxy (CONNECT too) on `port` of the pod's own loopback.

        Idempotent; a pod has none until this is called. It refuses this machine's own addresses and private networks,
        except hosts that are `permitted` by name (`host:port` or `host`). `fix` is what its refusal says to type for a
        `{target}`.
        """
        ...

    def log(self, level: str, message: str) -> None:
        """Write to the debug-log; never a secret."""
        ...


@dataclass(frozen=True)
class Console:
    """How a person gets into a server with the credentials of one relation."""

    url: str
    """For a tool on the host, with credentials; `{address}` stands for the host and port of a published port."""
    port: int
    """The server's port in its pod."""
    argv: tuple[str, ...] = ()
    """The client to run in the server's container as the servers' user; never a secret. Empty: there is none."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the client takes the credentials from."""


class Service(Protocol):
    """A built-in application: what Charmhub's charm of that name would be."""

    @property
    def name(self) -> str:
        """The charm's name on Charmhub, for example `postgresql-k8s`."""
        ...

    @property
    def summary(self) -> str:
        """One line for people."""
        ...

    @property
    def version(self) -> str:
        """Version of the real server, shown by `status`."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Shape of a charm's metadata.yaml: name, containers (exactly one), provides, requires, peers."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """Shape of `options` in config.yaml."""
        ...

    @property
    def actions(self) -> Mapping[str, Any]:
        """Shape of actions.yaml."""
        ...

    @property
    def programs(self) -> tuple[str, ...]:
        """Names for `engine.programs.ensure`, needed before a unit starts."""
        ...

    @property
    def volumes(self) -> Mapping[str, str]:
        """Volume name to its path in the container."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Further service names, for example `postgresql-k8s-primary`; `{application}` is filled in."""
        ...

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Write the container's small root below `directory` (the application's own) and return the image."""
        ...

    async def hook(self, context: Context) -> None:
        """Handle any hook. Raising is a failed hook: writes dropped, retried with backoff."""
        ...

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run an action and return its results; raise NuagesError to fail it."""
        ...

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get into the server as the relation's requirer; raise NuagesError when there is no way."""
        ...
