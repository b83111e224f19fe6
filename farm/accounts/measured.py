"""How far the slaves are that are being measured."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from farm.database.schema import attempts, frames, jobs, ratings
from farm.protocol.points import Cause
from farm.protocol.slaveviews import Measuring
from farm.words.states import AttemptState, FrameState, JobState

_GOING_ON = [JobState.QUEUED.value, JobState.RENDERING.value]


def measured_now(conn: Connection) -> dict[int, Measuring]:
    """Return the benchmarks that go on, by the slaves' ids."""
    query = select(ratings.c.slave, ratings.c.job, ratings.c.method, ratings.c.cause)
    query = query.join(jobs, jobs.c.number == ratings.c.job)
    rows = conn.execute(query.where(~ratings.c.over, jobs.c.state.in_(_GOING_ON))).all()
    return {row.slave: _view(conn, row.job, row.method, Cause(row.cause)) for row in rows}


def _view(conn: Connection, job: int, method: str, cause: Cause) -> Measuring:
    counts = select(frames.c.state, func.count()).where(frames.c.job == job).group_by(frames.c.state)
    count = {row[0]: int(row[1]) for row in conn.execute(counts)}
    mine = attempts.c.job == job, attempts.c.state == AttemptState.OPEN.value
    under_way = conn.execute(select(func.sum(attempts.c.progress)).where(*mine)).scalar() or 0
    done, whole = count.get(FrameState.DONE.value, 0), sum(count.values())
    progress = min((done + int(under_way) / 1000) / max(whole, 1), 1)
    return Measuring(job=job, method=method, cause=cause, done=done, frames=whole, progress=round(progress, 3))
