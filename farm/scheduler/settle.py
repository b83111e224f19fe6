"""Whether a job goes on, pauses or ends, after something happened to its frames."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, exists, func, select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import attempts, frames, jobs
from farm.scheduler import escrow, jobrow, standing, tally, telling
from farm.scheduler.fairness import LAST
from farm.scheduler.frames import USUAL
from farm.scheduler.jobrow import JobRow, job_row
from farm.scheduler.tally import Counts
from farm.words.states import (
    JOB_ACTIVE,
    JOB_ENDED,
    JOB_MOVES,
    AttemptState,
    FailureClass,
    FrameState,
    JobState,
    PauseReason,
    move,
)

NEAR_THE_END = 64
"""So few frames left, and the job's row is locked: else two processes leave the end to each other."""

_PROBES_OPEN = select(
    exists().where(
        frames.c.job == bindparam("of"),
        frames.c.state.in_([FrameState.BLOCKED.value, FrameState.READY.value, FrameState.LEASED.value]),
        frames.c.rank < USUAL,
    )
)


def set_state(conn: Connection, job: JobRow, new: JobState, at: int, **values: Any) -> None:
    """Change a job's state by the transition table, and tell the world."""
    move(JOB_MOVES, job.state, new)
    values.setdefault("pause_reason", None)
    if job.rush and new in JOB_ENDED:
        values["rush"] = 0  # such a word counts once: once retried, the job comes in its turn
    conn.execute(update(jobs).where(jobs.c.number == job.number).values(state=new.value, changed=at, **values))
    jobrow.forget(conn, job.number)
    escrow.ended(conn, job, new, at)
    if new is JobState.QUEUED and job.rush != LAST:
        standing.enter(conn, job.owner, job.number, at)
    if job.rush != LAST or new is JobState.FAILED:  # nobody asked for what the farm does by itself
        telling.of_job(conn, job.number, job.owner, new, values, at)
    told = {"state": new.value, "pause_reason": values["pause_reason"]}
    eventlog.note(conn, "job", at=at, job=job.number, data=told)


def settle(conn: Connection, job: int, at: int, *, ended: int = 1, probe_failed: bool = False) -> None:
    """End or pause a job if it is time.

    Args:
        conn: the writer's.
        job: its number.
        at: now, µs.
        ended: frames that ended in this command; with many, the lock is taken earlier.
        probe_failed: one of them was a probe, and failed.
    """
    jobrow.active(conn)  # most likely it is one of them, and they are needed for leases anyway
    row = job_row(conn, job)
    if row.state not in JOB_ACTIVE | {JobState.PAUSED, JobState.FAILED}:
        return
    count = tally.counts(conn, job)
    if count.open <= max(NEAR_THE_END, 4 * ended) and not jobrow.locked(conn, job):
        jobrow.lock(conn, job)
        jobrow.forget(conn, job)
        row, count = job_row(conn, job), tally.counts(conn, job, anew=True)
    if count.open == 0:
        _end(conn, row, count, at)
    elif row.state in JOB_ACTIVE:
        _pause_if_due(conn, row, count, at, probe_failed=probe_failed)


def _end(conn: Connection, row: JobRow, count: Counts, at: int) -> None:
    new = JobState.FAILED if count.failed else JobState.DONE
    if row.state is new:
        return
    if row.state is JobState.FAILED:  # a late result healed its last failed frame
        set_state(conn, row, JobState.QUEUED, at)
        row = job_row(conn, row.number)
    message = _fault(conn, row.number) if new is JobState.FAILED else ""
    set_state(conn, row, new, at, ended=at, message=message)


def _pause_if_due(conn: Connection, row: JobRow, count: Counts, at: int, *, probe_failed: bool) -> None:
    asks = probe_failed and count.done == 0
    if not (asks or row.probing) or conn.execute(_PROBES_OPEN, {"of": row.number}).scalar():
        return
    if asks:
        message = f"All probes failed by the job's own fault. {_fault(conn, row.number)}".strip()
        set_state(conn, row, JobState.PAUSED, at, pause_reason=PauseReason.FAULT.value, message=message)
    else:
        set_state(conn, row, JobState.PAUSED, at, pause_reason=PauseReason.APPROVAL.value)


def _fault(conn: Connection, job: int) -> str:
    """Return what the first failed frame said."""
    memory(conn).flush(conn)
    failed = select(func.min(frames.c.number)).where(frames.c.job == job, frames.c.state == FrameState.FAILED.value)
    number = conn.execute(failed).scalar()
    query = select(frames.c.message).where(frames.c.job == job, frames.c.number == number)
    return str(conn.execute(query).scalar() or "")


def only_jobs_fault(conn: Connection, job: int, number: int, since: int) -> bool:
    """Tell whether a frame failed by nothing but the job's own fault."""
    faults = select(attempts.c.failure_class).where(
        attempts.c.job == job,
        attempts.c.frame == number,
        attempts.c.issued >= since,
        attempts.c.state.in_([AttemptState.FAILED.value, AttemptState.LOST.value]),
    )
    return set(conn.execute(faults).scalars()) == {FailureClass.JOB.value}
