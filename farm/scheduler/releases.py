"""Ends of attempts without a result: failed, given back, lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import attempts, frames, jobs, slaves
from farm.protocol.slaves import Failed
from farm.scheduler import crowd, earnings, held, history, jobrow, paces, ripples, shortage, tally, unblock
from farm.scheduler.failures import hopeless, named, sick
from farm.scheduler.fit import fitting, trusted
from farm.scheduler.frames import AGAIN, USUAL
from farm.scheduler.held import Held
from farm.scheduler.jobrow import job_row
from farm.scheduler.policy import Policy
from farm.scheduler.settle import only_jobs_fault, settle
from farm.words.clock import microseconds
from farm.words.states import AttemptState, FailureClass, FrameState, SlaveState


@dataclass(frozen=True, slots=True)
class Release:
    """An attempt that ended without a result, and what is known of it."""

    attempt: Held
    state: AttemptState
    fault: FailureClass | None = None
    message: str = ""
    log: str = ""
    seconds: float = 0
    short: bool = False

    @classmethod
    def failed(cls, attempt: Held, failed: Failed) -> Release:
        """Return what a slave's report of a failure means."""
        facts = (failed.failure_class, failed.message, failed.log, failed.seconds, failed.short)
        return cls(attempt, AttemptState.FAILED, *facts)


def release(conn: Connection, releases: Iterable[Release], at: int, policy: Policy) -> None:
    """End attempts; their frames become ready again, or fail for good.

    Args:
        conn: the writer's.
        releases: attempts that were open.
        at: now, µs.
        policy: the limits.
    """
    memory(conn).flush(conn)
    held.forget(conn)
    by_job: defaultdict[int, list[Release]] = defaultdict(list)
    for each in sorted(releases, key=lambda r: r.attempt.id):
        _end(conn, each, at)
        by_job[each.attempt.job].append(each)
    for job, ended in sorted(by_job.items()):
        _release_frames(conn, job, ended, at, policy)


def _end(conn: Connection, each: Release, at: int) -> None:
    values: dict[str, Any] = {"state": each.state.value, "ended": at}
    if each.fault is not None:
        values |= {"failure_class": each.fault.value, "message": each.message, "log": each.log}
        values |= {"seconds": microseconds(each.seconds)}
    if each.short:
        values["short"] = shortage.memory_of(conn, each.attempt.slave)
    conn.execute(update(attempts).where(attempts.c.id == each.attempt.id).values(values))
    if each.fault is FailureClass.SLAVE:
        _blame(conn, each.attempt)
    each.attempt.state = each.state


def _blame(conn: Connection, attempt: Held) -> None:
    """Count a failure of the slave's own, and see whether it is sick."""
    paces.failed(conn, attempt.slave, attempt.job)
    if sick(_failed_for(conn, attempt.slave)):
        where = (slaves.c.id == attempt.slave, slaves.c.state.in_([state.value for state in crowd.LIVE]))
        conn.execute(update(slaves).where(*where).values(state=SlaveState.SICK.value))
        crowd.changed(conn)


def _failed_for(conn: Connection, slave: int) -> set[int]:
    """Return whose jobs a slave failed by its own fault since its last success."""
    c = attempts.c
    won = select(func.max(c.id)).where(c.slave == slave, c.state == AttemptState.WON.value)
    last = conn.execute(won).scalar() or 0
    query = select(jobs.c.owner).join(attempts, c.job == jobs.c.number).distinct()
    where = (c.slave == slave, c.state == AttemptState.FAILED.value, c.id > last, c.short.is_(None))
    return set(conn.execute(query.where(*where, c.failure_class == FailureClass.SLAVE.value)).scalars())


def _release_frames(conn: Connection, job: int, ended: list[Release], at: int, policy: Policy) -> None:
    numbers = {each.attempt.frame for each in ended if each.attempt.frame_state is FrameState.LEASED}
    if not numbers:
        return
    free = numbers - history.open_elsewhere(conn, job, numbers)
    troubled = {r.attempt.frame: r for r in ended if r.fault is not None and r.attempt.frame in free}
    failed = _hopeless(conn, job, troubled, policy)
    _to_ready(conn, job, sorted(free - troubled.keys()), 0, at)
    _to_ready(conn, job, sorted(troubled.keys() - failed), AGAIN, at)
    probe = [_fail(conn, job, troubled[number], at) for number in sorted(failed)]
    for number in sorted(failed):
        reason = unblock.because(job, number, FrameState.FAILED)
        ripples.failed(conn, job, [number], reason, at)
    if failed:
        settle(conn, job, at, ended=len(failed), probe_failed=any(probe))


def _hopeless(conn: Connection, job: int, troubled: dict[int, Release], policy: Policy) -> set[int]:
    if not troubled:
        return set()
    row = job_row(conn, job)
    past = history.tries(conn, job, troubled, row.queued)
    if not any(hopeless(tries, (), policy) for tries in past.values()):
        return set()  # whoever is there: a thousand slaves need not be looked at
    live = [m for m in crowd.live(conn) if trusted(m, row.owner, strangers=policy.strangers)]
    able = {machine.id for machine in fitting(row.requires, row.admission, live, row.owner)}
    return {number for number, tries in past.items() if hopeless(tries, able, policy)}


def _to_ready(conn: Connection, job: int, numbers: list[int], again: int, at: int) -> None:
    if not numbers:
        return
    rank = frames.c.rank - frames.c.rank % (AGAIN + 1) + AGAIN if again else frames.c.rank
    where = (frames.c.job == job, frames.c.number.in_(numbers), frames.c.state == FrameState.LEASED.value)
    count = conn.execute(
        update(frames).where(*where).values(state=FrameState.READY.value, lease=None, rank=rank)
    ).rowcount
    tally.moved(conn, job, FrameState.LEASED, FrameState.READY, count)
    eventlog.note_frames(conn, job, FrameState.READY, numbers, at=at)
    jobrow.frames_came(conn, job)


def _fail(conn: Connection, job: int, last: Release, at: int) -> bool:
    """Give a frame up; tell whether it was a probe that failed by nothing but the job's own fault."""
    number = last.attempt.frame
    where = (frames.c.job == job, frames.c.number == number, frames.c.state == FrameState.LEASED.value)
    values = {"state": FrameState.FAILED.value, "message": named(last.message, job, number), "lease": None}
    if not conn.execute(update(frames).where(*where).values(values)).rowcount:
        return False
    tally.moved(conn, job, FrameState.LEASED, FrameState.FAILED)
    eventlog.note_frames(conn, job, FrameState.FAILED, [number], at=at)
    if last.fault is FailureClass.JOB:
        earnings.earn_half(conn, job_row(conn, job), number, at)
    return last.attempt.rank < USUAL and only_jobs_fault(conn, job, number, job_row(conn, job).queued)
