"""Hours of the week in which something may happen: `mon-fri 18:00-08:00, sat-sun`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from farm.words.errors import BadSetting

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes."""

_SPAN = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))?)?\s*(?:(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d))?")


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of some days: from `start` of each of `days`, `length` minutes long, perhaps into the next day."""

    days: frozenset[int]
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans of the week; none at all means always."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read hours as people write them.

        Raises:
            BadSetting: they can't be read.
        """
        return cls(tuple(_span(part.strip()) for part in text.lower().split(",") if part.strip()))

    def include(self, moment: datetime) -> bool:
        """Tell whether a moment, as the clock on the wall shows it, is within the hours."""
        return not self.spans or any(_covers(span, moment) for span in self.spans)


def _covers(span: Span, moment: datetime) -> bool:
    minute = moment.hour * 60 + moment.minute
    today, yesterday = moment.weekday(), (moment - timedelta(days=1)).weekday()
    end = span.start + span.length
    return (today in span.days and span.start <= minute < end) or (yesterday in span.days and minute + DAY < end)


def _span(text: str) -> Span:
    try:
        return _read(text)
    except ValueError as error:
        hint = "For example: 18:00-08:00, or: mon-fri 18:00-08:00, sat-sun."
        raise BadSetting(f"“{text}” are no hours.", hint=hint) from error


def _read(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    first, last, *clock = found.groups()
    days = _days(first, last or first)
    if clock[0] is None:
        return Span(days, 0, DAY)
    start, end = (_minute(clock[at], clock[at + 1]) for at in (0, 2))
    return Span(days, start, (end - start) % DAY or DAY)


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None or last is None:
        return frozenset(range(7))
    start, end = DAYS.index(first), DAYS.index(last)
    return frozenset((start + step) % 7 for step in range((end - start) % 7 + 1))


def _minute(hour: str, minute: str) -> int:
    if int(hour) > 24 or int(minute) > 59 or int(hour) * 60 + int(minute) > DAY:
        raise ValueError(hour)
    return int(hour) * 60 + int(minute)
