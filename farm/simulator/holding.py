"""The frames that a pretend slave has, from lease to verdict."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from farm.protocol.slaves import Failed, Finished, LeasedFrame, Orders, Report, Running
from farm.simulator.manner import Manner
from farm.words.states import SlaveState

MOST = 64
"""Results in one report."""


@dataclass(slots=True)
class Holding:
    """What waits, what renders, and what ended but is not told yet.

    Args:
        manner: what its slave is like.
        clock: seconds that pass.
    """

    manner: Manner
    clock: Callable[[], float] = time.monotonic
    queue: deque[LeasedFrame] = field(default_factory=deque)
    running: dict[int, float] = field(default_factory=dict)
    ended: dict[int, Finished | Failed] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def want(self) -> int:
        """For how many slots leases are wanted."""
        return self.manner.want(len(self.queue))

    def report(self, seq: int, hold: float, heard: int = 0) -> Report:
        """Return what is to be said now; ends are told before anything hangs."""
        told = list(self.ended.values())[:MOST]
        now = self.clock()
        return Report(
            seq=seq,
            heard=heard,
            hold=0 if told else hold,
            want=self.want,
            state=SlaveState.RENDERING if self.running else SlaveState.IDLE,
            running=[Running(attempt=a, seconds=max(0.0, now - began)) for a, began in self.running.items()],
            holding=[frame.attempt for frame in self.queue],
            finishing=list(self.ended)[MOST:],
            finished=[end for end in told if isinstance(end, Finished)],
            failed=[end for end in told if isinstance(end, Failed)],
        )

    def take(self, orders: Orders) -> None:
        """Do what the server says."""
        gone = set(orders.revoked)
        if gone:
            self.queue = deque(frame for frame in self.queue if frame.attempt not in gone)
            for attempt in gone:
                self.running.pop(attempt, None)
        known = {frame.attempt for frame in self.queue} | self.running.keys() | self.ended.keys()
        for lease in orders.leases:
            self.queue.extend(frame for frame in lease.frames if frame.attempt not in known)
        for verdict in orders.verdicts:
            end = self.ended.pop(verdict.attempt, None) if verdict.verdict != "again" else None
            if isinstance(end, Failed):
                self.failed += 1
            elif end is not None and verdict.verdict == "accepted":
                self.accepted += 1
            elif end is not None:
                self.refused += 1

    def forget(self) -> None:
        """Lose everything, as a machine does that loses its power."""
        self.queue.clear()
        self.running.clear()
        self.ended.clear()
