"""Following a server that goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from farm.client import sse
from farm.words.errors import Unavailable, Unreachable


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def told(number: int) -> bytes:
    event = f'{{"kind":"job","at":"2026-11-25T12:00:00Z","job":{number},"slave":null,"data":{{}}}}'
    return f"id: 1:{number}\ndata: {event}\n\n".encode()


def away() -> httpx.Response:
    return httpx.Response(503, json={"code": "database_away", "title": "away", "detail": "Away.", "status": 503})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sse, "time", clock)
    return clock


def test_a_server_that_was_quiet_for_hours_and_then_is_away_for_minutes_is_followed_on(clock: Clock) -> None:
    since: list[str | None] = []

    def quiet_for_long() -> Iterator[bytes]:
        yield told(1)
        for _ in range(1000):
            clock.now += 15
            yield b": nothing\n"

    def answer(request: httpx.Request) -> httpx.Response:
        since.append(request.headers.get("Last-Event-ID"))
        if len(since) == 1:
            return httpx.Response(200, content=quiet_for_long())
        if clock.now < 15_000 + 500:
            if len(since) % 2:
                raise httpx.ConnectError("refused")
            return away()
        return httpx.Response(200, content=told(2))

    with httpx.Client(base_url="http://farm", transport=httpx.MockTransport(answer)) as http:
        heard = sse.events(http, "http://farm", {}, None)
        assert [next(heard).job, next(heard).job] == [1, 2]
    assert since[0] is None
    assert set(since[1:]) == {"1:1"}, "it goes on where it was"


@pytest.mark.parametrize("refused", [True, False])
def test_a_server_that_does_not_come_back_is_given_up(clock: Clock, refused: bool) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        if refused:
            raise httpx.ConnectError("refused")
        return away()

    with (
        httpx.Client(base_url="http://farm", transport=httpx.MockTransport(answer)) as http,
        pytest.raises((Unreachable, Unavailable)),
    ):
        next(sse.events(http, "http://farm", {}, None))
    assert clock.now > sse.PATIENCE
