"""Leasing the last frames twice: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = 1.5
"""The other must be expected to take so many times as long as we: guesses are rough."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An open attempt. Times in µs.

    Args:
        ahead: rounds of rendering that its slave has to do before it.
        elapsed: since its rendering began; None if it has not.
        progress: 0 to 1; 0 if unknown.
        each: what its slave needs for a frame of this job.
        set: the parameter set that its frame is of.
    """

    frame: int
    picture: int
    lease: int
    slave: int
    ahead: int
    elapsed: int | None
    progress: float
    each: float
    set: str | None = None


def left(copy: Copy) -> float:
    """Return the expected time until an attempt ends, in µs."""
    if copy.elapsed is None:
        return copy.each * (1 + copy.ahead)
    if copy.progress >= 0.05:
        return copy.elapsed / copy.progress * (1 - copy.progress)
    return max(copy.each - copy.elapsed, copy.elapsed * 0.5)


def pick(copies: Iterable[Copy], slave: int, each: float) -> Copy | None:
    """Return the frame that this idle slave should render too, or None.

    Args:
        copies: all open attempts of a job with nothing left to start.
        slave: the idle slave.
        each: what it needs for a frame of this job, in µs.
    """
    known = list(copies)
    count = Counter(copy.frame for copy in known)
    mine = {copy.frame for copy in known if copy.slave == slave}
    late = [c for c in known if count[c.frame] == 1 and c.frame not in mine and left(c) > MARGIN * each]
    return max(late, key=lambda c: (left(c), -c.frame), default=None)
