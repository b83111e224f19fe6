"""What must always be true of the scheduler's tables, and where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.engine import Connection

from farm.database.schema import (
    attempts,
    dependencies,
    events,
    frames,
    job_files,
    job_versions,
    jobs,
    paces,
    result_files,
    ripples,
    sequences,
    slaves,
    tallies,
)
from farm.scheduler import rules
from farm.scheduler.crowd import LIVE
from farm.scheduler.rules import Rule
from farm.words.ranges import count_of
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
    found += _dependencies(conn)
    return found + list(_frame_counts(conn)) + list(_tallies(conn)) + list(_sequences(conn)) + list(_events(conn))


def _queries() -> Iterator[tuple[str, Select[Any]]]:
    yield from _frame_queries()
    yield from _attempt_queries()
    yield from _result_queries()
    yield from _job_queries()
    yield from _state_queries()
    yield from _tombstone_queries()


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
    held = frames.c.state.in_([FrameState.READY.value, FrameState.BLOCKED.value, FrameState.CANCELED.value])
    yield (
        "Frame {number} of job {job} is {state}, but has a lease.",
        frame.where(held, frames.c.lease.is_not(None)),
    )
    yield (
        "Frame {number} of job {job} has the unknown state “{state}”.",
        frame.where(frames.c.state.not_in([state.value for state in FrameState])),
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
    open_ = attempts.c.state == AttemptState.OPEN.value
    yield (
        "Lease {lease} is held by {slaves} slaves.",
        select(attempts.c.lease, func.count(attempts.c.slave.distinct()).label("slaves"))
        .where(attempts.c.state == AttemptState.OPEN.value, attempts.c.lease.is_not(None))
        .group_by(attempts.c.lease)
        .having(func.count(attempts.c.slave.distinct()) > 1),
    )
    yield "Attempt {id} has ended, but not when.", _attempt().where(~open_, attempts.c.ended.is_(None))
    yield "Attempt {id} is open, but has an end.", _attempt().where(open_, attempts.c.ended.is_not(None))
    yield (
        "Attempt {id} failed, but not whose fault it was.",
        _attempt().where(attempts.c.state == AttemptState.FAILED.value, attempts.c.failure_class.is_(None)),
    )
    yield "Attempt {id} won, but without a result.", _attempt().where(won, attempts.c.result.is_(None))
    yield (
        "Attempt {id} is at frame {frame} of job {job}, which does not exist.",
        _attempt().where(~exists().where(_SAME_FRAME)),
    )


def _result_queries() -> Iterator[tuple[str, Select[Any]]]:
    won = attempts.c.state == AttemptState.WON.value
    file = select(result_files.c.attempt, result_files.c.name)
    of = file.join(attempts, attempts.c.id == result_files.c.attempt)
    counts = result_files.c.accepted
    yield "File {name} of attempt {attempt} counts, but the attempt did not win.", of.where(counts.is_(True), ~won)
    yield "Attempt {attempt} won, but its file {name} does not count.", of.where(counts.is_(False), won)
    elsewhere = or_(result_files.c.job != attempts.c.job, result_files.c.frame != attempts.c.frame)
    yield "File {name} of attempt {attempt} is another frame's.", of.where(elsewhere)
    its = exists().where(attempts.c.id == result_files.c.attempt)
    yield "File {name} is of attempt {attempt}, which does not exist.", file.where(~its)
    its = exists().where(result_files.c.attempt == attempts.c.id)
    yield "Attempt {id} won, but has no files.", _attempt().where(won, ~its)


def _job_queries() -> Iterator[tuple[str, Select[Any]]]:
    job = select(jobs.c.number, jobs.c.state)
    still = jobs.c.unfinished.is_(None)  # else a piece of its frames is yet to be changed, which may be so for a moment
    left = exists().where(frames.c.job == jobs.c.number, frames.c.state.in_(_OPEN_FRAMES))
    any_failed = exists().where(frames.c.job == jobs.c.number, frames.c.state == FrameState.FAILED.value)
    running = [state.value for state in (*JOB_ACTIVE, JobState.PAUSED)]
    yield "Job {number} is {state}, but nothing of it is left to do.", job.where(jobs.c.state.in_(running), ~left)
    ended = jobs.c.state.in_([state.value for state in JOB_ENDED if state is not JobState.DELETED])
    yield "Job {number} is {state}, but has frames left.", job.where(ended, left, still)
    yield "Job {number} is done, but a frame failed.", job.where(jobs.c.state == JobState.DONE.value, any_failed, still)
    yield (
        "Job {number} failed, but no frame did.",
        job.where(jobs.c.state == JobState.FAILED.value, ~any_failed, still),
    )
    paused = jobs.c.state == JobState.PAUSED.value
    yield (
        "Job {number} is {state}, which does not go with its pause reason.",
        job.where(or_(and_(paused, jobs.c.pause_reason.is_(None)), and_(~paused, jobs.c.pause_reason.is_not(None)))),
    )
    began = jobs.c.state == JobState.RENDERING.value
    yield "Job {number} is {state}, but never started.", job.where(began, jobs.c.started.is_(None))
    yield "Job {number} is {state}, but not since when.", job.where(ended, jobs.c.ended.is_(None))
    yield "Job {number} is {state}, but has an end.", job.where(jobs.c.state.in_(running), jobs.c.ended.is_not(None))
    gone = jobs.c.state.in_(running), jobs.c.let_go.is_not(None)
    yield "Job {number} is {state}, but its files were let go.", job.where(*gone)


def _state_queries() -> Iterator[tuple[str, Select[Any]]]:
    """Look for states that there are not; those of frames are looked at with the frames."""
    yield (
        "Job {number} has the unknown state “{state}”.",
        select(jobs.c.number, jobs.c.state).where(jobs.c.state.not_in([one.value for one in JobState])),
    )
    yield (
        "Attempt {id} has the unknown state “{state}”.",
        select(attempts.c.id, attempts.c.state).where(attempts.c.state.not_in([one.value for one in AttemptState])),
    )
    yield (
        "Slave {name} has the unknown state “{state}”.",
        select(slaves.c.name, slaves.c.state).where(slaves.c.state.not_in([one.value for one in SlaveState])),
    )


def _tombstone_queries() -> Iterator[tuple[str, Select[Any]]]:
    columns = {
        "frames": frames.c.job,
        "attempts": attempts.c.job,
        "results": result_files.c.job,
        "files": job_files.c.job,
        "slaves' paces": paces.c.job,
        "versions": job_versions.c.job,
        "dependencies": dependencies.c.job,
    }
    for what, column in columns.items():
        yield f"Job {{job}} is no more, but has {what}.", _outliving(column)
    dead = jobs.c.state == JobState.DELETED.value
    yield (
        "Job {number} is deleted, but keeps its key, or has something left to do.",
        select(jobs.c.number).where(
            dead, or_(and_(jobs.c.key.is_not(None), jobs.c.updates.is_(None)), jobs.c.unfinished.is_not(None))
        ),
    )


def _outliving(job: ColumnElement[Any]) -> Select[Any]:
    """Find rows that outlived their job. Its counts are removed last: while they are there, so may be the others."""
    living = exists().where(jobs.c.number == job, jobs.c.state != JobState.DELETED.value)
    going = exists().where(tallies.c.job == job)
    return select(job.label("job")).where(~living, ~going).distinct()


def _attempt() -> Select[Any]:
    return select(attempts.c.id, attempts.c.job, attempts.c.frame)


def miscounted(conn: Connection) -> Iterator[tuple[int, FrameState, int, int]]:
    """Yield job, state, how many of its frames are in it, and how many are counted, where these differ."""
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
                yield job, state, have, say


def _tallies(conn: Connection) -> Iterator[str]:
    """Compare each job's counts with its frames."""
    for job, state, have, say in miscounted(conn):
        yield f"Job {job} has {have} {state} frames, but counts {say}."


def _frame_counts(conn: Connection) -> Iterator[str]:
    """Compare each job's frames with those that it should have; more may be added at any time."""
    whole = jobs.c.state.not_in([JobState.RECEIVING.value, JobState.DELETED.value])
    counted = select(frames.c.job, func.count().label("n")).group_by(frames.c.job).subquery()
    query = select(jobs.c.number, jobs.c.frames, counted.c.n).outerjoin(counted, counted.c.job == jobs.c.number)
    for job, text, have in conn.execute(query.where(whole)):
        if (have or 0) != count_of(text):
            yield f"Job {job} has {have or 0} frames, but should have {count_of(text)}."


def _dependencies(conn: Connection) -> Iterator[str]:
    """Compare the states of frames that depend on others with those of the others; looked at rule by rule."""
    going_on = or_(exists().where(ripples.c.id > 0), exists().where(jobs.c.unfinished.is_not(None)))
    if conn.execute(select(going_on)).scalar():
        return  # something is being gone on with: then and there it may be so for a moment
    going = [state.value for state in (*JOB_ACTIVE, JobState.PAUSED)]
    query = select(jobs.c.number).where(jobs.c.state.in_(going), jobs.c.number.in_(select(dependencies.c.job)))
    for job in sorted(conn.execute(query).scalars()):
        yield from islice(_of_job(conn, job), _MOST)


def _of_job(conn: Connection, job: int) -> Iterator[str]:
    waits = set[int]()
    having = select(frames.c.number, frames.c.state).where(frames.c.job == job)
    for rule in rules.read(conn, job):
        waits |= _waits(conn, rule)
    for number, state in conn.execute(having.order_by(frames.c.number)):
        if state == FrameState.BLOCKED and number not in waits:
            yield f"Frame {number} of job {job} is blocked, but all that it depends on is done."
        if state in (FrameState.READY, FrameState.LEASED) and number in waits:
            yield f"Frame {number} of job {job} is {state}, but something that it depends on is not done."


def _waits(conn: Connection, rule: Rule) -> set[int]:
    """Return the frames that wait by a rule."""
    if rule.server:
        return set(rule.frames.whole)
    done = select(frames.c.number).where(frames.c.job == rule.on_job, frames.c.state == FrameState.DONE.value)
    here = done.join(jobs, jobs.c.number == frames.c.job).where(_LIVING)
    missing = set(rule.needs.whole).difference(conn.execute(here).scalars())
    return set(rule.waiting(missing)) if missing else set()


def overtaken(conn: Connection) -> Iterator[tuple[str, int, int]]:
    """Yield the sequences that would give a number again: name, next number, highest one in use."""
    used = {
        "job": [jobs.c.number, frames.c.job, attempts.c.job, events.c.job],
        "attempt": [attempts.c.id, frames.c.result_attempt],
        "lease": [attempts.c.lease, frames.c.lease],
        "writer": [events.c.writer, tallies.c.writer],
    }
    for name, columns in used.items():
        after = conn.execute(select(sequences.c.next).where(sequences.c.name == name)).scalar() or 1
        highest = max(conn.execute(select(func.coalesce(func.max(column), 0))).scalar_one() for column in columns)
        if highest >= after:
            yield name, int(after), int(highest)


def _sequences(conn: Connection) -> Iterator[str]:
    for name, after, highest in overtaken(conn):
        yield f"The next {name} would be {after}, but {highest} is in use."


def _events(conn: Connection) -> Iterator[str]:
    """Look for gaps: a reader that saw one would have missed something for good."""
    seq = events.c.seq
    query = select(events.c.writer, func.min(seq), func.max(seq), func.count()).group_by(events.c.writer)
    for writer, first, last, count in conn.execute(query):
        if count != last - first + 1:
            yield f"Events {first} to {last} of writer {writer} are only {count}."
