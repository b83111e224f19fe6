"""How far a slave can be relied on, from what it did so far: pure.

A fraction that it is at least, rather than its mean: 3 frames of 3 say less than 300 of 300. It is the 5 % quantile
of Beta(2 + successes, 1 + failures): in 19 of 20 cases a slave with such a record does better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from farm.words.clock import SECOND

PRIOR = (2.0, 1.0)
"""Successes and failures that a slave begins with: it is rather believed to work."""

ATTEMPTS = 200
"""Attempts after which an older one counts half."""

AGE = 14 * 86_400 * SECOND
"""µs after which an attempt counts half: machines are mended, and break."""

DOUBT = 0.05
"""The part of all cases in which a slave may be worse than is said."""

PROBATION = 0.5
"""Who is less reliable is on probation."""

_STEPS = 40
"""Halvings of an interval: more digits than a double has of use here."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a slave did: good and bad ends, fading with time and with those that follow; as of `at`, µs."""

    good: float = 0.0
    bad: float = 0.0
    at: int = 0


def after(record: Record, good: int, bad: int, at: int) -> Record:
    """Return a record with further ends: accepted results, and failures by the slave's own fault.

    Args:
        record: so far.
        good: accepted results.
        bad: failures.
        at: now, µs.
    """
    kept = 0.5 ** ((good + bad) / ATTEMPTS + max(at - record.at, 0) / AGE)
    return Record(record.good * kept + good, record.bad * kept + bad, max(at, record.at))


def reliability(record: Record) -> float:
    """Return the fraction of attempts that will at least succeed, but for one case in 20."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _below(record, middle) > DOUBT else (middle, high)
    return low


def on_probation(record: Record) -> bool:
    """Tell whether a slave is less reliable than :data:`PROBATION`."""
    return _below(record, PROBATION) > DOUBT


def _below(record: Record, x: float) -> float:
    """Return how probable it is that a slave is less reliable than `x`: the regularised incomplete beta function."""
    a, b = PRIOR[0] + record.good, PRIOR[1] + record.bad
    if not 0 < x < 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22)."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, 500):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + step * d or tiny)
            c = 1 + step / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return value
