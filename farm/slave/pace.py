"""How long this slave's frames take, and for how many slots it wants leases. Pure but for the averages."""

from __future__ import annotations

import math
from collections.abc import Iterable

AHEAD = 10.0
"""Seconds of queued work per slot below which more is asked for."""

MOST = 64
"""Frames that wait per slot at most: each report names them all, however short they are."""

_WEIGHT = 0.3
"""Of the newest frame in the average."""


class Pace:
    """Seconds per frame of each job, as measured here."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def note(self, job: int, seconds: float) -> None:
        """Take in how long a frame took."""
        known = self._seconds.get(job)
        self._seconds[job] = seconds if known is None else known + _WEIGHT * (seconds - known)

    def of(self, job: int) -> float | None:
        """Return a job's seconds per frame, if one was rendered here."""
        return self._seconds.get(job)

    def forget(self, job: int) -> None:
        """Drop a job."""
        self._seconds.pop(job, None)


def wanted(slots: int, queued: Iterable[float | None], ahead: float = AHEAD) -> int:
    """Return for how many slots leases are wanted.

    Each slot should have `ahead` seconds of work waiting, or one frame if that is longer, so
    that it never idles, and that no frame waits here which another slave could render; but no
    more than :data:`MOST` frames.

    Args:
        slots: how many there are.
        queued: the seconds of each waiting frame; None: unknown, then one is enough.
        ahead: seconds.
    """
    covered = sum(1.0 if seconds is None else min(1.0, max(seconds / ahead, 1 / MOST)) for seconds in queued)
    return max(0, slots - math.floor(covered + 1e-9))
