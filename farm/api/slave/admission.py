"""How many reports are worked on at a time, and how much may wait: the rest is told when to come again.

Thousands of results may arrive in one moment, and each takes memory from its first byte to
its verdict. So few are worked on at a time, others wait in line as bare bytes, and where
the line is full, a slave keeps its result and hears when there will be room: each a moment
after the one before, as fast as reports are worked off.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from farm.words.errors import Crowded

AT_ONCE = 192
"""Reports that are worked on: three transactions full, so that the writer never waits for them."""

ROOM = 24 * 1024 * 1024
"""Bytes of reports that wait or are worked on."""

BESIDE = 12 * 1024
"""Bytes that a report takes beside its own: its request, its call, its place in line."""

_FIRST = 0.002
_WEIGHT = 0.02
"""Of the newest report in the mean time that one takes; it begins with the first, in seconds."""


class Admission:
    """The way in for reports.

    Args:
        longest: seconds after which a slave comes again at the latest.
        at_once: reports that are worked on.
        room: bytes of all that are here.
        clock: seconds that pass.
    """

    def __init__(
        self, longest: float, at_once: int = AT_ONCE, room: int = ROOM, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._longest = longest
        self._free = at_once
        self._room = room
        self._line: deque[asyncio.Future[None]] = deque()
        self._each = _FIRST
        self._left = 0.0
        self._next = 0.0
        self._turned_away = False
        self.bytes = 0

    async def enter(self, size: int) -> Place:
        """Wait until it is this report's turn; who enters must leave.

        Args:
            size: its bytes.

        Raises:
            Crowded: too much waits already. A report that would never fit finds room when nothing else is here.
        """
        size += BESIDE
        if self.bytes and self.bytes + size > self._room:
            self._turned_away = True
            raise Crowded(retry_after=self._later())
        self.bytes += size
        place = Place(self, size)
        if self._free:
            self._free -= 1
        else:
            await self._turn(place)
        return place

    def turned_away(self) -> bool:
        """Tell whether somebody was turned away since this was asked last: silence means nothing then."""
        found, self._turned_away = self._turned_away, False
        return found

    def leave(self, size: int) -> None:
        """Make room for the next one."""
        self.bytes -= size
        self._measure()
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    async def _turn(self, place: Place) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self.bytes -= place.size
            else:  # it was this one's turn already
                place.leave()
            raise

    def _measure(self) -> None:
        now = self._clock()
        if self._line:
            self._each += _WEIGHT * (min(now - self._left, 1.0) - self._each)
        self._left = now

    def _later(self) -> int:
        """Return the whole seconds after which there should be room for one more."""
        now = self._clock()
        self._next = max(self._next, now + self._each * len(self._line)) + self._each
        if self._next > now + self._longest:
            self._next = now + self._each * len(self._line)  # those begin anew with the first
        return max(1, min(math.ceil(self._next - now), math.ceil(self._longest)))


class Place:
    """A report's place among those that are worked on."""

    __slots__ = ("_admission", "_here", "size")

    def __init__(self, admission: Admission, size: int) -> None:
        self._admission = admission
        self._here = True
        self.size = size

    def leave(self) -> None:
        """Leave it; again does nothing."""
        if self._here:
            self._here = False
            self._admission.leave(self.size)
