"""How a slave ends: told once, it finishes what renders; told twice, it gives all back at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from farm.slave.caller import Caller
from farm.slave.desk import Desk
from farm.slave.ends import Ends
from farm.slave.events import Events
from farm.slave.held import Stage

PATIENCE = 10.0
"""Seconds that the last words may take to get out."""


class Leaving:
    """The end of a slave.

    Args:
        desk: the frames here.
        ends: what the server is to be told.
        caller: tells it.
    """

    def __init__(self, desk: Desk, ends: Ends, caller: Caller, events: Events) -> None:
        self.told = asyncio.Event()
        self.now = asyncio.Event()
        self._desk = desk
        self._ends = ends
        self._caller = caller
        self._events = events

    async def leave(self, calling: asyncio.Task[None], slots: list[asyncio.Task[None]]) -> None:
        """Bring everything to its end: slots, results, the last report.

        Args:
            calling: the caller's task.
            slots: the slots' tasks.
        """
        self._events.say("stopping", rendering=len(self._desk.in_stage(Stage.RENDERING)))
        self.give_back(Stage.QUEUED)
        self._desk.close()
        self._caller.nudge()
        now = asyncio.create_task(self.now.wait())
        working = asyncio.create_task(_all(slots))
        ends: set[asyncio.Future[Any]] = {working, now, calling}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            await self._flush(calling)
        finally:
            now.cancel()
            working.cancel()
        self._caller.stop()
        await asyncio.wait({calling}, timeout=PATIENCE)

    async def _flush(self, calling: asyncio.Task[None]) -> None:
        """Wait until the server took everything that is rendered, or until nobody wants to wait."""
        end: float | None = None
        while (self._desk.held or len(self._ends)) and not calling.done():
            if self.now.is_set() and end is None:
                end = time.monotonic() + PATIENCE
                self.give_back(Stage.TAKEN, Stage.RENDERING)
            if end is not None and time.monotonic() > end:
                self._events.warn("results stay here until the next start", results=len(self._desk.held))
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await asyncio.shield(calling)

    def give_back(self, *stages: Stage) -> None:
        """Give back the frames in these stages, and stop the work on them."""
        frames = self._desk.in_stage(*stages)
        self._ends.give_back(frame.attempt for frame in frames)
        for frame in frames:
            self._desk.revoke(frame.attempt)
        if frames:
            self._events.say("giving frames back", frames=len(frames))
            self._caller.nudge()


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)
