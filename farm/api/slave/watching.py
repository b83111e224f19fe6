"""Whose renderers' output is read just now.

Readers say so in the event log again and again, so each process hears it, whichever of them the slave calls.
Nothing of it is in a table, and who reads nothing costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from farm.database.reader import Told
from farm.protocol.slaves import Orders, Report

WATCH, LOG = "watch", "log"
"""Kinds of events: who reads, and what was said. Those who follow the log as a whole do not get them."""

AGAIN = 15.0
"""Seconds after which a reader says that it still reads."""

OFTEN = 1.0
"""Seconds between two reports of a slave while somebody reads."""

LASTS = 40.0
"""Seconds for which its word counts."""


class Watching:
    """Knows it in one process.

    Args:
        now: seconds of a clock that nobody sets.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: dict[int, float] = {}

    def hear(self, told: Iterable[Told]) -> None:
        """Hear of events."""
        for event in told:
            if event.kind == WATCH:
                self._until |= dict.fromkeys(event.data.get("attempts", ()), self._now() + LASTS)

    def admitted(self, report: Report) -> Report:
        """Return a report without output that nobody asked for: a slave must not fill the log with it."""
        if not any(one.tail for one in report.running):
            return report
        wanted = self._wanted(report)
        kept = [one if one.attempt in wanted else one.model_copy(update={"tail": ""}) for one in report.running]
        return report.model_copy(update={"running": kept})

    def told(self, orders: Orders, report: Report) -> Orders:
        """Return orders that say what of a report's is watched, beside what a peer's server watches."""
        wanted = self._wanted(report) if self._until else []
        if not wanted:
            return orders
        often = min(OFTEN, orders.heartbeat_seconds)
        return orders.model_copy(update={"watched": [*orders.watched, *wanted], "heartbeat_seconds": often})

    def _wanted(self, report: Report) -> list[int]:
        now = self._now()
        self._until = {attempt: until for attempt, until in self._until.items() if until > now}
        return [one.attempt for one in report.running if one.attempt in self._until]
