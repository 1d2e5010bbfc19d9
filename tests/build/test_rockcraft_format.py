"""Every rockcraft.yaml that we ship or write is one that rockcraft's published schema accepts."""

import copy

import pytest
import yaml

from nuages.build import init
from tests.build.conftest import EXAMPLE
from tests.build.rockcraft_format import faults

EXAMPLES = EXAMPLE.parent
SHIPPED = sorted(EXAMPLES.rglob("rockcraft.yaml"))
LAYOUTS = sorted(path for path in (EXAMPLES / "layouts").iterdir() if path.is_dir())
GOOD = yaml.safe_load((EXAMPLE / "rockcraft.yaml").read_text())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_examples(path):
    assert faults(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda path: path.name)
def test_what_init_writes(layout):
    [text] = [planned.text for planned in init.prepare(layout, settings=True).files if planned.path == "rockcraft.yaml"]
    assert faults(yaml.safe_load(text)) == []


def test_there_are_examples():
    assert len(SHIPPED) >= 2
    assert len(LAYOUTS) >= 9


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"nme": "x"}, "'nme' is unknown"),
        ({"summary": None}, "summary is missing"),
        ({"name": "Notes"}, "name: 'Notes'"),
        ({"name": "a--b"}, "name: 'a--b'"),
        ({"version": 1.0}, "version is no text"),
        ({"base": "ubuntu:24.04"}, "base: 'ubuntu:24.04'"),
        ({"platforms": {"amd46": None}}, "'amd46' is no architecture"),
        ({"platforms": {"mine": {"build-on": ["amd64"]}}}, "build-for is missing"),
        ({"services": {"a-worker": {"command": "x"}}}, "override is missing"),
        ({"services": {"a-worker": {"command": "x", "override": "new"}}}, "override: 'new'"),
        ({"services": {"a-worker": {"command": "x", "override": "replace", "enviroment": {}}}}, "unknown"),
        ({"services": {"a": {"command": "x", "override": "replace", "environment": {"A": 1}}}}, "is no texts"),
        ({"parts": {"a": {"stage-packages": "libpq5"}}}, "stage-packages is no list"),
    ],
)  # fmt: skip
def test_what_rockcraft_refuses(change, fault):
    document = copy.deepcopy(GOOD)
    assert faults(document) == []
    document.update(change)
    found = faults(document)
    assert len(found) == 1
    assert fault in found[0]
