"""Time: integer microseconds since 1970 in UTC, everywhere but in what people read."""

from __future__ import annotations

import time
from datetime import UTC, datetime

SECOND = 1_000_000
"""Microseconds in a second."""


def now() -> int:
    """Return the time, in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def moment(us: int | None) -> datetime | None:
    """Return a time in microseconds as an aware datetime; None stays None."""
    return None if us is None else datetime.fromtimestamp(us / SECOND, UTC)


def seconds(us: int) -> float:
    """Return a span of microseconds in seconds."""
    return us / SECOND


def microseconds(span: float) -> int:
    """Return a span of seconds in microseconds."""
    return round(span * SECOND)
