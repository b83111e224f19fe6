"""What a frame is worth in points: pure, in whole numbers, so that everybody who recomputes it gets the same.

A point is a CPU-minute of the reference machine. All amounts are thousandths of points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from farm.words.clock import SECOND

MINUTE = 60 * SECOND
"""µs of CPU time that are a point, on the reference machine."""

REFERENCE = 1000
"""The reference machine's power, in thousandths; a slave that was not measured yet counts the same."""

NEIGHBOURS = 5
"""The most neighbouring frames that a frame is compared with."""

FEWEST = 3
"""Frames that make a median; of fewer, one alone could set what the next may earn."""

REACH = 24
"""Finished frames of a job among which neighbours are looked for."""

TIP = 70
"""Hundredths of burnt points that the renderer gets; the rest is gone."""

Near = tuple[int, int]
"""A neighbouring frame's number, and what it was worth before it was compared itself."""


def worth(cpu: int, power: int) -> int:
    """Return what CPU time is worth, rounded down.

    Args:
        cpu: µs.
        power: of the machine, in thousandths of the reference machine's.
    """
    return cpu * power // MINUTE


@dataclass(frozen=True, slots=True)
class Seen:
    """A finished frame of the same job: its number, whose slave rendered it, and what it was worth."""

    frame: int
    owner: int
    worth: int


def near(frame: int, owner: int, seen: Iterable[Seen]) -> list[Near]:
    """Return the nearest frames that others' slaves rendered: nobody's own frames say what theirs are worth."""
    others = [one for one in seen if one.owner != owner and one.frame != frame]
    others.sort(key=lambda one: (abs(one.frame - frame), one.frame))
    return [(one.frame, one.worth) for one in others[:NEIGHBOURS]]


def median(amounts: Iterable[int]) -> int:
    """Return the median; of an even count, the lower of the two in the middle."""
    ordered = sorted(amounts)
    return ordered[(len(ordered) - 1) // 2]


def bounded(amount: int, neighbours: Sequence[Near]) -> int:
    """Return an amount within a half and one and a half of what neighbouring frames are worth."""
    if len(neighbours) < FEWEST:
        return amount
    middle = median(worth for _, worth in neighbours)
    return min(max(amount, middle // 2), middle * 3 // 2)


@dataclass(frozen=True, slots=True)
class Time:
    """CPU time that counts, and up to when the machine's processors are accounted for then; µs."""

    counts: int
    until: int


def possible(claimed: int, issued: int, busy: int, paid: int, at: int, cores: int) -> Time:
    """Return how much of a claimed CPU time is possible: no machine has more than its processors times the time.

    All frames of a slave share its processors: what was paid for one is not there for the next.

    Args:
        claimed: µs of CPU time that the slave says.
        issued: when it got the frame, µs.
        busy: since when it has had frames without a break: the oldest that it holds, µs.
        paid: up to when its processors were accounted for before, µs.
        at: now, µs.
        cores: its processors.
    """
    begin = min(max(paid, min(busy, issued)), at)
    most = cores * min(at - begin, max(at - issued, 0))
    counts = max(min(claimed, most), 0)
    return Time(counts, begin + -(-counts // cores))


def burnt(cpu: int, power: int, boost: int, left: int) -> int:
    """Return what a boosted job pays for a frame: its worth times the boost, as long as points are left."""
    return min(worth(cpu, power) * boost, left)


def tip(amount: int) -> int:
    """Return the part of burnt points that the renderer gets, rounded down."""
    return amount * TIP // 100


def points(milli: int) -> str:
    """Return an amount as people write it."""
    sign, whole = "-" if milli < 0 else "", abs(milli)
    return f"{sign}{whole // 1000}.{whole % 1000:03}"
