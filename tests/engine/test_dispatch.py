"""What a charm's hook is run by."""

import asyncio
from types import SimpleNamespace
from typing import ClassVar

import pytest

from nuages.engine.dispatch import Execution, Outcome
from nuages.engine.state import Hook
from tests.engine.simulation import World


class Ran(Execution):
    """Remembers what would be executed in the pod."""

    argvs: ClassVar[list[list[str]]] = []

    async def command(self, argv):
        self.argvs.append(argv)
        return Outcome(3, stdout="said")


@pytest.mark.parametrize(
    ("files", "program", "via"),
    [
        (["dispatch", "hooks/install"], "dispatch", "hook dispatching script: dispatch"),
        (["hooks/install"], "hooks/install", "explicit, bespoke hook script"),
        (["hooks/start"], "", ""),
    ],
)
def test_dispatch_else_the_hooks_own_file_else_nothing(tmp_path, monkeypatch, files, program, via):
    monkeypatch.setattr(Ran, "argvs", [])
    for name in files:
        path = tmp_path / "charm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    places = SimpleNamespace(unit_directory=lambda unit: tmp_path)
    context = World().deploy("one").context("one/0", Hook("install"))
    outcome = asyncio.run(Ran(places, SimpleNamespace(), SimpleNamespace(), context, print).hook())
    assert (outcome.via, outcome.code, outcome.stdout) == ((via, 3, "said") if program else ("", 0, ""))
    assert [argv[0].partition("/charm/")[2] for argv in Ran.argvs] == ([program] if program else [])
