"""How many frames a lease holds, and how frames are dealt to slots: pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """Frames measured, and the time that they took, in µs."""

    frames: int = 0
    us: int = 0

    @property
    def each(self) -> float | None:
        """Time of one frame, in µs; None if unknown."""
        return self.us / self.frames if self.frames else None


def pace_of(own: Pace, job: Pace) -> float | None:
    """Return what to expect of one frame, in µs: the slave's own measure, else the job's; None if unknown."""
    return own.each if own.each is not None else job.each


def lease_size(each: float | None, ready: int, slots: int, lease_us: int, most: int) -> int:
    """Return how many frames to lease to one slot.

    An unknown job gets 1, so that it is measured soon. The last ones shrink, so that all
    slots share them and end together.

    Args:
        each: expected time of one frame, in µs; None if unknown.
        ready: ready frames of the job.
        slots: slots of all live slaves that fit.
        lease_us: the time that a lease should take, in µs.
        most: the limit.
    """
    if each is None or ready <= 0:
        return 1
    by_time = most if each < 1 else int(lease_us // each)
    share = math.ceil(ready / (2 * max(slots, 1)))
    return max(1, min(by_time, share, most))


def share(left: int, own: int, slots: int, held: int) -> int:
    """Return how many more frames of a job a slave may hold.

    No more than its part of what is left, or the last ones would wait on a busy slave while others idle. But
    one per slot always: so nothing that is ready starves.

    Args:
        left: frames of the job that are not done yet, ready or leased.
        own: the slave's slots.
        slots: those of all live slaves that fit, its own among them.
        held: frames of the job that it has already.
    """
    part = left * own // max(slots, own, 1)
    return max(part - held, own - held, 0)


def deal(frames: Sequence[T], slots: int) -> list[list[T]]:
    """Deal frames to at most `slots` hands, as even as possible and each in order."""
    hands = [list(frames[at::slots]) for at in range(min(slots, len(frames)))]
    return [hand for hand in hands if hand]
