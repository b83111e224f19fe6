"""Slaves' calls that hang: who waits, who is woken, and that a newer call ends the older.

Waking all of thousands at each event would drown the writer, so those who look for work
are woken a few at a time, those first who have a slot idle: one who got something wakes the
next two, and one who got nothing the next one, until :data:`FRUITLESS` in a row did.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from farm.database.reader import Told
from farm.words.states import FrameState, JobState

TOGETHER = 8
"""How many look for work at the same time, before one of them found some."""

MOST = 64
"""How many do while each finds some: a transaction full."""

FRUITLESS = 64
"""After so many in a row got nothing, the others are left to sleep: their next heartbeat is near."""

_STOPS = frozenset({JobState.CANCELED, JobState.DELETED, JobState.PAUSED, JobState.FAILED})
_STARTS = frozenset({JobState.QUEUED, JobState.RENDERING})


@dataclass(eq=False, slots=True)
class Call:
    """One hanging call.

    Args:
        slave: the id of the slave's row.
        name: the slave's name, as events say it.
        wants: it wants leases.
        holds: it has attempts, so it may get revocations.
        idle: it has a slot with nothing to do; others that want leases look ahead.
        age: which news it knew when it looked last.
    """

    slave: int
    name: str
    wants: bool
    holds: bool
    idle: bool = False
    superseded: bool = False
    age: int = 0
    _woken: bool = False
    _sleeper: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Make the call look again."""
        self._woken = True
        _end(self._sleeper)

    async def sleep(self, seconds: float) -> bool:
        """Wait to be woken; tell whether that happened within the time."""
        if not self._woken:
            loop = asyncio.get_running_loop()
            self._sleeper = loop.create_future()
            alarm = loop.call_later(max(seconds, 0), _end, self._sleeper)
            try:
                await self._sleeper
            finally:
                alarm.cancel()
                self._sleeper = None
        woken, self._woken = self._woken, False
        return woken


def _end(sleeper: asyncio.Future[None] | None) -> None:
    if sleeper is not None and not sleeper.done():
        sleeper.set_result(None)


class Polls:
    """All hanging calls of this process."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        self._idle: OrderedDict[Call, None] = OrderedDict()
        self._ahead: OrderedDict[Call, None] = OrderedDict()
        self._looking: set[Call] = set()
        self._fruitless = 0
        self._width = TOGETHER
        self._news = 0
        self.stopped = False

    def __len__(self) -> int:
        return len(self._calls)

    def begin(self, call: Call) -> None:
        """Take a slave's new call; the older one, if there is one, ends now."""
        older = self._calls.get(call.name)
        if older is not None:
            older.superseded = True
            self._forget(older)
            older.wake()
        self._calls[call.name] = call

    def end(self, call: Call) -> None:
        """Forget a call that is answered."""
        self._forget(call)
        if self._calls.get(call.name) is call:
            del self._calls[call.name]

    def look(self, call: Call) -> None:
        """Note that a call looks for work now: what happens from here on, it may have missed."""
        call.age = self._news

    def hang(self, call: Call) -> None:
        """Put a call that found nothing to sleep; it is woken when there may be something."""
        if call in self._looking:
            self._looking.discard(call)
            self._fruitless += 1
            self._width = TOGETHER
            self._next()
        if call.wants and not call.superseded:
            line = self._idle if call.idle else self._ahead
            line[call] = None
            if call.age != self._news:
                line.move_to_end(call, last=False)
                self._next()

    def served(self, call: Call) -> None:
        """Note that a call got something: there may be more for others."""
        if call in self._looking:
            self._looking.discard(call)
            self._fruitless = 0
            self._width = min(self._width + 1, MOST)
            self._next()

    def stop(self) -> None:
        """Answer all at once: the server stops."""
        self.stopped = True
        self._wake(list(self._calls.values()))

    def hear(self, told: list[Told]) -> None:
        """Wake those whom events may concern."""
        for event in told:
            if event.kind == "slave":
                self._wake(self._calls[name] for name in [event.slave] if name in self._calls)
            elif event.kind == "job" and event.data.get("state") in _STOPS:
                self._wake(c for c in list(self._calls.values()) if c.holds)
        if any(map(may_give_work, told)):
            self._news += 1
            self._fruitless = 0
            self._next()

    def renew(self) -> None:
        """Let all who wait for work look once more, a few at a time: it may be for others now.

        Nobody can tell for whom, so that some who find nothing are no reason to let the others sleep.
        """
        self._news += 1
        self._fruitless = -len(self._calls)
        self._next()

    def _next(self) -> None:
        while (line := self._idle or self._ahead) and len(self._looking) < self._width and self._fruitless < FRUITLESS:
            call, _ = line.popitem(last=False)
            self._looking.add(call)
            call.wake()

    def _forget(self, call: Call) -> None:
        self._idle.pop(call, None)
        self._ahead.pop(call, None)
        if call in self._looking:
            self._looking.discard(call)
            self._next()

    def _wake(self, calls: Iterable[Call]) -> None:
        for call in calls:
            call.wake()


def may_give_work(event: Told) -> bool:
    """Tell whether an event may make a frame leasable, or admit a slave to one."""
    if event.kind == "frames":
        return FrameState.READY in event.data.get("ranges", {})
    if event.kind == "job":
        return event.data.get("state", JobState.QUEUED) in _STARTS
    return event.kind == "reset"
