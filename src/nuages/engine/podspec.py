"""From an application to its unit's pod: images, volumes, names, and the charm's own directory."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from nuages.engine import charms, programs
from nuages.engine.charm import Container
from nuages.engine.hooks.environment import SOCKET, TOOLS_DIRECTORY, agent_directory, charm_directory
from nuages.engine.pods import ContainerSpec, PodSpec
from nuages.engine.programs import Progress
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.state import Application, Model, Unit
from nuages.engine.threads import finished
from nuages.engine.world import World

Report = Callable[[str], None]
MEGABYTE = 1_000_000
REPLICAS = "-replicas"


def fqdn(model: str, unit: str) -> str:
    """Return a unit's name in the model's DNS, as a headless Kubernetes service gives it."""
    application = unit.partition("/")[0]
    return f"{unit.replace('/', '-')}.{application}-endpoints.{model}.svc.cluster.local"


def aliases(world: World, unit: str) -> tuple[str, ...]:
    """Return the further names of a unit, without its applications' service names."""
    short = unit.replace("/", "-")
    application = unit.partition("/")[0]
    model = world.state.name
    return (f"{short}.{application}-endpoints.{model}.svc", f"{short}.{application}-endpoints")


def service_names(world: World) -> dict[str, tuple[str, ...]]:
    """Return address to service names: an application's names lead to its leader's pod, else to the first.

    Those of replicas (`-replicas`, as Charmhub's databases have it) lead to the other units that are active, if any.
    """
    names: dict[str, list[str]] = {}
    state = world.state
    for name, application in state.applications.items():
        units = [unit for unit in state.units_of(name) if unit.address and unit.pod]
        if not units:
            continue
        first = next((unit for unit in units if unit.name == application.leader), units[0])
        replicas = [unit for unit in units if unit is not first and unit.status.status == "active"] or [first]
        service = world.services.get(application.charm.name) if application.charm.built_in else None
        for base in (name, *(alias.format(application=name) for alias in (service.aliases if service else ()))):
            spelled = (
                f"{base}.{state.name}.svc.cluster.local",
                f"{base}.{state.name}.svc",
                f"{base}.{state.name}",
                base,
            )
            if base.endswith(".localhost"):  # a whole name: a browser on this machine takes it for the loopback
                spelled = (base,)
            for unit in replicas if base.endswith(REPLICAS) and base != name else [first]:
                names.setdefault(unit.address, []).extend(spelled)
    return {address: tuple(found) for address, found in names.items()}


async def build(world: World, unit: Unit, report: Report) -> PodSpec:
    """Return what the unit's pod is to be; fetches programs when they are missing.

    Raises:
        NuagesError: an image or a program cannot be had.
    """
    application = world.state.applications[unit.application]
    if application.charm.built_in:
        containers = (await _built_in(world, unit, application, report),)
    else:
        specs = [
            ContainerSpec(
                container.name,
                await asyncio.to_thread(_image, world, application, container),
                tuple(Mount(world.volume(unit.name, name), path, writable=True) for name, path in container.mounts),
            )
            for container in application.charm.containers
        ]
        containers = tuple(specs)
    return PodSpec(unit.name, containers, fqdn(world.state.name, unit.name), aliases(world, unit.name))


async def fresh_charm(world: World, unit: Unit) -> None:
    """Give the unit a fresh copy of its charm: a new pod has lost whatever the old charm stored."""
    application = world.state.applications[unit.application]
    directory = world.unit_directory(unit.name)
    charm = directory / "charm"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if charm.exists():
        await asyncio.to_thread(world.pods.remove, charm)
    if application.charm.built_in:
        return
    async with world.preparing:
        tree = await asyncio.to_thread(charms.prepare, application.charm, world.directory / "charms")
    await asyncio.to_thread(shutil.copytree, tree, charm, symlinks=True)
    await asyncio.to_thread(_write_resources, application, directory / "resources")


def hook_mounts(world: World, unit: str) -> tuple[Mount, ...]:
    """Return what the charm container sees besides its own small root."""
    directory = world.unit_directory(unit)
    application = world.state.applications[unit.partition("/")[0]]
    mounts = [Mount(directory / "agent.socket", SOCKET)]
    mounts += [
        Mount(world.volume(unit, name), f"/var/lib/juju/storage/{name}/0", writable=True)
        for name in application.charm.storage
    ]
    if application.charm.built_in:
        return (*mounts, Mount(world.tools(""), TOOLS_DIRECTORY))
    python = charms.interpreter(application.charm)
    return (
        *mounts,
        Mount(world.tools(application.charm.python), TOOLS_DIRECTORY),
        Mount(directory / "charm", charm_directory(unit), writable=True),
        Mount(directory / "resources", f"{agent_directory(unit)}/resources"),
        *python.mounts(),
    )


def resource_paths(application: Application, unit: str) -> dict[str, str]:
    """Return where the charm finds each resource: an image's is a document that names the image."""
    return {name: f"{agent_directory(unit)}/resources/{name}/content.yaml" for name in application.resources}


def notes(model: Model, application: Application) -> list[str]:
    """Return what status says about the images of an application."""
    found: list[str] = []
    for path in application.resources.values():
        if (Path(path) / "image.json").exists():
            found += [note for note in Image.load(Path(path)).notes if note not in found]
    return found


def progress_line(progress: Progress) -> str:
    """Return one line about a program that is being fetched."""
    done = f"{progress.done / MEGABYTE:.1f}"
    amount = f"{done} of {progress.total / MEGABYTE:.1f} MB" if progress.total else f"{done} MB"
    note = f" ({progress.note})" if progress.note else ""
    return f"fetching {progress.program}: {amount}{note}"


async def _built_in(world: World, unit: Unit, application: Application, report: Report) -> ContainerSpec:
    service = world.services[application.charm.name]
    loop = asyncio.get_running_loop()

    def progress(step: Progress) -> None:
        loop.call_soon_threadsafe(report, progress_line(step))

    found = await asyncio.to_thread(programs.ensure, *service.programs, progress=progress)

    def work() -> Image:
        directory = world.directory / "services" / unit.name.replace("/", "-")
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir(mode=0o755, parents=True)
        return service.image(found, directory)

    image = await finished(asyncio.to_thread(work))
    volumes = tuple(Mount(world.volume(unit.name, name), path, writable=True) for name, path in service.volumes.items())
    return ContainerSpec(application.charm.containers[0].name, image, volumes)


def _image(world: World, application: Application, container: Container) -> Image:
    path = application.resources.get(container.resource)
    if path:
        return Image.load(Path(path))
    root = world.directory / "empty-root"
    root.mkdir(mode=0o755, exist_ok=True)
    return Image(root)


def _write_resources(application: Application, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o755)
    for name, path in application.resources.items():
        (directory / name).mkdir(mode=0o755)
        (directory / name / "content.yaml").write_text(f"registrypath: {Path(path).name}\n")
