"""What must always be true of the scheduler's tables, and where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.engine import Connection

from farm.database.schema import attempts, frames, jobs, result_files, sequences, slaves, tallies
from farm.scheduler.crowd import LIVE
from farm.words.states import JOB_ACTIVE, JOB_ENDED, AttemptState, FrameState, JobState, SlaveState

_MOST = 100
_OPEN_FRAMES = (FrameState.BLOCKED.value, FrameState.READY.value, FrameState.LEASED.value)
_LIVING = jobs.c.state != JobState.DELETED.value
_SAME_FRAME = and_(attempts.c.job == frames.c.job, attempts.c.frame == frames.c.number)


def audit(conn: Connection) -> list[str]:
    """Return violated invariants, one sentence each; empty when all is well."""
    found: list[str] = []
    for words, query in _queries():
        found += [words.format(**row) for row in conn.execute(query.limit(_MOST)).mappings()]
    return found + list(_tallies(conn)) + list(_sequences(conn))


def _queries() -> Iterator[tuple[str, Select[Any]]]:
    yield from _frame_queries()
    yield from _attempt_queries()
    yield from _job_queries()


def _frame_queries() -> Iterator[tuple[str, Select[Any]]]:
    frame = select(frames.c.job, frames.c.number, frames.c.state, frames.c.result_attempt)
    done = frames.c.state == FrameState.DONE.value
    yield (
        "Frame {number} of job {job} is {state}, with result {result_attempt}.",
        frame.where(done.is_distinct_from(frames.c.result_attempt.is_not(None))),
    )
    won = exists().where(
        _SAME_FRAME, attempts.c.id == frames.c.result_attempt, attempts.c.state == AttemptState.WON.value
    )
    yield "Frame {number} of job {job} is done, but attempt {result_attempt} did not win it.", frame.where(done, ~won)
    opened = exists().where(_SAME_FRAME, attempts.c.state == AttemptState.OPEN.value)
    yield (
        "Frame {number} of job {job} is leased, but nobody has it.",
        frame.where(frames.c.state == FrameState.LEASED.value, ~opened),
    )
    yield (
        "Frame {number} of job {job} is {state}, but somebody renders it.",
        frame.where(
            frames.c.state.in_([FrameState.READY.value, FrameState.FAILED.value, FrameState.CANCELED.value]), opened
        ),
    )


def _attempt_queries() -> Iterator[tuple[str, Select[Any]]]:
    won = attempts.c.state == AttemptState.WON.value
    yield (
        "Frame {frame} of job {job} was won {times} times.",
        select(attempts.c.job, attempts.c.frame, func.count().label("times"))
        .where(won)
        .group_by(attempts.c.job, attempts.c.frame)
        .having(func.count() > 1),
    )
    its = exists().where(_SAME_FRAME, frames.c.result_attempt == attempts.c.id)
    yield "Attempt {id} won, but frame {frame} of job {job} has another result.", _attempt().where(won, ~its)
    gone = [
        state.value
        for state in SlaveState
        if state not in {*LIVE, SlaveState.PAUSED, SlaveState.SICK, SlaveState.RESTING}
    ]
    yield (
        "Attempt {id} is open, but its slave {name} is {slave_state}.",
        select(attempts.c.id, slaves.c.name, slaves.c.state.label("slave_state"))
        .join(slaves, slaves.c.id == attempts.c.slave)
        .where(attempts.c.state == AttemptState.OPEN.value, slaves.c.state.in_(gone)),
    )
    yield (
        "File {name} of attempt {attempt} counts, but the attempt did not win.",
        select(result_files.c.attempt, result_files.c.name)
        .join(attempts, attempts.c.id == result_files.c.attempt)
        .where(result_files.c.accepted.is_(True), ~won),
    )


def _job_queries() -> Iterator[tuple[str, Select[Any]]]:
    job = select(jobs.c.number, jobs.c.state)
    left = exists().where(frames.c.job == jobs.c.number, frames.c.state.in_(_OPEN_FRAMES))
    any_failed = exists().where(frames.c.job == jobs.c.number, frames.c.state == FrameState.FAILED.value)
    running = [state.value for state in (*JOB_ACTIVE, JobState.PAUSED)]
    yield "Job {number} is {state}, but nothing of it is left to do.", job.where(jobs.c.state.in_(running), ~left)
    ended = [state.value for state in JOB_ENDED if state is not JobState.DELETED]
    yield "Job {number} is {state}, but has frames left.", job.where(jobs.c.state.in_(ended), left)
    yield "Job {number} is done, but a frame failed.", job.where(jobs.c.state == JobState.DONE.value, any_failed)
    yield "Job {number} failed, but no frame did.", job.where(jobs.c.state == JobState.FAILED.value, ~any_failed)
    paused = jobs.c.state == JobState.PAUSED.value
    yield (
        "Job {number} is {state}, which does not go with its pause reason.",
        job.where(or_(and_(paused, jobs.c.pause_reason.is_(None)), and_(~paused, jobs.c.pause_reason.is_not(None)))),
    )


def _attempt() -> Select[Any]:
    return select(attempts.c.id, attempts.c.job, attempts.c.frame)


def _tallies(conn: Connection) -> Iterator[str]:
    """Compare each job's counts with its frames."""
    living = select(jobs.c.number).where(_LIVING)
    counted: dict[int, dict[str, int]] = {}
    grouped = select(frames.c.job, frames.c.state, func.count().label("n")).where(frames.c.job.in_(living))
    for job, state, count in conn.execute(grouped.group_by(frames.c.job, frames.c.state)):
        counted.setdefault(job, {})[state] = count
    sums = [func.sum(tallies.c[state.value]).label(state.value) for state in FrameState]
    said = select(tallies.c.job, *sums).where(tallies.c.job.in_(living)).group_by(tallies.c.job)
    shards = {row["job"]: dict(row) for row in conn.execute(said).mappings()}
    for job in sorted(counted.keys() | shards.keys()):
        for state in FrameState:
            have, say = counted.get(job, {}).get(state, 0), int(shards.get(job, {}).get(state.value, 0))
            if have != say:
                yield f"Job {job} has {have} {state} frames, but counts {say}."


def _sequences(conn: Connection) -> Iterator[str]:
    used = {"job": jobs.c.number, "attempt": attempts.c.id}
    for name, column in used.items():
        after = conn.execute(select(sequences.c.next).where(sequences.c.name == name)).scalar() or 1
        highest = conn.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
        if highest >= after:
            yield f"The next {name} would be {after}, but {highest} is in use."
