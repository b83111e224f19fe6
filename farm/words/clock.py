"""Time: integer microseconds since 1970 in UTC, everywhere but in what people read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

SECOND = 1_000_000
"""Microseconds in a second."""


def _wall() -> int:
    return time.time_ns() // 1000


def _passed() -> int:
    return time.monotonic_ns() // 1000


_now, _steady = _wall, _passed


def now() -> int:
    """Return the time, in microseconds since 1970, UTC."""
    return _now()


def steady() -> int:
    """Return microseconds that pass whatever anybody sets the clock to; since when, means nothing."""
    return _steady()


@contextmanager
def driven(source: Callable[[], int], passed: Callable[[], int] = _passed) -> Iterator[None]:
    """Let another clock tell the time in this process while the block runs: for farms that are simulated.

    Args:
        source: µs since 1970.
        passed: µs of a clock that nobody sets.
    """
    global _now, _steady
    before = _now, _steady
    _now, _steady = source, passed
    try:
        yield
    finally:
        _now, _steady = before


def moment(us: int | None) -> datetime | None:
    """Return a time in microseconds as an aware datetime; None stays None."""
    return None if us is None else datetime.fromtimestamp(us / SECOND, UTC)


def seconds(us: int) -> float:
    """Return a span of microseconds in seconds."""
    return us / SECOND


def microseconds(span: float) -> int:
    """Return a span of seconds in microseconds."""
    return round(span * SECOND)
