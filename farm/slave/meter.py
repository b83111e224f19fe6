"""What a renderer uses, looked at now and then: too much of it, or any at all while it has nothing to do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from farm.sandbox.bounds import Bounds
from farm.sandbox.process import Child
from farm.slave.hoard import hoarded
from farm.slave.limits import BUSY

EVERY = 2.0
"""Seconds between two looks."""

PATIENCE = 5
"""Looks in a row at which a renderer that has nothing to do may be found at work."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found.

    Args:
        excess: what is too much, in words; else empty.
        short: it is memory.
        cpu_seconds: used since the last look …
        seconds: … so long ago.
    """

    excess: str
    short: bool
    cpu_seconds: float
    seconds: float

    @property
    def works(self) -> bool:
        """Tell whether it computes: who computes is not hung."""
        return self.cpu_seconds >= BUSY * self.seconds > 0


class Meter:
    """Measures one renderer with all that it started.

    Args:
        child: its process.
        bounds: what it may use.
        folder: the session's own.
    """

    def __init__(self, child: Child, bounds: Bounds, folder: Path) -> None:
        self._child = child
        self._bounds = bounds
        self._folder = folder
        self._at = self._used = 0.0
        self._idly = 0
        self.peak = 0
        """The most memory that was seen since the frame began; bytes."""

    async def look(self, now: float) -> Seen | None:
        """Measure, if it is time to.

        Args:
            now: by a monotonic clock, seconds.
        """
        since = now - self._at
        if since <= EVERY:
            return None
        usage = await self._child.usage()
        excess = self._bounds.exceeded(usage)
        if not excess and (mine := await asyncio.to_thread(hoarded, self._folder, usage.nameless_bytes)):
            excess = f"filled the disk of this slave's work folder: {mine / 1e9:,.1f} GB were its own"
        used, self._used, self._at = usage.cpu_seconds - self._used, usage.cpu_seconds, now
        self.peak = max(self.peak, usage.memory_bytes)
        return Seen(excess, self._bounds.short(usage), used, since)

    async def astray(self, now: float) -> str:
        """Return what a renderer does that it should not while it has nothing to do; else an empty text."""
        seen = await self.look(now)
        if seen is None or seen.excess:
            return seen.excess if seen else ""
        self._idly = self._idly + 1 if seen.works else 0
        return f"computed for {PATIENCE * EVERY:g} s" if self._idly > PATIENCE else ""

    @property
    def nearly_short(self) -> bool:
        """Tell whether it used more than half of the memory that it may."""
        bound = self._bounds.memory_bytes
        return bound is not None and 2 * self.peak > bound
