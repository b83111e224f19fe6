"""How pretend slaves behave."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from farm.words.states import FailureClass

FAULTS = (FailureClass.SLAVE, FailureClass.SLAVE, FailureClass.SLAVE, FailureClass.FARM)
"""Whose fault failures are, by chance. Not the job's: two of those end a frame, and that is as it should be."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What a pretend slave is like.

    Args:
        slots: frames that it pretends to render at the same time.
        seconds: how long it pretends that a frame takes.
        bytes: the least size of a frame's file.
        method: the render method that it offers.
        ahead: seconds of waiting work per slot below which it asks for more.
        spread: the part of `seconds` by which a frame may take less or more.
        failures: the part of all tries that fail.
        deaths: the part of all frames at which it dies: it loses all, and comes back after `away`.
        late: the part of all frames at which it can't be reached for `away`, and then returns its result.
        away: seconds.
        delay: the most seconds that a message takes, each way.
        speeds: the part by which slaves are slower or faster than others.
    """

    slots: int = 1
    seconds: float = 1.0
    bytes: int = 0
    method: str = "sleep"
    ahead: float = 10.0
    spread: float = 0.0
    failures: float = 0.0
    deaths: float = 0.0
    late: float = 0.0
    away: float = 30.0
    delay: float = 0.0
    speeds: float = 0.0

    def want(self, queued: int) -> int:
        """Return for how many slots leases are wanted when so many frames wait."""
        each = min(1.0, self.seconds / self.ahead)
        return max(0, self.slots - int(queued * each + 1e-9))

    def span(self, dice: Random) -> float:
        """Return the seconds that a frame takes on a slave of speed 1."""
        return self.seconds * dice.uniform(1 - self.spread, 1 + self.spread) if self.spread else self.seconds

    def speed(self, dice: Random) -> float:
        """Return how much faster than others a slave is."""
        return dice.uniform(1 - self.speeds, 1 + self.speeds) if self.speeds else 1.0

    def fate(self, dice: Random) -> str:
        """Return what happens at a frame: `dies`, `late`, `fails`, or nothing of that."""
        chance = dice.random()
        for name, part in (("dies", self.deaths), ("late", self.late), ("fails", self.failures)):
            if chance < part:
                return name
            chance -= part
        return ""
