"""All frames that this slave holds, and the queue that its slots take them from.

One queue for all slots: so no slot idles while another has frames waiting. A slot takes
frames of the job that it has open first, which spares it opening another.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection

from farm.protocol.slaves import Lease
from farm.slave.held import Held, Stage, held

PATIENCE = 60.0
"""Seconds after which a frame goes first, though another job is open."""


class Desk:
    """The frames on this slave by attempt.

    Args:
        taken: called when a slot took a frame, which makes the queue shorter.
        opened: returns the jobs that slots have open.
    """

    def __init__(self, taken: Callable[[], None] = lambda: None, opened: Callable[[], set[int]] = set) -> None:
        self._taken = taken
        self.opened = opened
        self.held: dict[int, Held] = {}
        self.closed = False
        self.resting = False
        self._queue: deque[Held] = deque()
        self._changed = asyncio.Event()
        self._dismissals = 0

    @property
    def queued(self) -> list[Held]:
        """The frames that wait for a slot, in order."""
        return list(self._queue)

    def put(self, frame: Held) -> None:
        """Hold a frame that needs no slot."""
        self.held[frame.attempt] = frame

    def add(self, lease: Lease) -> list[Held]:
        """Take in a lease; return the frames that are new."""
        fresh = [held(lease, f) for f in lease.frames if f.attempt not in self.held]
        for frame in fresh:
            self.put(frame)
            self._queue.append(frame)
        self._changed.set()
        return fresh

    async def take(
        self, job: int | None, patience: float | None = None, kinds: Collection[str] = ("cpu",), name: str = ""
    ) -> Held | None:
        """Wait for a frame and take it.

        Args:
            job: the job that the slot has open.
            patience: seconds to wait at most; None: for ever.
            kinds: the words of leases that the slot takes: `cpu`, or those of its graphics card.
            name: the parameter set that the slot has open.

        Returns:
            The frame; None if the time is up, the desk is closed, or who waits is sent away.
        """
        dismissals = self._dismissals
        end = None if patience is None else time.monotonic() + patience
        while not self.closed:
            if frame := self._pick(job, kinds, name):
                frame.stage = Stage.TAKEN
                self._taken()
                return frame
            self._changed.clear()
            if dismissals != self._dismissals or not await self._change(end):
                return None
        return None

    async def _change(self, end: float | None) -> bool:
        try:
            async with asyncio.timeout(None if end is None else end - time.monotonic()):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _pick(self, job: int | None, kinds: Collection[str], name: str) -> Held | None:
        mine = [] if self.resting or not kinds else [f for f in self._queue if not f.slot or f.slot in kinds]
        free = [f for f in mine if not f.in_order or self._follows(f, job)]
        if not free:
            return None
        first = free[0]
        if job is not None and time.monotonic() - first.since < PATIENCE:
            open_here = [f for f in free if f.job == job]
            first = next((f for f in open_here if f.set == name), next(iter(open_here), first))
        self._queue.remove(first)
        return first

    def _follows(self, frame: Held, job: int | None) -> bool:
        """Tell whether a slot may go on with a job in order: the one that has it open, and only when none is at it."""
        busy = any(f.job == frame.job for f in self.in_stage(Stage.TAKEN, Stage.RENDERING))
        return not busy and (job == frame.job or frame.job not in self.opened())

    def drop(self, attempt: int) -> Held | None:
        """Forget a frame; return it if it was here."""
        frame = self.held.pop(attempt, None)
        if frame is not None and frame.stage is Stage.QUEUED:
            self._queue.remove(frame)
        return frame

    def revoke(self, attempt: int) -> Held | None:
        """Forget a frame and stop the work on it at once."""
        frame = self.drop(attempt)
        if frame is not None:
            frame.revoked = True
            if frame.abort:
                frame.abort()
        return frame

    def rest(self, resting: bool) -> None:
        """Give slots no more frames, or give them again."""
        self.resting = resting
        self._changed.set()

    def dismiss(self) -> None:
        """Send away who waits for a frame: open renderers hold on to files."""
        self._dismissals += 1
        self._changed.set()

    def close(self) -> None:
        """Send the slots home when their frames are done."""
        self.closed = True
        self._changed.set()

    def in_stage(self, *stages: Stage) -> list[Held]:
        """Return the frames that are in one of these stages."""
        return [f for f in self.held.values() if f.stage in stages]
