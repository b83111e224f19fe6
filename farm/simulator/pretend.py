"""One pretend slave: the talk of a real one, without processes and renderers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from functools import partial
from typing import Protocol

from pydantic import SecretStr

from farm import __version__
from farm.client.barelink import BareLink
from farm.client.patience import named
from farm.protocol.slaves import Failed, Finished, Hardware, LeasedFrame, Offer, Orders, SlaveLogin
from farm.simulator.holding import Holding
from farm.simulator.manner import FAULTS, Manner
from farm.simulator.network import Cable, Network
from farm.simulator.pictures import packed
from farm.words.errors import SlaveBusyElsewhere, StaleReport, Unavailable, Unreachable

_OLDER = 4
"""Overtaken calls that may still be on their way."""


class Watcher(Protocol):
    """Who compares what slaves sent and were told with what comes out."""

    def returned(self, job: int, frame: int, attempt: int, content: str) -> None:
        """Hear the hash of a file that a slave returns."""

    def accepted(self, job: int, frame: int, attempt: int) -> None:
        """Hear that a result counts."""


class PretendSlave:
    """Lease, wait, return; until it is told to stop.

    Args:
        server: the server's address.
        key: its slave key.
        password: the key's password.
        manner: what it is like.
        seed: of its chance.
        cable: what of the network it shares with others.
        watcher: is told of results.
        verify: how the server's certificate is checked.
    """

    def __init__(
        self,
        server: str,
        key: str,
        password: str,
        manner: Manner,
        seed: str = "",
        cable: Cable | None = None,
        watcher: Watcher | None = None,
        verify: bool | str = True,
    ) -> None:
        self._link = BareLink(server, verify)
        self._dice = random.Random(seed or key)
        self._network = Network(self._dice, manner.delay, cable)
        self._speed = manner.speed(self._dice)
        self._watcher = watcher
        self._places: dict[int, tuple[int, int]] = {}
        self._dead = asyncio.Event()
        self._login = SlaveLogin(
            key=key,
            password=SecretStr(password),
            version=__version__,
            slots=manner.slots,
            hardware=Hardware(cores=manner.slots, memory_bytes=2**30),
            offers=[Offer(method=manner.method)],
        )
        self.holding = Holding(manner)
        self.calls = 0
        self._heartbeat = 5.0
        self._seq = 0
        self._heard = 0
        self._asked = 0
        self._news = asyncio.Event()
        self._work = asyncio.Event()
        self._calls: set[asyncio.Task[Orders]] = set()

    async def enter(self) -> None:
        """Log in."""
        welcome = await self._link.login(self._login)
        self._heartbeat = welcome.heartbeat_seconds

    async def arrive(self) -> None:
        """Log in, as soon as the server takes it."""
        while True:
            try:
                await self.enter()
            except (SlaveBusyElsewhere, Unavailable, Unreachable) as error:
                await asyncio.sleep(named(error) or 1.0)
            else:
                return

    async def run(self) -> None:
        """Work until cancelled; then log out. It may die in between, and come back.

        Raises:
            DistrenError: the server's last word.
        """
        try:
            while True:
                await self._live()
                await self._come_back()
        finally:
            with contextlib.suppress(Unavailable, Unreachable):
                await self._link.logout()
            await self._link.close()

    async def _live(self) -> None:
        """Work until death."""
        self._dead.clear()
        talk, death = asyncio.create_task(self._talk()), asyncio.create_task(self._dead.wait())
        slots = [asyncio.create_task(self._slot()) for _ in range(self.holding.manner.slots)]
        try:
            await asyncio.wait({talk, death}, return_when=asyncio.FIRST_COMPLETED)
            if talk.done():
                talk.result()
        finally:
            tasks = [talk, death, *slots, *self._calls]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _come_back(self) -> None:
        """Begin anew, with nothing left, after a while."""
        self.holding.forget()
        self._places.clear()
        await self._link.close()
        await asyncio.sleep(self.holding.manner.away)
        await self.arrive()

    async def _talk(self) -> None:
        while True:
            await self._call()

    async def _call(self) -> None:
        self._news.clear()
        self._seq = max(self._seq + 1, time.time_ns() // 1_000_000)
        report = self.holding.report(self._seq, self._heartbeat, self._heard)
        self._asked, self.calls = report.want, self.calls + 1
        call = asyncio.create_task(self._network.carry(partial(self._link.next, report)))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        if not (report.finished or report.failed) and not await self._first(call):
            return
        try:
            orders = await call
        except (Unavailable, Unreachable) as error:
            await asyncio.sleep(named(error) or random.uniform(0.1, 0.5))
        except StaleReport:
            return
        else:
            self._obey(orders)

    async def _first(self, call: asyncio.Task[Orders]) -> bool:
        """Tell whether the answer came before there was something newer to say."""
        news = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait({call, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
        if call.done():
            return True
        if len(self._calls) > _OLDER:
            await asyncio.wait(self._calls, return_when=asyncio.FIRST_COMPLETED)
        return False

    def _ended(self, call: asyncio.Task[Orders]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()

    def _obey(self, orders: Orders) -> None:
        if orders.superseded:
            return
        self._heard = self._seq
        self._note(orders)
        self.holding.take(orders)
        if self.holding.queue:
            self._work.set()

    async def _slot(self) -> None:
        while True:
            while not self.holding.queue:
                self._work.clear()
                await self._work.wait()
            await self._render(self.holding.queue.popleft())

    def _note(self, orders: Orders) -> None:
        """Tell who watches which results count."""
        if self._watcher is None:
            return
        for lease in orders.leases:
            self._places |= {frame.attempt: (lease.job, frame.number) for frame in lease.frames}
        for verdict in orders.verdicts:
            if verdict.verdict == "accepted" and isinstance(self.holding.ended.get(verdict.attempt), Finished):
                self._watcher.accepted(*self._places.pop(verdict.attempt), verdict.attempt)

    async def _render(self, frame: LeasedFrame) -> None:
        holding, began = self.holding, time.monotonic()
        fate = holding.manner.fate(self._dice)
        holding.running[frame.attempt] = began
        if holding.want > self._asked:
            self._news.set()
        if holding.manner.seconds:
            await asyncio.sleep(holding.manner.span(self._dice) / self._speed)
        if fate == "dies":
            self._dead.set()
            await asyncio.Event().wait()
        if holding.running.pop(frame.attempt, None) is None:
            return  # taken back meanwhile
        if fate == "late":
            self._network.away(holding.manner.away)
        seconds = time.monotonic() - began
        holding.ended[frame.attempt] = self._fails(frame, seconds) if fate == "fails" else self._ok(frame, seconds)
        self._news.set()
        if not holding.manner.seconds:
            await asyncio.sleep(0)

    def _ok(self, frame: LeasedFrame, seconds: float) -> Finished:
        result = packed(frame.picture, frame.attempt, size=self.holding.manner.bytes)
        if self._watcher is not None:
            self._watcher.returned(*self._places[frame.attempt], frame.attempt, result.content)
        return Finished(
            attempt=frame.attempt, sha256=result.sha256, inline=result.inline, seconds=seconds, cpu_seconds=seconds
        )

    def _fails(self, frame: LeasedFrame, seconds: float) -> Failed:
        fault = self._dice.choice(FAULTS)
        return Failed(attempt=frame.attempt, failure_class=fault, message="It was to fail.", seconds=seconds)
