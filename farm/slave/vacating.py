"""What a slave does when its machine begins to rest, or wakes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from farm.slave.desk import Desk
from farm.slave.events import Events
from farm.slave.held import Stage
from farm.slave.leaving import Leaving
from farm.slave.resting import Resting


class Vacating:
    """Leaves the machine to its owner: gives back what waits at once, and what renders after a while.

    Args:
        desk: the frames here.
        leaving: gives them back.
        events: hears of it.
        seconds: how long frames that render may go on.
        nudge: has the server told.
    """

    def __init__(self, desk: Desk, leaving: Leaving, events: Events, seconds: float, nudge: Callable[[], None]) -> None:
        self._desk = desk
        self._leaving = leaving
        self._events = events
        self._seconds = seconds
        self._nudge = nudge
        self._ending: asyncio.TimerHandle | None = None

    def hear(self, resting: Resting) -> None:
        """Hear that the machine rests from now on, or does not any more."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if resting.reason:
            self._events.say("resting", reason=resting.reason)
            self._leaving.give_back(Stage.QUEUED)
            seconds = 0 if resting.at_once else self._seconds
            self._ending = asyncio.get_running_loop().call_later(seconds, self._make_room)
        else:
            self._events.say("awake again")
        self._nudge()

    def _make_room(self) -> None:
        """Let no frame render on, and no renderer stay open."""
        self._leaving.give_back(Stage.TAKEN, Stage.RENDERING)
        self._desk.dismiss()
