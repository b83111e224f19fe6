"""A clock that leapt is not believed when it says that something is old enough to be deleted."""

from __future__ import annotations

from functools import partial

import pytest

from farm.database import leaps
from farm.database.handle import Database
from farm.words.clock import SECOND

HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOW = 1_800_000_000 * SECOND


def looked(database: Database, *times: int) -> list[bool]:
    return [database.write_now(partial(leaps.look, at=at)) for at in times]


def doubted(database: Database, at: int) -> bool:
    return database.read_now(partial(leaps.doubted, at=at))


def test_a_new_server_and_one_that_was_off_for_a_night_believe_their_clock(database: Database) -> None:
    assert not doubted(database, NOW)
    assert looked(database, NOW, NOW + HOUR // 60, NOW + 14 * HOUR) == [False] * 3
    assert not doubted(database, NOW + 28 * HOUR)


@pytest.mark.parametrize("leap", [DAY, 3000 * DAY])
def test_after_a_leap_nothing_is_old_for_a_day(database: Database, leap: int) -> None:
    looked(database, NOW)
    then = NOW + leap
    assert doubted(database, then), "before anybody has looked"
    assert looked(database, then, then + HOUR // 60) == [True, False]
    for hours in range(1, 24):
        looked(database, then + hours * HOUR)
        assert doubted(database, then + hours * HOUR)
    looked(database, then + DAY)
    assert not doubted(database, then + DAY)


def test_a_leap_that_is_taken_back_is_forgotten(database: Database) -> None:
    assert looked(database, NOW, NOW + DAY, NOW + HOUR) == [False, True, False]
    assert not doubted(database, NOW + HOUR)
    assert looked(database, NOW - DAY, NOW - DAY + HOUR) == [False, False]
    assert not doubted(database, NOW - DAY + HOUR)
