"""Slots of slaves here that peers' attempts have, as far as one process knows."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST = 15.0
"""Seconds after which what a silent slave had does not count, at least: three of the usual heartbeats."""


class Occupied:
    """Who holds how many, by peer and slave.

    Args:
        silence: seconds after which a slave counts as lost, as of now: in large farms, slaves report less often.
        clock: seconds that pass.
    """

    def __init__(self, silence: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._silence, self._clock = silence, clock
        self._held: dict[int, dict[int, tuple[float, int]]] = {}

    def hold(self, place: int, slave: int, slots: int) -> None:
        """Note how many slots of a slave a peer has, or is about to get.

        Args:
            place: the peer's.
            slave: whose.
            slots: so many; 0: none any more.
        """
        held = self._held.setdefault(place, {})
        if slots:
            held[slave] = self._clock(), slots
        else:
            held.pop(slave, None)

    def forget(self, slave: int) -> None:
        """Count nothing of a slave any more."""
        for held in self._held.values():
            held.pop(slave, None)

    def by(self, place: int) -> int:
        """Return how many slots a peer has; those of silent slaves don't count."""
        late = self._clock() - max(LEAST, self._silence())
        return sum(count for heard, count in self._held.get(place, {}).values() if heard > late)
