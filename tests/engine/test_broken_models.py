"""A model that cannot be opened: it says so, keeps nobody else from working, and can be removed."""

import asyncio

import pytest

from nuages.engine.daemon import Daemon
from nuages.engine.errors import EngineError, NotFound


@pytest.fixture
def directory(tmp_path):
    """A state directory with a good model, a damaged one and one that was never finished."""

    async def work():
        daemon = Daemon(tmp_path, {})
        await daemon.open()
        for name in ("good", "bad"):
            assert await daemon.create(name, None)
        await daemon.close()

    asyncio.run(work())
    for path in (tmp_path / "models/bad").glob("model.db*"):
        path.unlink()
    (tmp_path / "models/bad/model.db").write_text("no database" * 500)
    (tmp_path / "models/half").mkdir()
    (tmp_path / "models/half/model.db").touch()
    return tmp_path


def test_it_says_so_and_can_be_removed(directory):
    async def work():
        daemon = Daemon(directory, {})
        await daemon.open()
        assert set(daemon.runners) == {"good"}
        for ask in (lambda: daemon.create("bad", None), lambda: asyncio.to_thread(daemon.runner, "bad")):
            with pytest.raises(EngineError, match=r"cannot open model bad: .*not a database") as caught:
                await ask()
            assert caught.value.fix == "nuages down -m bad --purge"
        await daemon.purge("bad")
        assert not (directory / "models/bad").exists()
        with pytest.raises(NotFound):
            await daemon.purge("bad")
        assert await daemon.create("bad", None)
        assert await daemon.create("half", None)
        await daemon.close()

    asyncio.run(work())
