"""Thousands of slaves report less often, and none of them is lost for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from farm.database.schema import slaves
from farm.scheduler import heartbeat
from farm.scheduler.policy import Policy
from farm.words.clock import SECOND
from tests.scheduler.world import World
from tests.serving import serving


@pytest.mark.parametrize(("count", "seconds"), [(0, 5), (2000, 5), (4000, 10), (10_000, 25), (1_000_000, 60)])
def test_two_thousand_slaves_report_every_5_seconds_and_more_of_them_less_often(count: int, seconds: float) -> None:
    assert heartbeat.stretched(5, count) == seconds


def test_a_heartbeat_that_is_longer_than_any_stretched_one_stays() -> None:
    assert heartbeat.stretched(300, 100_000) == 300


@given(before=st.integers(0, 50_000), now=st.integers(0, 50_000))
def test_silence_is_judged_by_the_heartbeat_that_was_told_before_many_went(before: int, now: int) -> None:
    told = heartbeat.adapted(Policy(), before, before)
    then = heartbeat.adapted(Policy(), now, max(before, now))
    assert then.lost_us > 2 * told.heartbeat_seconds * SECOND
    assert then.quiet_us > told.heartbeat_seconds * SECOND
    assert then.deadline_us >= 2 * then.lost_us


def test_slaves_count_by_when_they_were_heard_of(world: World) -> None:
    for name, ago in {"here": 1, "quiet": 119, "gone": 200, "long gone": 241}.items():
        slave = world.slave(name)
        heard = update(slaves).where(slaves.c.id == slave.id).values(seen=world.at - ago * SECOND)
        world.database.write_now(lambda conn, heard=heard: conn.execute(heard))  # type: ignore[misc]
    found = world.database.write_now(lambda conn: heartbeat.counted(conn, world.at))
    assert found == (2, 3)


def test_slaves_hear_of_a_longer_heartbeat_when_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EASY", 1)
    with serving(tmp_path, heartbeat_seconds=1) as served:
        admin = served.admin()
        first, *_ = [served.slave(admin, name) for name in ("ws01", "ws02", "ws03")]
        end = time.monotonic() + 60
        while first.orders().heartbeat_seconds != 3:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert served.slave(admin, "ws04").welcome.heartbeat_seconds >= 3
