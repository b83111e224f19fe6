"""What is known for planning a deadline: today's queue, the slots that fit a job, and how long its frames take."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from farm.database.schema import attempts, jobs
from farm.jobs import boosts
from farm.scheduler import crowd, standing
from farm.scheduler.fairness import UNKNOWN, Had, Usage, entry
from farm.scheduler.forecast import Load
from farm.scheduler.planning import Span
from farm.words.clock import SECOND
from farm.words.errors import JobNotFound, WrongState
from farm.words.states import JOB_ENDED, AttemptState

TO_COME = 0
"""Number and owner of a job that is not sent yet: a new user's, level with the others."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known.

    Args:
        loads: the queue, with the job.
        usage: what users and jobs have had.
        job: its number.
        span: how long its frames take.
        measured: frames that tell so.
        slots: that fit it, and are here.
    """

    loads: list[Load]
    usage: Usage
    job: int
    span: Span
    measured: int
    slots: int

    @property
    def frames(self) -> int:
        """That are left of the job."""
        return next(load.frames for load in self.loads if load.number == self.job)


def of_job(conn: Connection, job: int, at: int) -> Known:
    """Return what is known of a job.

    Raises:
        JobNotFound: there is none.
        WrongState: it has ended.
    """
    found = conn.execute(select(jobs).where(jobs.c.number == job)).first()
    if found is None:
        raise JobNotFound(f"There is no job {job}.", job=job)
    if found.state in JOB_ENDED:
        raise WrongState(f"Job {job} is {found.state}.", hint="Plan one that has frames left.", job=job)
    span, count = _span(conn, job)
    return Known(boosts.queue(conn, found), standing.read(conn, at), job, span, count, boosts.slots_for(conn, found))


def of_frames(conn: Connection, frames: int, minutes: float, at: int) -> Known:
    """Return what is known for a job that is not sent yet."""
    loads, usage = boosts.queue(conn), standing.read(conn, at)
    each = minutes * 60 * SECOND
    others = {load.owner for load in loads}
    level = entry(0.0, (usage.burden(owner) for owner in others))
    usage.users[TO_COME] = Had(recent=level * usage.weight(TO_COME))
    loads.append(Load(TO_COME, TO_COME, 50, at, frames, each, each))
    slots = sum(machine.slots for machine in crowd.live(conn))
    return Known(loads, usage, TO_COME, Span.measured(each, 0, 0), 0, slots)


def _span(conn: Connection, job: int) -> tuple[Span, int]:
    c = attempts.c
    # 1.0: squares of µs are too large for SQLite's whole numbers.
    query = select(func.count(), func.sum(c.seconds), func.sum(c.seconds * 1.0 * c.seconds))
    count, total, squares = conn.execute(query.where(c.job == job, c.state == AttemptState.WON.value)).one()
    if not count:
        return Span.measured(UNKNOWN, 0, 0), 0
    mean = float(total) / count
    deviation = sqrt(max(0.0, float(squares) / count - mean**2))
    return Span.measured(mean, deviation, count), int(count)
