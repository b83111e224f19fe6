"""How fast somebody may go on: a bucket that fills at a rate, and takes a burst."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """So many at once, then so many per second. Pure: the time is passed in.

    Args:
        rate: per second.
        burst: at once.
    """

    rate: float
    burst: float
    _left: float = -1.0
    _at: float = 0.0

    def take(self, now: float) -> float:
        """Take one, if there is one; return 0, or the seconds until there will be one.

        Args:
            now: seconds of any clock that only goes forward.
        """
        full = self.burst if self._left < 0 else min(self.burst, self._left + (now - self._at) * self.rate)
        self._left, self._at = full, now
        if full < 1:
            return (1 - full) / self.rate
        self._left -= 1
        return 0.0
