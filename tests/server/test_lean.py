"""A connection that waits takes little, and still waits its turn."""

from __future__ import annotations

import asyncio
import gc
import socket
from pathlib import Path
from urllib.parse import urlsplit

from farm.server.joined import JoinedHttp
from farm.server.lean import Flow, Line
from tests.serving import serving


def test_nothing_is_kept_of_a_connection_outside_its_slots(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        place = urlsplit(served.url)
        with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60) as made:
            made.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert made.recv(65536).startswith(b"HTTP/1.1 200 ")
            kept = [one for one in gc.get_objects() if isinstance(one, JoinedHttp)]
            assert kept
            assert [vars(one) for one in kept] == [{}] * len(kept), "a name of uvicorn's is not in LeanHttp's slots"


def test_requests_that_came_early_have_their_turn_in_order() -> None:
    line = Line()
    for request in "abc":
        line.appendleft(request)
    assert [line.pop() for _ in "abc"] == ["a", "b", "c"]


def test_who_writes_more_than_the_line_takes_waits_for_it() -> None:
    async def story() -> None:
        flow = Flow(asyncio.Transport())
        await asyncio.wait_for(flow.drain(), 10)
        flow.pause_writing()
        waiting = asyncio.create_task(flow.drain())
        assert not (await asyncio.wait([waiting], timeout=0.05))[0]
        flow.resume_writing()
        await asyncio.wait_for(waiting, 10)

    asyncio.run(story())
