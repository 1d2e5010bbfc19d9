"""The server of the hook tools against clients of every kind."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuages.engine.hooks import server as server_module
from nuages.engine.hooks.server import ToolServer
from nuages.engine.state import Hook
from tests.engine.simulation import World


@pytest.fixture
def world():
    world = World().deploy("one")
    world.pod("one/0")
    world.run()
    return world


def part(kind, value):
    return b"%s%d\n%s" % (kind, len(value), value)


def request(context, *argv, files=()):
    words = b"".join(part(b"a", word.encode()) for word in argv[1:])
    attached = b"".join(part(b"a", word.encode()) + part(b"f", content) for word, content in files)
    return part(b"c", context.encode()) + part(b"t", argv[0].encode()) + words + attached + b".\n"


@asynccontextmanager
async def serving(path, world, hook=None):
    server = ToolServer(path)
    await server.start()
    context = world.context("one/0", hook or Hook("config-changed"))
    try:
        with server.open(context) as number:
            yield server, context, number
    finally:
        await server.stop()


async def send(path, data, *, close=True):
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(data)
        if close:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_calls_are_served_one_after_the_other(tmp_path, world):
    async def work():
        async with serving(tmp_path / "s", world) as (_, context, number):
            ports = [f"{port}/tcp" for port in range(1, 60)]
            replies = await asyncio.gather(
                *(send(tmp_path / "s", request(number, "open-port", port)) for port in ports)
            )
            assert set(replies) == {b"0 0 0\n"}
            assert set(context.unit.ports) == set(ports)
            assert len(context.writes) == len(ports)

    asyncio.run(work())


def test_a_slow_client_holds_up_nobody(tmp_path, world):
    async def work():
        async with serving(tmp_path / "s", world) as (_, _, number):
            whole = request(number, "is-leader", "--format=json")
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            writer.write(whole[:10])
            await writer.drain()
            assert await send(tmp_path / "s", whole) == b"0 5 0\ntrue\n"
            writer.write(whole[10:])
            assert await asyncio.wait_for(reader.read(), 20) == b"0 5 0\ntrue\n"
            writer.close()

    asyncio.run(work())


@pytest.mark.parametrize("wrong", ["", "x", "one/0-config-changed-0000000000000000", "ü"])
def test_another_context_is_refused(tmp_path, world, wrong):
    async def work():
        async with serving(tmp_path / "s", world) as (_, context, _):
            reply = await send(tmp_path / "s", request(wrong, "open-port", "80"))
            assert reply.startswith(b"1 0 ")
            assert b"ERROR no such hook context" in reply
            assert context.writes == []

    asyncio.run(work())


def test_a_context_ends_with_its_hook(tmp_path, world):
    """What a hook left running in the background has no say any more, not even in the next hook."""

    async def work():
        server = ToolServer(tmp_path / "s")
        await server.start()
        try:
            with server.open(world.context("one/0")) as first:
                assert (await send(tmp_path / "s", request(first, "is-leader"))).startswith(b"0 ")
            assert (await send(tmp_path / "s", request(first, "is-leader"))).startswith(b"1 ")
            with server.open(world.context("one/0")) as second:
                assert first != second
                assert (await send(tmp_path / "s", request(first, "is-leader"))).startswith(b"1 ")
        finally:
            await server.stop()
        assert not (tmp_path / "s").exists()

    asyncio.run(work())


def test_a_bug_of_ours_is_an_error_of_the_tool(tmp_path, world, monkeypatch, caplog):
    async def work():
        async with serving(tmp_path / "s", world) as (_, _, number):
            monkeypatch.setattr(server_module, "run", lambda *arguments: 1 / 0)
            reply = await send(tmp_path / "s", request(number, "secret-add", "key=hidden"))
            assert reply.endswith(b"ERROR secret-add: internal error, see the daemon's log\n")

    asyncio.run(work())
    assert "ZeroDivisionError" in caplog.text
    assert "hidden" not in caplog.text


def test_too_large_a_request_is_cut_off(tmp_path, world, monkeypatch):
    monkeypatch.setattr(server_module, "LARGEST", 1000)

    async def work():
        async with serving(tmp_path / "s", world) as (_, _, number):
            assert await send(tmp_path / "s", request(number, "juju-log", "x" * 2000)) == b""
            assert (await send(tmp_path / "s", request(number, "is-leader"))).startswith(b"0 ")

    asyncio.run(work())


def test_the_socket_is_the_owners_and_its_path_may_be_long(tmp_path, world):
    path = tmp_path / ("d" * 100) / ("e" * 100) / "agent.socket"

    async def work():
        async with serving(path, world):
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700
            # what was left by a killed daemon is no obstacle
            async with serving(path, world):
                assert path.is_socket()

    asyncio.run(work())


PARTS = st.one_of(
    st.binary(max_size=20),
    st.builds(part, st.sampled_from([b"c", b"t", b"a", b"i", b"f", b"x", b""]), st.binary(max_size=20)),
    st.sampled_from([b".\n", b"a-1\n", b"a99999999999\n", b"a \n", b"f3\nabc", b"\n", b"x" * 70_000]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(PARTS, max_size=6).map(b"".join), min_size=1, max_size=5))
def test_any_bytes_are_answered_or_cut_off_and_the_next_call_is_served(tmp_path, world, requests):
    async def work():
        failures = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
        async with serving(tmp_path / "s", world) as (_, _, number):
            for data in requests:
                reply = await send(tmp_path / "s", data)
                assert reply == b"" or reply.startswith((b"0 ", b"1 ", b"2 "))
            assert await send(tmp_path / "s", request(number, "is-leader", "--format=json")) == b"0 5 0\ntrue\n"
        assert failures == []

    asyncio.run(work())


def test_bytes_that_are_no_text_arrive_as_replacement_characters(tmp_path, world):
    """Whatever is kept must be text: a database cannot hold half a character."""

    async def work():
        async with serving(tmp_path / "s", world) as (_, context, number):
            data = part(b"c", number.encode()) + part(b"t", b"state-set") + part(b"a", b"k\xff=\xed\xa0\x80") + b".\n"
            assert await send(tmp_path / "s", data) == b"0 0 0\n"
            ((key, value),) = context.unit.memory.items()
            assert (key, set(value)) == ("k\ufffd", {"\ufffd"})
            reply = await send(tmp_path / "s", request(number, "state-get", "--format=json"))
            assert key.encode() in reply

    asyncio.run(work())


def test_the_client_may_leave_before_the_answer(tmp_path, world, caplog):
    async def work():
        async with serving(tmp_path / "s", world) as (_, context, number):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(tmp_path / "s"))
            client.sendall(request(number, "open-port", "80"))
            client.close()
            while not context.unit.ports:
                await asyncio.sleep(0.01)
            assert (await send(tmp_path / "s", request(number, "is-leader"))).startswith(b"0 ")

    asyncio.run(work())
    assert "Traceback" not in caplog.text
