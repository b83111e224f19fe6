"""Moments as people write them: `friday 18:00`, `18:00`, `2026-11-27 18:00`, `36h`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from farm.words.errors import Malformed

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(h|d|min)")
_UNITS = {"h": 3600, "d": 86400, "min": 60}


def moment_of(text: str, now: datetime) -> datetime:
    """Return the next such moment after now, in the same time zone.

    Raises:
        Malformed: it is none, or it is over.
    """
    text = text.strip().lower()
    if found := _SPAN.fullmatch(text):
        return now + timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    first, _, rest = text.partition(" ")
    try:
        if first in DAYS:
            wanted = _on(now + timedelta(days=(DAYS.index(first) - now.weekday()) % 7), rest or "18:00")
            wanted = wanted if wanted > now else wanted + timedelta(days=7)
        elif ":" in first:
            wanted = _on(now, first)
            wanted = wanted if wanted > now else wanted + timedelta(days=1)
        else:
            wanted = datetime.fromisoformat(text).replace(tzinfo=now.tzinfo)
    except ValueError as error:
        raise Malformed(
            f"“{text}” is no moment.", hint="Write friday 18:00, 18:00, 2026-11-27 18:00 or 36h."
        ) from error
    if wanted <= now:
        raise Malformed(f"“{text}” is over.", hint="Name a moment to come.")
    return wanted


def _on(day: datetime, text: str) -> datetime:
    hour, _, minute = text.partition(":")
    return day.replace(hour=int(hour), minute=int(minute or 0), second=0, microsecond=0)
