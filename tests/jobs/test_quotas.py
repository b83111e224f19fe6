"""Who keeps too much: their jobs pause, and go on when there is room again."""

from __future__ import annotations

import asyncio

from sqlalchemy import select, update

from farm.database import schema
from farm.jobs.quotas import keep_within
from farm.scheduler import bulk, jobstate
from farm.words.states import PauseReason
from tests.jobs.pretend import NOW, Farm
from tests.jobs.test_collect import finish


def look(farm: Farm, farm_quota: int = 0) -> dict[int, tuple[str, str | None]]:
    """Look at the quotas; return state and pause reason of each job."""
    asyncio.run(keep_within(farm.database, farm_quota, NOW))
    c = schema.jobs.c
    query = select(c.number, c.state, c.pause_reason)
    rows = farm.database.read_now(lambda conn: conn.execute(query).all())
    return {row.number: (row.state, row.pause_reason) for row in rows}


def test_pictures_count_too_and_jobs_go_on_when_old_ones_are_deleted(farm: Farm) -> None:
    ada, bob = farm.user("ada", quota=100), farm.user("bob", quota=100)
    slave = farm.slave("ws1", ada)
    old, new, others = (
        farm.job(ada, {"a.blend": b"x" * 40}),
        farm.job(ada, {"a.blend": b"x" * 40}),
        farm.job(bob, {"b.blend": b"y" * 40}),
    )
    assert look(farm) == dict.fromkeys((old, new, others), ("queued", None)), "the same file counts once"
    finish(farm, old, 1, slave, b"p" * 61)
    assert look(farm) == {old: ("paused", "quota"), new: ("paused", "quota"), others: ("queued", None)}
    message = farm.row(schema.jobs, schema.jobs.c.number == new).message
    assert "Files and pictures of the owner's jobs take" in message
    farm.database.write_now(lambda conn: bulk.delete(conn, old, NOW))
    assert look(farm)[new] == ("queued", None)
    assert farm.row(schema.jobs, schema.jobs.c.number == new).message == ""


def test_a_larger_quota_lets_them_go_on_and_what_a_person_paused_stays_paused(farm: Farm) -> None:
    ada = farm.user("ada", quota=100)
    first, second = farm.job(ada, {"a.blend": b"x" * 60}), farm.job(ada, {"a.blend": b"x" * 60})
    farm.database.write_now(lambda conn: jobstate.pause(conn, second, PauseReason.USER, NOW))
    finish(farm, first, 1, farm.slave("ws1", ada), b"p" * 60)
    assert look(farm) == {first: ("paused", "quota"), second: ("paused", "user")}
    larger = update(schema.users).values(quota=1000)
    farm.database.write_now(lambda conn: conn.execute(larger) and None)
    assert look(farm) == {first: ("queued", None), second: ("paused", "user")}


def test_the_farms_own_checks_are_held_back_by_nobodys_quota(farm: Farm) -> None:
    ada = farm.user("ada")
    job = farm.job(ada, {"a.blend": b"x" * 60})
    farms = update(schema.users).values(quota=0, disabled=True)
    farm.database.write_now(lambda conn: conn.execute(farms) and None)
    assert look(farm) == {job: ("queued", None)}


def test_a_full_farm_pauses_all(farm: Farm) -> None:
    ada, bob = farm.user("ada"), farm.user("bob")
    jobs = farm.job(ada, {"a.blend": b"x" * 60}), farm.job(bob, {"b.blend": b"y" * 60})
    assert look(farm, farm_quota=120) == dict.fromkeys(jobs, ("queued", None))
    assert look(farm, farm_quota=119) == dict.fromkeys(jobs, ("paused", "quota"))
    assert look(farm) == dict.fromkeys(jobs, ("queued", None))
