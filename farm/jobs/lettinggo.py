"""Files of jobs that ended long ago: they go, pictures stay. Blobs that nobody else names are collected."""

from __future__ import annotations

from functools import partial

import structlog
from sqlalchemy import Connection, and_, exists, or_, select, update
from sqlalchemy.sql import ColumnElement

from farm.database import eventlog
from farm.database.handle import Database
from farm.database.schema import dependencies, job_files, jobs
from farm.scheduler import jobrow, letgo
from farm.words.states import JOB_ENDED, JobState

log = structlog.get_logger(__name__)

_AT_ONCE = 100
_ENDED = [state.value for state in JOB_ENDED if state is not JobState.DELETED]


def awaited() -> ColumnElement[bool]:
    """Tell of which jobs frames are needed by one that goes on."""
    waiter = jobs.alias("waiter")
    return exists().where(
        dependencies.c.on_job == jobs.c.number,
        dependencies.c.server == "",
        waiter.c.number == dependencies.c.job,
        waiter.c.state.not_in([state.value for state in JOB_ENDED]),
    )


async def let_go(database: Database, before: int, at: int) -> int:
    """Let the files of jobs go that ended before; return of how many.

    Args:
        database: the server's.
        before: µs.
        at: now, µs.
    """
    count = after = 0
    while found := await database.read(partial(_due, before=before, after=after)):
        after = found[-1]
        for job in found:
            if await database.write(partial(_mark, job=job, before=before, at=at)):
                count += 1
                while await database.write(partial(letgo.drop_files, job=job)):
                    pass
    if count:
        log.info("Files of jobs that ended long ago are let go.", jobs=count)
    return count


def _may(before: int) -> ColumnElement[bool]:
    """Tell of which jobs the files may go, or were going when a server was killed."""
    coming = jobs.alias("coming")
    updated = exists().where(coming.c.updates == jobs.c.number, coming.c.state == JobState.RECEIVING.value)
    due = and_(jobs.c.ended <= before, jobs.c.unfinished.is_(None), ~awaited(), ~updated)
    return and_(jobs.c.state.in_(_ENDED), or_(jobs.c.let_go.is_not(None), due))


def _due(conn: Connection, before: int, after: int) -> list[int]:
    has = exists().where(job_files.c.job == jobs.c.number)
    query = select(jobs.c.number).where(_may(before), has, jobs.c.number > after)
    return list(conn.execute(query.order_by(jobs.c.number).limit(_AT_ONCE)).scalars())


def _mark(conn: Connection, job: int, before: int, at: int) -> bool:
    """Write down that a job's files go, if they still may; tell whether. From then on nothing brings it back."""
    this = jobs.c.number == job
    conn.execute(select(jobs.c.number).where(this).with_for_update())
    if conn.execute(select(jobs.c.number).where(this, _may(before))).first() is None:
        return False
    fresh = update(jobs).where(this, jobs.c.let_go.is_(None), jobs.c.state.in_(_ENDED))
    if conn.execute(fresh.values(let_go=at, changed=at)).rowcount:
        eventlog.note(conn, "job", at=at, job=job, data={"changed": ["let_go"]})
    jobrow.forget(conn, job)
    return True
