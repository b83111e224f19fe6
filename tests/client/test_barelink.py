"""The pretend slaves' own HTTP: what a server or the way says arrives as our errors."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from farm.client.barelink import BareLink
from farm.protocol.slaves import Hardware, Offer, Report, SlaveLogin
from farm.words.errors import DistrenError, Unauthenticated, Unavailable, Unreachable, WrongPassphrase
from tests.serving import serving


def login(key: str, password: str) -> SlaveLogin:
    machine = Hardware(cores=1, memory_bytes=2**30)
    offers = [Offer(method="sleep")]
    return SlaveLogin(key=key, password=SecretStr(password), version="1", slots=1, hardware=machine, offers=offers)


@pytest.mark.timeout(90)
def test_a_server_refuses_a_bare_slave_in_the_same_words_as_others(tmp_path: Path) -> None:
    async def talk(url: str, key: str, password: str) -> None:
        link = BareLink(url)
        with pytest.raises(Unauthenticated):
            await link.next(Report(seq=1))
        with pytest.raises(WrongPassphrase):
            await link.login(login(key, "wrong"))
        await link.login(login(key, password))
        hanging = asyncio.create_task(link.next(Report(seq=2, hold=30)))
        await asyncio.to_thread(until_it_hangs)
        second = await link.next(Report(seq=3))
        assert ((await hanging).superseded, second.superseded) == (True, False)
        await link.logout()
        await link.close()

    def until_it_hangs() -> None:
        # Each call has a connection of its own: the older one must have come first.
        while "distren_hanging_calls 1.0" not in served.http.get("/metrics").text:
            time.sleep(0.01)

    with serving(tmp_path / "data") as served:
        made = served.admin().make_slave_key("ws01")
        asyncio.run(talk(served.url, made.key, made.password))


def answering(said: bytes) -> type[DistrenError] | None:
    """Return what a call raises that is answered with these bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    async def talk() -> type[DistrenError] | None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            link = BareLink(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            try:
                await link.next(Report(seq=1))
            except DistrenError as error:
                return type(error)
            finally:
                await link.close()
            return None

    return asyncio.run(talk())


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"what?\r\n\r\n"],
    ids=["nothing", "half a head", "half a body", "no HTTP"],
)
def test_an_answer_that_breaks_off_is_worth_another_try(said: bytes) -> None:
    assert answering(said) is Unavailable


def test_an_answer_that_is_no_problem_of_ours_keeps_its_status() -> None:
    assert answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nsorry") is Unavailable
    assert answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") is None


def test_where_nobody_listens_the_server_is_unreachable() -> None:
    async def talk() -> None:
        with pytest.raises(Unreachable):
            await BareLink("http://127.0.0.1:1").next(Report(seq=1))

    asyncio.run(talk())
