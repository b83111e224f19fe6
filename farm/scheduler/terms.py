"""How an admin wants the farm shared. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from farm.words.clock import SECOND

HALF_LIFE = 3600 * SECOND
"""µs after which work counts half."""

UNSERVED = 600 * SECOND
"""µs without a lease after which a waiting user is next, whatever they had before."""

WEIGHT = 0.5
"""How much ten times as many points add to a user's weight."""

ERA = 6 * 3600 * SECOND
"""µs of an era: for so long a half-life is the same."""

FORGOTTEN = 12
"""Half-lives after which work counts no more: less than 1/4000 is left."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is weighed, and how.

    Args:
        points: how much ten times as many points add to a user's weight.
        unserved: µs without a lease after which a waiting user is next.
        half_lives: µs after which work counts half, each from an era on.
        factors: by how much an admin makes users weigh more, by their ids; others have 1.
        slots: that the jobs of users may hold at a time, by their ids; others have the farm's own limit.
        user_slots: that limit, as the settings say; 0: any number.
        job_share: the part of all slots that one job may hold while others wait, as the settings say; 1: all.
        limited: both are known: a server has been started here.
    """

    points: float = WEIGHT
    unserved: int = UNSERVED
    half_lives: Mapping[int, int] = field(default_factory=dict)
    factors: Mapping[int, float] = field(default_factory=dict)
    slots: Mapping[int, int] = field(default_factory=dict)
    user_slots: int = 0
    job_share: float = 1.0
    limited: bool = False

    def most(self, user: int) -> int | None:
        """Return how many slots a user's jobs may hold at a time; None: any number."""
        return self.slots.get(user, self.user_slots or None)

    def half_life(self, era: int) -> int:
        """Return the half-life of an era, µs."""
        if not self.half_lives:  # asked for each frame
            return HALF_LIFE
        return next((span for since, span in sorted(self.half_lives.items(), reverse=True) if since <= era), HALF_LIFE)

    def faded(self, work: float, era: int, at: int) -> float:
        """Return what work of an era's begin counts at a time, µs, in that era or later."""
        edges = [*(number * ERA for number in range(era, at // ERA + 1)), at]
        gone = sum((end - begin) / self.half_life(begin // ERA) for begin, end in pairwise(edges))
        return float(work * 0.5**gone)

    def grown(self, work: float, at: int) -> float:
        """Return what work is noted as that is done now: as much as at its era's begin would have faded to it."""
        era = at // ERA
        return float(work * 2 ** ((at - era * ERA) / self.half_life(era)))

    def oldest(self, at: int) -> int:
        """Return the oldest era whose work counts yet."""
        era, gone = at // ERA, 0.0
        while gone < FORGOTTEN and era > 0:
            era -= 1
            gone += ERA / self.half_life(era)
        return era
