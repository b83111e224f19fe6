"""What a slave's frames took beside others' of the same jobs, by what those were measured at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from farm.accounts.due import Side
from farm.accounts.formula import REFERENCE
from farm.database.schema import attempts, jobs, ratings
from farm.scheduler import earnings, jobrow
from farm.words.states import AttemptState

LAST = 60
"""Frames of a slave that are looked at, the newest ones."""

REACH = 20
"""Numbers around them, between which others' frames are looked at."""

OTHERS = 60
"""Others' frames of a job that are looked at."""


def sides(conn: Connection, slave: int, key: str, since: int, own: int, *, strangers: bool) -> list[Side]:
    """Return what frames of a slave's took, and others' of the same jobs, as the reference machine would take; µs.

    Args:
        conn: any connection.
        slave: whose.
        key: with which method; on graphics cards `METHOD/WAY`.
        since: only those after this, µs.
        own: its power, in thousandths.
        strangers: only confirmed ratings count: who made theirs up would say what others' machines are worth.
    """
    c = attempts.c
    columns = (c.job, c.frame, c.cpu, c.seconds, c.device, jobs.c.requires, jobs.c.pinned)
    query = select(*columns).join(jobs, jobs.c.number == c.job)
    won = c.slave == slave, c.state == AttemptState.WON.value
    mine: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for row in conn.execute(query.where(*won, c.ended > since).order_by(c.id.desc()).limit(LAST)):
        spent, method = row.seconds if row.device else row.cpu, jobrow.requirement(row.requires, row.pinned).method
        if spent and earnings.key(method, row.device) == key:
            mine[row.job][row.frame] = spent * own // REFERENCE
    return [Side(list(took.values()), _others(conn, slave, key, job, took, strangers)) for job, took in mine.items()]


def _others(conn: Connection, slave: int, key: str, job: int, near: Iterable[int], strangers: bool) -> list[int]:
    numbers, c = sorted(near), attempts.c
    around = c.frame.between(numbers[0] - REACH, numbers[-1] + REACH)
    way = key.partition("/")[2]
    query = select(c.slave, c.cpu, c.seconds).where(c.job == job, around, c.state == AttemptState.WON.value)
    query = query.where(c.device == way)
    rows = conn.execute(query.where(c.slave != slave).order_by(c.frame).limit(OTHERS)).all()
    rated = _powers(conn, {row.slave for row in rows}, key, strangers=strangers)
    times = ((row.slave, row.seconds if way else row.cpu) for row in rows)
    return [spent * rated[who] // REFERENCE for who, spent in times if spent and who in rated]


def _powers(conn: Connection, slaves: set[int], key: str, *, strangers: bool) -> dict[int, int]:
    """Return what slaves were last measured at, in thousandths."""
    c = ratings.c
    query = select(c.slave, c.power).where(c.slave.in_(slaves), c.method == key, c.power.is_not(None)).order_by(c.at)
    if strangers:
        query = query.where(c.provisional.is_(False))
    return {row.slave: row.power for row in conn.execute(query)}


def unrated(conn: Connection, slave: int, key: str, *, strangers: bool) -> list[Side]:
    """Return the same of a slave that was never measured, as if it were the reference machine."""
    return sides(conn, slave, key, 0, REFERENCE, strangers=strangers)
