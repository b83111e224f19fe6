"""Jobs of users whose files and pictures are more than they may keep: paused, and resumed when there is room again.

Sent files are held back by the quota before they come; pictures come by themselves. So it is looked now and then what
those have who have jobs going on. Frames that are rendering end as usual, so a quota may be passed by a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, and_, func, or_, select

from farm.database.handle import Database
from farm.database.schema import blobs, jobs, result_files, users
from farm.jobs import files
from farm.scheduler import jobrow, jobstate
from farm.words.errors import WrongState
from farm.words.states import JOB_ACTIVE, JobState, PauseReason

_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Turn:
    """A job that is to be paused (`message` says why), or resumed (None)."""

    job: int
    message: str | None


async def keep_within(database: Database, farm_quota: int, at: int) -> int:
    """Pause and resume what is due; return how many jobs that were.

    Args:
        database: the server's.
        farm_quota: bytes that all files together may take; 0: any number.
        at: now, µs.
    """
    turns = await database.read(partial(due, farm_quota=farm_quota))
    for turn in turns:
        await database.write(partial(_turn, turn=turn, at=at))
    return len(turns)


def due(conn: Connection, farm_quota: int) -> list[Turn]:
    """Return which jobs are to be paused or resumed."""
    active = jobs.c.state.in_([state.value for state in JOB_ACTIVE])
    held = and_(jobs.c.state == JobState.PAUSED.value, jobs.c.pause_reason == PauseReason.QUOTA.value)
    query = select(jobs.c.number, jobs.c.owner, jobs.c.state).where(or_(active, held)).order_by(jobs.c.number)
    rows = conn.execute(query).all()
    if not rows:
        return []
    full = _farms(conn, farm_quota)
    over = {owner: full or _users(conn, owner) for owner in {row.owner for row in rows}}
    return [
        Turn(row.number, over[row.owner] or None)
        for row in rows
        if bool(over[row.owner]) != (row.state == JobState.PAUSED.value)
    ]


def rendered_bytes(conn: Connection, user: int) -> int:
    """Return the bytes of all that was rendered for a user's jobs and is kept, former versions too."""
    query = select(func.coalesce(func.sum(result_files.c.size), 0)).join(jobs, jobs.c.number == result_files.c.job)
    return int(conn.execute(query.where(jobs.c.owner == user)).scalar_one())


def _users(conn: Connection, user: int) -> str:
    """Return why a user's jobs have to wait; empty: they don't."""
    quota, disabled = conn.execute(select(users.c.quota, users.c.disabled).where(users.c.id == user)).one()
    if disabled:  # so is the farm itself, whose jobs are checks; a person's are paused then anyway
        return ""
    has = files.stored_bytes(conn, user) + rendered_bytes(conn, user)
    if has <= quota:
        return ""
    return f"Files and pictures of the owner's jobs take {has / _GB:.2f} of {quota / _GB:.2f} GB. Delete old jobs."


def _farms(conn: Connection, quota: int) -> str:
    if not quota:
        return ""
    has = int(
        conn.execute(select(func.coalesce(func.sum(blobs.c.size), 0)).where(blobs.c.unused.is_(None))).scalar_one()
    )
    if has <= quota:
        return ""
    return f"All files of the farm take {has / _GB:.2f} of {quota / _GB:.2f} GB (farm_quota). Delete old jobs."


def _turn(conn: Connection, turn: Turn, at: int) -> None:
    row = jobrow.fresh(conn, turn.job)
    try:
        if turn.message is not None:
            jobstate.pause(conn, turn.job, PauseReason.QUOTA, at, turn.message)
        elif row.state is JobState.PAUSED and row.pause_reason == PauseReason.QUOTA:
            jobstate.resume(conn, turn.job, at)
    except WrongState:  # it ended meanwhile
        return
