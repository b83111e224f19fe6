"""How many slots a job needs to be done in time: the forecast, run ahead with more and fewer of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from farm.scheduler.fairness import Usage
from farm.scheduler.forecast import Load, ends

MOST = 1 << 14
"""Slots that are thought of."""

UNSURE = 2.0
"""By what a guess may be wrong where nothing was measured, either way."""


@dataclass(frozen=True, slots=True)
class Span:
    """µs that a frame takes on a slot, and between what the mean of all frames may lie."""

    low: float
    mean: float
    high: float

    @classmethod
    def measured(cls, mean: float, deviation: float, count: int) -> Span:
        """Return what so many frames tell: the mean, and two standard errors around it."""
        error = 2 * deviation / sqrt(count) if count > 1 else mean * (UNSURE - 1)
        return cls(max(mean / UNSURE, mean - error), mean, mean + error)


@dataclass(frozen=True, slots=True)
class Row:
    """With so many slots a job is done after so many µs: at best, probably, at worst."""

    slots: int
    low: int
    mean: int
    high: int


def row(loads: Sequence[Load], usage: Usage, job: int, span: Span, slots: int, at: int) -> Row:
    """Return when a job is done with so many slots.

    Args:
        loads: the queue, with the job.
        usage: what users and jobs have had.
        job: its number.
        span: how long its frames take.
        slots: that render.
        at: now, µs.
    """

    def end(each: float) -> int:
        return ends([replace(one, span=each) if one.number == job else one for one in loads], usage, slots, at)[job]

    return Row(slots, end(span.low), end(span.mean), end(span.high))


def needed(loads: Sequence[Load], usage: Usage, job: int, each: float, within: int, at: int) -> int | None:
    """Return the fewest slots with which a job is done in time, as far as halving finds them; None: no number does.

    Args:
        loads: the queue, with the job.
        usage: what users and jobs have had.
        job: its number.
        each: µs that a frame of it takes.
        within: µs in which it is to be done.
        at: now, µs.
    """

    def done(slots: int) -> bool:
        return row(loads, usage, job, Span(each, each, each), slots, at).mean <= within

    low, high = 0, 1
    while not done(high):
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if done(middle) else (middle, high)
    return high
