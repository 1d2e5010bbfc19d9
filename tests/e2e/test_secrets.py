"""No secret value of a whole run is anywhere but in its places: looked for in what is printed, kept and started."""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.test_background import environment
from tests.e2e.world import EXAMPLE, World, eventually

pytestmark = pytest.mark.slow

CANARY = "canary/4711+ä?=leak"
TOKEN = "t0ken/with+every=kind&of %char"

PLACES = re.compile(
    r"""models/\w+/(
        model\.db(-wal|-shm)?                                                    # the engine's store
        | pods/[\w-]+/containers/[\w-]+/.*(gunicorn\.conf\.py|\.pebble\.state|/layers/.*)   # the workload's own files
    )$""",
    re.VERBOSE,
)
"""Files below the state folder, which only its owner may enter, that hold secrets because that is what they are for."""

COMMANDS = (
    ("status",),
    ("status", "--format", "json"),
    ("changes",),
    ("changes", "--format", "json"),
    ("debug-log", "-n", "100000", "--level", "DEBUG"),
    ("logs", "jobs", "-n", "100000"),
    ("logs", "postgresql-k8s", "-n", "100000"),
    ("logs", "traefik-k8s", "-n", "100000"),
    ("env", "jobs"),
    ("env", "jobs", "--explain"),
    ("env", "jobs", "--format", "json"),
    ("config", "jobs", "--format", "json"),
    ("secrets", "--format", "json"),
    ("models", "--format", "json"),
)


def forms(value: str) -> set[bytes]:
    """How a value may look in a text: plain, escaped as JSON or in a URL, in base64 at each of three offsets."""
    raw = value.encode()
    found = {raw, json.dumps(value)[1:-1].encode(), urllib.parse.quote(value, safe="").encode()}
    found |= {urllib.parse.quote(value).encode(), urllib.parse.quote_plus(value).encode()}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        found.add(text[4 if shift else 0 : -4])  # the first and last letters depend on what stands beside
    return {form for form in found if len(form) >= 8}


class Watch:
    """Sees the arguments of every process while it is open."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.wait(0.02):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(entry.read_bytes())
                except OSError:
                    continue

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


@pytest.fixture(scope="module")
def lived(home: Path) -> Iterator[tuple[World, Watch, dict[str, str]]]:
    """The example after a life with every kind of secret; the watch; the values by name."""
    with world_of(EXAMPLE.parent / "jobs", home) as world, Watch() as watch:
        world.up()
        world.nuages("model-config", "logging-config=<root>=TRACE")  # from here on all of it is in the log
        values: dict[str, str] = {}

        def note(when: str) -> None:
            for name, value in environment(world, "jobs/0", "work").items():
                if name in {"DJANGO_SECRET_KEY", "POSTGRESQL_DB_PASSWORD", "DJANGO_PARTNER_TOKEN"}:
                    values[f"{name} {when}"] = value

        note("at first")
        content = world.project / "partner.yaml"
        content.write_text(json.dumps({"user": "joe", "token": TOKEN}))
        uri = world.nuages("add-secret", "partner", "--file", str(content)).stdout.strip()
        content.unlink()
        world.nuages("config", "jobs", f"partner={uri}")
        world.nuages("grant-secret", "partner", "jobs")
        world.nuages("config", "jobs", "every=5")
        eventually("the token", lambda: "DJANGO_PARTNER_TOKEN" in environment(world, "jobs/0", "work"), seconds=30)
        note("with the partner")
        world.nuages("run", "jobs/0", "rotate-secret-key")
        world.nuages("remove-relation", "jobs:postgresql", "postgresql-k8s")
        world.nuages("integrate", "jobs:postgresql", "postgresql-k8s")
        world.becomes("jobs/0", "active")
        note("in the end")
        yield world, watch, values


def test_the_life_had_secrets(lived: tuple[World, Watch, dict[str, str]]):
    _, _, values = lived
    assert values["DJANGO_PARTNER_TOKEN in the end"] == TOKEN
    assert len(set(values.values())) >= 5, sorted(values)


def test_nothing_printed_shows_one(lived: tuple[World, Watch, dict[str, str]]):
    world, _, values = lived
    world.nuages("exec", "--unit", "jobs/0", "--", "juju-log", CANARY)
    changes = [row["id"] for row in json.loads(world.nuages("changes", "--format", "json").stdout)]
    printed = {command: world.nuages(*command).stdout.encode() for command in COMMANDS}
    printed |= {("change", each): world.nuages("change", each).stdout.encode() for each in changes}
    printed |= {
        ("change-json", each): world.nuages("change", each, "--format", "json").stdout.encode() for each in changes
    }
    assert any(form in text for text in printed.values() for form in forms(CANARY)), "the search finds nothing at all"
    leaks = [
        (command, name)
        for command, text in printed.items()
        for name, value in values.items()
        if any(form in text for form in forms(value))
    ]
    assert not leaks


def test_no_process_was_given_one(lived: tuple[World, Watch, dict[str, str]]):
    world, watch, values = lived
    world.nuages("exec", "--unit", "jobs/0", "--", "sh", "-c", f"sleep 1; : '{CANARY}'")
    seen = watch.seen.copy()  # it goes on watching
    assert any(form in line for line in seen for form in forms(CANARY)), "the search finds nothing at all"
    leaks = {
        (line.split(b"\0")[0], name)
        for line in seen
        for name, value in values.items()
        if any(form in line for form in forms(value))
    }
    assert not leaks


def test_no_file_has_one_that_is_not_its_place(lived: tuple[World, Watch, dict[str, str]]):
    world, _, values = lived
    state = Path(world.environment["XDG_STATE_HOME"]) / "nuages"
    assert state.stat().st_mode & 0o077 == 0
    (state / "canary").write_text(json.dumps({"value": CANARY}))
    wanted = {name: forms(value) for name, value in values.items()} | {"the canary": forms(CANARY)}
    found: set[tuple[str, str]] = set()
    for path in (*state.rglob("*"), *world.project.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        data = path.read_bytes()
        found |= {
            (str(path.relative_to(state.parents[1])), name)
            for name, any_of in wanted.items()
            if any(form in data for form in any_of)
        }
    (state / "canary").unlink()
    assert ("s/nuages/canary", "the canary") in found, "the search finds nothing at all"
    found = {entry for entry in found if entry[1] != "the canary"}
    places = {entry for entry in found if PLACES.search(entry[0].removeprefix("s/nuages/"))}
    assert places, "not even their places have them"
    assert not found - places
