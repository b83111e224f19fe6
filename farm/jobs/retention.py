"""What goes by itself a while after its job's end: logs, tries that gave no picture, its files, then the job.

A job goes only if somebody has fetched every picture of it, former versions' too, and nothing waits for it. What stays
of it is its row, so that its number is never used again, and the ledger. Logs and tries are thinned out job by job in
the order of their ends; how far that is, stands in the database, so no old job is looked at twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection, and_, delete, exists, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from farm.database.handle import Database
from farm.database.schema import attempts, jobs, meta, postings, result_files, spot_checks
from farm.jobs import lettinggo
from farm.package.results import LOG, OUTPUT
from farm.scheduler import bulk
from farm.words.clock import SECOND
from farm.words.errors import DistrenError
from farm.words.states import JOB_ENDED, AttemptState, JobState

log = structlog.get_logger(__name__)

DAY = 24 * 3600 * SECOND
"""µs."""

PIECE = 500
"""Attempts that one command changes."""

_AT_ONCE = 100
_ENDED = [state.value for state in JOB_ENDED if state is not JobState.DELETED]
_PICTURES = [AttemptState.WON.value, AttemptState.FORMER.value]
_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Keep:
    """Days after a job's end; 0: for ever."""

    jobs: float = 0
    logs: float = 0
    attempts: float = 0
    packages: float = 0


async def thin_out(database: Database, keep: Keep, at: int) -> int:
    """Let go what is kept for long enough; return how many jobs were deleted.

    Args:
        database: the server's.
        keep: how long.
        at: now, µs.
    """
    if keep.logs:
        await _thin(database, "logs", at - round(keep.logs * DAY), _drop_logs)
    if keep.attempts:
        await _thin(database, "attempts", at - round(keep.attempts * DAY), _drop_attempts)
    if keep.packages:
        await lettinggo.let_go(database, at - round(keep.packages * DAY), at)
    return await _delete_jobs(database, at - round(keep.jobs * DAY), at) if keep.jobs else 0


async def _thin(database: Database, what: str, before: int, drop: Callable[..., bool]) -> None:
    """Do something to all jobs that ended before, once each, in the order of their ends."""
    key = f"thinned {what}"
    place = await database.read(partial(_place, key=key))
    while found := await database.read(partial(_ended_after, place=place, before=before)):
        for _ended, number in found:
            while await database.write(partial(drop, job=number)):
                pass
        place = found[-1]
        await database.write(partial(_note, key=key, place=place))


def _place(conn: Connection, key: str) -> _Place:
    text = conn.execute(select(meta.c.value).where(meta.c.key == key)).scalar() or "0 0"
    ended, number = map(int, text.split())
    return ended, number


def _note(conn: Connection, key: str, place: _Place) -> None:
    value = f"{place[0]} {place[1]}"
    if not conn.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount:
        conn.execute(insert(meta).values(key=key, value=value))


def _ended_after(conn: Connection, place: _Place, before: int) -> list[_Place]:
    further = or_(jobs.c.ended > place[0], and_(jobs.c.ended == place[0], jobs.c.number > place[1]))
    query = select(jobs.c.ended, jobs.c.number).where(jobs.c.state.in_(_ENDED), jobs.c.ended <= before, further)
    return [
        (row.ended, row.number) for row in conn.execute(query.order_by(jobs.c.ended, jobs.c.number).limit(_AT_ONCE))
    ]


def _drop_logs(conn: Connection, job: int) -> bool:
    """Empty logs and steps of a job's attempts; tell whether there may be more."""
    wordy = or_(attempts.c.log != "", attempts.c.trace.is_not(None))
    found = _some(conn, and_(attempts.c.job == job, wordy))
    if found:
        conn.execute(update(attempts).where(attempts.c.id.in_(found)).values(log="", trace=None))
        return True
    conn.execute(delete(result_files).where(result_files.c.job == job, result_files.c.role == LOG))
    return False


def _drop_attempts(conn: Connection, job: int) -> bool:
    """Forget a job's tries that gave no picture; tell whether there may be more. What points were given for, stays."""
    useless = attempts.c.state.not_in([*_PICTURES, AttemptState.OPEN.value])
    paid = exists().where(postings.c.ref == attempts.c.id, postings.c.job == job)
    checked = exists().where(spot_checks.c.attempt == attempts.c.id)
    found = _some(conn, and_(attempts.c.job == job, useless, ~paid, ~checked))
    if found:
        conn.execute(delete(attempts).where(attempts.c.id.in_(found)))
        conn.execute(delete(result_files).where(result_files.c.attempt.in_(found)))
    return bool(found)


def _some(conn: Connection, which: ColumnElement[bool]) -> Sequence[int]:
    return list(conn.execute(select(attempts.c.id).where(which).limit(PIECE)).scalars())


async def _delete_jobs(database: Database, before: int, at: int) -> int:
    deleted = after = 0
    while found := await database.read(partial(_due, before=before, after=after)):
        after = found[-1]
        for job in found:
            try:
                deleted += await database.write(partial(_delete, job=job, before=before, at=at))
            except DistrenError as error:  # somebody is changing it
                log.info("A job that is kept for long enough stays for now.", job=job, reason=error.message)
    if deleted:
        log.info("Jobs that were kept for long enough are deleted.", jobs=deleted)
    return deleted


def _over(before: int) -> ColumnElement[bool]:
    """Tell which jobs may go: all pictures are at home, and no job that goes on needs theirs."""
    missing = exists().where(
        result_files.c.job == jobs.c.number,
        result_files.c.role == OUTPUT,
        result_files.c.fetched.is_(None),
        attempts.c.id == result_files.c.attempt,
        attempts.c.state.in_(_PICTURES),
    )
    over = and_(jobs.c.state.in_(_ENDED), jobs.c.ended <= before, jobs.c.unfinished.is_(None))
    return and_(over, ~missing, ~lettinggo.awaited())


def _due(conn: Connection, before: int, after: int) -> list[int]:
    query = select(jobs.c.number).where(_over(before), jobs.c.number > after)
    return list(conn.execute(query.order_by(jobs.c.number).limit(_AT_ONCE)).scalars())


def _delete(conn: Connection, job: int, before: int, at: int) -> bool:
    """Delete a job, if it still may go; tell whether it does."""
    if conn.execute(select(jobs.c.number).where(_over(before), jobs.c.number == job)).first() is None:
        return False
    bulk.delete(conn, job, at)
    return True
