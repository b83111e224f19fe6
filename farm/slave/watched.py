"""What renderers say, told while somebody reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from farm.protocol.slaves import MOST_OF_TAIL, Running
from farm.slave.held import Held


class Watched:
    """Knows whose output is read, and how much of it was told."""

    def __init__(self) -> None:
        self._told: dict[int, int] = {}

    def watch(self, attempts: Collection[int]) -> None:
        """Hear which attempts are watched from now on; who is not any more begins anew when it is again."""
        self._told = {attempt: self._told.get(attempt, 0) for attempt in attempts}

    def running(self, frames: Iterable[Held]) -> list[Running]:
        """Return what the server hears of frames that render."""
        return [self._with_tail(frame) if frame.attempt in self._told else frame.running() for frame in frames]

    def _with_tail(self, frame: Held) -> Running:
        running = frame.running()
        if frame.log is None:
            return running
        at, text, end = frame.log.since(self._told[frame.attempt], MOST_OF_TAIL)
        self._told[frame.attempt] = end
        return running.model_copy(update={"tail": text, "tail_at": at})
