from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.words.errors import BadSetting
from farm.words.hours import Hours

MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001 - as a clock on the wall shows it


def at(day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(("hours", "day", "clock", "inside"), [
    ("", 0, "12:00", True),
    ("18:00-08:00", 0, "17:59", False),
    ("18:00-08:00", 0, "18:00", True),
    ("18:00-08:00", 1, "07:59", True),
    ("18:00-08:00", 1, "08:00", False),
    ("mon-fri 18:00-08:00", 5, "07:00", True),
    ("mon-fri 18:00-08:00", 5, "19:00", False),
    ("mon-fri 18:00-08:00", 0, "07:00", False),
    ("mon-fri 18:00-08:00, sat-sun", 5, "12:00", True),
    ("sat-sun", 0, "00:00", False),
    ("fri-mon 10:00-24:00", 0, "23:59", True),
    ("wed 9:00-17:00", 2, "12:00", True),
    ("wed 9:00-17:00", 3, "12:00", False),
])  # fmt: skip
def test_hours_are_meant_as_people_read_them(hours: str, day: int, clock: str, inside: bool) -> None:
    assert Hours.parse(hours).include(at(day, clock)) is inside


@pytest.mark.parametrize("text", ["18-8", "monday", "mon 25:00-26:00", "mon-xyz", "18:60-19:00", "18:00"])
def test_what_are_no_hours_is_named(text: str) -> None:
    with pytest.raises(BadSetting, match="no hours"):
        Hours.parse(text)


@given(st.integers(0, 7 * 24 * 60 - 1), st.integers(0, 1439), st.integers(0, 1439))
def test_a_moment_is_in_a_span_or_in_the_rest_of_the_day(minute: int, start: int, end: int) -> None:
    moment = MONDAY + timedelta(minutes=minute)
    one, other = (f"{a // 60}:{a % 60:02}-{b // 60}:{b % 60:02}" for a, b in ((start, end), (end, start)))
    if start != end:
        assert Hours.parse(one).include(moment) is not Hours.parse(other).include(moment)
