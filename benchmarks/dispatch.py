"""What one hook costs: a dispatch of our charm against minimal ones, on the same engine with the same hook tools."""

from __future__ import annotations

import re
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nuages.build import uv
from nuages.engine.api.client import Client
from nuages.engine.charms import compile_tree
from nuages.engine.hooks import environment as hookenv
from nuages.engine.hooks.tools import TOOLS
from nuages.engine.programs import cache_dir, pythons
from tests.e2e.world import World

ROUNDS = 21
EVENTS = ("config-changed", "update-status")

MINIMAL = """\
#!/usr/bin/env python3
import ops


class Minimal(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        for event in (self.on.config_changed, self.on.update_status, self.on.start):
            framework.observe(event, self._reconcile)

    def _reconcile(self, event: ops.EventBase):
        self.unit.status = ops.ActiveStatus()


if __name__ == "__main__":
    ops.main(Minimal)
"""

DISPATCH = """\
#!/bin/sh

JUJU_DISPATCH_PATH="${JUJU_DISPATCH_PATH:-$0}" PYTHONPATH=lib:venv exec ./src/charm.py
"""
"""What charmcraft's plugin `charm` puts into a charm as `dispatch`, site and all; the extension uses that plugin."""


@dataclass(frozen=True)
class Variant:
    """A charm as it is measured: whose unit, in which of its folders."""

    unit: str
    folder: str
    what: str

    def within(self, units: Path) -> Path:
        return units / self.unit.replace("/", "-") / "charm" / self.folder


OURS = Variant("notes/0", ".", "as packed")
COMPILED = Variant("notes/0", "compiled", "with compiled YAML")
USUALLY = Variant("minimal/0", "usual", "a minimal charm as charmcraft packs it, with compiled YAML")
ALIKE = Variant("minimal/0", "alike", "a minimal charm of the same files as ours, started as usual")
STARTED = Variant("minimal/0", ".", "the same, started as ours is")
COMPARED = (
    (COMPILED, USUALLY, "aim 1.0"),
    (OURS, USUALLY, "aim 1.1"),
    (OURS, ALIKE, "aim 1.2"),
    (OURS, STARTED, "what we do beyond starting"),
)


def dispatch(world: World) -> Iterator[str]:
    """one dispatch of this charm against minimal ones with charmcraft's usual dispatch and the same charmcraft.yaml"""
    world.up()
    units = Path(world.environment["XDG_STATE_HOME"]) / "nuages" / "models" / "notes" / "units"
    deploy_minimal(world)
    prepare(units)
    variants = (COMPILED, OURS, USUALLY, ALIKE, STARTED)
    for event in EVENTS:
        rounds = [{each: once(world, each, event) for each in variants} for _ in range(ROUNDS + 1)][1:]
        for ours, other, aim in COMPARED:
            for part, what in ((0, "wall"), (1, "CPU")):
                pairs = [(each[ours][part], each[other][part]) for each in rounds]
                yield (
                    f"{event}, {what}: {statistics.median(mine for mine, _ in pairs):.3f} s {ours.what} against"
                    f" {statistics.median(base for _, base in pairs):.3f} s of {other.what}:"
                    f" {statistics.median(mine / base for mine, base in pairs):.2f} x, {aim}"
                    f" (medians of {ROUNDS} rounds)"
                )
        calls = {each: hook_tool_calls(world, each, units, event) for each in (OURS, USUALLY)}
        yield f"{event}: {calls[OURS]} hook tools, aim at most 20 (the minimal charm: {calls[USUALLY]})"
    world.nuages("remove-application", "minimal")


def deploy_minimal(world: World) -> None:
    """Deploy a charm that sets its status and nothing else, with the same `charmcraft.yaml` and image."""
    minimal = world.project / "minimal"
    (minimal / "src").mkdir(parents=True, exist_ok=True)
    (minimal / "src" / "charm.py").write_text(MINIMAL)
    text = (world.project / "charm" / "charmcraft.yaml").read_text()
    (minimal / "charmcraft.yaml").write_text(re.sub(r"^name: .*$", "name: minimal", text, count=1, flags=re.M))
    packed = world.project / "minimal.charm"
    world.nuages("pack", "--project-dir", str(minimal), "--output", str(packed))
    socket = Path(world.environment["XDG_STATE_HOME"]) / "nuages" / "daemon.sock"
    observed: Any = Client(socket).get("/v1/models/notes/observed")
    image = cache_dir() / "images" / observed["applications"]["notes"]["resources"]["django-app-image"]
    world.nuages("deploy", str(packed), "minimal", "--resource", f"django-app-image={image}")


def prepare(units: Path) -> None:
    """Make the variants: copies of deployed charms in folders beside them."""
    for each in (COMPILED, USUALLY, ALIKE):
        folder = each.within(units)
        shutil.rmtree(folder, ignore_errors=True)
        without = shutil.ignore_patterns("compiled", "usual", "alike", "counted", ".unit-state.db")
        shutil.copytree(folder.parent, folder, ignore=without)
        folder.chmod(0o777)  # the charm's root is another user here, and ops keeps its state there
        if each in {USUALLY, ALIKE}:
            (folder / "dispatch").write_text(DISPATCH)
            (folder / "src" / "charm.py").chmod(0o755)
        if each is USUALLY:
            in_block_style(folder)
        if each is not ALIKE:
            compiled_yaml(folder)
        compile_tree(folder, pythons.find("3.12"))


def in_block_style(charm: Path) -> None:
    """Write a charm's documents as charmcraft does; Nuages writes JSON, which is YAML too."""
    for name in ("metadata.yaml", "config.yaml", "actions.yaml", "manifest.yaml"):
        document = charm / name
        document.write_text(yaml.safe_dump(yaml.safe_load(document.read_text()), sort_keys=False))


def compiled_yaml(charm: Path) -> None:
    """Give a charm PyYAML with its compiled part."""
    version = next((charm / "venv").glob("[Pp]y[Yy][Aa][Mm][Ll]-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    with tempfile.TemporaryDirectory() as directory:
        uv.install(
            "--only-binary", ":all:", f"pyyaml=={version}",
            python=pythons.find("3.12").executable, target=Path(directory), doing="install PyYAML", place="benchmarks",
        )  # fmt: skip
        shutil.copytree(Path(directory) / "yaml", charm / "venv" / "yaml", dirs_exist_ok=True)


def once(world: World, variant: Variant, event: str) -> tuple[float, float]:
    """Seconds (wall, CPU) of one dispatch within one hook context of its own."""
    run = f"cd {variant.folder}; TIMEFORMAT='%R %U %S'; export JUJU_CHARM_DIR=$PWD CHARM_DIR=$PWD"
    said = in_hook(world, variant, f"{run}; time JUJU_DISPATCH_PATH=hooks/{event} ./dispatch >/dev/null 2>&1")
    wall, user, system = map(float, (said.stderr + said.stdout).split()[-3:])
    return wall, user + system


def in_hook(world: World, variant: Variant, script: str) -> Any:
    return world.nuages("exec", "--unit", variant.unit, "--", "bash", "-c", script)


def hook_tool_calls(world: World, variant: Variant, units: Path, event: str) -> int:
    """How many hook tools one dispatch runs: each is wrapped by a script that writes a line."""
    wrapper = variant.within(units) / "counted" / ".wrapper"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\necho "$0" >>/tmp/calls\nexec {hookenv.TOOLS_DIRECTORY}/"${{0##*/}}" "$@"\n')
    wrapper.chmod(0o755)
    for tool in TOOLS:
        link = wrapper.parent / tool
        link.unlink(missing_ok=True)
        link.symlink_to(".wrapper")
    run = f"cd {variant.folder}; rm -f /tmp/calls; export JUJU_CHARM_DIR=$PWD CHARM_DIR=$PWD PATH=$PWD/counted:$PATH"
    run = f"{run}; JUJU_DISPATCH_PATH=hooks/{event} ./dispatch >/dev/null 2>&1"
    return int(in_hook(world, variant, f"{run}; wc -l </tmp/calls").stdout)
