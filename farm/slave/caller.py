"""The slave's one call, again and again: say what ended and what runs, hear what to do.

While a call hangs and something ends, a newer call is sent beside it; the server then
answers the older one as superseded, and what it says is ignored: each report names the last
answer that was obeyed, so what was leased meanwhile is given again. A call that carries ends
is never overtaken: it is answered at once. Ends that follow each other closely are told
together, unless a slot waits for work: a report costs far more than one more end in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from farm.client.patience import Backoff, named
from farm.protocol.slaves import Orders, Report
from farm.slave.ends import Ends, Words
from farm.slave.link import Link
from farm.slave.retry import AGAIN
from farm.words.errors import Crowded, DistrenError, StaleReport, Unauthenticated

log = structlog.get_logger(__name__)

_TOGETHER = 0.05
"""Seconds after a report with ends in which further ends wait for each other."""

_ODD = 5
"""Answers in a row that make no sense before the slave gives up."""


class Speaker(Protocol):
    """Who knows what to say, and what to do with the answers."""

    def report(self, words: Words) -> Report:
        """Return the report with these ends; `seq`, `heard` and `hold` are filled in later."""
        ...

    def obey(self, orders: Orders) -> None:
        """Do what the server says."""
        ...

    def hungry(self) -> bool:
        """Tell whether leases are wanted so soon that nothing may wait."""
        ...

    def over(self, attempts: list[int]) -> None:
        """Forget attempts whose end the server took."""
        ...

    def changed(self) -> bool:
        """Tell whether to log in anew: what the slave has is not what it logged in with, and it holds nothing."""
        ...

    def offline(self, seconds: float) -> None:
        """Hear for how long the server could not be reached; 0: it is back."""
        ...


class Caller:
    """Calls until it is told to stop.

    Args:
        link: the server.
        ends: what ended.
        speaker: the rest of the slave.
        login: opens the login anew.
    """

    def __init__(self, link: Link, ends: Ends, speaker: Speaker, login: Callable[[], Awaitable[object]]) -> None:
        self._link = link
        self._ends = ends
        self._speaker = speaker
        self._login = login
        self.heartbeat = 5.0
        self._seq = 0
        self._obeyed = 0
        self._news = asyncio.Event()
        self._older: set[asyncio.Task[Orders]] = set()
        self._backoff = Backoff()
        self._told = -_TOGETHER
        self._lost_since: float | None = None
        self._odd = 0
        self._stopped = False

    def nudge(self) -> None:
        """There is something to say that can't wait for the next heartbeat."""
        self._news.set()

    def stop(self) -> None:
        """End after the present call."""
        self._stopped = True
        self.nudge()

    async def run(self) -> None:
        """Call until stopped.

        Raises:
            DistrenError: the server's last word, e.g. that the key is void.
        """
        try:
            while not self._stopped:
                await self.call()
        finally:
            for call in self._older:
                call.cancel()
            await asyncio.gather(*self._older, return_exceptions=True)

    async def call(self) -> None:
        """Call once, with everything that there is to say."""
        await self._gather()
        self._news.clear()
        if self._speaker.changed():
            await self._login()
        words = self._ends.words()
        began = time.monotonic()
        self._told = began if words else self._told
        try:
            orders = await self._ask(words)
        except AGAIN as error:
            await self._lost(error)
        except StaleReport:
            log.debug("A newer report was taken")
        except Unauthenticated as error:
            log.warning("The login is void: logging in again", error=error.message)
            await self._login()
        except DistrenError as error:
            await self._refused(error)
        else:
            self._found()
            if orders is not None and not orders.superseded:
                self._heard(orders, words)
                await self._breathe(orders, words, began)

    async def _gather(self) -> None:
        """Let ends wait for each other that come right after others."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._told + _TOGETHER - time.monotonic()):
                while not (self._stopped or self._speaker.hungry()):
                    self._news.clear()
                    await self._news.wait()

    async def _ask(self, words: Words) -> Orders | None:
        """Send a report; return the answer, or None if there was something newer to say first."""
        # By the clock, so that it also rises over a restart.
        self._seq = max(self._seq + 1, time.time_ns() // 1_000_000)
        report = self._speaker.report(words)
        hold = 0 if self._stopped or words else self.heartbeat
        report = report.model_copy(update={"seq": self._seq, "heard": self._obeyed, "hold": hold})
        call = asyncio.create_task(self._link.next(report))
        if words:
            return await call
        news = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait({call, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
        if call.done():
            return call.result()
        self._older.add(call)
        call.add_done_callback(self._outdated)
        return None

    def _outdated(self, call: asyncio.Task[Orders]) -> None:
        self._older.discard(call)
        if not call.cancelled():
            call.exception()

    def _heard(self, orders: Orders, words: Words) -> None:
        self._obeyed = self._seq
        self.heartbeat = min(60.0, orders.heartbeat_seconds)
        self._speaker.over(self._ends.told(words))
        self._speaker.obey(orders)

    async def _breathe(self, orders: Orders, words: Words, began: float) -> None:
        """Wait a little if the server answers nothing without hanging, as it does while it stops."""
        silent = not (words or orders.leases or orders.revoked or orders.verdicts)
        if silent and not self._stopped and time.monotonic() - began < min(0.2, self.heartbeat / 2):
            await asyncio.sleep(0.2)

    async def _lost(self, error: DistrenError) -> None:
        if isinstance(error, Crowded) and (seconds := named(error)):
            log.debug("The server has no room for a report", seconds=round(seconds, 1))
            await asyncio.sleep(seconds)
            return
        now = time.monotonic()
        if self._lost_since is None:
            self._lost_since = now
            log.warning("The server can't be reached; rendering goes on", error=error.message)
        self._speaker.offline(now - self._lost_since)
        await asyncio.sleep(self._backoff.next())

    def _found(self) -> None:
        self._odd = 0
        self._backoff.reset()
        if self._lost_since is not None:
            log.info("The server is back", seconds=round(time.monotonic() - self._lost_since))
            self._lost_since = None
            self._speaker.offline(0)

    async def _refused(self, error: DistrenError) -> None:
        self._odd += 1
        log.error("The server refused a report", error=error.message, code=error.code)
        if self._odd >= _ODD or error.status in (403, 404):
            raise error
        await asyncio.sleep(self._backoff.next())
