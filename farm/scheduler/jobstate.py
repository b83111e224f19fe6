"""What people and rooms do to a job: queue, pause, resume, approve, cancel, retry, delete, add frames."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import attempts, frames, job_files, jobs, paces, result_files
from farm.scheduler import jobrow, tally
from farm.scheduler.frames import AGAIN, change_states, insert_frames, mark_probes, within
from farm.scheduler.jobrow import JobRow, job_row
from farm.scheduler.settle import set_state, settle
from farm.words.errors import FrameNotFound, WrongState
from farm.words.ranges import LIMIT, FrameRange
from farm.words.states import JOB_ACTIVE, AttemptState, FrameState, JobState, PauseReason

PURGE = "purge"
"""On the writer's shelf: deleted jobs have rows left."""

PURGED = 5000
"""Frames whose rows one command removes."""


def queue(conn: Connection, job: int, at: int) -> None:
    """Make a job whose files have arrived ready to render.

    Raises:
        WrongState: it is not receiving.
    """
    row = _fresh(conn, job)
    if row.state is not JobState.RECEIVING:
        raise WrongState(f"Job {job} is {row.state}, it was queued before.")
    mark_probes(conn, job, FrameRange.parse(row.frames), in_order=row.in_order)
    set_state(conn, row, JobState.QUEUED, at, queued=at)


def pause(conn: Connection, job: int, reason: PauseReason, at: int) -> None:
    """Lease no new frames of a job; what is leased goes on.

    Raises:
        WrongState: it is not queued or rendering.
    """
    row = _fresh(conn, job)
    if row.state is JobState.PAUSED:
        return
    if row.state not in JOB_ACTIVE:
        raise WrongState(f"Job {job} is {row.state}: there is nothing to pause.")
    set_state(conn, row, JobState.PAUSED, at, pause_reason=reason.value)


def resume(conn: Connection, job: int, at: int) -> None:
    """Let a paused job go on; one that waits for approval is approved by this.

    Raises:
        WrongState: it is not paused.
    """
    row = _fresh(conn, job)
    if row.state in JOB_ACTIVE:
        return
    if row.state is not JobState.PAUSED:
        raise WrongState(f"Job {job} is {row.state}, not paused.", hint=_hint(row))
    approved = row.approved or row.pause_reason == PauseReason.APPROVAL
    _go_on(conn, row, at, approved=approved)


def approve(conn: Connection, job: int, at: int) -> None:
    """Let a job go on after its probes, now or when they will be done.

    Raises:
        WrongState: it has ended, or never asked for approval.
    """
    row = _fresh(conn, job)
    if row.state not in JOB_ACTIVE | {JobState.PAUSED, JobState.RECEIVING}:
        raise WrongState(f"Job {job} is {row.state}: there is nothing to approve.", hint=_hint(row))
    if not row.approval:
        raise WrongState(f"Job {job} does not wait for approval.", hint="Resume it, if it is paused.")
    if row.state is JobState.PAUSED and row.pause_reason == PauseReason.APPROVAL:
        _go_on(conn, row, at, approved=True)
    else:
        conn.execute(update(jobs).where(jobs.c.number == job).values(approved=True, changed=at))
        jobrow.forget(conn, job)
        eventlog.note(conn, "job", at=at, job=job, data={"approved": True})


def cancel(conn: Connection, job: int, at: int) -> None:
    """End a job now: its open attempts are revoked, their results refused.

    Raises:
        WrongState: it has ended.
    """
    row = _fresh(conn, job)
    if row.state is JobState.CANCELED:
        return
    leased = select(frames.c.number).where(frames.c.job == job, frames.c.state == FrameState.LEASED.value)
    opened = (attempts.c.job == job, attempts.c.frame.in_(leased), attempts.c.state == AttemptState.OPEN.value)
    set_state(conn, row, JobState.CANCELED, at, ended=at)
    conn.execute(update(attempts).where(*opened).values(state=AttemptState.REVOKED.value, ended=at))
    change_states(conn, job, (FrameState.BLOCKED, FrameState.READY, FrameState.LEASED), FrameState.CANCELED, lease=None)


def retry(conn: Connection, job: int, numbers: FrameRange | None, at: int) -> None:
    """Render frames again: failed and canceled ones, and done ones that are named.

    Args:
        conn: the writer's.
        job: its number.
        numbers: which; None: all that failed or were canceled.
        at: now, µs.

    Raises:
        WrongState: there is nothing to retry.
        FrameNotFound: none of the named frames can be rendered again.
    """
    row = _fresh(conn, job)
    if row.state is JobState.RECEIVING:
        raise WrongState(f"Job {job} is still receiving its files.")
    revived = _revive_ended(conn, job, numbers)
    revived += _revive_done(conn, job, numbers, at) if numbers is not None else 0
    if not revived and numbers is not None:
        raise FrameNotFound(f"Job {job} has no ended frame among {numbers}.", job=job)
    if not revived:
        raise WrongState(f"Job {job} has no failed or canceled frames.", hint="Name frames to render them again.")
    conn.execute(update(paces).where(paces.c.job == job).values(failures=0))
    _requeue(conn, row, at)


def add_frames(conn: Connection, job: int, numbers: FrameRange, at: int) -> None:
    """Add frames to a job; those that it has are left as they are.

    Raises:
        WrongState: the job was canceled, or would have too many frames.
    """
    row = _fresh(conn, job)
    if row.state is JobState.CANCELED:
        raise WrongState(f"Job {job} was canceled.", hint="Retry it first.")
    whole = FrameRange.of([*FrameRange.parse(row.frames), *numbers])
    if len(whole) > LIMIT:
        raise WrongState(f"Job {job} would have more than {LIMIT:,} frames.", hint="Make a new job.")
    new = insert_frames(conn, job, numbers, at)
    conn.execute(update(jobs).where(jobs.c.number == job).values(frames=str(whole), changed=at))
    eventlog.note(conn, "job", at=at, job=job, data={"frames": str(whole)})
    jobrow.forget(conn, job)
    if new and row.state in {JobState.DONE, JobState.FAILED}:
        set_state(conn, job_row(conn, job), JobState.QUEUED, at, queued=at, ended=None)
        settle(conn, job, at)


def delete(conn: Connection, job: int, at: int) -> None:
    """Turn a job into a tombstone: its number is never used again, the rest goes.

    A job that runs is canceled first. The rows of a large one are removed by the sweep.
    """
    row = _fresh(conn, job)
    if row.state in JOB_ACTIVE | {JobState.PAUSED}:
        cancel(conn, job, at)
        row = job_row(conn, job)
    set_state(conn, row, JobState.DELETED, at, key=None)
    conn.execute(sql_delete(job_files).where(job_files.c.job == job))
    if not purge(conn, job):
        memory(conn).shelf[PURGE] = True


def purge(conn: Connection, job: int) -> bool:
    """Remove rows of a deleted job; tell whether all are gone."""
    numbers = list(conn.execute(select(frames.c.number).where(frames.c.job == job).limit(PURGED)).scalars())
    if len(numbers) == PURGED:
        of_these = (min(numbers), max(numbers))
        for table, column in (
            (result_files, result_files.c.frame),
            (attempts, attempts.c.frame),
            (frames, frames.c.number),
        ):
            conn.execute(sql_delete(table).where(table.c.job == job, column.between(*of_these)))
        return False
    for table in (result_files, attempts, frames, paces):
        conn.execute(sql_delete(table).where(table.c.job == job))
    tally.forget(conn, job)
    return True


def _fresh(conn: Connection, job: int) -> JobRow:
    """Read a job anew, with all that was put off before."""
    memory(conn).flush(conn)
    jobrow.forget(conn, job)
    return job_row(conn, job)


def _hint(row: JobRow) -> str:
    return "" if row.state is JobState.RECEIVING else "Retry it, if you want it rendered again."


def _go_on(conn: Connection, row: JobRow, at: int, *, approved: bool) -> None:
    new = JobState.RENDERING if row.started else JobState.QUEUED
    set_state(conn, row, new, at, approved=approved, message="")
    settle(conn, row.number, at)


def _requeue(conn: Connection, row: JobRow, at: int) -> None:
    """Let revived frames be leased; what a person paused stays paused.

    `queued` is set anew: failures before it don't count any more.
    """
    if row.state in {JobState.DONE, JobState.FAILED, JobState.CANCELED} or row.pause_reason == PauseReason.FAULT:
        set_state(conn, row, JobState.QUEUED, at, queued=at, ended=None, message="")
    else:
        conn.execute(update(jobs).where(jobs.c.number == row.number).values(queued=at, changed=at))
        jobrow.forget(conn, row.number)
        eventlog.note(conn, "job", at=at, job=row.number, data={"retried": True})
    settle(conn, row.number, at)


def _revive_ended(conn: Connection, job: int, numbers: FrameRange | None) -> int:
    ended = (FrameState.FAILED, FrameState.CANCELED)
    fresh: dict[str, Any] = {"lease": None, "message": "", "rank": frames.c.rank - frames.c.rank % (AGAIN + 1)}
    if numbers is None:
        return change_states(conn, job, ended, FrameState.READY, **fresh)
    parts = within(frames.c.number, numbers)
    return sum(change_states(conn, job, ended, FrameState.READY, part, **fresh) for part in parts)


def _revive_done(conn: Connection, job: int, numbers: FrameRange, at: int) -> int:
    done = (frames.c.job == job, frames.c.state == FrameState.DONE.value)
    revived = 0
    for part in within(frames.c.number, numbers):
        which = list(conn.execute(select(frames.c.number).where(*done, part)).scalars())
        for start in range(0, len(which), 500):
            revived += _undo(conn, job, which[start : start + 500], at)
    return revived


def _undo(conn: Connection, job: int, numbers: list[int], at: int) -> int:
    """Take back results that counted, and keep other old attempts from counting instead."""
    these = (attempts.c.job == job, attempts.c.frame.in_(numbers))
    conn.execute(
        update(result_files).where(result_files.c.job == job, result_files.c.frame.in_(numbers)).values(accepted=False)
    )
    welcome = [AttemptState.OPEN.value, AttemptState.LOST.value, AttemptState.RETURNED.value]
    conn.execute(
        update(attempts).where(*these, attempts.c.state.in_(welcome)).values(state=AttemptState.REVOKED.value, ended=at)
    )
    conn.execute(
        update(attempts).where(*these, attempts.c.state == AttemptState.WON.value).values(state=AttemptState.LATE.value)
    )
    fresh: dict[str, Any] = {"lease": None, "result_attempt": None, "seconds": None, "message": ""}
    return change_states(conn, job, (FrameState.DONE,), FrameState.READY, frames.c.number.in_(numbers), **fresh)
