"""What people and rooms do to a job: queue, pause, resume, approve, add frames; the rest is in `bulk`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.schema import jobs
from farm.scheduler import jobrow, letgo, ripples, rules
from farm.scheduler.frames import insert_frames, mark_probes
from farm.scheduler.jobrow import JobRow, job_row
from farm.scheduler.settle import set_state, settle
from farm.words.errors import WrongState
from farm.words.ranges import LIMIT, FrameRange
from farm.words.states import JOB_ACTIVE, JobState, PauseReason


def queue(conn: Connection, job: int, at: int) -> None:
    """Make a job whose files have arrived ready to render.

    Raises:
        WrongState: it is not receiving.
    """
    row = jobrow.fresh(conn, job)
    if row.state is not JobState.RECEIVING:
        raise WrongState(f"Job {job} is {row.state}, it was queued before.")
    whole = FrameRange.parse(row.frames)
    rulebook = rules.book(conn, job)
    mark_probes(conn, job, rulebook.first_of(whole), in_order=row.in_order)
    set_state(conn, row, JobState.QUEUED, at, queued=at)
    ripples.look(conn, job, rulebook.elsewhere, at)


def pause(conn: Connection, job: int, reason: PauseReason, at: int, message: str = "") -> None:
    """Lease no new frames of a job; what is leased goes on. `message` says more than the reason.

    Raises:
        WrongState: it is not queued or rendering.
    """
    row = jobrow.fresh(conn, job)
    if row.state is JobState.PAUSED:
        return
    if row.state not in JOB_ACTIVE:
        raise WrongState(f"Job {job} is {row.state}: there is nothing to pause.")
    said = {"message": message} if message else {}
    set_state(conn, row, JobState.PAUSED, at, pause_reason=reason.value, **said)


def resume(conn: Connection, job: int, at: int) -> None:
    """Let a paused job go on; one that waits for approval is approved by this.

    Raises:
        WrongState: it is not paused.
    """
    row = jobrow.fresh(conn, job)
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
    row = jobrow.fresh(conn, job)
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


@dataclass(frozen=True, slots=True)
class Growth:
    """Frames that one set of a job, or the job, gets.

    Args:
        pictures: the renderer's numbers.
        shift: what is added to these for the frames' own.
        name: the parameter set; None: none.
        before: the frames that it had so far.
    """

    pictures: FrameRange
    shift: int = 0
    name: str | None = None
    before: FrameRange | None = None


def add_frames(conn: Connection, job: int, some: Sequence[Growth], at: int) -> None:
    """Add frames to a job; those that it has are left as they are. What waits for all of them waits for these, too.

    Raises:
        WrongState: the job was canceled, its files were let go, its frames wait for others, or it would have too many.
    """
    row = jobrow.fresh(conn, job)
    if row.state is JobState.CANCELED:
        raise WrongState(f"Job {job} was canceled.", hint="Retry it first.")
    letgo.must_have_files(conn, job)
    if rules.book(conn, job).rules:
        raise WrongState(f"Job {job} has frames that depend on others: none can be added.", hint="Make a new job.")
    had = FrameRange.parse(row.frames)
    added = [one.pictures.shifted(one.shift).minus(had) for one in some]
    new = FrameRange.of(number for numbers in added for number in numbers)
    whole = FrameRange.of([*had, *new])
    if len(whole) > LIMIT:
        raise WrongState(f"Job {job} would have more than {LIMIT:,} frames.", hint="Make a new job.")
    for one in some:
        insert_frames(conn, job, one.pictures, at, shift=one.shift, name=one.name)
    conn.execute(update(jobs).where(jobs.c.number == job).values(frames=str(whole), changed=at))
    eventlog.note(conn, "job", at=at, job=job, data={"frames": str(whole)})
    jobrow.forget(conn, job)
    if new and row.state in {JobState.DONE, JobState.FAILED}:
        set_state(conn, job_row(conn, job), JobState.QUEUED, at, queued=at, ended=None)
        settle(conn, job, at)
    if new and rules.needed(conn, job):
        _spread(conn, job, [(had, new), *((one.before, n) for one, n in zip(some, added, strict=True))], at)


def _spread(conn: Connection, job: int, grown: Sequence[tuple[FrameRange | None, FrameRange]], at: int) -> None:
    """Let what waits for all that there was wait for what came, and be done again; each once."""
    told = {str(before): (before, more) for before, more in grown if before and more}
    for before, more in told.values():
        rules.grow(conn, job, before, more)
    ripples.again(conn, job, list(grown[0][1]), at)


def _hint(row: JobRow) -> str:
    return "" if row.state is JobState.RECEIVING else "Retry it, if you want it rendered again."


def _go_on(conn: Connection, row: JobRow, at: int, *, approved: bool) -> None:
    new = JobState.RENDERING if row.started else JobState.QUEUED
    set_state(conn, row, new, at, approved=approved, message="")
    settle(conn, row.number, at)
